//! What went wrong, in the form in which Backstage's backends say it (`@backstage/backend-defaults`,
//! `MiddlewareFactory.error`), and with no name that its clients do not know: they drop the message of any other.

use std::time::Duration;

use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;

use crate::{
    Error, ErrorKind,
    answer::{Finished, sanitise},
    door::refused::Refused,
};

/// Characters of a path, or of an id, that are said back.
const LONGEST: usize = 256;

/// What is said back of a request.
#[derive(Clone, Debug)]
pub(super) struct Said {
    method: String,
    url: String,
}

impl Said {
    /// Of the path below the plugin's mount, as Backstage's routers see it, without a query: that may hold anything.
    pub(super) fn of(method: &Method, below: &str) -> Self {
        Self { method: sanitise::short(method.as_str(), 32), url: sanitise::short(below, LONGEST) }
    }
}

/// A request that was turned away before it was a call. Too many are no name of Backstage's: of a 429 its clients keep
/// nothing.
pub(super) fn turned(refused: Refused, said: &Said) -> Response {
    let (name, status) = match refused.status {
        StatusCode::UNAUTHORIZED => ("AuthenticationError", refused.status),
        StatusCode::FORBIDDEN => ("NotAllowedError", refused.status),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            ("ServiceUnavailableError", StatusCode::SERVICE_UNAVAILABLE)
        }
        _ => ("InputError", StatusCode::BAD_REQUEST),
    };
    let body = body(name, refused.message(), status, said);
    let mut response = refused.saying(body);
    *response.status_mut() = status;
    response
}

/// A call that failed.
pub(super) fn failed(error: &Error, id: &str, said: &Said) -> Response {
    let (name, status) = error.backstage();
    let message = match error.kind {
        ErrorKind::UnknownTool => format!("Action \"{}\" not found", sanitise::short(id, LONGEST)),
        _ => error.text(),
    };
    let mut response = answer((name, status), &message, said);
    if let ErrorKind::RateLimited { retry_after } = error.kind {
        let seconds = retry_after.map_or(1, |wait: Duration| wait.as_secs().max(1));
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A call whose answer is that what was asked for did not come about. Backstage knows outputs and errors alone, and
/// whoever goes on after an output takes the thing for done.
pub(super) fn undone(finished: &Finished, said: &Said) -> Response {
    let name = if finished.change.is_some() { ("ConflictError", 409) } else { ("InputError", 400) };
    answer(name, &finished.text, said)
}

/// What is not there.
pub(super) fn nothing(said: &Said) -> Response {
    let message = format!("{} {} is not served here", said.method, said.url);
    answer(("NotFoundError", 404), &message, said)
}

/// What is asked of another plugin.
pub(super) fn another(ours: &str, said: &Said) -> Response {
    let message = format!(
        "{} is not served here: this is the plugin {ours:?} (backstage.pluginId of platform-mcp, and the same word in \
         Backstage's pluginSources and discovery.endpoints)",
        said.url
    );
    answer(("NotFoundError", 404), &message, said)
}

/// A defect of ours.
pub(super) fn broken(said: &Said) -> Response {
    let message = "a defect ended this request; the server goes on. Tell whoever runs it";
    answer(("ServiceUnavailableError", 503), message, said)
}

fn answer((name, status): (&str, u16), message: &str, said: &Said) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut response = Response::new(body(name, message, status, said).into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn body(name: &str, message: &str, status: StatusCode, said: &Said) -> String {
    json!({
        "error": {"name": name, "message": message},
        "request": {"method": said.method, "url": said.url},
        "response": {"statusCode": status.as_u16()},
    })
    .to_string()
}
