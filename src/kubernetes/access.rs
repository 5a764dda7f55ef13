//! [`Access`]: one cluster, as one caller, for the length of one call. Every upstream byte of a
//! caller passes here: paths are encoded, requests are counted, bounded in number, size and time.

use std::{sync::Arc, time::Duration};

use http::{Request, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use super::{
    cluster::Cluster,
    fault::{Fault, excerpt},
    kind::Kind,
    kinds::Kinds,
    list::Listed,
    meter::Meter,
    object::Object,
    raw,
    selector::Selector,
};
use crate::answer::redact::Learned;

/// Requests of one call that are on their way at once.
const PARALLEL: usize = 8;
/// A larger body is not read to its end.
const MAX_BODY: usize = 16 << 20;
/// Tries of a read after the first.
const RETRIES: u32 = 2;
/// A `Retry-After` beyond this is told to the caller instead of waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a caller may see of one cluster, decided by the gate and asked by [`Access`] for every object.
pub trait View: Send + Sync {
    /// Whether objects of this namespace (`None`: cluster-scoped ones) may be shown.
    fn sees(&self, namespace: Option<&str>) -> bool;
    /// Whether values of Secrets in this namespace may be shown.
    fn reveals(&self, namespace: Option<&str>) -> bool;
    /// The fault that stands for an object of a namespace that may not be shown.
    fn withheld(&self, namespace: Option<&str>) -> Fault;
}

/// What a call spends and learns, shared by all the clusters it reads.
#[derive(Clone, Debug)]
pub struct Budgeted {
    /// Counts requests and bytes.
    pub meter: Arc<Meter>,
    /// Remembers secret values that came by, for the answer to scrub.
    pub learned: Arc<Learned>,
    /// Nothing is sent after it.
    pub deadline: Instant,
    /// Names the call in the `User-Agent`, so that the API server's audit log can be joined with ours.
    pub call_id: Arc<str>,
}

/// One cluster as one caller sees it during one call.
#[derive(Clone)]
pub struct Access {
    cluster: Arc<Cluster>,
    view: Option<Arc<dyn View>>,
    reveals: Arc<dyn View>,
    spent: Budgeted,
    parallel: Arc<Semaphore>,
    agent: Arc<str>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Access").field(&self.cluster).finish()
    }
}

impl Access {
    /// Opens `cluster` for a call.
    pub fn new(cluster: Arc<Cluster>, view: Arc<dyn View>, spent: Budgeted) -> Self {
        let agent =
            format!("{}/{} call/{}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), spent.call_id);
        Self {
            cluster,
            reveals: Arc::clone(&view),
            view: Some(view),
            spent,
            parallel: Arc::new(Semaphore::new(PARALLEL)),
            agent: agent.into(),
        }
    }

    /// The same cluster without the filter by namespace: for what a tool must know to do its work
    /// but does not show as such (the RGD behind an instance, a CRD). What comes from it is shown
    /// only after another decision.
    #[must_use]
    pub fn unfiltered(&self) -> Self {
        Self { view: None, ..self.clone() }
    }

    /// The same cluster, of which another view is shown.
    #[must_use]
    pub fn through(&self, view: Arc<dyn View>) -> Self {
        Self { view: Some(view), ..self.clone() }
    }

    /// The cluster behind it.
    pub fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    /// What the cluster serves: from the shared cache, or read now.
    ///
    /// # Errors
    /// What went wrong while reading it.
    pub async fn kinds(&self) -> Result<Arc<Kinds>, Fault> {
        self.cluster.kinds(self).await
    }

    /// What the cluster serves now, for a name the cache does not know; read again at most every
    /// ten seconds.
    ///
    /// # Errors
    /// What went wrong while reading it.
    pub async fn fresh_kinds(&self) -> Result<Arc<Kinds>, Fault> {
        self.cluster.fresh_kinds(self).await
    }

    /// One object.
    ///
    /// # Errors
    /// [`Fault::NotFound`] and the other answers of the API server.
    pub async fn get(&self, kind: &Kind, namespace: Option<&str>, name: &str) -> Result<Object, Fault> {
        let path = kind.object_path(namespace, name)?;
        let namespace = namespace.filter(|_| kind.namespaced);
        if let Some(view) = self.view.as_ref().filter(|view| !view.sees(namespace)) {
            return Err(view.withheld(namespace));
        }
        let body = self.get_body(&path, &[], "application/json").await?;
        // an object that etcd could not hold is an attack on our memory
        let weight = raw::weight(&body);
        if body.len() > raw::LARGEST || weight > raw::HEAVIEST {
            return Err(Fault::TooLarge(raw::LARGEST));
        }
        self.spent.meter.keep(weight)?;
        let mut object =
            Object::from_value(parse(&body)?).ok_or_else(|| Fault::Malformed("not an object".to_owned()))?;
        self.take_secrets(&mut object);
        Ok(object)
    }

    /// All objects of a kind that match, of one namespace or all, page by page.
    ///
    /// # Errors
    /// The first page's fault; a later one ends the list early ([`Listed::cut`]).
    pub async fn list(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Result<Listed, Fault> {
        if let (Some(view), Some(_)) = (&self.view, namespace)
            && !view.sees(namespace)
        {
            return Err(view.withheld(namespace));
        }
        super::list::read(self, kind, namespace, selector).await
    }

    /// Whether objects of this namespace (`None`: cluster-scoped) may be shown to the caller.
    pub fn sees(&self, namespace: Option<&str>) -> bool {
        self.view.as_ref().is_none_or(|view| view.sees(namespace))
    }

    /// Takes the values out of a Secret that the caller may not read.
    pub(super) fn take_secrets(&self, object: &mut Object) {
        if !self.reveals.reveals(object.namespace()) {
            self.spent.learned.from_object(object);
        }
    }

    /// Counts what an object will take in memory.
    pub(super) fn keep(&self, weight: usize) -> Result<(), Fault> {
        self.spent.meter.keep(weight)
    }

    /// GETs a path of this API server and reads the answer as JSON.
    ///
    /// # Errors
    /// Any [`Fault`]; transient ones were tried again within the deadline.
    pub async fn get_json(
        &self,
        path: &str,
        query: &[(&str, String)],
        accept: &'static str,
    ) -> Result<Value, Fault> {
        let body = self.get_body(path, query, accept).await?;
        self.spent.meter.keep(raw::weight(&body))?;
        parse(&body)
    }

    /// The same, unread: for who expands it piece by piece.
    pub(super) async fn get_body(
        &self,
        path: &str,
        query: &[(&str, String)],
        accept: &'static str,
    ) -> Result<Vec<u8>, Fault> {
        let uri = with_query(path, query);
        let mut attempt = 0;
        loop {
            let fault = match self.once(&uri, accept).await {
                Ok(body) => return Ok(body),
                Err(fault) => fault,
            };
            let Some(wait) = wait_before_retry(&fault, attempt) else { return Err(fault) };
            if Instant::now() + wait >= self.spent.deadline {
                return Err(fault);
            }
            attempt += 1;
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(&self, uri: &str, accept: &'static str) -> Result<Vec<u8>, Fault> {
        let started = Instant::now();
        timeout_at(self.spent.deadline, self.bytes(uri, accept))
            .await
            .map_err(|_| Fault::Timeout(started.elapsed()))?
    }

    async fn bytes(&self, uri: &str, accept: &'static str) -> Result<Vec<u8>, Fault> {
        let _permit = self.parallel.acquire().await.map_err(|_| Fault::Unreachable("closing".to_owned()))?;
        let client = self.cluster.client().await?;
        let request = Request::get(uri)
            .header(header::ACCEPT, accept)
            .header(header::USER_AGENT, &*self.agent)
            .body(Body::empty())
            .map_err(|error| Fault::Configuration(error.to_string()))?;
        self.spent.meter.request()?;
        let response = client.send(request).await.map_err(|error| match error {
            kube::Error::Auth(error) => Fault::Unauthorized(innermost(&error)),
            error => Fault::Unreachable(innermost(&error)),
        })?;
        let status = response.status();
        let retry_after = seconds(response.headers().get(header::RETRY_AFTER));
        let body = self.collect(response.into_body()).await?;
        if status.is_success() {
            Ok(body)
        } else {
            Err(Fault::from_response(status.as_u16(), retry_after, &body))
        }
    }

    async fn collect(&self, mut body: Body) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Fault::Unreachable(innermost(&error)))?;
            let Some(data) = frame.data_ref() else { continue };
            self.spent.meter.received(data.len())?;
            if bytes.len() + data.len() > MAX_BODY {
                return Err(Fault::TooLarge(MAX_BODY));
            }
            bytes.extend_from_slice(data);
        }
        Ok(bytes)
    }
}

/// A body as JSON.
pub(super) fn parse<'b, T: serde::Deserialize<'b>>(body: &'b [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() {
            Fault::Malformed(format!("it ends in the middle, after {} bytes", body.len()))
        } else {
            Fault::Malformed(excerpt(body))
        }
    })
}

/// The innermost cause says more than the layers around it ("client error (Connect)").
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let mut uri = path.to_owned();
    for (index, (key, value)) in query.iter().enumerate() {
        uri.push(if index == 0 { '?' } else { '&' });
        uri.push_str(key);
        uri.push('=');
        uri.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    uri
}

fn seconds(header: Option<&http::HeaderValue>) -> Option<Duration> {
    header?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// `None` where trying again would not help or would keep the caller too long.
fn wait_before_retry(fault: &Fault, attempt: u32) -> Option<Duration> {
    if attempt >= RETRIES {
        return None;
    }
    let jitter =
        Duration::from_millis(u64::from(jiff::Timestamp::now().subsec_nanosecond().unsigned_abs()) % 50);
    let backoff = Duration::from_millis(50) * 4_u32.pow(attempt) + jitter;
    match fault {
        Fault::Throttled { retry_after: Some(wait) } => (*wait <= PATIENCE).then_some(*wait + jitter),
        Fault::Throttled { retry_after: None } | Fault::Unreachable(_) => Some(backoff),
        Fault::Status { status: 500 | 502 | 503 | 504, .. } => Some(backoff),
        _ => None,
    }
}
