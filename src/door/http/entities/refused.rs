//! What went wrong, in a form that people read in the log of a catalog. Never 200, never 404 of what could not be read: a
//! catalog keeps what it has where it is told of an error.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::{Error, ErrorKind, RefusedBy, door::refused::Refused, permission::Permission};

/// When to ask again where nothing better is known, in seconds.
const SOON: u64 = 30;

/// A request that was turned away before anything was read.
pub(super) fn turned(refused: Refused) -> Response {
    let message = body(refused.message());
    let not_allowed = refused.status == StatusCode::METHOD_NOT_ALLOWED;
    let mut response = refused.saying(message);
    if not_allowed {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

/// Entities that could not be read.
pub(super) fn failed(error: &Error) -> Response {
    let upstream = matches!(
        error.refused_by.as_deref(),
        Some(RefusedBy::Cluster | RefusedBy::Palette | RefusedBy::Identity)
    );
    let (status, message) = match error.kind {
        ErrorKind::UnknownTool => {
            let needs = Permission::PlatformEntitiesRead.name();
            (StatusCode::FORBIDDEN, format!("you need the permission {needs}"))
        }
        ErrorKind::NotAllowed if !upstream => (StatusCode::FORBIDDEN, error.text()),
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, error.text()),
        ErrorKind::Internal => return broken(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, error.text()),
    };
    let mut response = answer(status, &message);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let seconds = match error.kind {
            ErrorKind::RateLimited { retry_after: Some(wait) } => wait.as_secs().max(1),
            _ => SOON,
        };
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A defect of ours.
pub(super) fn broken() -> Response {
    let message = "a defect ended this request; the server goes on. Tell whoever runs it";
    answer(StatusCode::INTERNAL_SERVER_ERROR, message)
}

fn answer(status: StatusCode, message: &str) -> Response {
    let mut response = Response::new(body(message).into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn body(message: &str) -> String {
    json!({"error": message}).to_string()
}
