//! Refusals that are answered before the body of the request was read: clients must not take them for failures.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    authority::Authority,
    issuer::Issuer,
    server::{Product, Server},
};

const VIEWERS: &str = "[{roles: [viewer]}]";
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;

fn serve(config: &str) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(config).serve()
}

fn closed(issuer: &Issuer) -> Server {
    serve(&format!("issuers: [{}]\n", issuer.entry(VIEWERS)))
}

/// An HTTP/2 frame of stream 1 (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
}

/// Headers as literals (RFC 7541 section 6.2.2).
fn headers(path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let first = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost")];
    let literal = |text: &str| [&[u8::try_from(text.len()).expect("short")], text.as_bytes()].concat();
    let field = |(name, value): &(&str, &str)| [vec![0], literal(name), literal(value)].concat();
    frame(HEADERS, 4, &first.iter().chain(more).flat_map(field).collect::<Vec<u8>>())
}

/// Sends a POST over HTTP/2, its body a moment later, and says which frames its stream got and when the
/// first of them came.
async fn posted(server: &Server, head: &[u8], body: &[u8]) -> (Vec<u8>, Duration) {
    let began = Instant::now();
    let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
    stream.write_all(&[PREFACE, head].concat()).await.expect("it is taken");
    tokio::time::sleep(Duration::from_millis(100)).await;
    stream.write_all(body).await.expect("it is taken");
    let (mut kinds, mut answered) = (Vec::new(), None);
    loop {
        let mut head = [0; 9];
        let read = tokio::time::timeout(Duration::from_millis(2_500), stream.read_exact(&mut head)).await;
        let Ok(Ok(_)) = read else { break };
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.expect("a whole frame");
        if head[8] == 1 && head[3] <= RESET {
            answered.get_or_insert_with(|| began.elapsed());
            kinds.push(head[3]);
        }
        let ended = head[8] == 1 && (head[3] == RESET || (head[3] <= HEADERS && head[4] & 1 == 1));
        // what comes after the end comes at once
        if ended {
            tokio::time::sleep(Duration::from_millis(20)).await;
            stream.write_all(b"\0\0\x08\x06\0\0\0\0\0ping ing").await.expect("it is open");
        }
        if head[3] == 6 && head[4] == 1 {
            break;
        }
    }
    (kinds, answered.unwrap_or_default())
}

#[tokio::test]
async fn a_refusal_over_http_2_waits_for_a_small_body_and_does_not_reset_the_stream() {
    let issuer = Issuer::start();
    let server = closed(&issuer);
    let body = frame(DATA, 1, b"{}");
    for (path, more) in [
        ("/mcp", &[][..]),
        ("/mcp", &[("authorization", "Bearer bad")]),
        ("/nowhere", &[]),
        ("/healthz", &[]),
    ] {
        let (kinds, _) = posted(&server, &headers(path, more), &body).await;
        assert!(kinds.contains(&HEADERS) && !kinds.contains(&RESET), "{path}: {kinds:?}");
    }
}

#[tokio::test]
async fn a_refusal_waits_a_second_for_a_body_and_for_none_that_is_large_or_to_be_asked_for() {
    let issuer = Issuer::start();
    let server = closed(&issuer);
    for path in ["/mcp", "/nowhere"] {
        let (_, answered) = posted(&server, &headers(path, &[]), &[]).await;
        assert!((900..2_400).contains(&answered.as_millis()), "{path}: {answered:?}");
        for more in [("content-length", "100000"), ("expect", "100-continue")] {
            let (_, answered) = posted(&server, &headers(path, &[more]), &[]).await;
            assert!(answered < Duration::from_millis(800), "{path} {more:?}: {answered:?}");
        }
        let mut none = headers(path, &[]);
        none[4] |= 1;
        let (kinds, answered) = posted(&server, &none, &[]).await;
        assert!(answered < Duration::from_millis(800) && !kinds.contains(&RESET), "{path}: {answered:?}");
    }
}

#[tokio::test]
async fn a_connection_of_http_1_goes_on_after_a_refusal() {
    let issuer = Issuer::start();
    let server = closed(&issuer);
    let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
    for path in ["/mcp", "/nowhere", "/mcp"] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("it is taken");
        tokio::time::sleep(Duration::from_millis(100)).await;
        stream.write_all(b"{}").await.expect("it is taken");
        let mut answer = [0; 4_096];
        let read = stream.read(&mut answer).await.expect("an answer");
        let status = if path == "/mcp" { "HTTP/1.1 401" } else { "HTTP/1.1 404" };
        assert!(String::from_utf8_lossy(&answer[..read]).starts_with(status), "{path}");
    }
    // `Expect: 100-continue` is answered by the refusal, and the body never asked for
    let begin = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(begin).await.expect("it is taken");
    let mut answer = [0; 4_096];
    let read = stream.read(&mut answer).await.expect("an answer");
    assert!(String::from_utf8_lossy(&answer[..read]).starts_with("HTTP/1.1 401"));
}

/// Debian 12's curl (7.88) takes a reset after the answer for a failure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_is_refused_over_tls_without_a_stream_error() {
    if Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_err() {
        return;
    }
    let (issuer, authority) = (Issuer::start(), Authority::new());
    let identity = authority.loopback();
    let product = Product::new(["serve", "--http", "127.0.0.1:0"]);
    product.write("tls.crt", &identity.certificate);
    product.write("tls.key", &identity.key);
    let tls =
        "http: {tls: {certFile: tls.crt, keyFile: tls.key}}\nlimits: {requestsPerSecond: 1, burst: 1}\n";
    let server = product.config(&format!("issuers: [{}]\n{tls}", issuer.entry(VIEWERS))).serve();
    let folder = tempfile::tempdir().expect("a folder");
    let authority_file = folder.path().join("ca.crt");
    std::fs::write(&authority_file, authority.pem()).expect("a file");
    let good = format!("Authorization: Bearer {}", issuer.forge().good("alice"));
    for (path, credential, statuses) in [
        ("/mcp", "X-None: 1", &["401"][..]),
        ("/mcp", "Authorization: Bearer bad", &["401"]),
        ("/nowhere", "X-None: 1", &["404"]),
        // the first of them is a bad message, and the others are too many
        ("/mcp", good.as_str(), &["400", "406", "415", "422", "429"]),
    ] {
        for version in ["--http2", "--http1.1"] {
            for _ in 0..10 {
                let output = Command::new("curl")
                    .args([
                        "-sS",
                        version,
                        "-d",
                        "{}",
                        "-o",
                        "/dev/null",
                        "-w",
                        "%{http_code}",
                        "-H",
                        credential,
                    ])
                    .args(["--noproxy", "*", "--cacert"])
                    .arg(&authority_file)
                    .arg(format!("https://{}{path}", server.address()))
                    .output()
                    .expect("curl runs");
                let status = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(
                    output.status.success() && statuses.contains(&status.as_str()),
                    "{path} {version}: {status} {}",
                    String::from_utf8_lossy(&output.stderr)
                );
            }
        }
    }
}
