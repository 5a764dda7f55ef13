//! `GET /api/BASE/clusters`: the clusters that the caller may see, as Backstage's `KubernetesBackendClient` asks for
//! them before it asks anything of one (`@backstage/plugin-kubernetes-react`).

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::{Method, StatusCode, header};
use serde::Serialize;

use super::{Proxy, asked::Wrong, body, refused};
use crate::{kubernetes::Identity, toolbox::Named};

/// The provider for which clients send no token of their own for the cluster.
const SERVER_SIDE: &str = "serviceAccount";

#[derive(Serialize)]
struct Clusters {
    items: Vec<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    name: String,
    auth_provider: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc_token_provider: Option<String>,
}

impl From<Named> for Item {
    fn from(named: Named) -> Self {
        // the client makes the name of its header of the two
        let provider = named.provider.filter(|_| named.identity == Identity::CallerHeader);
        let (auth_provider, oidc_token_provider) =
            match provider.as_deref().map(|provider| provider.split_once('-')) {
                Some(Some((framework, provider))) => (framework.to_owned(), Some(provider.to_owned())),
                Some(None) => (provider.unwrap_or_default(), None),
                None => (SERVER_SIDE.to_owned(), None),
            };
        Self { name: named.name, auth_provider, oidc_token_provider }
    }
}

/// Lists them.
pub(super) async fn list(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let entered = match proxy.enter(&parts).await {
        Ok(entered) => entered,
        Err(refused) => return proxy.turn_away(refused, &parts, body).await,
    };
    body::pass_over(&parts.headers, body).await;
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        let wrong = Wrong { status: StatusCode::METHOD_NOT_ALLOWED, why: "clusters are listed by GET" };
        return refused::turned(proxy.malformed(&entered, &parts, wrong), &parts);
    }
    match entered.served.toolbox.named(entered.request(None, &parts)).await {
        Ok(named) => {
            let items = named.into_iter().map(Item::from).collect();
            ([(header::CACHE_CONTROL, "no-store")], axum::Json(Clusters { items })).into_response()
        }
        Err(error) => refused::failed(&error, &parts),
    }
}
