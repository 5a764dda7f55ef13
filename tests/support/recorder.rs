//! An API server that writes down every byte that comes, and answers each request with 200.
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::{
    io,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What is answered.
const BODY: &str = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x","namespace":"a","uid":"u","resourceVersion":"1"}}"#;

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// The request line.
    pub(crate) line: String,
    /// Names in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Arrived {
    /// The values of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// Listens until the runtime of its test ends.
pub(crate) struct Recorder {
    pub(crate) url: String,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    arrived: Vec<Arrived>,
    bytes: Vec<u8>,
}

impl Recorder {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = Arc::clone(&kept);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { url, kept }
    }

    /// What came since the last time, as requests, and all of its bytes.
    pub(crate) fn take(&self) -> (Vec<Arrived>, String) {
        let mut kept = self.kept.lock().expect("no holder panics");
        let bytes = String::from_utf8_lossy(&kept.bytes).into_owned();
        kept.bytes.clear();
        (std::mem::take(&mut kept.arrived), bytes)
    }
}

async fn serve(mut stream: TcpStream, kept: Arc<Mutex<Kept>>) -> io::Result<()> {
    let mut waiting = Vec::new();
    loop {
        while let Some((arrived, length)) = request(&waiting) {
            waiting.drain(..length);
            let head = arrived.line.starts_with("HEAD ");
            kept.lock().expect("no holder panics").arrived.push(arrived);
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
                BODY.len(),
                if head { "" } else { BODY }
            );
            stream.write_all(answer.as_bytes()).await?;
        }
        let mut piece = [0; 8_192];
        let bytes = stream.read(&mut piece).await?;
        if bytes == 0 {
            return Ok(());
        }
        kept.lock().expect("no holder panics").bytes.extend_from_slice(&piece[..bytes]);
        waiting.extend_from_slice(&piece[..bytes]);
    }
}

/// The first request, and how many bytes it has, once all of it is there.
fn request(bytes: &[u8]) -> Option<(Arrived, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let mut at = end;
    let mut body = Vec::new();
    if header("transfer-encoding").is_some() {
        loop {
            let rest = bytes.get(at..)?;
            let line_end = rest.windows(2).position(|two| two == b"\r\n")?;
            let size = std::str::from_utf8(&rest[..line_end]).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).expect("a chunk that is ours");
            let chunk = rest.get(line_end + 2..line_end + 2 + size + 2)?;
            body.extend_from_slice(&chunk[..size]);
            at += line_end + 2 + size + 2;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = header("content-length").and_then(|length| length.parse::<usize>().ok()) {
        body.extend_from_slice(bytes.get(at..at + length)?);
        at += length;
    }
    Some((Arrived { line, headers, body }, at))
}
