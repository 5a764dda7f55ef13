//! An API server that does as it is told by the path, byte by byte: for what streams, breaks off or waits.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::digest;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// Longer than anything takes to come about.
const PATIENCE: Duration = Duration::from_secs(15);

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// Listens until the runtime of its test ends.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    heads: Mutex<Vec<String>>,
    /// Bytes of bodies that were written.
    written: AtomicU64,
    /// Connections on which an answer was being written, or waited with, when the other end left.
    left: AtomicUsize,
}

impl Upstream {
    /// One in the clear.
    pub(crate) async fn start() -> Self {
        Self::listen("http", None).await
    }

    /// One that shows this certificate, and takes clients as it says.
    pub(crate) async fn tls(config: ServerConfig) -> Self {
        Self::listen("https", Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn listen(scheme: &str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("{scheme}://{}", listener.local_addr().expect("its address"));
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, tls) = (Arc::clone(&shared), tls.clone());
                tokio::spawn(async move {
                    let _ = match tls {
                        None => state.serve(stream).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => state.serve(stream).await,
                            Err(error) => Err(error),
                        },
                    };
                });
            }
        });
        Self { url, state }
    }

    /// The heads of the requests so far, as they came.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.state.heads.lock().expect("no holder panics").clone()
    }

    /// Bytes of bodies that were written so far.
    pub(crate) fn written(&self) -> u64 {
        self.state.written.load(Ordering::Relaxed)
    }

    /// Waits until so many connections were left by the other end.
    pub(crate) async fn left(&self, wanted: usize) {
        let left = async {
            while self.state.left.load(Ordering::Relaxed) < wanted {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, left).await.expect("the connection is left");
    }

    /// Waits until a request came whose head has this in it.
    pub(crate) async fn asked(&self, wanted: &str) {
        let asked = async {
            while !self.heads().iter().any(|head| head.contains(wanted)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.expect("a request comes");
    }
}

/// A byte of a body that can be told from its neighbours.
pub(crate) fn pattern(from: u64, bytes: usize) -> Vec<u8> {
    (from..from + bytes as u64).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}

/// SHA-256 of so many bytes of the pattern.
pub(crate) fn digest_of(bytes: u64) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for at in (0..bytes).step_by(1 << 16) {
        context.update(&pattern(at, (bytes - at).min(1 << 16) as usize));
    }
    hex(context)
}

fn hex(context: digest::Context) -> String {
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl State {
    async fn serve(&self, stream: impl Wire) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).await? == 0 {
                    return Ok(());
                }
            }
            self.heads.lock().expect("no holder panics").push(head.clone());
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let last = path.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
            let number = |prefix: &str| last.strip_prefix(prefix).and_then(|n| n.parse::<u64>().ok());
            if path.contains("exec") {
                return self.channel(&head, &mut stream).await;
            }
            if last == "deaf" {
                // the body is never read
                self.wait(&mut stream).await;
                return Ok(());
            }
            let (received, sum) = self.body(&head, &mut stream).await?;
            if path.contains("watch") {
                return self.watch(&mut stream).await;
            }
            match last {
                "silent" => {
                    self.wait(&mut stream).await;
                    return Ok(());
                }
                "cut" => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"half\":").await?;
                    return stream.flush().await;
                }
                "drip" => return self.endless(&mut stream, b"x", Duration::from_secs(1)).await,
                "endless" => return self.endless(&mut stream, &[b'x'; 1 << 16], Duration::ZERO).await,
                "garbage" => {
                    stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n\0\x01\xff\r\n\r\n").await?;
                    return stream.flush().await;
                }
                "headless" => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                    while stream.write_all(b"x-more: and more\r\n").await.is_ok() {
                        stream.flush().await?;
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    self.left.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                "chunk-cut" => {
                    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{\"half\":\r\n";
                    stream.write_all(head).await?;
                    return stream.flush().await;
                }
                "moved" => {
                    let head = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://10.9.8.7/secret\r\ncontent-length: 0\r\n\r\n";
                    stream.write_all(head).await?;
                }
                "refused" => {
                    let body = r#"{"kind":"Status","code":401,"message":"Unauthorized"}"#;
                    let head = format!(
                        "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer realm=\"inner\"\r\nset-cookie: a=b\r\n\
                         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(head.as_bytes()).await?;
                }
                _ => match number("big-") {
                    Some(bytes) => self.big(&mut stream, bytes).await?,
                    None => {
                        let body = format!("{{\"received\":{received},\"sha256\":\"{sum}\"}}");
                        let head = format!(
                            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nserver: inner\r\ncontent-length: {}\r\n\r\n",
                            body.len()
                        );
                        stream.write_all(head.as_bytes()).await?;
                        if !path_is_head(&self.last()) {
                            stream.write_all(body.as_bytes()).await?;
                        }
                    }
                },
            }
            stream.flush().await?;
        }
    }

    fn last(&self) -> String {
        self.heads.lock().expect("no holder panics").last().cloned().unwrap_or_default()
    }

    async fn big(&self, stream: &mut (impl AsyncWrite + Unpin), bytes: u64) -> io::Result<()> {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: {bytes}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        let mut at = 0;
        while at < bytes {
            let piece = pattern(at, (bytes - at).min(1 << 16) as usize);
            if let Err(error) = stream.write_all(&piece).await {
                self.left.fetch_add(1, Ordering::Relaxed);
                return Err(error);
            }
            at += piece.len() as u64;
            self.written.store(at, Ordering::Relaxed);
        }
        Ok(())
    }

    /// A body that has no end, piece by piece.
    async fn endless(
        &self,
        stream: &mut (impl AsyncWrite + Unpin),
        piece: &[u8],
        pause: Duration,
    ) -> io::Result<()> {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        while stream.write_all(&chunk).await.is_ok() && stream.flush().await.is_ok() {
            tokio::time::sleep(pause).await;
        }
        self.left.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// One event at once, and another a second later; then none, for ever.
    async fn watch(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        for event in ["{\"type\":\"ADDED\"}\n", "{\"type\":\"MODIFIED\"}\n"] {
            stream.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await?;
            stream.flush().await?;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        self.wait(stream).await;
        Ok(())
    }

    /// Waits until the other end leaves.
    async fn wait(&self, stream: &mut (impl AsyncRead + Unpin)) {
        let mut rest = [0; 1_024];
        while let Ok(1..) = stream.read(&mut rest).await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.left.fetch_add(1, Ordering::Relaxed);
    }

    /// A channel that says everything back, after a greeting; a path with `end` in it ends after that.
    async fn channel(
        &self,
        head: &str,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) -> io::Result<()> {
        let wanted = head.lines().find_map(|line| line.strip_prefix("upgrade: ")).unwrap_or_default();
        if wanted.is_empty() {
            let plain = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
            return stream.write_all(plain).await;
        }
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: {wanted}\r\n\
             sec-websocket-accept: x\r\nsec-websocket-protocol: v5.channel.k8s.io\r\nx-inner: 1\r\n\r\nhello"
        );
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
        if head.contains("end") {
            return stream.shutdown().await;
        }
        let mut piece = [0; 4_096];
        loop {
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => break,
                Ok(bytes) => {
                    stream.write_all(&piece[..bytes]).await?;
                    stream.flush().await?;
                }
            }
        }
        self.left.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// How large the body of a request is, and its SHA-256.
    async fn body(
        &self,
        head: &str,
        stream: &mut (impl AsyncBufReadExt + Unpin),
    ) -> io::Result<(u64, String)> {
        let header = |name: &str| {
            let lines = head.lines().map(str::to_ascii_lowercase);
            lines.filter_map(|line| line.strip_prefix(name).map(|value| value.trim().to_owned())).next()
        };
        let mut context = digest::Context::new(&digest::SHA256);
        let mut received = 0;
        let mut piece = vec![0; 1 << 16];
        if let Some(length) = header("content-length:").and_then(|length| length.parse::<u64>().ok()) {
            while received < length {
                let most = (length - received).min(1 << 16) as usize;
                let bytes = stream.read(&mut piece[..most]).await?;
                if bytes == 0 {
                    self.left.fetch_add(1, Ordering::Relaxed);
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                context.update(&piece[..bytes]);
                received += bytes as u64;
            }
        } else if header("transfer-encoding:").is_some() {
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).await?;
                let Ok(length) = usize::from_str_radix(line.trim(), 16) else {
                    self.left.fetch_add(1, Ordering::Relaxed);
                    return Err(io::ErrorKind::UnexpectedEof.into());
                };
                let mut chunk = vec![0; length + 2];
                stream.read_exact(&mut chunk).await?;
                if length == 0 {
                    break;
                }
                context.update(&chunk[..length]);
                received += length as u64;
            }
        }
        Ok((received, hex(context)))
    }
}

fn path_is_head(head: &str) -> bool {
    head.starts_with("HEAD ")
}
