//! What other plugins read of ours: the keys of our tokens, and our permissions.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};
use jiff::Timestamp;

use super::{Actions, body};
use crate::backstage::metadata;

/// `GET /.backstage/auth/v1/jwks.json`, for everybody.
pub(super) async fn keys(State(actions): State<Arc<Actions>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    body::pass_over(&parts.headers, body).await;
    let served = Arc::clone(&actions.entrance.serving.now());
    let keys = served.callers.backstage().map(|backstage| backstage.plugin().public_keys(Timestamp::now()));
    match keys {
        Some(Ok(keys)) => ([(header::CACHE_CONTROL, "max-age=60")], axum::Json(keys)).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /.well-known/backstage/permissions/metadata`, for whoever has a token.
pub(super) async fn permissions(State(actions): State<Arc<Actions>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match actions.enter(&parts).await {
        Ok(_entered) => {
            body::pass_over(&parts.headers, body).await;
            axum::Json(metadata::document()).into_response()
        }
        Err(refused) => actions.turn_away(refused, &parts, body).await,
    }
}
