//! Sending: every request of a caller is made here, as whom [`Access`] was opened for. Reads are tried
//! again where that may help; what changes something is sent once.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{
    super::{
        cluster::Source,
        fault::{Fault, excerpt},
        identity::As,
        raw,
    },
    Access,
};

/// A larger body is not read to its end.
const MAX_BODY: usize = 16 << 20;
/// Tries of a read after the first.
const RETRIES: u32 = 2;
/// A `Retry-After` beyond this is told to the caller instead of waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// One request.
#[derive(Clone)]
pub(in crate::kubernetes) struct Ask<'a> {
    pub(in crate::kubernetes) method: Method,
    /// Path and query.
    pub(in crate::kubernetes) uri: &'a str,
    pub(in crate::kubernetes) accept: &'static str,
    /// Content type and body.
    pub(in crate::kubernetes) body: Option<(&'static str, Vec<u8>)>,
}

/// A success.
pub(in crate::kubernetes) struct Answered {
    pub(in crate::kubernetes) headers: HeaderMap,
    pub(in crate::kubernetes) body: Vec<u8>,
}

/// What came of a request, whatever it is.
pub(in crate::kubernetes) struct Reply {
    pub(in crate::kubernetes) status: StatusCode,
    pub(in crate::kubernetes) headers: HeaderMap,
    pub(in crate::kubernetes) body: Vec<u8>,
}

impl Access {
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
    pub(in crate::kubernetes) async fn get_body(
        &self,
        path: &str,
        query: &[(&str, String)],
        accept: &'static str,
    ) -> Result<Vec<u8>, Fault> {
        let uri = with_query(path, query);
        let mut attempt = 0;
        loop {
            let ask = Ask { method: Method::GET, uri: &uri, accept, body: None };
            let fault = match self.once(ask).await {
                Ok(answered) => return Ok(answered.body),
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

    /// Has the connection that its requests are made on, and sends nothing on it.
    pub(in crate::kubernetes) async fn connect(&self) -> Result<(), Fault> {
        match &self.acting {
            As::Nobody(_) => Ok(()),
            As::Server | As::Caller(_) => self.cluster.connected_by(self.spent.deadline).await.map(|_| ()),
            As::Bearer(_) => self.cluster.bare().await.map(|_| ()),
        }
    }

    /// Sends it once, within the deadline.
    pub(in crate::kubernetes) async fn once(&self, ask: Ask<'_>) -> Result<Answered, Fault> {
        let started = Instant::now();
        timeout_at(self.spent.deadline, self.answered(ask))
            .await
            .map_err(|_| Fault::Timeout(started.elapsed()))?
    }

    async fn answered(&self, ask: Ask<'_>) -> Result<Answered, Fault> {
        let _permit = self.parallel.acquire().await.map_err(|_| Fault::Unreachable("closing".to_owned()))?;
        let response = self.open(ask).await?;
        let headers = response.headers().clone();
        let body = self.collect(response.into_body()).await?;
        Ok(Answered { headers, body })
    }

    /// The head of a successful answer; its body is read by whoever asked, who bounds it. Where a credential that was
    /// given for a while is not taken any more, another one is shown, once: what is refused so was not looked at.
    pub(in crate::kubernetes) async fn open(&self, ask: Ask<'_>) -> Result<http::Response<Body>, Fault> {
        let again = (self.cluster.source() == Source::Palette).then(|| ask.clone());
        match (self.opened(ask).await, again) {
            (Err(Fault::Unauthorized(_)), Some(again)) if self.cluster.is_left() => self.opened(again).await,
            (opened, _) => opened,
        }
    }

    async fn opened(&self, ask: Ask<'_>) -> Result<http::Response<Body>, Fault> {
        let mut request =
            Request::builder().method(ask.method).uri(ask.uri).header(header::ACCEPT, ask.accept);
        let body = match ask.body {
            Some((kind, body)) => {
                request = request.header(header::CONTENT_TYPE, kind);
                Body::from(body)
            }
            None => Body::empty(),
        };
        let request = request.body(body).map_err(|error| Fault::Configuration(error.to_string()))?;
        let response = self.sent(request).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let body = self.collect(body).await?;
        Err(self.fault(status, &head.headers, &body))
    }

    /// Sends a request that is not ours but a caller's, once, and answers with whatever comes: the head within
    /// the deadline, the body for as long as it comes. Its headers are all that is sent besides who asks.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn pass(&self, request: Request<Body>) -> Result<http::Response<Body>, Fault> {
        let started = Instant::now();
        self.note(request.method(), request.uri().path());
        let answered = timeout_at(self.spent.deadline, self.sent(request)).await;
        let answered = answered.map_err(|_| Fault::Timeout(started.elapsed()))??;
        self.spent.meter.answered(answered.status());
        Ok(answered)
    }

    /// As [`Self::pass`], with the body read to its end.
    pub(in crate::kubernetes) async fn reply(&self, request: Request<Body>) -> Result<Reply, Fault> {
        let (head, body) = self.pass(request).await?.into_parts();
        Ok(Reply { status: head.status, headers: head.headers, body: self.whole(body).await? })
    }

    /// Adds who asks, and sends it.
    pub(super) async fn sent(&self, mut request: Request<Body>) -> Result<http::Response<Body>, Fault> {
        let connected = match &self.acting {
            As::Nobody(unfit) => return Err(Fault::Unfit(Arc::clone(unfit))),
            As::Server => self.cluster.connected_by(self.spent.deadline).await?,
            As::Caller(_) => self.cluster.impersonator(self.spent.deadline).await?,
            As::Bearer(_) => self.cluster.bare().await?,
        };
        let number = self.spent.meter.request()?;
        let unfit = |_| Fault::Configuration("a header that cannot be sent".to_owned());
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, HeaderValue::try_from(&*self.agent).map_err(unfit)?);
        // what the API server's audit log then calls this request
        let id = format!("{}.{number}", self.spent.call_id);
        headers.insert("audit-id", HeaderValue::try_from(id).map_err(unfit)?);
        match &self.acting {
            As::Caller(caller) => {
                headers.extend(caller.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
            As::Bearer(bearer) => {
                let token = bearer.token(self.spent.deadline).await?;
                self.cluster.takes(&token, self.spent.deadline).await?;
                let mut value =
                    HeaderValue::try_from(format!("Bearer {}", token.expose_secret())).map_err(unfit)?;
                value.set_sensitive(true);
                headers.insert(header::AUTHORIZATION, value);
            }
            As::Server | As::Nobody(_) => {}
        }
        let method = known(request.method());
        let span = self.spent.span.request(request.headers_mut(), method, &connected.server);
        let response = connected.client.send(request).await.map_err(|error| match error {
            kube::Error::Auth(error) => Fault::Unauthorized(innermost(&error)),
            error => {
                connected.missed();
                Fault::Unreachable(innermost(&error))
            }
        })?;
        span.answered(response.status().as_u16());
        if response.status() == StatusCode::UNAUTHORIZED {
            match &self.acting {
                As::Bearer(bearer) => bearer.refused(),
                _ => connected.refused(),
            }
        }
        Ok(response)
    }

    /// What an answer that is no success stands for, and whose credential or right it is about.
    pub(in crate::kubernetes) fn fault(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Fault {
        let retry_after = seconds(headers.get(header::RETRY_AFTER));
        match (&self.acting, Fault::from_response(status.as_u16(), retry_after, body)) {
            (As::Caller(_), fault) => fault.of_impersonation(),
            (As::Bearer(_), Fault::Unauthorized(message)) => Fault::TokenRefused(message),
            (_, fault) => fault,
        }
    }

    pub(super) async fn collect(&self, body: Body) -> Result<Vec<u8>, Fault> {
        self.collect_within(body, |_| Ok(())).await
    }

    pub(super) async fn collect_within<E: From<Fault>>(
        &self,
        mut body: Body,
        mut grow: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<Vec<u8>, E> {
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Fault::Unreachable(innermost(&error)))?;
            let Some(data) = frame.data_ref() else { continue };
            self.spent.meter.received(data.len())?;
            if bytes.len() + data.len() > MAX_BODY {
                return Err(Fault::TooLarge(MAX_BODY).into());
            }
            grow(bytes.len() + data.len())?;
            bytes.extend_from_slice(data);
        }
        Ok(bytes)
    }
}

/// The methods that are used.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "_OTHER",
    }
}

/// A body as JSON.
pub(in crate::kubernetes) fn parse<'b, T: serde::Deserialize<'b>>(body: &'b [u8]) -> Result<T, Fault> {
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

pub(in crate::kubernetes) fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let mut uri = path.to_owned();
    for (index, (key, value)) in query.iter().enumerate() {
        uri.push(if index == 0 { '?' } else { '&' });
        uri.push_str(key);
        uri.push('=');
        uri.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    uri
}

/// Of a `Retry-After`.
fn seconds(header: Option<&HeaderValue>) -> Option<Duration> {
    header?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// `None` where trying again would not help or would keep the caller too long.
pub(super) fn wait_before_retry(fault: &Fault, attempt: u32) -> Option<Duration> {
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
