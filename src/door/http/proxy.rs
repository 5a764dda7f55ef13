//! The API of clusters for programs: `/api/BASE/proxy/…` passes a request on to the cluster that
//! `Backstage-Kubernetes-Cluster` names, as its caller, and `/api/BASE/clusters` names the clusters there are.
//! What Backstage's Kubernetes backend serves is served here in the same form, so that its clients and policies
//! go on (`@backstage/plugin-kubernetes-backend`, `KubernetesProxy`).

mod asked;
mod clusters;
mod flow;
mod headers;
mod lease;
mod refused;
mod tunnel;

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::{Request, State},
    response::Response,
    routing::any,
};
use http::{StatusCode, request::Parts};
use http_body_util::BodyExt as _;

use self::{asked::Asked, flow::Flow, lease::Lease, tunnel::Tunnel};
use super::{
    body,
    connection::{lasting, let_in},
    entrance::{DOOR, Entrance, Turned},
    rates::Running,
    sources::Sources,
};
use crate::{
    Error, ErrorKind,
    caller::Caller,
    door::{refused::Refused, serving::Served},
    kubernetes::proxy::{Wire, carried},
    telemetry::TraceContext,
    toolbox::{self, Passed, Progress},
};

/// The endpoint.
#[derive(Debug)]
struct Proxy {
    entrance: Arc<Entrance>,
    sources: Sources,
    /// What stands before the path of a cluster.
    mount: String,
}

/// A request that was let in.
struct Entered {
    served: Arc<Served>,
    caller: Arc<Caller>,
    client: IpAddr,
    running: Running,
}

/// The routes below `/api/BASE`.
pub(super) fn router(entrance: &Arc<Entrance>, base: &str, origins: &[String]) -> Router {
    let mount = format!("/api/{base}/proxy");
    let proxy =
        Proxy { entrance: Arc::clone(entrance), sources: Sources::new(origins), mount: mount.clone() };
    Router::new()
        .route(&format!("/api/{base}/clusters"), any(clusters::list))
        .route(&mount, any(forward))
        .route(&format!("{mount}/"), any(forward))
        .route(&format!("{mount}/{{*path}}"), any(forward))
        .with_state(Arc::new(proxy))
}

/// Passes a request on.
async fn forward(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let entered = match proxy.enter(&parts).await {
        Ok(entered) => entered,
        Err(refused) => return proxy.turn_away(refused, &parts, body).await,
    };
    let asked = match Asked::read(&parts, &proxy.mount, !body.is_end_stream()) {
        Ok(asked) => asked,
        Err(wrong) => {
            let refused = proxy.malformed(&entered, &parts, wrong);
            return proxy.turn_away(refused, &parts, body).await;
        }
    };
    match proxy.pass(entered, asked, &mut parts, body).await {
        Ok(response) => response,
        Err(error) => refused::failed(&error, &parts),
    }
}

impl Proxy {
    /// Who asks, and from where; or what to answer instead.
    async fn enter(&self, parts: &Parts) -> Result<Entered, Refused> {
        let served = Arc::clone(&self.entrance.serving.now());
        let (peer, client) = self.entrance.origin(parts);
        let away = |turned: Box<Turned>| self.entrance.turn_away(&served, parts, client, *turned);
        self.sources.check(&self.entrance, parts).map_err(|odd| away(odd.into()))?;
        let (caller, running) = self.entrance.through(&served, parts, peer).await.map_err(away)?;
        let_in(&parts.extensions);
        Ok(Entered { served, caller, client, running })
    }

    /// Keeps that a request was none that could be passed on.
    fn malformed(&self, entered: &Entered, parts: &Parts, wrong: asked::Wrong) -> Refused {
        let refused = Refused::malformed(wrong.status, wrong.why);
        let turned = Turned::new(refused, "request").because(wrong.why).of(&entered.caller);
        self.entrance.turn_away(&entered.served, parts, entered.client, *turned)
    }

    async fn turn_away(&self, refused: Refused, parts: &Parts, body: Body) -> Response {
        refused.pass_over(parts, body).await;
        refused::turned(refused, parts)
    }

    async fn pass(
        &self,
        entered: Entered,
        asked: Asked,
        parts: &mut Parts,
        body: Body,
    ) -> Result<Response, Error> {
        let serving = &self.entrance.serving;
        let request = entered.request(asked.cluster.as_deref(), parts);
        let left = request.cancel.clone();
        let head = (asked.method.clone(), asked.target.clone());
        let wire = Wire {
            method: asked.method,
            target: asked.target,
            query: asked.query,
            headers: asked.headers,
            // a client that leaves in the middle is no fault of the cluster's
            body: carried(body.map_err(move |error| {
                left.cancel();
                error
            }))
            .await?,
        };
        // what lasts counts among what lasts, and leaves its caller's other calls alone
        let lasts = wire.streams() || asked.upgrade;
        let place = match lasts {
            true => Some((lease::place(serving, &entered)?, lasting(&parts.extensions))),
            false => None,
        };
        let running = (!lasts).then_some(entered.running);
        let lease = Lease {
            serving: Arc::clone(serving),
            served: Arc::clone(&entered.served),
            caller: Arc::clone(&entered.caller),
            client: entered.client,
            cluster: asked.cluster,
            presented: Arc::clone(&request.presented),
            head,
            changes: wire.changes(),
            lasts,
        };
        let mut over = lease.over(parts);
        let passing = entered.served.toolbox.pass(request, wire);
        let Passed { mut response, passing } = tokio::select! {
            biased;
            passed = passing => passed?,
            () = &mut over => {
                return Err(Error::new(ErrorKind::Cancelled, "it may not go on any longer"));
            }
        };
        let held = (running, place);
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let tunnel = asked.upgrade.then(|| Tunnel::between(parts, &mut response)).flatten();
            let Some(tunnel) = tunnel else { return Ok(refused::elsewhere(parts)) };
            let answer = headers::switched(&response);
            tokio::spawn(async move {
                tunnel.carry(passing, over).await;
                drop(held);
            });
            return Ok(answer);
        }
        if response.status().is_redirection() || response.status().is_informational() {
            return Ok(refused::elsewhere(parts));
        }
        let (head, body) = response.into_parts();
        let whole =
            (parts.method == http::Method::HEAD).then(|| head.headers.get(http::header::CONTENT_LENGTH));
        let mut answer = Response::new(Body::new(Flow::new(body, passing, over, held)));
        *answer.status_mut() = head.status;
        *answer.headers_mut() = headers::down(&head.headers);
        if let Some(length) = whole.flatten() {
            answer.headers_mut().insert(http::header::CONTENT_LENGTH, length.clone());
        }
        Ok(answer)
    }
}

impl Entered {
    /// For the gate: what is asked, by whom, and the tokens for clusters that came with it.
    fn request(&self, cluster: Option<&str>, parts: &Parts) -> toolbox::Request {
        lease::request(
            &self.caller,
            self.client,
            cluster,
            (self.served.presented(&parts.headers), TraceContext::from_headers(&parts.headers)),
        )
    }
}
