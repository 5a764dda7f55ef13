//! An API server whose tokens of service accounts end soon: the control plane's, through TLS of our own.
#![allow(clippy::expect_used, reason = "a broken rig must fail the test at once and say why")]

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{
        StatusCode,
        header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE},
    },
    response::Response,
    serve::Listener,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    },
    server::TlsStream,
};

use super::{authority::Authority, control_plane::ControlPlane, oidc};

/// It ends with the runtime that it was started in.
pub(crate) struct ShortLived {
    pub(crate) url: String,
    state: Arc<Shared>,
}

struct Shared {
    server: String,
    client: reqwest::Client,
    life: SignedDuration,
    given: AtomicUsize,
    /// Whose tokens are not taken any more, and the one that was given last.
    revoked: Mutex<Vec<String>>,
    refuses: AtomicBool,
    administrator: String,
    last: Mutex<String>,
    /// Whom it is known by (PEM), and how it shows that.
    known: Mutex<(String, TlsAcceptor)>,
}

struct Tls {
    listener: TcpListener,
    state: Arc<Shared>,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, from)) = self.listener.accept().await else { continue };
            let acceptor = self.state.known.lock().expect("no test fails here").1.clone();
            if let Ok(stream) = acceptor.accept(stream).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

impl ShortLived {
    /// Before this control plane, with tokens of this life.
    pub(crate) async fn start(plane: &ControlPlane, life: SignedDuration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("https://{}", listener.local_addr().expect("its address"));
        let client = oidc::client(&plane.ca_file);
        let given = AtomicUsize::default();
        let (revoked, last, known) = (Mutex::default(), Mutex::default(), Mutex::new(known()));
        let (server, refuses) = (plane.server.clone(), AtomicBool::new(false));
        let administrator = format!("Bearer {}", plane.tokens.admin);
        let state = Shared { server, client, life, given, revoked, refuses, administrator, last, known };
        let state = Arc::new(state);
        let router = Router::new().fallback(pass).with_state(Arc::clone(&state));
        let tls = Tls { listener, state: Arc::clone(&state) };
        tokio::spawn(async move { axum::serve(tls, router).await });
        Self { url, state }
    }

    /// Whom it is known by now (PEM).
    pub(crate) fn authority(&self) -> String {
        self.state.known.lock().expect("no test fails here").0.clone()
    }

    /// It is known by another authority from now on.
    pub(crate) fn rotate(&self) {
        *self.state.known.lock().expect("no test fails here") = known();
    }

    /// The token that was given last is not taken any more.
    pub(crate) fn revoke(&self) {
        let last = self.state.last.lock().expect("no test fails here").clone();
        self.state.revoked.lock().expect("no test fails here").push(format!("Bearer {last}"));
    }

    /// No token that it gave is taken any more, whichever it is; and how that ends.
    pub(crate) fn refuse(&self) {
        self.state.refuses.store(true, Ordering::Relaxed);
    }

    pub(crate) fn take(&self) {
        self.state.refuses.store(false, Ordering::Relaxed);
    }

    /// How many tokens were given.
    pub(crate) fn given(&self) -> usize {
        self.state.given.load(Ordering::Relaxed)
    }
}

fn known() -> (String, TlsAcceptor) {
    let authority = Authority::new();
    let identity = authority.identity(&["127.0.0.1"]);
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key_der));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(identity.certificate_der)], key)
        .expect("a certificate and its key");
    (authority.pem(), TlsAcceptor::from(Arc::new(config)))
}

async fn pass(State(state): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let shown = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let refused = state.refuses.load(Ordering::Relaxed) && shown != state.administrator;
    if refused || state.revoked.lock().expect("no test fails here").iter().any(|revoked| revoked == shown) {
        let refused = Response::builder().status(StatusCode::UNAUTHORIZED);
        return refused.body(Body::from("{}")).expect("a response");
    }
    let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let mut passed = state.client.request(parts.method, format!("{}{path}", state.server));
    for name in [ACCEPT, AUTHORIZATION, CONTENT_TYPE] {
        if let Some(value) = parts.headers.get(&name) {
            passed = passed.header(name, value);
        }
    }
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    let answer = passed.body(body).send().await.expect("the control plane answers");
    let (status, kind) = (answer.status(), answer.headers().get(CONTENT_TYPE).cloned());
    let mut body = answer.bytes().await.expect("a body").to_vec();
    if parts.uri.path().ends_with("/token") && status.is_success() {
        state.given.fetch_add(1, Ordering::Relaxed);
        let mut token: Value = serde_json::from_slice(&body).expect("a TokenRequest");
        token["status"]["expirationTimestamp"] = (Timestamp::now() + state.life).to_string().into();
        let given = token["status"]["token"].as_str().expect("a token");
        given.clone_into(&mut state.last.lock().expect("no test fails here"));
        body = token.to_string().into_bytes();
    }
    // so that another authority is met by the next request
    let mut response = Response::builder().status(status).header(CONNECTION, "close");
    if let Some(kind) = kind {
        response = response.header(CONTENT_TYPE, kind);
    }
    response.body(Body::from(body)).expect("a response")
}
