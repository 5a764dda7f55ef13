//! An API server in front of the real one, which answers `exec` itself: with a program that says everything back in
//! capitals, over a WebSocket as `kubectl` speaks it (`v5.channel.k8s.io`).
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::{
    io,
    sync::{Arc, Mutex},
};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderMap;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{control_plane::ControlPlane, oidc};

/// Listens until the runtime of its test ends.
pub(crate) struct Shell {
    pub(crate) url: String,
    executed: Arc<Mutex<Vec<(String, HeaderMap)>>>,
}

#[derive(Clone)]
struct Front {
    plane: String,
    http: reqwest::Client,
    executed: Arc<Mutex<Vec<(String, HeaderMap)>>>,
}

impl Shell {
    /// One in front of this control plane.
    pub(crate) async fn start(plane: &ControlPlane) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let executed = Arc::<Mutex<Vec<_>>>::default();
        let front = Front {
            plane: plane.server.clone(),
            http: oidc::client(&plane.ca_file),
            executed: Arc::clone(&executed),
        };
        let app = Router::new().fallback(answer).with_state(front);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, executed }
    }

    /// What was executed: path and query, and the headers.
    pub(crate) fn executed(&self) -> Vec<(String, HeaderMap)> {
        self.executed.lock().expect("no holder panics").clone()
    }
}

async fn answer(State(front): State<Front>, mut request: Request) -> Response {
    let uri = request.uri().to_string();
    if request.uri().path().ends_with("/exec") && request.headers().contains_key("upgrade") {
        front.executed.lock().expect("no holder panics").push((uri, request.headers().clone()));
        let key = request.headers()["sec-websocket-key"].to_str().expect("a key");
        let accept = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
        let accept = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, accept.as_bytes()));
        let upgraded = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let stream = TokioIo::new(upgraded.await.expect("a channel"));
            let _ = shout(stream).await;
        });
        return Response::builder()
            .status(101)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-accept", accept)
            .header("sec-websocket-protocol", "v5.channel.k8s.io")
            .body(Body::empty())
            .expect("an answer");
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a small body");
    let mut headers = parts.headers;
    for hop in ["host", "connection", "content-length", "transfer-encoding", "accept-encoding"] {
        headers.remove(hop);
    }
    let sent = front.http.request(parts.method, format!("{}{uri}", front.plane)).headers(headers).body(body);
    let answer = sent.send().await.expect("the control plane answers");
    let mut response = Response::builder().status(answer.status());
    if let Some(kind) = answer.headers().get("content-type") {
        response = response.header("content-type", kind);
    }
    response.body(Body::from(answer.bytes().await.expect("a body"))).expect("an answer")
}

/// Frames of RFC 6455, whose first byte is the channel: 0 in, 1 out, 3 how it ended, 255 a channel is closed.
async fn shout(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    send(&mut stream, 2, b"\x01hello\n").await?;
    loop {
        let [first, length] = [stream.read_u8().await?, stream.read_u8().await?];
        let length = match length & 0x7f {
            126 => stream.read_u16().await?.into(),
            127 => stream.read_u64().await? as usize,
            short => usize::from(short),
        };
        let mut mask = [0; 4];
        stream.read_exact(&mut mask).await?;
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        match (first & 0x0f, payload.as_slice()) {
            (8, _) => return stream.shutdown().await,
            (9, ping) => send(&mut stream, 10, ping).await?,
            (_, [0, said @ ..]) => {
                let said = [b"\x01", said.to_ascii_uppercase().as_slice()].concat();
                send(&mut stream, 2, &said).await?;
            }
            (_, [255, 0]) => {
                send(&mut stream, 2, b"\x03{\"metadata\":{},\"status\":\"Success\"}").await?;
                send(&mut stream, 8, &1_000_u16.to_be_bytes()).await?;
            }
            _ => {}
        }
    }
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), kind: u8, payload: &[u8]) -> io::Result<()> {
    let length = u8::try_from(payload.len()).ok().filter(|length| *length < 126);
    let head = match length {
        Some(short) => vec![0x80 | kind, short],
        None => [&[0x80 | kind, 126][..], &(payload.len() as u16).to_be_bytes()].concat(),
    };
    stream.write_all(&[&head, payload].concat()).await?;
    stream.flush().await
}
