//! `GET /.backstage/actions/v1/actions`: the tools that exist for the caller.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::header;
use serde_json::{Value, json};

use super::{Actions, body, described};

/// Lists them.
pub(super) async fn list(State(actions): State<Arc<Actions>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let entered = match actions.enter(&parts).await {
        Ok(entered) => entered,
        Err(refused) => return actions.turn_away(refused, &parts, body).await,
    };
    body::pass_over(&parts.headers, body).await;
    let items: Vec<Value> = entered
        .served
        .toolbox
        .list(&entered.caller)
        .map(|entry| described::action(&actions.plugin, entry))
        .collect();
    drop(entered.running);
    ([(header::CACHE_CONTROL, "no-store")], axum::Json(json!({ "actions": items }))).into_response()
}
