//! What went wrong, in the form in which Backstage's backends say it, and with no name that its clients do not know.

use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, request::Parts};
use serde_json::json;

use crate::{Error, ErrorKind, answer::sanitise, door::refused::Refused};

/// Bytes of a path, or of an id, that are said back.
const LONGEST: usize = 256;

/// A request that was turned away before it was a call.
pub(super) fn turned(refused: Refused, parts: &Parts) -> Response {
    let (name, status) = match refused.status {
        StatusCode::UNAUTHORIZED => ("AuthenticationError", refused.status),
        StatusCode::FORBIDDEN => ("NotAllowedError", refused.status),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            ("ServiceUnavailableError", StatusCode::SERVICE_UNAVAILABLE)
        }
        _ => ("InputError", StatusCode::BAD_REQUEST),
    };
    let body = body(name, refused.message(), status, parts);
    let mut response = refused.saying(body);
    *response.status_mut() = status;
    response
}

/// A call that failed.
pub(super) fn failed(error: &Error, id: &str, parts: &Parts) -> Response {
    let (name, status) = error.backstage();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let message = match error.kind {
        ErrorKind::UnknownTool => format!("Action \"{}\" not found", sanitise::short(id, LONGEST)),
        _ => error.text(),
    };
    let headers = [("content-type", "application/json"), ("cache-control", "no-store")];
    (status, headers, body(name, &message, status, parts)).into_response()
}

fn body(name: &str, message: &str, status: StatusCode, parts: &Parts) -> String {
    json!({
        "error": {"name": name, "message": message},
        "request": {"method": parts.method.as_str(), "url": sanitise::short(parts.uri.path(), LONGEST)},
        "response": {"statusCode": status.as_u16()},
    })
    .to_string()
}
