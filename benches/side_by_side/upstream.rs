//! An API server that answers from memory: a Pod of a kilobyte, a list of Pods of a megabyte, discovery, and how
//! often it was asked for that.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router, body::Bytes, extract::State, http::header, response::IntoResponse, routing::get,
    serve::ListenerExt as _,
};
use serde_json::{Value, json};

use super::Outcome;

/// Bytes of the list.
pub(super) const LIST: usize = 1 << 20;
/// Where the Pod is.
pub(super) const POD: &str = "/api/v1/namespaces/shop/pods/pod-0";
/// Where the list is.
pub(super) const PODS: &str = "/api/v1/namespaces/shop/pods";

#[derive(Clone)]
struct Api {
    pod: Bytes,
    pods: Bytes,
    discovered: Arc<AtomicUsize>,
}

/// Serves until it is killed; prints its URL first.
pub(super) fn serve() -> Outcome<()> {
    let (mut items, mut size) = (Vec::new(), 0);
    while size < LIST {
        let pod = pod(items.len());
        size += pod.to_string().len() + 1;
        items.push(pod);
    }
    let list =
        json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items});
    let api =
        Api { pod: pod(0).to_string().into(), pods: list.to_string().into(), discovered: Arc::default() };
    let app = Router::new()
        .route(POD, get(|State(api): State<Api>| async move { as_json(api.pod) }))
        .route(PODS, get(|State(api): State<Api>| async move { as_json(api.pods) }))
        .route("/api", get(core))
        .route("/apis", get(groups))
        .route(
            "/discovered",
            get(|State(api): State<Api>| async move { api.discovered.load(Ordering::Relaxed).to_string() }),
        )
        .with_state(api);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, app).await?;
        Ok(())
    })
}

fn as_json(body: Bytes) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], body)
}

async fn core(State(api): State<Api>) -> impl IntoResponse {
    api.discovered.fetch_add(1, Ordering::Relaxed);
    let pods = json!({
        "resource": "pods", "singularResource": "pod", "scope": "Namespaced", "verbs": ["get", "list", "watch"],
        "responseKind": {"group": "", "version": "v1", "kind": "Pod"},
    });
    discovery(&json!([{"metadata": {}, "versions": [{"version": "v1", "resources": [pods]}]}]))
}

async fn groups(State(api): State<Api>) -> impl IntoResponse {
    api.discovered.fetch_add(1, Ordering::Relaxed);
    discovery(&json!([]))
}

fn discovery(items: &Value) -> impl IntoResponse + use<> {
    let kind = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let list =
        json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items});
    ([(header::CONTENT_TYPE, kind)], Json(list))
}

fn pod(number: usize) -> Value {
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": format!("pod-{number}"), "namespace": "shop", "uid": format!("u-{number}"), "resourceVersion": "1",
            "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"app": format!("app-{}", number % 20)}},
        "spec": {"nodeName": "n1", "containers": [{"name": "main", "image": "registry.example/app:1", "args": ["x".repeat(400)]}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
            "containerStatuses": [{"name": "main", "ready": true, "restartCount": 0, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]},
    })
}
