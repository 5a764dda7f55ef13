//! The connections of a misbehaving issuer: HTTP/1.1 by hand, one request each, so that it can break anywhere.
#![allow(clippy::expect_used, reason = "a broken rig must fail the test at once and say why")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::authority::Identity;
use super::issuer::{Answer, Listen, State};

/// Serves on a thread of its own until the sender is dropped.
pub(super) fn serve(
    listener: std::net::TcpListener,
    identity: Option<Identity>,
    state: Arc<State>,
) -> UnboundedSender<Listen> {
    let (send, commands) = unbounded_channel();
    let tls = identity.map(acceptor);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(accept(listener, tls, state, commands));
    });
    send
}

fn acceptor(identity: Identity) -> TlsAcceptor {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key_der));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(identity.certificate_der)], key)
        .expect("a certificate and its key");
    TlsAcceptor::from(Arc::new(config))
}

async fn accept(
    listener: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
    state: Arc<State>,
    mut commands: UnboundedReceiver<Listen>,
) {
    listener.set_nonblocking(true).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let mut listener = Some(TcpListener::from_std(listener).expect("a runtime"));
    loop {
        let next = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            command = commands.recv() => match command {
                Some(Listen::Down(done)) => {
                    listener = None;
                    let _ = done.send(());
                }
                Some(Listen::Up(done)) => {
                    listener = Some(bind(address).await);
                    let _ = done.send(());
                }
                None => return,
            },
            Ok((stream, _)) = next => {
                let (tls, state) = (tls.clone(), Arc::clone(&state));
                tokio::spawn(async move {
                    // what the client breaks off is its own affair
                    let _ = match tls {
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => converse(stream, &state).await,
                            Err(error) => Err(error),
                        },
                        None => converse(stream, &state).await,
                    };
                });
            }
        }
    }
}

async fn bind(address: SocketAddr) -> TcpListener {
    loop {
        let socket = TcpSocket::new_v4().expect("a socket");
        // connections that have just ended would keep the port for a minute
        socket.set_reuseaddr(true).expect("a socket");
        if socket.bind(address).is_ok() {
            return socket.listen(128).expect("a listener");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(stream: S, state: &State) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let header = line.to_ascii_lowercase();
        if let Some(told) = header.strip_prefix("content-length:") {
            length = told.trim().parse().unwrap_or_default();
        }
    }
    // a connection that ends with something unread is reset
    tokio::io::copy(&mut (&mut stream).take(length), &mut tokio::io::sink()).await?;
    let (answer, good) = state.answer(&path);
    write(&mut stream, answer, &good).await?;
    stream.shutdown().await
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, answer: Answer, good: &Value) -> std::io::Result<()> {
    let body = good.to_string().into_bytes();
    let half = body.len() / 2;
    match answer {
        Answer::Good => whole(stream, 200, "application/json", &body).await,
        Answer::Json(json) => whole(stream, 200, "application/json", json.to_string().as_bytes()).await,
        Answer::Bytes(bytes) => whole(stream, 200, "application/json", &bytes).await,
        Answer::Html => whole(stream, 200, "text/html", b"<!doctype html><p>Please sign in.").await,
        Answer::Status(status) => whole(stream, status, "application/json", b"{\"error\":\"no\"}").await,
        Answer::Slow(time) => {
            tokio::time::sleep(time).await;
            whole(stream, 200, "application/json", &body).await
        }
        Answer::Hang => std::future::pending().await,
        Answer::Stall => {
            part(stream, &body, half).await?;
            std::future::pending().await
        }
        Answer::Cut => part(stream, &body, half).await,
        Answer::Huge(bytes) => huge(stream, &body, bytes).await,
        Answer::Redirect(to) => {
            let head = format!(
                "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await
        }
    }
}

fn head(status: u16, kind: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status} Whatever\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )
}

async fn whole<S: AsyncWrite + Unpin>(
    stream: &mut S,
    status: u16,
    kind: &str,
    body: &[u8],
) -> std::io::Result<()> {
    stream.write_all(head(status, kind, body.len()).as_bytes()).await?;
    stream.write_all(body).await
}

async fn part<S: AsyncWrite + Unpin>(stream: &mut S, body: &[u8], until: usize) -> std::io::Result<()> {
    stream.write_all(head(200, "application/json", body.len()).as_bytes()).await?;
    stream.write_all(body.get(..until).unwrap_or(body)).await?;
    stream.flush().await
}

async fn huge<S: AsyncWrite + Unpin>(stream: &mut S, good: &[u8], bytes: usize) -> std::io::Result<()> {
    // its end is the end of the connection, so no length warns of it
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
    stream.write_all(head).await?;
    stream.write_all(good.strip_suffix(b"}").unwrap_or(good)).await?;
    stream.write_all(b",\"padding\":\"").await?;
    let chunk = [b'x'; 64 << 10];
    for _ in 0..bytes / chunk.len() {
        stream.write_all(&chunk).await?;
    }
    stream.write_all(b"\"}").await
}
