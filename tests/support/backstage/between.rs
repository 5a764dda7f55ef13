//! Stands before Backstage on the way from the server under test: counts what is asked, and fails it by path.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::runtime;

/// What happens to a request whose path holds a given text.
#[derive(Clone)]
pub(crate) enum Fault {
    /// This status with this body, which says that it is JSON.
    Json(u16, Value),
    /// This status with a page of HTML.
    Html(u16),
    /// This status, these headers and this body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// The true answer, so much later.
    Delay(Duration),
    /// No answer ever.
    Hang,
    /// Half of the true body, then the connection breaks.
    Truncate,
    /// So many bytes of JSON that never ends.
    Huge(usize),
    /// The true answer with another body, made of its JSON.
    Replace(Arc<dyn Fn(Value) -> Value + Send + Sync>),
}

impl Fault {
    /// The true answer with another body, made of its JSON.
    pub(crate) fn replace(with: impl Fn(Value) -> Value + Send + Sync + 'static) -> Self {
        Self::Replace(Arc::new(with))
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    /// The bearer token; empty where there is none.
    pub(crate) fn bearer(&self) -> &str {
        let header = self.headers.get("authorization").and_then(|value| value.to_str().ok());
        header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default()
    }

    /// The body as JSON; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Listens until it is dropped.
pub(crate) struct Between {
    address: SocketAddr,
    shared: Arc<Shared>,
    up: watch::Sender<bool>,
}

struct Shared {
    backstage: SocketAddr,
    client: reqwest::Client,
    faults: Mutex<Vec<(String, Fault)>>,
    seen: Mutex<Vec<Seen>>,
}

impl Between {
    /// One before the Backstage at this address.
    pub(crate) fn before(backstage: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        listener.set_nonblocking(true).expect("a socket");
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let client = client.build().expect("a client");
        let shared = Arc::new(Shared { backstage, client, faults: Mutex::default(), seen: Mutex::default() });
        let up = watch::Sender::new(true);
        let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let watched = up.subscribe();
        runtime().spawn(async move {
            let listener = TcpListener::from_std(listener).expect("a listener");
            serve(listener, app, watched).await;
        });
        Self { address, shared, up }
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on, requests whose path and query hold `path` meet `fault`; the first match counts.
    pub(crate) fn when(&self, path: &str, fault: Fault) -> &Self {
        self.shared.faults.lock().expect("no holder panics").push((path.to_owned(), fault));
        self
    }

    /// No more faults; what was seen is kept.
    pub(crate) fn heal(&self) {
        self.shared.faults.lock().expect("no holder panics").clear();
        self.up.send_replace(true);
    }

    /// From now on every connection breaks off at once, those that are open too.
    pub(crate) fn down(&self) {
        self.up.send_replace(false);
    }

    /// How often a path with this in it was asked for, whatever came of it.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.shared
            .seen
            .lock()
            .expect("no holder panics")
            .iter()
            .filter(|seen| seen.path.contains(path))
            .count()
    }

    /// What was asked so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("no holder panics").clone()
    }

    /// The same, and from now on it begins anew.
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.shared.seen.lock().expect("no holder panics"))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json(..) => "Json",
            Self::Html(_) => "Html",
            Self::Answer(..) => "Answer",
            Self::Delay(_) => "Delay",
            Self::Hang => "Hang",
            Self::Truncate => "Truncate",
            Self::Huge(_) => "Huge",
            Self::Replace(_) => "Replace",
        })
    }
}

/// axum's own `serve` cannot break off what is open.
async fn serve(listener: TcpListener, app: Router, watched: watch::Receiver<bool>) {
    let mut ended = watched.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // the sender is gone
            _ = ended.wait_for(|_| false) => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (mut watched, app) = (watched.clone(), app.clone());
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                tower::ServiceExt::oneshot(app.clone(), request.map(Body::new))
            });
            let io = hyper_util::rt::TokioIo::new(stream);
            tokio::select! {
                // first, or a request that comes while we are down is sometimes seen
                biased;
                _ = watched.wait_for(|up| !up) => {}
                _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service) => {}
            }
        });
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.to_string();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let seen = Seen { method: parts.method.to_string(), path: path.clone(), headers: parts.headers, body };
    shared.seen.lock().expect("no holder panics").push(seen.clone());
    let fault = {
        let faults = shared.faults.lock().expect("no holder panics");
        faults.iter().find(|(part, _)| path.contains(part)).map(|(_, fault)| fault.clone())
    };
    match fault {
        None => shared.forward(&seen).await,
        Some(Fault::Json(status, body)) => respond(status, "application/json", Body::from(body.to_string())),
        Some(Fault::Html(status)) => {
            respond(status, "text/html", Body::from("<html><h1>Sign in first</h1></html>"))
        }
        Some(Fault::Answer(status, headers, body)) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(body)).expect("a response")
        }
        Some(Fault::Delay(time)) => {
            tokio::time::sleep(time).await;
            shared.forward(&seen).await
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Truncate) => {
            let (parts, body) = shared.forward(&seen).await.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.expect("a body");
            let half = bytes.slice(..bytes.len() / 2);
            let broken = futures::stream::iter([Ok(half), Err(io::Error::other("cut"))]);
            Response::from_parts(parts, Body::from_stream(broken))
        }
        Some(Fault::Huge(bytes)) => {
            let piece = Bytes::from(vec![b' '; 1 << 16]);
            let head = Bytes::from_static(b"{\"items\":[");
            let rest = std::iter::repeat_n(piece, bytes.div_ceil(1 << 16));
            let all = std::iter::once(head).chain(rest).map(Ok::<_, io::Error>);
            respond(200, "application/json", Body::from_stream(futures::stream::iter(all)))
        }
        Some(Fault::Replace(with)) => {
            let (parts, body) = shared.forward(&seen).await.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.expect("a body");
            let true_answer = serde_json::from_slice(&bytes).unwrap_or_default();
            Response::from_parts(parts, Body::from(with(true_answer).to_string()))
        }
    }
}

fn respond(status: u16, kind: &str, body: Body) -> Response {
    Response::builder().status(status).header("content-type", kind).body(body).expect("a response")
}

impl Shared {
    /// A Backstage that is down is a 502 here, as behind most load balancers.
    async fn forward(&self, seen: &Seen) -> Response {
        let method = seen.method.parse::<http::Method>().expect("a method");
        let mut headers = seen.headers.clone();
        for hop in ["host", "content-length", "connection", "transfer-encoding"] {
            headers.remove(hop);
        }
        let url = format!("http://{}{}", self.backstage, seen.path);
        let sent = self.client.request(method, url).headers(headers).body(seen.body.clone()).send().await;
        let Ok(answer) = sent else { return respond(502, "text/plain", Body::from("Bad Gateway")) };
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            if !["content-length", "connection", "transfer-encoding"].contains(&name.as_str()) {
                response = response.header(name, value);
            }
        }
        let bytes = answer.bytes().await.unwrap_or_default();
        response.body(Body::from(bytes)).expect("a response")
    }
}
