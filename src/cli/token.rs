//! `token`: a token for a cluster, as kubectl asks credential plugins for it (`ExecCredential` of
//! `client.authentication.k8s.io/v1`).

use std::sync::Arc;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokio::time::{Duration, Instant, timeout};

use super::{Failure, Global, login::Client, out};
use crate::{
    caller::{
        Credential,
        login::{LoginSettings, Session, Shown, SignInError},
        oidc::unverified,
    },
    config::{Built, Config},
    kubernetes::{As, clusters::Lookup},
};

/// For all of it; kubectl waits.
const TIME: Duration = Duration::from_secs(30);

/// Print a token for a cluster: the credential plugin of kubeconfigs, for kubectl. It is the ID token of your
/// sign-in where that is for the cluster, and otherwise one got in exchange, where `issuers[].exchange` is
/// configured. It opens no browser: sign in first (`platform-mcp login`).
#[derive(Debug, Args)]
pub(super) struct Token {
    #[command(flatten)]
    client: Client,
    /// The cluster, as it is configured, or as whoever reads errors knows it.
    #[arg(long, value_name = "NAME")]
    cluster: String,
    /// The audience of the tokens that it takes; otherwise --client-id, or as the cluster is configured.
    #[arg(long, value_name = "AUDIENCE")]
    audience: Option<String>,
    /// What to print.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// What is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// An ExecCredential, for kubectl.
    #[default]
    ExecCredential,
    /// The token alone.
    Token,
}

impl Token {
    pub(super) async fn run(&self, global: &Global) -> Result<(), Failure> {
        let config = global.config()?;
        let session = Arc::new(self.client.session(&config)?);
        let got = timeout(TIME, self.got(&config, &session)).await;
        let late = |_| Failure::failed(format!("the issuer did not answer within {} s", TIME.as_secs()));
        let (token, ends) = got.map_err(late)??;
        match self.output {
            Output::Token => out::text(token.expose_secret())?,
            Output::ExecCredential => {
                let mut status = json!({ "token": token.expose_secret() });
                if let (Some(ends), Some(status)) = (ends, status.as_object_mut()) {
                    status.insert("expirationTimestamp".to_owned(), format!("{ends:.0}").into());
                }
                let kind = ("client.authentication.k8s.io/v1", "ExecCredential");
                out::json(&json!({"apiVersion": kind.0, "kind": kind.1, "status": status}))?;
            }
        }
        Ok(())
    }

    async fn got(
        &self,
        config: &Config,
        session: &Arc<Session>,
    ) -> Result<(SecretString, Option<Timestamp>), Failure> {
        let settings = session.settings();
        let built = config.clone().for_one_shot().build()?;
        let audience = self.audience(&built)?.unwrap_or_else(|| settings.client_id.clone());
        let id = session.token(Shown::Id).await;
        match id {
            Ok(held) if is_for(&held.token, &audience) => {
                self.not_ours(&held.token, settings, &built)?;
                return Ok((held.token, held.ends));
            }
            Ok(_) => {}
            // where it is exchanged, the ID token need not be there
            Err(_) if settings.issuer.exchange.is_some() => {}
            Err(error) => return Err(self.unsigned(session, &error)),
        }
        if settings.issuer.exchange.is_none() {
            return Err(Failure::failed(format!(
                "the cluster {} takes tokens for {audience:?}, and your ID token is for {:?}: sign in as that client \
                 (platform-mcp login {} --client-id {audience}), or configure issuers[].exchange",
                self.cluster,
                settings.client_id,
                settings.name(),
            )));
        }
        let credential = Credential::login(Arc::clone(session));
        let caller = credential.caller(&built.callers).await;
        let caller = caller.map_err(|unusable| Failure::failed(unusable.error.text()))?;
        match caller.exchanged(Some(&audience)) {
            As::Bearer(bearer) => {
                let token = bearer.token(Instant::now() + TIME).await;
                let token = token.map_err(|fault| Failure::failed(fault.to_string()))?;
                self.not_ours(&token, settings, &built)?;
                let ends = end(&token);
                Ok((token, ends))
            }
            _ => Err(Failure::failed("your token cannot be exchanged for one of the cluster's")),
        }
    }

    /// A cluster could show a token that this server takes too, and would be taken for the person.
    fn not_ours(&self, token: &SecretString, settings: &LoginSettings, built: &Built) -> Result<(), Failure> {
        let ours = built.callers.issuers().would_take(token.expose_secret(), Timestamp::now());
        if !ours || settings.share_with_clusters {
            return Ok(());
        }
        Err(Failure::failed(format!(
            "the token for the cluster {} is one that platform-mcp takes from callers too, so whoever runs the \
             cluster could call platform-mcp as you. Give the cluster a client of its own at the issuer and sign in as \
             that (platform-mcp login {} --client-id CLIENT), or configure issuers[].exchange; or, if the cluster may \
             do that, issuers[].login: {{clientId: {}, shareWithClusters: true}}",
            self.cluster,
            settings.name(),
            settings.client_id,
        )))
    }

    /// Whom the tokens of the cluster name, where that is said. What is said here comes before what is configured
    /// for a cluster that may have this name by chance.
    fn audience(&self, built: &Built) -> Result<Option<String>, Failure> {
        if let Some(audience) = self.audience.as_deref().or(self.client.id()) {
            return Ok(Some(audience.to_owned()));
        }
        match built.toolbox.registry().now().lookup(&self.cluster) {
            Lookup::One(cluster) if cluster.audience().is_some() => Ok(cluster.audience().map(str::to_owned)),
            Lookup::Several(names) => {
                let names = names.join(", ");
                Err(Failure::usage(format!("several clusters are called {:?}: write {names}", self.cluster)))
            }
            _ => Ok(None),
        }
    }

    fn unsigned(&self, session: &Session, error: &SignInError) -> Failure {
        if !error.wants_sign_in() {
            return Failure::failed(error.to_string());
        }
        let again = if matches!(error, SignInError::NotSignedIn(_)) { "" } else { " again" };
        let command = self.client.command(session.settings());
        Failure::failed(format!("{error}; sign in{again} with `{command}`"))
    }
}

/// Whether a token names this audience.
fn is_for(token: &SecretString, audience: &str) -> bool {
    let Ok(claims) = unverified(token.expose_secret()) else { return false };
    match claims.get("aud") {
        Some(serde_json::Value::String(one)) => one == audience,
        Some(serde_json::Value::Array(several)) => several.iter().any(|one| one == audience),
        _ => false,
    }
}

fn end(token: &SecretString) -> Option<Timestamp> {
    let claims = unverified(token.expose_secret()).ok()?;
    Timestamp::from_second(claims.get("exp")?.as_i64()?).ok()
}
