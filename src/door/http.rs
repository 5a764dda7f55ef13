//! Streamable HTTP: `/mcp` for callers, health and metadata beside it, metrics on an address of their own.

mod actions;
mod body;
mod connection;
mod entities;
mod entrance;
mod event_mesh;
mod hops;
mod messages;
mod proxy;
mod rates;
mod refused;
mod request;
mod room;
mod sources;
mod tls;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, Request, State},
    middleware,
    response::{IntoResponse as _, Response},
    routing::get,
};
use axum_server::{accept::Accept, tls_rustls::RustlsAcceptor};
use http::{HeaderName, StatusCode, header};
use hyper::body::Incoming;
use ipnet::IpNet;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use self::{
    connection::Arrivals,
    entrance::{DOOR, Entrance, HEADERS},
    hops::Hops,
    rates::Rates,
    tls::Tls,
};
use super::{mcp::Mcp, oauth, ops, serving::Serving, who::Who};

pub use self::tls::{TlsFiles, TlsProblem};
pub(super) use self::{actions::item as action_item, entrance::Client, messages::Shortfall};

/// How long calls that run may take to end once serving ends.
const GRACE: Duration = Duration::from_secs(10);
/// Requests of one HTTP/2 connection at a time.
const STREAMS: u32 = 100;
/// A TLS handshake takes no longer.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often those who ask nothing any more are forgotten.
const FORGET: Duration = Duration::from_secs(30);

/// What an operator may set, for the life of the process.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// `Host` names accepted besides those of loopback (against DNS rebinding).
    pub allowed_hosts: Vec<String>,
    /// Browser origins accepted besides those of loopback.
    pub allowed_origins: Vec<String>,
    /// The segment below `/api/` where the API of clusters is served to programs, if anywhere.
    pub proxy: Option<String>,
    /// The cluster whose event mesh is served to catalogs, if any.
    pub event_mesh: Option<String>,
    /// The id of our plugin in Backstage, where it lists and invokes our tools: they are below `/api/` and that.
    pub plugin: Option<String>,
    /// Where Prometheus finds `/metrics`.
    pub metrics: Option<SocketAddr>,
    /// Serve https.
    pub tls: Option<TlsFiles>,
    /// Proxies whose word on where a request comes from is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Connections at a time.
    pub connections: u32,
    /// How long a connection without a request is kept.
    pub idle: Duration,
}

/// Why HTTP cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum HttpProblem {
    /// Anyone who reaches the address would be the local user.
    #[error(
        "{0} is not a loopback address, and no issuer is configured: everyone who can reach it would be the \
         local user. Serve 127.0.0.1 (and put an authenticating proxy in front), or use stdio"
    )]
    NotLoopback(SocketAddr),
    /// Tokens would cross the network in the clear.
    #[error(
        "{0} is not a loopback address, and tokens would cross the network in the clear: set http.tls, or \
         http.trustedProxies to the addresses of the proxy that ends TLS"
    )]
    Clear(SocketAddr),
    /// The certificate cannot be served.
    #[error("http.tls: {0}")]
    Tls(#[from] TlsProblem),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// Serving broke.
    #[error("serving broke: {0}")]
    Serve(#[from] io::Error),
}

/// A door that listens but does not serve yet.
#[derive(Debug)]
pub struct HttpDoor {
    listener: TcpListener,
    metrics: Option<TcpListener>,
    address: SocketAddr,
    tls: Option<Tls>,
    options: HttpOptions,
}

impl HttpDoor {
    /// Listens on `address`. `need_token` says whether callers need one: without, the local user is served,
    /// and that on loopback alone.
    ///
    /// # Errors
    /// All but [`HttpProblem::Serve`].
    pub async fn bind(
        address: SocketAddr,
        options: HttpOptions,
        need_token: bool,
    ) -> Result<Self, HttpProblem> {
        let loopback = address.ip().to_canonical().is_loopback();
        if !loopback && !need_token {
            return Err(HttpProblem::NotLoopback(address));
        }
        if !loopback && options.tls.is_none() && options.trusted_proxies.is_empty() {
            return Err(HttpProblem::Clear(address));
        }
        let tls = match &options.tls {
            Some(files) => Some(files.load().await?),
            None => None,
        };
        let listen = |address| async move {
            TcpListener::bind(address).await.map_err(|error| HttpProblem::Listen(address, error))
        };
        let listener = listen(address).await?;
        let metrics = match options.metrics {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let address = listener.local_addr()?;
        Ok(Self { listener, metrics, address, tls, options })
    }

    /// Where MCP is served, by the address and the port that was chosen.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/mcp", self.address)
    }

    /// Where `/metrics` is, if anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Serves until `cancel` fires, then lets running calls end for ten seconds.
    ///
    /// # Errors
    /// [`HttpProblem::Serve`].
    pub async fn serve(self, serving: Arc<Serving>, cancel: CancellationToken) -> Result<(), HttpProblem> {
        let Self { listener, metrics, address, tls, options } = self;
        let loopback_hosts = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let entrance = Arc::new(Entrance {
            serving: Arc::clone(&serving),
            address,
            encrypted: tls.is_some(),
            hops: Hops::new(options.trusted_proxies.clone()),
            hosts: loopback_hosts.into_iter().chain(options.allowed_hosts.iter().cloned()).collect(),
            rates: Rates::new(serving.now().terms.rate),
        });
        let streams = CancellationToken::new();
        let app = router(&entrance, &options, &cancel, &streams);
        // all of it ends with serving
        let mut beside = tokio::task::JoinSet::new();
        if let Some(listener) = metrics {
            let app = ops::metrics(serving);
            beside.spawn(async move {
                let _ = axum::serve(listener, app).await;
            });
        }
        beside.spawn(async move {
            loop {
                tokio::time::sleep(FORGET).await;
                entrance.rates.forget();
                entrance.serving.now().callers.forget();
            }
        });
        let arrivals = Arrivals::new(
            options.connections.try_into().unwrap_or(usize::MAX),
            options.idle,
            Hops::new(options.trusted_proxies.clone()),
        );
        match tls {
            None => run(listener, arrivals, app, cancel, streams).await,
            Some(tls) => {
                let acceptor = RustlsAcceptor::new(tls.config()).handshake_timeout(HANDSHAKE);
                beside.spawn(tls.follow());
                run(listener, acceptor.acceptor(arrivals), app, cancel, streams).await
            }
        }
    }
}

/// Serves `app` to whoever `acceptor` lets in.
async fn run<A>(
    listener: TcpListener,
    acceptor: A,
    app: Router,
    cancel: CancellationToken,
    streams: CancellationToken,
) -> Result<(), HttpProblem>
where
    A: Accept<TcpStream, Router> + Clone + Send + Sync + 'static,
    A::Stream: AsyncRead + AsyncWrite + Unpin + Send,
    A::Service: axum_server::service::SendService<http::Request<Incoming>> + Send,
    A::Future: Send,
{
    let handle = axum_server::Handle::<SocketAddr>::new();
    let mut server = axum_server::Server::from_listener(listener).acceptor(acceptor).handle(handle.clone());
    // the time for the head of a request is kept by the connection, for both versions alike
    server.http_builder().http1().max_buf_size(HEADERS).header_read_timeout(None);
    server
        .http_builder()
        .http2()
        .max_header_list_size(u32::try_from(HEADERS).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(100);
    let overdue = async {
        cancel.cancelled().await;
        handle.graceful_shutdown(None);
        tokio::time::sleep(GRACE).await;
        streams.cancel();
    };
    tokio::select! {
        served = server.serve(app.into_make_service()) => served?,
        () = overdue => tracing::warn!("some calls did not end in time"),
    }
    Ok(())
}

fn router(
    entrance: &Arc<Entrance>,
    options: &HttpOptions,
    ending: &CancellationToken,
    streams: &CancellationToken,
) -> Router {
    let loopback_origins = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"].map(str::to_owned);
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(body::LARGEST)
        .with_allowed_hosts(entrance.hosts.iter().cloned())
        .with_allowed_origins(loopback_origins.into_iter().chain(options.allowed_origins.iter().cloned()))
        .enforce_origin_validation()
        .with_cancellation_token(streams.clone());
    let handler = Mcp::new(Arc::clone(&entrance.serving), Who::EachRequest, DOOR);
    let service = StreamableHttpService::new(
        move || Ok(handler.clone()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    let metadata = get(metadata).options(preflight);
    let beside = Router::new()
        .route(oauth::WELL_KNOWN, metadata.clone())
        .route(&format!("{}/{{*path}}", oauth::WELL_KNOWN), metadata)
        .with_state(Arc::clone(entrance))
        .merge(ops::health(ending.clone()))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(middleware::from_fn(body::unwanted));
    let proxy = options.proxy.as_ref().map(|base| proxy::router(entrance, base, &options.allowed_origins));
    let actions = options.plugin.as_ref().map(|id| actions::router(entrance, id, &options.allowed_origins));
    let mesh = options.event_mesh.as_ref();
    let mesh = mesh.map(|cluster| event_mesh::router(entrance, cluster, &options.allowed_origins));
    // a slash may follow: Backstage's proxy adds one to the target of a route
    let bases = [Some(String::new()), options.plugin.as_ref().map(|id| format!("/api/{id}"))];
    let mcp = bases.iter().flatten().flat_map(|base| [format!("{base}/mcp"), format!("{base}/mcp/")]);
    mcp.fold(Router::new(), |router, path| router.route_service(&path, service.clone()))
        .layer(middleware::from_fn_with_state(Arc::clone(entrance), messages::enter))
        .merge(beside)
        .merge(proxy.unwrap_or_default())
        .merge(actions.unwrap_or_default())
        .merge(mesh.unwrap_or_default())
        .merge(entities::router(entrance, &options.allowed_origins))
        .layer(CatchPanicLayer::new())
}

/// Who issues tokens for us (RFC 9728): for everybody, and for pages in browsers too.
async fn metadata(
    State(entrance): State<Arc<Entrance>>,
    path: Option<Path<String>>,
    request: Request,
) -> Response {
    let served = Arc::clone(&entrance.serving.now());
    let url = entrance.url(&served, &request.into_parts().0);
    let own = url.parse::<http::Uri>().map(|url| url.path().trim_matches('/').to_owned());
    let ours = path.is_none_or(|Path(path)| {
        let path = path.trim_end_matches('/');
        path == "mcp" || own.is_ok_and(|own| own == path)
    });
    if !ours || !oauth::has_metadata(&served) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::CACHE_CONTROL, "max-age=60"),
        (header::VARY, "host"),
    ];
    (headers, axum::Json(oauth::metadata(&url, &served))).into_response()
}

/// Clients say the protocol's version on the way to the metadata, which browsers ask about first.
async fn preflight() -> impl axum::response::IntoResponse {
    const HEADERS: [(HeaderName, &str); 4] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, HEADERS)
}
