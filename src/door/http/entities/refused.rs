//! What went wrong, in a form that people read in the log of a catalog. Never 200, never 404 of what could not be read: a
//! catalog keeps what it has where it is told of an error.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use super::super::refused::{self, answer, broken};
use crate::{Error, ErrorKind, RefusedBy, door::refused::Refused, permission::Permission};

/// When to ask again where nothing better is known, in seconds.
const SOON: u64 = 30;

/// A request that was turned away before anything was read.
pub(super) fn turned(refused: Refused) -> Response {
    refused::turned(refused, "GET, HEAD")
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
