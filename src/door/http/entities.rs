//! `GET /entities`: what exists, for a catalog that reads a URL (`type: url` of Backstage, `UrlReaderProcessor`): YAML
//! documents, or a JSON list.
//!
//! It is there a second time, in the place of a file in a repository of Bitbucket Server. Of Backstage's readers, the one
//! for plain URLs sends no credential, and that one sends a token to a host of one's own, with the entity tag of what it
//! has (`BitbucketServerUrlReader`, `getBitbucketServerFileFetchUrl`).

mod asked;
mod refused;

use std::{net::IpAddr, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
    routing::any,
};
use futures::FutureExt as _;
use http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use tokio_util::sync::CancellationToken;

use super::{
    connection::let_in,
    entrance::{Entrance, Turned},
    rates::Running,
    sources::Sources,
};
use crate::{
    answer::Handing,
    caller::Caller,
    catalog::{Document, Format},
    door::{authenticate, refused::Refused, serving::Served},
    telemetry::TraceContext,
    toolbox::{self, Progress},
};

/// Where it is.
const PATH: &str = "/entities";
/// The same as a file, below `apiBaseUrl` of an integration.
const FILE: &str = "/entities/projects/{project}/repos/{repository}/raw/{file}";
/// This door's name in audit lines.
const DOOR: &str = "entities";

/// The endpoint.
#[derive(Debug)]
struct Entities {
    entrance: Arc<Entrance>,
    sources: Sources,
}

/// A request that was let in.
struct Entered {
    served: Arc<Served>,
    caller: Arc<Caller>,
    client: IpAddr,
    _running: Running,
}

/// Its routes.
pub(super) fn router(entrance: &Arc<Entrance>, origins: &[String]) -> Router {
    let entities = Entities { entrance: Arc::clone(entrance), sources: Sources::new(origins) };
    Router::new().route(PATH, any(serve)).route(FILE, any(serve)).with_state(Arc::new(entities))
}

async fn serve(State(entities): State<Arc<Entities>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answered = AssertUnwindSafe(entities.answer(&parts, body)).catch_unwind().await;
    answered.unwrap_or_else(|_panic| super::refused::broken())
}

impl Entities {
    async fn answer(&self, parts: &Parts, body: Body) -> Response {
        let (entered, format) = match self.enter(parts).await {
            Ok(entered) => entered,
            Err(refused) => {
                refused.pass_over(parts, body).await;
                return refused::turned(refused);
            }
        };
        let_in(&parts.extensions);
        super::body::pass_over(&parts.headers, body).await;
        let cancel = CancellationToken::new();
        // whoever leaves drops this
        let _left = cancel.clone().drop_guard();
        let request = toolbox::Request {
            door: DOOR,
            caller: Arc::clone(&entered.caller),
            tool: String::new(),
            arguments: serde_json::Map::new(),
            cancel,
            client: Some(entered.client),
            trace: TraceContext::from_headers(&parts.headers),
            progress: Progress::default(),
            patience: None,
            presented: entered.served.presented(&parts.headers),
            handing: Handing::Withheld,
        };
        match entered.served.toolbox.entities(request, format).await {
            Ok(document) => written(document, format, parts),
            Err(error) => refused::failed(&error),
        }
    }

    /// Who asks, from where, and for which form; or what to answer instead.
    async fn enter(&self, parts: &Parts) -> Result<(Entered, Format), Refused> {
        let served = Arc::clone(&self.entrance.serving.now());
        let (peer, client) = self.entrance.origin(parts);
        let away = |turned: Box<Turned>| self.entrance.turn_away(&served, parts, client, *turned.at(DOOR));
        self.sources.check(&self.entrance, parts).map_err(|odd| away(odd.into()))?;
        let (caller, running) = self.through(&served, parts, peer).await.map_err(away)?;
        let malformed = |refused: Refused| away(Turned::new(refused, "request").of(&caller));
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            let wrong = Refused::malformed(StatusCode::METHOD_NOT_ALLOWED, "entities are read by GET");
            return Err(malformed(wrong));
        }
        let format = asked::format(parts)
            .map_err(|wrong| malformed(Refused::malformed(StatusCode::BAD_REQUEST, wrong)))?;
        Ok((Entered { served: Arc::clone(&served), caller, client, _running: running }, format))
    }

    /// The reader whose token is configured for this and nothing else, or a caller as at any other door.
    async fn through(
        &self,
        served: &Served,
        parts: &Parts,
        peer: IpAddr,
    ) -> Result<(Arc<Caller>, Running), Box<Turned>> {
        if let (Some(reader), Ok(token)) =
            (served.callers.reader(), authenticate::bearer(&parts.headers, &parts.uri))
        {
            self.entrance.fits(parts, peer)?;
            if let Some(caller) = reader.caller(token).await {
                let running = self.entrance.place(served, &caller)?;
                return Ok((caller, running));
            }
        }
        self.entrance.through(served, parts, peer).await
    }
}

/// What was read, or that it is what whoever asks has already.
fn written(document: Document, format: Format, parts: &Parts) -> Response {
    let etag = document.etag();
    let kind = match format {
        // RFC 9512
        Format::Yaml => "application/yaml",
        Format::Json => "application/json",
    };
    let known = asked::knows(&parts.headers, &etag);
    let body = if known { Body::empty() } else { Body::from(document.text) };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    let constant = |name: HeaderName, value: &'static str| (name, HeaderValue::from_static(value));
    headers.extend([
        constant(header::CACHE_CONTROL, "private, no-cache"),
        constant(header::VARY, "accept, authorization"),
        constant(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ]);
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    match known {
        true => *response.status_mut() = StatusCode::NOT_MODIFIED,
        false => drop(headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind))),
    }
    response
}
