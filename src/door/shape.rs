//! What rmcp's HTTP service leaves to its surroundings: it insists on a full `Accept`, and says its
//! own refusals in plain text.

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use serde_json::json;

/// What an MCP client has to accept; rmcp takes nothing less, and no wildcard.
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
/// Refusals of rmcp are a sentence.
const LONGEST_REFUSAL: usize = 4_096;

/// Spells out a wildcard or absent `Accept`, and says plain-text refusals as JSON-RPC errors.
pub(super) async fn json_rpc(mut request: Request, next: Next) -> Response {
    if let Some(why) = odd_source(request.headers()) {
        let response = Response::builder().status(StatusCode::FORBIDDEN).body(Body::from(why));
        return refusal(response.unwrap_or_default()).await;
    }
    if accepts_anything(request.headers()) {
        request.headers_mut().insert(header::ACCEPT, BOTH);
    }
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if response.status().is_client_error() && plain { refusal(response).await } else { response }
}

/// rmcp reads the first `Host` and `Origin` only, and takes `http://localhost:evil.example` for loopback.
fn odd_source(headers: &HeaderMap) -> Option<&'static str> {
    if headers.get_all(header::HOST).iter().count() > 1 || headers.get_all(header::ORIGIN).iter().count() > 1
    {
        return Some("Forbidden: Host and Origin may each stand once");
    }
    let origin = headers.get(header::ORIGIN)?;
    let plain = origin.to_str().ok().and_then(|origin| origin.parse::<http::Uri>().ok()).is_some_and(|uri| {
        let port = uri.port_u16().map_or(String::new(), |port| format!(":{port}"));
        let whole = uri.host().map(|host| format!("{host}{port}"));
        whole.is_some_and(|whole| uri.authority().is_some_and(|authority| authority.as_str() == whole))
    });
    (!plain).then_some("Forbidden: Origin is not an origin")
}

fn accepts_anything(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(header::ACCEPT) else { return true };
    accept.to_str().is_ok_and(|accept| accept.contains("*/*"))
}

async fn refusal(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let text = Limited::new(body, LONGEST_REFUSAL).collect().await.map(http_body_util::Collected::to_bytes);
    let text = text.map_or(String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned());
    // rmcp answers 415 to a body that is not a JSON-RPC message; JSON-RPC has a code for that
    let unreadable = parts.status == StatusCode::UNSUPPORTED_MEDIA_TYPE && text.contains("deserialize");
    if unreadable {
        parts.status = StatusCode::BAD_REQUEST;
    }
    let message = if unreadable {
        "the body is not one JSON-RPC message".to_owned()
    } else {
        spoken(&text, parts.status)
    };
    let code = if unreadable { -32700 } else { -32600 };
    let body = json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": message}}).to_string();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}

fn spoken(text: &str, status: StatusCode) -> String {
    let text = text.trim();
    if text.is_empty() { status.canonical_reason().unwrap_or("refused").to_owned() } else { text.to_owned() }
}
