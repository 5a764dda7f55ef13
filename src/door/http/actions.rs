//! What a plugin of Backstage serves below `/api/PLUGIN`: our tools as actions that its MCP actions bridge lists and
//! invokes (`@backstage/backend-defaults`, `actionsRegistry`), what other plugins check our tokens with, and our
//! permissions. It lists on every call, and one malformed item breaks the tools of every other plugin.

mod described;
mod invoke;
mod list;
mod published;
mod refused;

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    response::Response,
    routing::{any, get},
};
use http::{StatusCode, request::Parts};

use super::{
    body,
    connection::let_in,
    entrance::{Entrance, Turned},
    rates::Running,
    sources::{Odd, Sources},
};
use crate::{
    caller::Caller,
    door::{refused::Refused, serving::Served},
};

/// This door's name in audit lines.
const DOOR: &str = "backstage";

/// The door.
#[derive(Debug)]
struct Actions {
    entrance: Arc<Entrance>,
    sources: Sources,
    plugin: String,
}

/// A request that was let in.
struct Entered {
    served: Arc<Served>,
    caller: Arc<Caller>,
    client: IpAddr,
    running: Running,
}

/// The routes below `/api/PLUGIN`.
pub(super) fn router(entrance: &Arc<Entrance>, plugin: &str, origins: &[String]) -> Router {
    let below = |path: &str| format!("/api/{plugin}{path}");
    let actions =
        Actions { entrance: Arc::clone(entrance), sources: Sources::new(origins), plugin: plugin.to_owned() };
    Router::new()
        .route(&below("/.backstage/actions/v1/actions"), get(list::list))
        .route(&below("/.backstage/actions/v1/actions/{id}/invoke"), any(invoke::first))
        .route(&below("/.backstage/actions/v2/actions/{id}/invoke"), any(invoke::second))
        .route(&below("/.backstage/auth/v1/jwks.json"), get(published::keys))
        .route(&below("/.well-known/backstage/permissions/metadata"), get(published::permissions))
        .with_state(Arc::new(actions))
}

impl Actions {
    /// Who asks, and from where; or what to answer instead.
    async fn enter(&self, parts: &Parts) -> Result<Entered, Refused> {
        let served = Arc::clone(&self.entrance.serving.now());
        let (peer, client) = self.entrance.origin(parts);
        let away = |turned: Box<Turned>| self.entrance.turn_away(&served, parts, client, *turned);
        self.sources.check(&self.entrance, parts).map_err(|odd| {
            away(match odd {
                Odd::NoHost(why) => Turned::new(Refused::malformed(StatusCode::BAD_REQUEST, why), "source"),
                Odd::Forbidden(why) => Turned::new(Refused::forbidden(why), "source"),
            })
        })?;
        let (caller, running) = self.entrance.through(&served, parts, peer).await.map_err(away)?;
        let_in(&parts.extensions);
        Ok(Entered { served, caller, client, running })
    }

    async fn turn_away(&self, refused: Refused, parts: &Parts, body: Body) -> Response {
        if refused.status != StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE {
            body::pass_over(&parts.headers, body).await;
        }
        refused::turned(refused, parts)
    }
}
