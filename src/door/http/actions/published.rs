//! What other plugins read of ours: the keys of our tokens, and our permissions.

use axum::response::{IntoResponse as _, Response};
use http::header;
use jiff::Timestamp;

use super::refused::{self, Said};
use crate::{backstage::metadata, door::serving::Served};

/// `GET /.backstage/auth/v1/jwks.json`, for everybody.
pub(super) fn keys(served: &Served, said: &Said) -> Response {
    let keys = served.callers.backstage().map(|backstage| backstage.plugin().public_keys(Timestamp::now()));
    match keys {
        Some(Ok(keys)) => {
            let headers =
                [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=60")];
            (headers, keys.to_string()).into_response()
        }
        Some(Err(_)) => refused::broken(said),
        None => refused::nothing(said),
    }
}

/// `GET /.well-known/backstage/permissions/metadata`, for whoever has a token.
pub(super) fn permissions() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], axum::Json(metadata::document())).into_response()
}
