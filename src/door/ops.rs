//! For operators: liveness, readiness, and metrics on an address of their own.

use std::sync::Arc;

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use http::{StatusCode, header};
use tokio_util::sync::CancellationToken;

use super::serving::Serving;

/// `/healthz`: the process serves. `/readyz`: it takes new calls; not any more while it ends.
pub(super) fn health(ending: CancellationToken) -> Router {
    let ready = move |State(ending): State<CancellationToken>| async move {
        if ending.is_cancelled() {
            (StatusCode::SERVICE_UNAVAILABLE, "ending")
        } else {
            (StatusCode::OK, "ok")
        }
    };
    Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(ready)).with_state(ending)
}

/// `/metrics`: the Prometheus text. Not among the callers' routes, since it tells about all of them.
pub(super) fn metrics(serving: Arc<Serving>) -> Router {
    let text = |State(serving): State<Arc<Serving>>| async move {
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        ([(header::CONTENT_TYPE, kind)], serving.now().toolbox.measure().text()).into_response()
    };
    Router::new().route("/metrics", get(text)).with_state(serving)
}
