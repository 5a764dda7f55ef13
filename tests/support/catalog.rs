//! A stub of the Backstage catalog's `GET /api/catalog/entities/by-query`: filter, fields, limit and cursors as
//! the real one has them (`@backstage/plugin-catalog-backend`, `QueriedEntitiesOptions`), and what it does when it
//! is not well.
#![allow(clippy::expect_used, reason = "a broken rig must fail the test at once and say why")]

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The token that it takes.
pub(crate) const TOKEN: &str = "planted-token-of-the-catalog";

/// How it is.
#[derive(Clone, Debug)]
pub(crate) enum Mood {
    /// It answers.
    Well,
    /// This status, whatever is asked.
    Answers(u16),
    /// No answer ever.
    Hangs,
    /// Every page has a next one.
    Endless,
}

/// A running stub. It ends with the runtime that it was started in.
pub(crate) struct Catalog {
    /// Where it listens.
    pub(crate) url: String,
    state: Arc<Mutex<Held>>,
}

struct Held {
    mood: Mood,
    entities: Vec<Value>,
    /// Entities of a page.
    page: usize,
    /// The query and the headers of each request.
    asked: Vec<(Vec<(String, String)>, HeaderMap)>,
}

impl Catalog {
    /// Starts one with these entities.
    pub(crate) async fn start(entities: Vec<Value>) -> Self {
        let held = Held { mood: Mood::Well, entities, page: 2, asked: Vec::new() };
        let state = Arc::new(Mutex::new(held));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let app =
            Router::new().route("/api/catalog/entities/by-query", get(answer)).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, state }
    }

    fn held<T>(&self, change: impl FnOnce(&mut Held) -> T) -> T {
        change(&mut self.state.lock().expect("not poisoned"))
    }

    /// How it is from now on.
    pub(crate) fn is(&self, mood: Mood) {
        self.held(|held| held.mood = mood);
    }

    /// What it holds from now on.
    pub(crate) fn holds(&self, entities: Vec<Value>) {
        self.held(|held| held.entities = entities);
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.held(|held| held.asked.len())
    }

    /// The headers of each request so far.
    pub(crate) fn headers(&self) -> Vec<HeaderMap> {
        self.held(|held| held.asked.iter().map(|(_, headers)| headers.clone()).collect())
    }

    /// The queries so far.
    pub(crate) fn queries(&self) -> Vec<Vec<(String, String)>> {
        self.held(|held| held.asked.iter().map(|(query, _)| query.clone()).collect())
    }
}

async fn answer(
    State(state): State<Arc<Mutex<Held>>>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    let (mood, entities, page) = {
        let mut held = state.lock().expect("not poisoned");
        held.asked.push((query.clone(), headers.clone()));
        (held.mood.clone(), held.entities.clone(), held.page)
    };
    let asked = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match mood {
        Mood::Well => {}
        Mood::Answers(status) => {
            let status = StatusCode::from_u16(status).expect("a status");
            return (status, [("location", "http://127.0.0.1:1/")], "<html>planted</html>").into_response();
        }
        Mood::Hangs => std::future::pending().await,
        Mood::Endless => {
            return Json(json!({"items": [], "pageInfo": {"nextCursor": "again"}})).into_response();
        }
    }
    if headers.get("authorization").is_none_or(|value| value != &format!("Bearer {TOKEN}")) {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": {"name": "AuthenticationError"}})))
            .into_response();
    }
    let first = match (asked("cursor"), asked("filter")) {
        (Some(cursor), None) => {
            cursor.strip_prefix("from-").and_then(|from| from.parse().ok()).expect("ours")
        }
        (None, Some("kind=resource,spec.type=kubernetes-cluster")) => 0,
        // the real one refuses neither, and answers something else than what is wanted
        _ => return StatusCode::BAD_REQUEST.into_response(),
    };
    let items: Vec<&Value> = entities.iter().skip(first).take(page).collect();
    let next = first + items.len();
    let mut info = json!({});
    if next < entities.len() {
        info["nextCursor"] = format!("from-{next}").into();
    }
    if first > 0 {
        info["prevCursor"] = "back".into();
    }
    Json(json!({"items": items, "totalItems": entities.len(), "pageInfo": info})).into_response()
}

/// A `Resource` of the type `kubernetes-cluster`, whose API server has a certificate of this authority (PEM).
pub(crate) fn entity(name: &str, server: &str, authority: &str) -> Value {
    json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Resource",
        "metadata": {"name": name, "namespace": "default", "annotations": {
            "kubernetes.io/api-server": server,
            "kubernetes.io/api-server-certificate-authority": STANDARD.encode(authority),
            "kubernetes.io/auth-provider": "oidc",
            "kubernetes.io/oidc-token-provider": "okta",
        }},
        "spec": {"type": "kubernetes-cluster", "owner": "platform"},
    })
}
