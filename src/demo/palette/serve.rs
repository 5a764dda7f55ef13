//! From a request to the answer, by way of the limits and the faults.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use futures::{StreamExt as _, stream};
use http::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE},
    request::Parts,
};
use parking_lot::RwLock;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    asked::{Asked, Reply},
    endpoint,
    fault::Failure,
    refusal::Refusal,
    tenant::{Identity, Sent, Tenant},
    view::lean,
};

/// More is no request of the contract.
const LARGEST_BODY: usize = 1 << 20;

/// What every request is answered from.
#[derive(Clone)]
pub(super) struct Served {
    pub(super) tenants: Arc<RwLock<Vec<Tenant>>>,
    /// Ends the answers that are never given.
    pub(super) stop: CancellationToken,
}

/// Answers any request.
pub(super) async fn answer(State(served): State<Served>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return Refusal::breach("request body: too large").into_response();
    };
    let Some((tenant, identity)) = served.caller(&parts.headers) else {
        return Refusal::unauthorized().into_response();
    };
    let (endpoint, captured) = match endpoint::find(parts.method.as_str(), parts.uri.path()) {
        Ok((endpoint, captured)) => (Some(endpoint), Ok(captured)),
        Err(refusal) => (None, Err(refusal)),
    };
    let name =
        endpoint.map_or_else(|| format!("{} {}", parts.method, parts.uri.path()), endpoint::Endpoint::name);
    let project = header(&parts.headers, "projectuid").map(ToOwned::to_owned);
    tenant.came(name.clone(), sent(&parts, project.clone(), &body));
    let failure = tenant.failure(&name, project.as_deref());
    let response = if !tenant.has_room(parts.uri.path()) {
        refused(&tenant, &name, Refusal::too_many())
    } else if let Some(response) = served.instead(failure.as_ref(), &tenant).await {
        response
    } else {
        let asked = captured.and_then(|captured| {
            let endpoint = endpoint.ok_or_else(|| Refusal::no_such_path(parts.uri.path()))?;
            Asked::new(&tenant, endpoint, identity, captured, &parts, project, &body, failure.as_ref())
        });
        let answered = asked.and_then(|asked| match endpoint.is_some_and(|endpoint| endpoint.changes) {
            true => tenant.try_change(|data| asked.change(data)),
            false => asked.answer().inspect(|_| asked.passed(&tenant)),
        });
        match answered {
            Ok(reply) => given(reply, failure.as_ref()),
            Err(refusal) => refused(&tenant, &name, refusal),
        }
    };
    tenant.went(response.status().as_u16());
    response
}

impl Served {
    /// The tenant whose credential came along, and whose it is.
    fn caller(&self, headers: &HeaderMap) -> Option<(Tenant, Identity)> {
        let (key, token) = (header(headers, "apikey"), header(headers, AUTHORIZATION.as_str()));
        self.tenants.read().iter().find_map(|tenant| Some((tenant.clone(), tenant.identify(key, token)?)))
    }

    /// What a fault answers before anything is looked at.
    async fn instead(&self, failure: Option<&Failure>, tenant: &Tenant) -> Option<Response> {
        let echo = tenant.data().echo.clone();
        match failure? {
            Failure::Coded(status, code, message) => {
                Some(Refusal::coded(*status, code, message).saying(&echo).into_response())
            }
            Failure::Numeric(status, message) => {
                Some(Refusal::numeric(*status, message).saying(&echo).into_response())
            }
            Failure::Html(status) => Some(page(*status, &echo)),
            Failure::Slow(time) => {
                self.wait(*time).await;
                None
            }
            Failure::Hang => {
                self.wait(Duration::MAX).await;
                Some(StatusCode::SERVICE_UNAVAILABLE.into_response())
            }
            _ => None,
        }
    }

    async fn wait(&self, time: Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn sent(parts: &Parts, project: Option<String>, body: &[u8]) -> Sent {
    Sent {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        project,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: String::from_utf8_lossy(body).into_owned(),
    }
}

/// What a proxy says.
fn page(status: u16, echo: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let page = format!("<html><head><title>{status}</title></head><body>{status} {echo}</body></html>");
    (status, [(CONTENT_TYPE, "text/html")], page).into_response()
}

fn refused(tenant: &Tenant, name: &str, refusal: Refusal) -> Response {
    if refusal.breach {
        tenant.refuse(format!("{name}: {}", refusal.message()));
    }
    refusal.saying(&tenant.data().echo).into_response()
}

fn given(reply: Reply, failure: Option<&Failure>) -> Response {
    if let Some(Failure::Done(status)) = failure {
        return page(*status, "");
    }
    let mut status = StatusCode::OK;
    let (content_type, file, text) = match reply {
        Reply::Done => return StatusCode::NO_CONTENT.into_response(),
        Reply::Made(uid) => {
            status = StatusCode::CREATED;
            ("application/json", None, serde_json::json!({"uid": uid}).to_string())
        }
        Reply::Json(value) => {
            let mut value: Value = lean(value);
            if let Some(failure) = failure {
                failure.spoil(&mut value);
            }
            ("application/json", None, value.to_string())
        }
        Reply::File(name, text) => ("application/octet-stream", Some(name), text),
    };
    let half = text.len() / 2;
    let body = match failure {
        Some(Failure::Truncated) => Body::from(text.as_bytes().get(..half).unwrap_or_default().to_vec()),
        Some(Failure::Cut) => {
            let first = text.into_bytes().into_iter().take(half).collect::<Vec<_>>();
            let end = stream::once(async {
                // Else the end overtakes what was sent.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(std::io::Error::other("cut"))
            });
            Body::from_stream(stream::iter([Ok(first)]).chain(end))
        }
        _ => Body::from(text),
    };
    let mut response = (status, [(CONTENT_TYPE, content_type)], body).into_response();
    if let Some(name) = file
        && let Ok(value) = format!("attachment; filename=\"{name}\"").parse()
    {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}
