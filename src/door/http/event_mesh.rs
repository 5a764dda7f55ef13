//! `GET /v1/getEventMesh`: what the backend of the Knative plugin for Backstage serves
//! (`@knative-extensions/plugin-knative-event-mesh-backend`), in its form. It knows no callers of ours: whoever sends a
//! token is who the cluster takes them for, and nothing but that token is used on their behalf.

mod refused;

use std::{net::IpAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
    routing::any,
};
use futures::FutureExt as _;
use http::{Method, StatusCode, header, request::Parts};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    connection::let_in,
    entrance::{Entrance, NO_TOKEN, Turned},
    rates::{Busy, Running},
    sources::Sources,
};
use crate::{
    Error,
    answer::Handing,
    caller::unverified,
    door::{
        authenticate::{self, NoToken},
        refused::Refused,
        serving::Served,
    },
    permission::Permission,
    presented::{Presented, is_for},
    telemetry::TraceContext,
    toolbox::{self, Progress},
};

/// Where it is.
const PATH: &str = "/v1/getEventMesh";
/// This door's name in audit lines.
const DOOR: &str = "event-mesh";
/// The configuration by which it is open.
const RULE: &str = "http.eventMesh";
/// Meshes that are read at a time, whoever asks: each may take as much memory as a call.
const AT_ONCE: usize = 8;
/// How long one waits for its turn.
const TURN: Duration = Duration::from_secs(3);
/// How long an answer may take: a connection of whom nobody knows ends a little later.
const LONGEST: Duration = Duration::from_secs(25);
/// A longer token is none (as in the headers for clusters).
const LONGEST_TOKEN: usize = 16 << 10;

/// The endpoint.
#[derive(Debug)]
struct EventMesh {
    entrance: Arc<Entrance>,
    sources: Sources,
    cluster: String,
    turns: Semaphore,
}

/// A request that brings a token.
struct Entered<'p> {
    served: Arc<Served>,
    client: IpAddr,
    token: &'p str,
    _running: Running,
}

/// Its route.
pub(super) fn router(entrance: &Arc<Entrance>, cluster: &str, origins: &[String]) -> Router {
    let mesh = EventMesh {
        entrance: Arc::clone(entrance),
        sources: Sources::new(origins),
        cluster: cluster.to_owned(),
        turns: Semaphore::new(AT_ONCE),
    };
    Router::new().route(PATH, any(serve)).with_state(Arc::new(mesh))
}

async fn serve(State(mesh): State<Arc<EventMesh>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answered = AssertUnwindSafe(mesh.answer(&parts, body)).catch_unwind().await;
    answered.unwrap_or_else(|_panic| super::refused::broken())
}

impl EventMesh {
    async fn answer(&self, parts: &Parts, body: Body) -> Response {
        let entered = match self.enter(parts) {
            Ok(entered) => entered,
            Err(refused) => {
                refused.pass_over(parts, body).await;
                return refused::turned(refused);
            }
        };
        super::body::pass_over(&parts.headers, body).await;
        let _turn = match self.turn().await {
            Ok(turn) => turn,
            Err(turned) => return refused::turned(self.away(&entered.served, parts, entered.client, turned)),
        };
        match self.read(&entered, parts).await {
            Ok(answer) => {
                // the cluster took the token
                let_in(&parts.extensions);
                let headers =
                    [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
                (headers, answer).into_response()
            }
            Err(error) => refused::failed(&error),
        }
    }

    /// What token it is, and from where; or what to answer instead.
    fn enter<'p>(&self, parts: &'p Parts) -> Result<Entered<'p>, Refused> {
        let served = Arc::clone(&self.entrance.serving.now());
        let (peer, client) = self.entrance.origin(parts);
        let entered = self.sources.check(&self.entrance, parts).map_err(Box::<Turned>::from).and_then(|()| {
            self.entrance.fits(parts, peer)?;
            if parts.method != Method::GET {
                let wrong =
                    Refused::malformed(StatusCode::METHOD_NOT_ALLOWED, "the event mesh is read by GET");
                return Err(Turned::new(wrong, "request"));
            }
            let token = token(parts, served.callers.audiences())?;
            let running = self.entrance.rates.stranger(client).map_err(busy)?;
            Ok((token, running))
        });
        match entered {
            Ok((token, running)) => Ok(Entered { served, client, token, _running: running }),
            Err(turned) => Err(self.away(&served, parts, client, turned)),
        }
    }

    /// Waits until fewer are read.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, Box<Turned>> {
        match timeout(TURN, self.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(busy(Busy { again: TURN, reason: "concurrency" })),
        }
    }

    async fn read(&self, entered: &Entered<'_>, parts: &Parts) -> Result<Vec<u8>, Error> {
        let permission = Permission::KnativeEventMeshView;
        let request = toolbox::Request {
            door: DOOR,
            caller: Arc::new(unverified::caller(entered.token, permission, &self.cluster, RULE)),
            tool: String::new(),
            arguments: serde_json::Map::new(),
            cancel: CancellationToken::new(),
            client: Some(entered.client),
            trace: TraceContext::from_headers(&parts.headers),
            progress: Progress::default(),
            patience: Some(LONGEST),
            presented: Presented::for_clusters(entered.token.to_owned().into()),
            handing: Handing::Withheld,
        };
        entered.served.toolbox.event_mesh(request, &self.cluster).await
    }

    fn away(&self, served: &Served, parts: &Parts, client: IpAddr, turned: Box<Turned>) -> Refused {
        self.entrance.turn_away(served, parts, client, *turned.at(DOOR))
    }
}

/// The token, unless it is one for us: the cluster could then act here as its owner.
fn token<'p>(parts: &'p Parts, ours: &[String]) -> Result<&'p str, Box<Turned>> {
    let unfit = |why: &'static str| {
        let message = "the Authorization header holds no bearer token: send one of the cluster's";
        Turned::new(Refused::no_token(message), "credential").because(why)
    };
    match authenticate::bearer_or_bare(&parts.headers, &parts.uri) {
        Ok(token) if token.len() > LONGEST_TOKEN => Err(unfit("a token of more than 16 KiB")),
        Ok(token) if is_for(token, ours) => {
            let message =
                "this is a token for this server, which is never passed on: send one of the cluster's";
            Err(Turned::new(Refused::no_token(message), "audience").because("a token for this server"))
        }
        Ok(token) => Ok(token),
        Err(NoToken::Malformed(why)) => Err(unfit(why)),
        Err(NoToken::Absent) => {
            let message = "a token of the cluster is missing: send one as Authorization: Bearer";
            Err(Turned::new(Refused::no_token(message), NO_TOKEN))
        }
    }
}

fn busy(busy: Busy) -> Box<Turned> {
    Turned::new(Refused::busy(busy.again), busy.reason)
}
