//! [`Session`]: the connections to one environment. Every request to Palette is made here: within the vendor's
//! limits, the call's deadline and its budget, tried again where that may help, and kept for who asks the same.

mod credential;
mod kept;
mod limits;
mod pages;
mod received;
mod refusal;
mod retry;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use aws_lc_rs::digest;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::{Client, Url};
use serde::de::DeserializeOwned;
use tokio::{
    sync::{OnceCell, Semaphore},
    time::{Instant, sleep, timeout_at},
};

pub use credential::Acting;
pub(super) use credential::Shown;
pub(super) use limits::Limits;
pub use pages::Paged;

use received::{body, broken, is_page, read, used_up};

use super::{api::Listing, ask::Ask, environment::Settings, fault::Fault, place::Place};
use crate::{
    kubernetes::Budgeted,
    remote::{self, Times},
    telemetry::Server,
};

const TIMES: Times = Times { connect: Duration::from_secs(5), whole: Duration::from_secs(15) };
/// Rows of a page: the vendor's most.
const PAGE: &str = "50";

/// The connections to one environment, and what was kept of its answers.
#[derive(Debug)]
pub(super) struct Session {
    url: Url,
    server: Server,
    ca_file: Option<PathBuf>,
    /// Made anew after a failed connection: the authority may have changed.
    client: ArcSwap<OnceCell<Client>>,
    kept: kept::Kept,
    limits: Arc<Limits>,
}

/// As whom a request is made, in which scope, and what it may take.
#[derive(Clone, Copy)]
pub(super) struct By<'a> {
    pub(super) acting: &'a Acting,
    pub(super) place: &'a Place,
    pub(super) spent: &'a Budgeted,
    /// Requests of the call that are on their way at once.
    pub(super) parallel: &'a Semaphore,
    /// No answer that was asked for before is good.
    pub(super) since: Option<Instant>,
}

/// What is sent.
struct Prepared {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<String>,
    /// Whether it changes something: then what failed once it was sent may have been done.
    is_change: bool,
}

impl Session {
    pub(super) fn new(settings: &Settings, limits: Arc<Limits>) -> Self {
        let url = settings.url.clone();
        let server = Server {
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or_default(),
        };
        let ca_file = settings.ca_file.clone();
        Self { url, server, ca_file, client: ArcSwap::default(), kept: kept::Kept::default(), limits }
    }

    /// The JSON that is answered, and when it was asked for.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        by: By<'_>,
        ask: &Ask,
    ) -> Result<(T, Instant), Fault> {
        if ask.keeps().is_zero() {
            let asked = Instant::now();
            return Ok((read(&self.bytes(by, ask).await?, by.spent)?, asked));
        }
        let (key, terms) = (key(by, ask), (ask.keeps(), by.since, by.spent.deadline));
        let send = || async { Ok(self.bytes(by, ask).await?.into()) };
        let (body, asked) = self.kept.answer(key, terms, send).await?;
        let value = read(&body, by.spent).inspect_err(|fault| {
            // what cannot be read is not worth keeping
            if matches!(fault, Fault::Malformed(_)) {
                self.kept.forget(&key);
            }
        })?;
        Ok((value, asked))
    }

    /// A list in pages.
    pub(super) async fn pages<L: Listing>(&self, by: By<'_>, ask: &Ask) -> Result<Paged<L::Row>, Fault> {
        let ask = ask.clone().with("limit", PAGE);
        pages::all::<L, _>(|token| {
            let ask = ask.clone();
            let ask = match token {
                Some(token) => ask.with("continue", token),
                None => ask,
            };
            async move { self.json(by, &ask).await }
        })
        .await
    }

    /// A list that comes at once.
    pub(super) async fn whole<L: Listing>(&self, by: By<'_>, ask: &Ask) -> Result<Paged<L::Row>, Fault> {
        Ok(pages::whole::<L>(self.json(by, ask).await?))
    }

    /// The body that is answered.
    pub(super) async fn bytes(&self, by: By<'_>, ask: &Ask) -> Result<Vec<u8>, Fault> {
        let prepared = self.prepared(by, ask)?;
        let mut tries = 0;
        loop {
            let fault = match self.once(by, &prepared).await {
                Ok(body) => return Ok(body),
                Err(fault) => fault,
            };
            tries += 1;
            let Some(wait) = retry::wait(&fault, tries) else { return Err(fault) };
            if Instant::now().checked_add(wait).is_none_or(|then| then >= by.spent.deadline) {
                return Err(fault);
            }
            sleep(wait).await;
        }
    }

    /// Sends what changes something, and never twice.
    pub(super) async fn send(&self, by: By<'_>, ask: &Ask) -> Result<Vec<u8>, Fault> {
        let prepared = Prepared { is_change: true, ..self.prepared(by, ask)? };
        // who made the change and what became of it stands in the audit line, also where the caller leaves
        by.spent.meter.note(ask.method(), ask.path());
        let mut tries = 0;
        let sent = loop {
            let fault = match self.once(by, &prepared).await {
                Ok(body) => break Ok(body),
                Err(fault) => fault,
            };
            tries += 1;
            let unseen = matches!(fault, Fault::Throttled { .. } | Fault::Unreachable(_));
            let Some(wait) = retry::wait(&fault, tries).filter(|_| unseen) else { break Err(fault) };
            if Instant::now().checked_add(wait).is_none_or(|then| then >= by.spent.deadline) {
                break Err(fault);
            }
            sleep(wait).await;
        };
        self.kept.clear();
        sent
    }

    fn prepared(&self, by: By<'_>, ask: &Ask) -> Result<Prepared, Fault> {
        let base = self.url.as_str().trim_end_matches('/');
        let mut url = Url::parse(&format!("{base}{}", ask.path()))
            .map_err(|error| Fault::Configuration(error.to_string()))?;
        // a segment of dots is a step to whoever parses a URL, however it is written
        if !url.path().ends_with(ask.path()) {
            return Err(Fault::NotFound("no uid or name is made of dots".to_owned()));
        }
        if !ask.query().is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query());
        }
        let mut headers = HeaderMap::new();
        by.acting.show(&mut headers)?;
        if let Some(project) = by.place.project_uid().filter(|uid| !uid.is_empty()) {
            let unfit = |_| Fault::NotFound("no project has such a uid".to_owned());
            headers.insert("projectuid", HeaderValue::from_str(project).map_err(unfit)?);
        }
        let agent =
            format!("{}/{} call/{}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), by.spent.call_id);
        if let Ok(agent) = HeaderValue::from_str(&agent) {
            headers.insert(header::USER_AGENT, agent);
        }
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5"));
        let body = ask.body().map(ToString::to_string);
        if body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(Prepared { method: ask.method().clone(), url, headers, body, is_change: false })
    }

    /// Sends it once, when the vendor's limits let it.
    async fn once(&self, by: By<'_>, prepared: &Prepared) -> Result<Vec<u8>, Fault> {
        let (spent, began) = (by.spent, Instant::now());
        let late = |_| Fault::Timeout(began.elapsed());
        let closing = |_| Fault::Unreachable("it is closing".to_owned());
        let _place =
            timeout_at(spent.deadline, by.parallel.acquire()).await.map_err(late)?.map_err(closing)?;
        let origin = self.url.origin().ascii_serialization();
        let path = prepared.url.path();
        // what is counted does not begin with where a proxy has put Palette
        let path = path.strip_prefix(self.url.path().trim_end_matches('/')).unwrap_or(path);
        self.limits.pass(&origin, path, spent.deadline).await?;
        let exchanged = timeout_at(spent.deadline, self.exchanged(by, prepared)).await;
        exchanged.unwrap_or_else(|elapsed| Err(prepared.once_sent(late(elapsed))))
    }

    async fn exchanged(&self, by: By<'_>, prepared: &Prepared) -> Result<Vec<u8>, Fault> {
        let place = self.client.load_full();
        let made = || remote::client(self.ca_file.clone(), &self.url, TIMES);
        let client = place.get_or_try_init(made).await.map_err(Fault::Configuration)?;
        by.spent.meter.request().map_err(used_up)?;
        let mut headers = prepared.headers.clone();
        let method = match prepared.method {
            Method::POST => "POST",
            Method::PATCH => "PATCH",
            _ => "GET",
        };
        let span = by.spent.span.request(&mut headers, method, &self.server);
        let mut request = client.request(prepared.method.clone(), prepared.url.clone()).headers(headers);
        if let Some(body) = &prepared.body {
            request = request.body(body.clone());
        }
        let answer = request.send().await.map_err(|error| {
            if error.is_connect() {
                self.client.compare_and_swap(&place, Arc::default());
            }
            match error.is_connect() {
                true => broken(&error),
                false => prepared.once_sent(broken(&error)),
            }
        })?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        if prepared.is_change {
            by.spent.meter.answered(status);
        }
        let body = body(answer, by.spent).await.map_err(|fault| prepared.once_sent(fault))?;
        span.answered(status.as_u16());
        if !status.is_success() {
            let fault = refusal::fault(status, &headers, &body, by.acting.is_callers(), &by.spent.learned);
            // whoever answers so need not be who was asked
            let unsure = status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT;
            return Err(if unsure { prepared.once_sent(fault) } else { fault });
        }
        if is_page(&headers, &body) {
            return Err(prepared.once_sent(Fault::Malformed(
                "a page (HTML) came: perhaps a login page or a proxy's error".to_owned(),
            )));
        }
        Ok(body)
    }
}

impl Prepared {
    /// The fault, once it was sent.
    fn once_sent(&self, fault: Fault) -> Fault {
        if self.is_change { Fault::Uncertain(Box::new(fault)) } else { fault }
    }
}

/// What tells a request from all others of the environment.
fn key(by: By<'_>, ask: &Ask) -> kept::Key {
    let mut digest = digest::Context::new(&digest::SHA256);
    let mut add = |part: &[u8]| {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part);
    };
    add(by.acting.owner());
    add(by.place.project_uid().unwrap_or_default().as_bytes());
    add(ask.method().as_str().as_bytes());
    add(ask.path().as_bytes());
    for (name, value) in ask.query() {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    add(ask.body().map(ToString::to_string).unwrap_or_default().as_bytes());
    digest.finish().as_ref().try_into().unwrap_or_default()
}
