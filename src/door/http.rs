//! Streamable HTTP: `/mcp` for callers, health beside it, metrics on an address of their own.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::Request, middleware, serve::ListenerExt as _};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    mcp::{Mcp, Who},
    ops,
    serving::Serving,
    shape,
};
use crate::caller::Caller;

/// A larger request is refused with 413: no tool takes so much.
const MAX_REQUEST: usize = 1 << 20;
/// How long calls that run may take to end once serving ends.
const GRACE: Duration = Duration::from_secs(10);

/// What an operator may set.
#[derive(Clone, Debug, Default)]
pub struct HttpOptions {
    /// `Host` names accepted besides those of loopback (against DNS rebinding).
    pub allowed_hosts: Vec<String>,
    /// Browser origins accepted besides those of loopback.
    pub allowed_origins: Vec<String>,
    /// Where Prometheus finds `/metrics`.
    pub metrics: Option<SocketAddr>,
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
    options: HttpOptions,
}

impl HttpDoor {
    /// Listens on `address` for the local user (no issuer is configured, so loopback only).
    ///
    /// # Errors
    /// [`HttpProblem::NotLoopback`] and [`HttpProblem::Listen`].
    pub async fn bind(address: SocketAddr, options: HttpOptions) -> Result<Self, HttpProblem> {
        if !address.ip().is_loopback() {
            return Err(HttpProblem::NotLoopback(address));
        }
        let listen = |address| async move {
            TcpListener::bind(address).await.map_err(|error| HttpProblem::Listen(address, error))
        };
        let listener = listen(address).await?;
        let metrics = match options.metrics {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let address = listener.local_addr()?;
        Ok(Self { listener, metrics, address, options })
    }

    /// The address it listens on, with the port that was chosen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where `/metrics` is, if anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Serves `caller` until `cancel` fires, then lets running calls end for ten seconds.
    ///
    /// # Errors
    /// [`HttpProblem::Serve`].
    pub async fn serve(
        self,
        serving: Arc<Serving>,
        caller: Arc<Caller>,
        cancel: CancellationToken,
    ) -> Result<(), HttpProblem> {
        let streams = CancellationToken::new();
        let app = router(&serving, caller, &self.options, &cancel, &streams);
        let metrics = self.metrics.map(|listener| {
            let app = ops::metrics(serving);
            let ending = cancel.clone().cancelled_owned();
            tokio::spawn(async move { axum::serve(listener, app).with_graceful_shutdown(ending).await })
        });
        // Without it, a streamed answer waits 40 ms for the peer's delayed acknowledgement.
        let listener = self.listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let serving = axum::serve(listener, app).with_graceful_shutdown(cancel.clone().cancelled_owned());
        let overdue = async {
            cancel.cancelled().await;
            tokio::time::sleep(GRACE).await;
            streams.cancel();
        };
        tokio::select! {
            served = async { serving.await } => served?,
            () = overdue => tracing::warn!("some calls did not end in time"),
        }
        if let Some(metrics) = metrics {
            metrics.abort();
        }
        Ok(())
    }
}

fn router(
    serving: &Arc<Serving>,
    caller: Arc<Caller>,
    options: &HttpOptions,
    ending: &CancellationToken,
    streams: &CancellationToken,
) -> Router {
    let loopback_hosts = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let loopback_origins = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"].map(str::to_owned);
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(MAX_REQUEST)
        .with_allowed_hosts(loopback_hosts.into_iter().chain(options.allowed_hosts.iter().cloned()))
        .with_allowed_origins(loopback_origins.into_iter().chain(options.allowed_origins.iter().cloned()))
        .enforce_origin_validation()
        .with_cancellation_token(streams.clone());
    let handler = Mcp::new(Arc::clone(serving), Who::EachRequest, "http");
    let service = StreamableHttpService::new(
        move || Ok(handler.clone()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    let shaped = middleware::from_fn(move |mut request: Request, next: middleware::Next| {
        request.extensions_mut().insert(Arc::clone(&caller));
        shape::json_rpc(request, next)
    });
    Router::new()
        .route_service("/mcp", service.clone())
        .route_service("/mcp/", service)
        .layer(shaped)
        .merge(ops::health(ending.clone()))
        .layer(CatchPanicLayer::new())
}
