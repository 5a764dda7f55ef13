//! What endpoints for programs say where something went wrong: `{error}`, as the "EventMesh API" 1.0.0 has it.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::door::refused::Refused;

/// A request that was turned away before anything was read; `allow` are the methods there are.
pub(super) fn turned(refused: Refused, allow: &'static str) -> Response {
    let message = body(refused.message());
    let not_allowed = refused.status == StatusCode::METHOD_NOT_ALLOWED;
    let mut response = refused.saying(message);
    if not_allowed {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    response
}

/// A defect of ours.
pub(super) fn broken() -> Response {
    let message = "a defect ended this request; the server goes on. Tell whoever runs it";
    answer(StatusCode::INTERNAL_SERVER_ERROR, message)
}

/// An error, in words.
pub(super) fn answer(status: StatusCode, message: &str) -> Response {
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
