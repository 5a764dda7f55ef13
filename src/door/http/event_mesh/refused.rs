//! What went wrong, as the API says it: `{error}` ("EventMesh API" 1.0.0). The plugin keeps the status alone; who runs it
//! reads the rest with curl.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use super::super::refused::{self, answer, broken};
use crate::{Error, ErrorKind, door::refused::Refused};

/// A request that was turned away before a cluster was asked.
pub(super) fn turned(refused: Refused) -> Response {
    refused::turned(refused, "GET")
}

/// A mesh that could not be read. Nobody knows who asks, so that no address and no name of ours is told.
pub(super) fn failed(error: &Error) -> Response {
    let untold = |what: &str| {
        tracing::warn!("http.eventMesh: {}", error.message);
        format!("{what}: the log of this server says why")
    };
    let (status, message) = match error.kind {
        ErrorKind::Upstream { status: Some(401), .. } => {
            let message = "the cluster does not take this token: send another one as Authorization: Bearer";
            return turned(Refused::no_token(message));
        }
        ErrorKind::NotAllowed => (StatusCode::FORBIDDEN, error.text()),
        ErrorKind::RateLimited { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "too much is asked at once; try again later".to_owned())
        }
        ErrorKind::Timeout => (StatusCode::GATEWAY_TIMEOUT, "the cluster did not answer in time".to_owned()),
        ErrorKind::Upstream { status: Some(503), .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, untold("the cluster cannot be asked now"))
        }
        ErrorKind::UnknownTool => {
            (StatusCode::NOT_FOUND, "tools.without leaves out knative, and this with it".to_owned())
        }
        ErrorKind::Cancelled => (StatusCode::SERVICE_UNAVAILABLE, "it was given up".to_owned()),
        ErrorKind::Internal => return broken(),
        _ => (StatusCode::BAD_GATEWAY, untold("the cluster cannot be asked")),
    };
    let mut response = answer(status, &message);
    if let ErrorKind::RateLimited { retry_after } = error.kind {
        let seconds = retry_after.map_or(1, |wait| wait.as_secs().max(1));
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
