//! The way of a request through prism to the simulator, and of its answer back.
//!
//! ```text
//! client → front → prism → back → simulator
//!        ←────── the answer ──────
//! ```
//!
//! Prism holds each request against the contract and passes it on itself. The answer it would read whole and write
//! anew, so `back` hands it to `front` byte for byte as it comes, slow, cut or broken, and shows prism a copy when
//! it is whole. What prism finds is kept under the credential of the request.
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::{self, Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use futures::stream;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

use super::palette_book::{Asked, Book};

/// Which request of `front` it is, on its way through prism.
const NUMBER: HeaderName = HeaderName::from_static("x-test-request");

/// What a connection has for itself.
const HOP_BY_HOP: [HeaderName; 4] =
    [header::CONNECTION, header::HOST, HeaderName::from_static("keep-alive"), header::TRANSFER_ENCODING];

/// The two ends between which prism sits.
pub(crate) struct Wire {
    simulator: String,
    prism: String,
    client: reqwest::Client,
    count: AtomicU64,
    waiting: Mutex<HashMap<String, oneshot::Sender<Response>>>,
    pub(crate) book: Book,
}

impl Wire {
    /// `back` listens on this one; prism is to be started before it.
    pub(crate) async fn listener() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        (listener, url)
    }

    /// Serves both ends until the runtime ends; says where the client's is.
    pub(crate) async fn start(
        back_end: TcpListener,
        prism: String,
        simulator: String,
    ) -> (Arc<Self>, String) {
        // Node closes connections that were idle, at times just when the next request goes out on one.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy();
        let client = client.redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let wire = Arc::new(Self {
            simulator,
            prism,
            client,
            count: AtomicU64::default(),
            waiting: Mutex::default(),
            book: Book::default(),
        });
        let (front_end, url) = Self::listener().await;
        let router = Router::new().fallback(front).with_state(Arc::clone(&wire));
        tokio::spawn(async move { axum::serve(nodelay(front_end), router).await });
        let router = Router::new().fallback(back).with_state(Arc::clone(&wire));
        tokio::spawn(async move { axum::serve(nodelay(back_end), router).await });
        (wire, url)
    }

    fn request(
        &self,
        to: &str,
        method: Method,
        uri: &Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> reqwest::RequestBuilder {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = self.client.request(method, format!("{to}{path}")).headers(headers);
        if !body.is_empty() {
            request = request.body(body);
        }
        request
    }
}

/// From the client, by way of prism; the answer comes from `back`.
async fn front(State(wire): State<Arc<Wire>>, request: Request) -> Response {
    let (parts, body) = taken(request).await;
    let asked = Asked::new(wire.count.fetch_add(1, Ordering::Relaxed), &parts);
    let mut headers = parts.headers;
    headers.insert(NUMBER, asked.number.parse().expect("digits"));
    let (answer, answered) = oneshot::channel();
    wire.waiting.lock().expect("no holder panics").insert(asked.number.clone(), answer);
    wire.book.open(&asked);
    let prism = wire.request(&wire.prism, parts.method, &parts.uri, headers, body);
    // The verdict comes after the answer, and is wanted even where the client has left by then.
    tokio::spawn(async move {
        let said = prism.send().await;
        // whoever still waits for the answer learns that prism asked nobody for it
        let unasked = wire.waiting.lock().expect("no holder panics").remove(&asked.number).is_some();
        let mut found = match &said {
            Ok(answer) => asked.violations(answer.headers()),
            Err(error) => vec![asked.broken("request", format!("prism gave no verdict: {error}"))],
        };
        if unasked && found.is_empty() {
            found.push(asked.broken("request", "prism did not pass it on".to_owned()));
        }
        wire.book.close(&asked, found);
    });
    let unasked = || (StatusCode::INTERNAL_SERVER_ERROR, "prism did not pass it on").into_response();
    answered.await.unwrap_or_else(|_| unasked())
}

/// From prism, to the simulator.
async fn back(State(wire): State<Arc<Wire>>, request: Request) -> Response {
    let (mut parts, body) = taken(request).await;
    let number = parts.headers.remove(NUMBER);
    let number = number.as_ref().and_then(|number| number.to_str().ok()).unwrap_or_default();
    let Some(mut client) = wire.waiting.lock().expect("no holder panics").remove(number) else {
        return unseen();
    };
    let simulator = wire.request(&wire.simulator, parts.method, &parts.uri, parts.headers, body);
    let answer = tokio::select! {
        answer = simulator.send() => answer,
        // The client has left: so does the request.
        () = client.closed() => return unseen()
    };
    let (pieces, read) = mpsc::channel(4);
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let _ = pieces.send(Err(io::Error::other(error))).await;
            let _ = client.send(Response::new(stream_of(read)));
            return unseen();
        }
    };
    let status = answer.status();
    let headers = end_to_end(answer.headers());
    let mut copy = Vec::new();
    let _ = client.send(respond(status, headers.clone(), stream_of(read)));
    loop {
        let piece = tokio::select! {
            piece = answer.chunk() => piece,
            () = pieces.closed() => return unseen(),
        };
        match piece {
            Ok(Some(bytes)) => {
                copy.extend_from_slice(&bytes);
                let _ = pieces.send(Ok(bytes)).await;
            }
            Ok(None) => break,
            Err(error) => {
                let _ = pieces.send(Err(io::Error::other(error))).await;
                return unseen();
            }
        }
    }
    drop(pieces);
    if is_json(&headers) && serde_json::from_slice::<Value>(&copy).is_err() {
        return unseen();
    }
    respond(status, headers, Body::from(copy))
}

/// For prism, where it could not read the answer there was: it then has no word on the request either. A status
/// that the contract does not know makes it a warning about the answer, and leaves the request's verdict alone.
fn unseen() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "application/json")], "{}").into_response()
}

async fn taken(request: Request) -> (Parts, Bytes) {
    let (mut parts, body) = request.into_parts();
    parts.headers = end_to_end(&parts.headers);
    parts.headers.remove(header::CONTENT_LENGTH);
    // the one who sends it has left otherwise
    let body = body::to_bytes(body, 16 << 20).await.unwrap_or_default();
    (parts, body)
}

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    headers
}

fn respond(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn stream_of(pieces: mpsc::Receiver<io::Result<Bytes>>) -> Body {
    Body::from_stream(stream::unfold(pieces, |mut pieces| async {
        let piece = pieces.recv().await?;
        Some((piece, pieces))
    }))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.contains("json"))
}

fn nodelay(
    listener: TcpListener,
) -> impl axum::serve::Listener<Io = tokio::net::TcpStream, Addr = std::net::SocketAddr> {
    use axum::serve::ListenerExt as _;
    listener.tap_io(|connection| drop(connection.set_nodelay(true)))
}
