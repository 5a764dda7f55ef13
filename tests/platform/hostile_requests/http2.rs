//! HTTP/2, frame by frame: what no client library would send.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{Expect, MOUNT, PATIENCE, PODS, QUIET, Rig, arrives, paths};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A list of headers, pseudo-headers among them, as they are written.
type Headers = Vec<(String, String)>;

struct Row {
    name: String,
    headers: Headers,
    /// Whether nothing comes after the headers.
    ends: bool,
    body: Vec<u8>,
    expect: Expect,
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a small frame").to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// RFC 7541 section 6.2.2: literal, not indexed, no Huffman code.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        let mut length = text.len();
        if length < 127 {
            bytes.push(u8::try_from(length).expect("small"));
        } else {
            bytes.push(127);
            length -= 127;
            while length >= 128 {
                bytes.push(u8::try_from(length % 128 + 128).expect("small"));
                length /= 128;
            }
            bytes.push(u8::try_from(length).expect("small"));
        }
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// What came of a stream: `200`, another answer, or none.
async fn send(rig: &Rig, row: &Row) -> String {
    let mut stream = TcpStream::connect(rig.server.address()).await.expect("it listens");
    let block: Vec<u8> = row.headers.iter().flat_map(|(name, value)| literal(name, value)).collect();
    let mut bytes = [PREFACE, &frame(4, 0, 0, &[])].concat();
    let mut pieces = block.chunks(16_000).peekable();
    let mut kind = 1;
    while let Some(piece) = pieces.next() {
        let last = if pieces.peek().is_none() { 4 } else { 0 };
        let ends = u8::from(kind == 1 && row.ends);
        bytes.extend(frame(kind, last | ends, 1, piece));
        kind = 9;
    }
    if !row.ends {
        bytes.extend(frame(0, 1, 1, &row.body));
    }
    let _ = stream.write_all(&bytes).await;
    let mut came = Vec::new();
    let mut piece = [0; 8_192];
    loop {
        while came.len() >= 9 {
            let length = usize::from(came[0]) << 16 | usize::from(came[1]) << 8 | usize::from(came[2]);
            if came.len() < 9 + length {
                break;
            }
            let (kind, frame) = (came[3], came[9..9 + length].to_vec());
            came.drain(..9 + length);
            match kind {
                // the first header of an answer is its status; 200 is entry 8 of the static table
                1 => return if frame.first() == Some(&0x88) { "200" } else { "refused" }.to_owned(),
                3 => return "reset".to_owned(),
                7 => return "gone".to_owned(),
                _ => {}
            }
        }
        match timeout(PATIENCE, stream.read(&mut piece)).await {
            Ok(Ok(bytes @ 1..)) => came.extend_from_slice(&piece[..bytes]),
            _ => return "none".to_owned(),
        }
    }
}

/// The headers of a good request.
fn good(rig: &Rig, path: &str) -> Headers {
    let headers = [
        (":method", "GET".to_owned()),
        (":scheme", "http".to_owned()),
        (":authority", rig.server.address().to_string()),
        (":path", format!("{MOUNT}{path}")),
        ("authorization", format!("Bearer {}", rig.token)),
        ("backstage-kubernetes-cluster", "own".to_owned()),
    ];
    headers.map(|(name, value)| (name.to_owned(), value)).into()
}

pub(super) async fn check(rig: &mut Rig) {
    let mut wrong = Vec::new();
    for row in rows(rig) {
        let status = send(rig, &row).await;
        wrong.extend(rig.judge(&row.name, &row.expect, &status).await);
    }
    tokio::time::sleep(QUIET).await;
    let (late, _) = rig.recorder.take();
    assert!(late.is_empty(), "arrived late: {late:#?}");
    assert!(wrong.is_empty(), "{} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn rows(rig: &Rig) -> Vec<Row> {
    let pods = || arrives(&format!("GET {PODS}"));
    let of = |name: &str, headers: Headers, expect: Expect| Row {
        name: format!("h2 {name}"),
        headers,
        ends: true,
        body: Vec::new(),
        expect,
    };
    let mut rows = vec![of("good", good(rig, PODS), pods())];
    rows.extend(paths::hostile().iter().map(|path| of(path, good(rig, path), Expect::Refused)));
    // in place of a good value
    for (name, value) in [
        (":path", "http://evil.example/api"),
        (":path", "//evil.example/api"),
        (":path", "api/v1"),
        (":path", "*"),
        (":path", ""),
        (":path", "/api/kubernetes/proxy/api\r\nX-Remote-User: planted"),
        (":path", "/api/kubernetes/proxy/api v1 HTTP/1.1"),
        (":path", "/api/kubernetes/proxy/api\0"),
        (":method", "TRACE"),
        (":method", "CONNECT"),
        (":method", "OPTIONS"),
        (":method", "get"),
        (":method", ""),
        (":method", "GET /api/v1/secrets HTTP/1.1\r\nX: "),
        (":method", "DELETE /x"),
        (":scheme", ""),
        (":scheme", "http://evil.example/?"),
        (":scheme", "file"),
        (":authority", "evil.example"),
        (":authority", "user@127.0.0.1"),
        (":authority", "127.0.0.1/../x"),
        (":authority", "127.0.0.1\r\nX: planted"),
        ("authorization", "Bearer planted"),
        ("authorization", ""),
        ("backstage-kubernetes-cluster", "nothing"),
        ("backstage-kubernetes-cluster", "own\r\nimpersonate-user: planted"),
        ("backstage-kubernetes-cluster", "hdr"),
    ] {
        let mut headers = good(rig, PODS);
        let place = headers.iter_mut().find(|(known, _)| known == name).expect("a good header");
        place.1 = value.to_owned();
        let expect = match (name, value) {
            // it has no meaning for anybody
            (":scheme", "file" | "") => pods(),
            _ => Expect::Refused,
        };
        rows.push(of(&format!("{name} = {value:?}"), headers, expect));
    }
    for left_out in [":method", ":path", ":scheme", ":authority", "authorization"] {
        let mut headers = good(rig, PODS);
        headers.retain(|(name, _)| name != left_out);
        rows.push(of(&format!("without {left_out}"), headers, Expect::Refused));
    }
    // added
    for (name, value, expect) in [
        (":path", MOUNT, Expect::Refused),
        (":method", "DELETE", Expect::Refused),
        (":protocol", "websocket", Expect::Refused),
        (":status", "200", Expect::Refused),
        (":planted", "x", Expect::Refused),
        ("host", "evil.example", Expect::Refused),
        ("connection", "close, authorization", Expect::Refused),
        ("keep-alive", "timeout=5", Expect::Refused),
        ("proxy-connection", "keep-alive", Expect::Refused),
        ("transfer-encoding", "chunked", Expect::Refused),
        ("upgrade", "h2c", Expect::Refused),
        ("te", "gzip", Expect::Refused),
        ("content-length", "5", Expect::Refused),
        ("X-Upper", "planted", Expect::Refused),
        ("x-a", "b\r\nimpersonate-user: planted", Expect::Refused),
        ("x-a", "b\nimpersonate-user: planted", Expect::Refused),
        ("x-a", "b\0", Expect::Refused),
        ("x-a: b\r\nimpersonate-user", "planted", Expect::Refused),
        ("x a", "b", Expect::Refused),
        ("", "b", Expect::Refused),
        ("backstage-kubernetes-cluster", "imp", Expect::Refused),
        ("authorization", "Bearer planted", Expect::Refused),
        ("origin", "https://evil.example", Expect::Refused),
        ("impersonate-user", "planted", pods()),
        ("impersonate-group", "system:masters", pods()),
        ("x-remote-user", "planted", pods()),
        ("cookie", "a=planted", pods()),
        ("x-http-method-override", "DELETE", pods()),
        ("x-forwarded-for", "planted", pods()),
        ("user-agent", "planted", pods()),
        ("audit-id", "planted", pods()),
        ("te", "trailers", pods()),
        ("backstage-kubernetes-authorization", "planted", pods()),
    ] {
        let mut headers = good(rig, PODS);
        headers.push((name.to_owned(), value.to_owned()));
        rows.push(of(&format!("with {name}: {value:?}"), headers, expect));
    }
    let mut late = good(rig, PODS);
    late.swap(3, 5);
    rows.push(of("a pseudo-header behind the others", late, Expect::Refused));
    let mut tunnel = good(rig, "/api/v1/namespaces/a/pods/p/exec");
    tunnel[0].1 = "CONNECT".to_owned();
    tunnel.insert(1, (":protocol".to_owned(), "websocket".to_owned()));
    rows.push(of("an extended CONNECT", tunnel, Expect::Refused));
    rows.push(Row {
        ends: false,
        body: b"GET /api/v1/secrets HTTP/1.1\r\n\r\n".to_vec(),
        ..of("a GET with a body", good(rig, PODS), Expect::Refused)
    });
    rows
}
