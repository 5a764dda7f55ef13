//! What went wrong, in the form in which Backstage's backends say it (`@backstage/backend-defaults`, `MiddlewareFactory.error`).

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header, request::Parts};
use serde_json::json;

use super::asked::CLUSTER;
use crate::{Error, ErrorKind, RefusedBy, door::refused::Refused};

/// What Backstage says to whom its policy denies it: clients know it to the letter.
const UNAUTHORIZED: &str = r#"{"error":{"name":"NotAllowedError","message":"Unauthorized"}}"#;
/// Bytes of a path that are said back.
const LONGEST_PATH: usize = 1_024;

/// A request that was turned away before it was one for a cluster.
pub(super) fn turned(refused: Refused, parts: &Parts) -> Response {
    let name = match refused.status {
        StatusCode::UNAUTHORIZED => "AuthenticationError",
        StatusCode::FORBIDDEN => "NotAllowedError",
        StatusCode::NOT_FOUND => "NotFoundError",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailableError",
        _ => "InputError",
    };
    let (status, message) = (refused.status, refused.message());
    let mut response = refused.saying(body(name, message, status, parts));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        let allow = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// A request that could not be passed on, or not be answered.
pub(super) fn failed(error: &Error, parts: &Parts) -> Response {
    let by_identity = matches!(error.refused_by.as_deref(), Some(RefusedBy::Identity));
    let (status, body) = match error.kind {
        ErrorKind::UnknownTool => (StatusCode::FORBIDDEN, UNAUTHORIZED.to_owned()),
        ErrorKind::NotAllowed if !by_identity => (StatusCode::FORBIDDEN, UNAUTHORIZED.to_owned()),
        _ => {
            let status =
                StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let status =
                if error.kind == ErrorKind::Cancelled { StatusCode::SERVICE_UNAVAILABLE } else { status };
            (status, body(error.backstage_name(), &said(error, parts), status, parts))
        }
    };
    let mut response = answer(status, body);
    if let ErrorKind::RateLimited { retry_after } = error.kind {
        let seconds = retry_after.map_or(1, |wait| wait.as_secs().max(1));
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// An answer that leads elsewhere: a redirect, or a channel that nobody asked for. Where to is not said.
pub(super) fn elsewhere(parts: &Parts) -> Response {
    let status = StatusCode::BAD_GATEWAY;
    let message = "the cluster's answer leads elsewhere, and is not followed";
    answer(status, body("ServiceUnavailableError", message, status, parts))
}

fn answer(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// In words. What an outage says of itself can name addresses, and is for the log.
fn said(error: &Error, parts: &Parts) -> String {
    match error.kind {
        ErrorKind::Upstream { .. } => {
            tracing::warn!("a request could not be passed on: {}", error.message);
            "the cluster cannot be asked: the log of this server says why".to_owned()
        }
        ErrorKind::Timeout => "the cluster did not answer in time".to_owned(),
        ErrorKind::InvalidInput if error.message.starts_with("the argument \"cluster\"") => with_candidates(
            "the header Backstage-Kubernetes-Cluster is missing, and no cluster is the default",
            error,
        ),
        ErrorKind::NotFound if parts.headers.contains_key(CLUSTER) => {
            let name = parts.headers.get(CLUSTER).map_or(&b""[..], HeaderValue::as_bytes);
            let name = crate::answer::sanitise::short(&String::from_utf8_lossy(name), 80);
            format!("Cluster '{name}' not found")
        }
        _ => with_candidates(&error.message, error),
    }
}

fn with_candidates(message: &str, error: &Error) -> String {
    match error.candidates.as_slice() {
        [] => message.to_owned(),
        candidates => format!("{message}: {}", candidates.join(", ")),
    }
}

fn body(name: &str, message: &str, status: StatusCode, parts: &Parts) -> String {
    let path = parts.uri.path();
    // the query may hold anything
    let url = crate::answer::sanitise::short(path, LONGEST_PATH);
    json!({
        "error": {"name": name, "message": message},
        "request": {"method": parts.method.as_str(), "url": url},
        "response": {"statusCode": status.as_u16()},
    })
    .to_string()
}
