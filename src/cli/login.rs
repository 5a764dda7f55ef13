//! `login`: signing in at an issuer.

mod browser;
mod client;
mod redirect;

use std::{sync::Arc, time::Duration};

use clap::Args;
use reqwest::Url;
use tokio_util::sync::CancellationToken;

pub(super) use client::{Client, named};

use super::{Failure, Global, out, serve};
use crate::{
    caller::{
        Credential,
        login::{
            Asked, Provider, Session, SignInError, Tokens, Unanswered, device::Device, given::Given,
            store::Kept,
        },
    },
    config::Config,
};
use redirect::{Page, Redirect};

/// How long a browser is waited for.
const TIME: Duration = Duration::from_secs(900);

/// Answers to other requests that are told of.
const MOST_FOREIGN: usize = 3;

/// Sign in at an issuer with a browser: stdio (`serve`) and the shell (`call`) then run as you, and kubeconfigs of
/// `palette_kubeconfig` reach their clusters as you. Nothing is signed in that a token is given for.
#[derive(Debug, Args)]
pub(super) struct Login {
    #[command(flatten)]
    client: Client,
    /// Sign in with a browser on another device; this one shows a code.
    #[arg(long, conflicts_with = "no_browser")]
    device: bool,
    /// Open no browser: the URL is printed, for one that reaches this machine's loopback address.
    #[arg(long)]
    no_browser: bool,
}

/// The right person has answered.
struct Answer {
    given: Given,
    nonce: Option<String>,
}

impl Login {
    pub(super) async fn run(&self, global: &Global) -> Result<(), Failure> {
        let config = global.config()?;
        let session = Arc::new(self.client.session(&config)?);
        let ending = serve::on_signal();
        let (tokens, kept, told) = ends(self.signed(&session), ending).await?;
        let path = session.store().path();
        let (path, why) = (path.display(), told.map(|told| format!(" ({told})")).unwrap_or_default());
        let sealed = "sealed with a key in your keyring";
        let how = if kept.is_sealed() { sealed } else { "which you alone may read" };
        out::error_line(&format!("kept in {path}, {how}{why}; `platform-mcp logout` forgets it"));
        out::text(&who(&config, &session, &tokens).await)?;
        Ok(())
    }

    async fn signed(&self, session: &Session) -> Result<(Tokens, Kept, Option<String>), Failure> {
        let settings = session.settings();
        let provider = Provider::find(settings).await?;
        let (kept, told) = session.store().begin().await?;
        let opened = browser::Opener::found();
        let device = self.device || (!self.no_browser && opened.is_none() && provider.device().is_some());
        let judge = async |answer: Answer| {
            let Answer { given, nonce } = answer;
            let tokens = given.taken(settings, session.issuers(), nonce.as_deref(), None).await?;
            session.store().keep(&kept, &tokens).await.map(|()| tokens)
        };
        let tokens = match device {
            true => judge(by_device(&provider).await?).await?,
            false => by_redirect(&provider, opened.filter(|_| !self.no_browser), judge).await?,
        };
        Ok((tokens, kept, told))
    }
}

/// Until the person has had enough.
async fn ends<T>(
    signing: impl Future<Output = Result<T, Failure>>,
    ending: CancellationToken,
) -> Result<T, Failure> {
    tokio::select! {
        signed = signing => signed,
        () = ending.cancelled() => Err(Failure::failed("interrupted: nobody was signed in")),
        () = tokio::time::sleep(TIME) => {
            Err(Failure::failed(format!("nobody signed in within {} minutes", TIME.as_secs() / 60)))
        }
    }
}

async fn by_device(provider: &Provider<'_>) -> Result<Answer, Failure> {
    let device = Device::begin(provider).await?;
    let (place, code) = (&device.place, &device.user_code);
    out::error_line(&format!(
        "To sign in, open this in a browser on any device, and type {code}:\n\n  {place}"
    ));
    if let Some(complete) = &device.complete {
        out::error_line(&format!("\nor this, where only the code is to be compared:\n\n  {complete}"));
    }
    waiting(device.minutes());
    let given = device.answered(provider).await?;
    Ok(Answer { given, nonce: None })
}

async fn by_redirect(
    provider: &Provider<'_>,
    opener: Option<browser::Opener>,
    judge: impl AsyncFn(Answer) -> Result<Tokens, SignInError>,
) -> Result<Tokens, Failure> {
    let mut redirect = Redirect::listen(&provider.settings().redirect).await.map_err(Failure::failed)?;
    let asked = Asked::new(redirect.url().to_owned())?;
    let url = asked.url(provider)?;
    show(&url, opener);
    waiting(TIME.as_secs() / 60);
    let mut foreign = 0;
    loop {
        let (query, reply) = redirect.next().await.map_err(Failure::failed)?;
        let code = match asked.code(provider, &query) {
            Ok(code) => code,
            Err(Unanswered::Foreign) => {
                reply.send(Page::Foreign);
                foreign += 1;
                if foreign <= MOST_FOREIGN {
                    let why = Unanswered::Foreign;
                    out::error_line(&format!("an answer came and was not taken: {why}; waiting for yours"));
                }
                continue;
            }
            Err(Unanswered::Ends(error)) => {
                reply.send(Page::Failed);
                redirect.end().await;
                return Err(error.into());
            }
        };
        let tokens = async {
            let given = asked.redeem(provider, &code).await?;
            judge(Answer { given, nonce: Some(asked.nonce().to_owned()) }).await
        };
        let tokens = tokens.await;
        reply.send(if tokens.is_ok() { Page::Done } else { Page::Failed });
        redirect.end().await;
        return Ok(tokens?);
    }
}

fn waiting(minutes: u64) {
    out::error_line(&format!("\nwaiting for up to {minutes} minutes; Ctrl-C ends it"));
}

fn show(url: &Url, opener: Option<browser::Opener>) {
    let opened = match opener {
        None => false,
        Some(opener) => match opener.open(url) {
            Ok(()) => true,
            Err(why) => {
                out::error_line(&format!("no browser could be opened: {why}"));
                false
            }
        },
    };
    let what = if opened {
        "Sign in with the browser that opens. If none does, open this in a browser on this machine:"
    } else {
        "To sign in, open this in a browser on this machine (for one elsewhere, use --device):"
    };
    out::error_line(&format!("{what}\n\n  {url}"));
}

/// Who it is for this server.
async fn who(config: &Config, session: &Arc<Session>, tokens: &Tokens) -> String {
    let (name, subject) = (session.settings().name(), &tokens.subject);
    let plain = format!("signed in at {name} as {subject}");
    if config.issuer(name).is_none() {
        return plain;
    }
    let Ok(built) = config.clone().for_one_shot().without_clusters().build() else { return plain };
    match Credential::login(Arc::clone(session)).caller(&built.callers).await {
        Ok(caller) => format!("signed in at {name} as {}", caller.username()),
        Err(unusable) => format!("{plain}; but for this server: {}", unusable.error.text()),
    }
}
