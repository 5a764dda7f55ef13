//! What a plugin of Backstage serves below `/api/PLUGIN`: our tools as actions that its MCP actions bridge lists and
//! invokes (`@backstage/backend-defaults`, `actionsRegistry`), what other plugins check our tokens with, and our
//! permissions. It lists on every call, and one malformed item breaks the tools of every other plugin.

mod asked;
mod described;
mod input;
mod invoke;
mod published;
mod refused;
#[cfg(test)]
mod tests;

use std::{net::IpAddr, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
    routing::any,
};
use futures::FutureExt as _;
use http::{header, request::Parts};

use self::{asked::Asked, refused::Said};
use super::{
    body,
    connection::{brings_many, let_in},
    entrance::{Entrance, Turned},
    rates::Running,
    sources::Sources,
};
use crate::{
    caller::Caller,
    door::{refused::Refused, serving::Served},
};

pub(in crate::door) use self::described::item;

/// This door's name in audit lines.
const DOOR: &str = "backstage";

/// The door.
#[derive(Debug)]
struct Actions {
    entrance: Arc<Entrance>,
    sources: Sources,
    plugin: String,
    /// What stands before the paths of the plugin.
    mount: String,
}

/// A request that came by a name of ours, and from a page that may send some.
struct Arrived {
    served: Arc<Served>,
    peer: IpAddr,
    client: IpAddr,
}

/// A call that was let in.
struct Entered {
    served: Arc<Served>,
    caller: Arc<Caller>,
    client: IpAddr,
    _running: Running,
}

/// Everything below `/api/PLUGIN` but MCP.
pub(super) fn router(entrance: &Arc<Entrance>, plugin: &str, origins: &[String]) -> Router {
    let mount = format!("/api/{plugin}");
    let actions = Actions {
        entrance: Arc::clone(entrance),
        sources: Sources::new(origins),
        plugin: plugin.to_owned(),
        mount: mount.clone(),
    };
    Router::new()
        .route(&mount, any(serve))
        .route(&format!("{mount}/"), any(serve))
        .route(&format!("{mount}/{{*path}}"), any(serve))
        // asked for under another id than ours: Backstage logs what is said of it
        .route("/api/{plugin}/.backstage/{*path}", any(another))
        .with_state(Arc::new(actions))
}

async fn another(State(actions): State<Arc<Actions>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    body::pass_over(&parts.headers, body).await;
    refused::another(&actions.plugin, &Said::of(&parts.method, parts.uri.path()))
}

async fn serve(State(actions): State<Arc<Actions>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let below = parts.uri.path().strip_prefix(&actions.mount).unwrap_or_default();
    let said = Said::of(&parts.method, below);
    let answered = AssertUnwindSafe(actions.answer(below, &parts, body, &said)).catch_unwind().await;
    answered.unwrap_or_else(|_panic| refused::broken(&said))
}

impl Actions {
    async fn answer(&self, below: &str, parts: &Parts, body: Body, said: &Said) -> Response {
        let asked = Asked::read(&parts.method, below);
        if let Some(Asked::Invoke(version, id)) = &asked {
            return match self.enter(parts).await {
                Ok(entered) => self.invoke((*version, id), &entered, (parts, body), said).await,
                Err(refused) => turned_away(refused, parts, body, said).await,
            };
        }
        if matches!(asked, Some(Asked::Keys)) {
            body::pass_over(&parts.headers, body).await;
            return published::keys(&self.entrance.serving.now(), said);
        }
        let (served, caller) = match self.to_list(parts).await {
            Ok(entered) => entered,
            Err(refused) => return turned_away(refused, parts, body, said).await,
        };
        body::pass_over(&parts.headers, body).await;
        match asked {
            Some(Asked::List) => {
                let headers =
                    [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
                (headers, served.actions(&caller)).into_response()
            }
            Some(Asked::Permissions) => published::permissions(),
            _ => refused::nothing(said),
        }
    }

    /// Who calls, and from where; or what to answer instead.
    async fn enter(&self, parts: &Parts) -> Result<Entered, Refused> {
        let Arrived { served, peer, client } = self.arrive(parts)?;
        let through = self.entrance.through(&served, parts, peer).await;
        let (caller, running) = through.map_err(|turned| self.away(&served, parts, client, turned))?;
        knows(&caller, parts);
        Ok(Entered { served, caller, client, _running: running })
    }

    /// As [`Self::enter`], for what is no call.
    async fn to_list(&self, parts: &Parts) -> Result<(Arc<Served>, Arc<Caller>), Refused> {
        let Arrived { served, peer, client } = self.arrive(parts)?;
        let caller = self.entrance.to_list(&served, parts, peer).await;
        let caller = caller.map_err(|turned| self.away(&served, parts, client, turned))?;
        knows(&caller, parts);
        Ok((served, caller))
    }

    fn arrive(&self, parts: &Parts) -> Result<Arrived, Refused> {
        let served = Arc::clone(&self.entrance.serving.now());
        let (peer, client) = self.entrance.origin(parts);
        match self.sources.check(&self.entrance, parts) {
            Ok(()) => Ok(Arrived { served, peer, client }),
            Err(odd) => Err(self.away(&served, parts, client, odd.into())),
        }
    }

    fn away(&self, served: &Served, parts: &Parts, client: IpAddr, turned: Box<Turned>) -> Refused {
        self.entrance.turn_away(served, parts, client, *turned.at(DOOR))
    }
}

/// Keeps of the connection that it is a caller's, or that it brings many: all users of a Backstage come from there.
fn knows(caller: &Caller, parts: &Parts) {
    let_in(&parts.extensions);
    if caller.actor().is_some() {
        brings_many(&parts.extensions);
    }
}

async fn turned_away(refused: Refused, parts: &Parts, body: Body, said: &Said) -> Response {
    refused.pass_over(parts, body).await;
    refused::turned(refused, said)
}
