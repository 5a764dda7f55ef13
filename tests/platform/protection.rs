//! What keeps one client, slow or greedy, from being a trouble to the others.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, TcpStream, UdpSocket},
    time::{Duration, Instant},
};

use reqwest::header;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    authority::Authority,
    issuer::Issuer,
    mcp::{Mcp, Reply, stateless},
    server::{Product, Server},
    silent::Silent,
};

const VIEWERS: &str = "[{roles: [viewer]}]";

fn serve(config: &str) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(config).serve()
}

fn whoami() -> Value {
    stateless(&json!(1), "tools/call", &json!({"name": "whoami", "arguments": {}}))
}

async fn sent(request: reqwest::RequestBuilder) -> Reply {
    Reply::read(request.send().await.expect("the server answers")).await
}

/// Told when to come again, and not kept by any cache.
fn turned_away(reply: &Reply) {
    assert_eq!((reply.status, reply.code(), reply.header("cache-control")), (429, -32000, "no-store"));
    assert!(reply.header("retry-after").parse::<u32>().is_ok_and(|wait| wait >= 1), "{:?}", reply.headers);
}

#[tokio::test]
async fn a_caller_who_asks_too_often_is_told_when_to_come_again() {
    let issuer = Issuer::start();
    let entry = issuer.entry(VIEWERS);
    let server = serve(&format!("issuers: [{entry}]\nlimits: {{requestsPerSecond: 1, burst: 3}}\n"));
    let of = |person: &str| Mcp::with_token(server.url("/mcp"), &issuer.forge().good(person));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        // another token of the same person is the same person
        statuses.push(of("alice").request("tools/list", json!({})).await.status);
    }
    assert_eq!(statuses, [200, 200, 200]);
    turned_away(&of("alice").request("tools/list", json!({})).await);
    assert_eq!(of("bob").request("tools/list", json!({})).await.status, 200, "the others are not meant");
    server.wait_for(|said| said.contains("\"reason\":\"rate\"").then_some(()));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(of("alice").request("tools/list", json!({})).await.status, 200, "and it passes");
}

#[tokio::test]
async fn a_caller_has_so_many_calls_at_a_time() {
    let (issuer, upstream) = (Issuer::start(), Silent::start());
    let limits = "limits: {concurrentCalls: 1, callSeconds: 2}\n";
    let config = format!("issuers: [{}]\n{}{limits}", issuer.entry(VIEWERS), upstream.config());
    let server = serve(&config);
    let of = |person: &str| Mcp::with_token(server.url("/mcp"), &issuer.forge().good(person));
    let alice = of("alice");
    let running = tokio::spawn({
        let alice = alice.clone();
        async move { alice.try_call("kro_instances", json!({})).await }
    });
    let _connection = upstream.asked().await;
    turned_away(&alice.request("tools/list", json!({})).await);
    assert_eq!(of("bob").request("tools/list", json!({})).await.status, 200);
    running.await.expect("it ends").expect("it is answered");
    assert_eq!(alice.request("tools/list", json!({})).await.status, 200);
    // a call that is given up leaves its place too
    let given_up = tokio::time::timeout(Duration::from_millis(300), alice.call("kro_instances", json!({})));
    assert!(given_up.await.is_err());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(alice.request("tools/list", json!({})).await.status, 200);
}

/// Refusals over a thousand at once are answered 429; a good token from the same address is not.
#[tokio::test]
async fn a_flood_of_bad_tokens_harms_no_good_one() {
    let issuer = Issuer::start();
    let server = serve(&format!("issuers: [{}]\n", issuer.entry(VIEWERS)));
    let good = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    let bad = Mcp::with_token(server.url("/mcp"), "bad");
    let flood = async {
        let mut statuses = Vec::new();
        for _ in 0..40 {
            let batch = (0..50).map(|_| bad.request("tools/list", json!({})));
            statuses.extend(futures::future::join_all(batch).await.into_iter().map(|reply| reply.status));
        }
        statuses
    };
    let statuses = flood.await;
    assert!(statuses.iter().all(|status| [401, 429].contains(status)));
    assert!(statuses[..1_000].iter().all(|status| *status == 401) && statuses.contains(&429));
    assert_eq!(good.request("tools/list", json!({})).await.status, 200);
    let newcomer = Mcp::new(server.url("/mcp")).request("tools/list", json!({})).await;
    assert_eq!(newcomer.status, 401, "who has no token yet is still told where to get one");
    assert!(newcomer.header("www-authenticate").contains("resource_metadata"));
    let lines = server.said().matches("\"reason\":\"refusals\"").count();
    assert!((1..=60).contains(&lines), "a flood leaves few lines: {lines}");
}

#[tokio::test]
async fn a_token_of_16_kib_fits_and_larger_heads_do_not() {
    let issuer = Issuer::start();
    let server = serve(&format!("issuers: [{}]\n", issuer.entry(VIEWERS)));
    let http = reqwest::Client::builder;
    for http in [http().http1_only().build(), http().http2_prior_knowledge().build()] {
        let mcp = Mcp::new(server.url("/mcp")).over(http.expect("an HTTP client"));
        let with = |size: usize| mcp.http_request(&whoami()).bearer_auth("a".repeat(size)).send();
        assert_eq!(with(16 << 10).await.expect("an answer").status(), 401);
        for size in [80 << 10, 400 << 10] {
            // where it is far too large, the connection may end before the client has read why
            let refused = with(size).await.map(|answer| answer.status().as_u16());
            assert!(refused.as_ref().map_or(true, |status| *status == 431), "{size}: {refused:?}");
        }
        assert_eq!(with(10).await.expect("an answer").status(), 401, "and it goes on");
    }
}

#[tokio::test]
async fn a_body_that_nests_too_deep_is_refused() {
    let server = Server::start();
    let mcp = Mcp::new(server.url("/mcp"));
    let nested = |levels: usize| {
        let text = whoami().to_string().replace(
            "\"arguments\":{}",
            &format!("\"arguments\":{{\"x\":{}1{}}}", "[".repeat(levels), "]".repeat(levels)),
        );
        mcp.http_request(&whoami()).body(text)
    };
    assert_eq!(sent(nested(60)).await.status, 200);
    for levels in [62, 1_000, 100_000] {
        let reply = sent(nested(levels)).await;
        assert_eq!((reply.status, reply.code()), (400, -32600), "{levels}: {}", reply.text);
    }
}

/// How long the server keeps a connection, on which `begin` is sent and then a byte now and then.
async fn kept(server: &Server, begin: &[u8], trickle: Option<u8>) -> (Duration, String) {
    let began = Instant::now();
    let mut stream = tokio::net::TcpStream::connect(server.address()).await.expect("a connection");
    stream.write_all(begin).await.expect("it is taken");
    let mut said = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        match tokio::time::timeout(Duration::from_millis(100), stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(read)) => said.extend_from_slice(&buffer[..read]),
            Err(_) if began.elapsed() > Duration::from_secs(25) => break,
            Err(_) => {
                if let Some(byte) = trickle {
                    let _ = stream.write_all(&[byte]).await;
                }
            }
        }
    }
    (began.elapsed(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn a_connection_on_which_no_request_comes_is_closed() {
    let server = serve("limits: {idleSeconds: 1}\n");
    let soon = Duration::from_millis(900)..Duration::from_secs(5);
    let head = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (what, begin, trickle) in [
        ("silence", &b""[..], None),
        ("a head that does not end", head, Some(b'a')),
        ("HTTP/2 without a stream", http2, None),
        ("half a preface", &http2[..10], None),
        ("an answered request, and no other", get, None),
    ] {
        let (kept, said) = kept(&server, begin, trickle).await;
        assert!(soon.contains(&kept), "{what}: {kept:?} {said}");
    }
    let defaults = Server::start();
    let (kept, _) = kept(&defaults, head, Some(b'a')).await;
    assert!((9..15).contains(&kept.as_secs()), "the first request has ten seconds: {kept:?}");
}

#[tokio::test]
async fn a_call_may_take_longer_than_a_connection_may_be_idle() {
    let upstream = Silent::start();
    let server = serve(&format!("{}limits: {{idleSeconds: 1, callSeconds: 3}}\n", upstream.config()));
    let http = reqwest::Client::builder;
    for http in [http().http1_only().build(), http().http2_prior_knowledge().build()] {
        let mcp = Mcp::new(server.url("/mcp")).over(http.expect("an HTTP client"));
        let began = Instant::now();
        let answer = mcp.call("kro_instances", json!({})).await;
        assert!(answer.is_error && began.elapsed() > Duration::from_secs(2), "{answer:?}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let server = Server::start();
    let begin = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                  Accept: application/json, text/event-stream\r\nContent-Length: 1000\r\n\r\n{";
    let (kept, said) = kept(&server, begin, Some(b' ')).await;
    assert!((9..15).contains(&kept.as_secs()) && said.starts_with("HTTP/1.1 408"), "{kept:?} {said}");
}

/// Without a good token nobody may make the server read a large body, or wait long for one.
#[tokio::test]
async fn a_body_is_not_waited_for_without_a_token() {
    let issuer = Issuer::start();
    let server = serve(&format!("issuers: [{}]\n", issuer.entry(VIEWERS)));
    let begin = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{";
    let (kept, said) = kept(&server, begin, None).await;
    assert!(kept < Duration::from_secs(5) && said.starts_with("HTTP/1.1 401"), "{kept:?} {said}");
}

/// The status line of an answer on `stream`, if there is any.
fn ask(stream: &mut TcpStream, request: &[u8]) -> Option<String> {
    let mut answer = [0; 12];
    stream.write_all(request).ok()?;
    stream.read_exact(&mut answer).ok().map(|()| String::from_utf8_lossy(&answer).into_owned())
}

const PROBE: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// As a caller's own bytes.
fn call(token: &str) -> Vec<u8> {
    request(token, "whoami")
}

fn request(token: &str, tool: &str) -> Vec<u8> {
    let body = stateless(&json!(1), "tools/call", &json!({"name": tool, "arguments": {}})).to_string();
    let head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Accept: application/json, text/event-stream\r\nMcp-Method: tools/call\r\n\
                MCP-Protocol-Version: 2026-07-28\r\n";
    let length = body.len();
    format!(
        "{head}Mcp-Name: {tool}\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[tokio::test]
async fn connections_are_bounded() {
    let issuer = Issuer::start();
    let limits = "limits: {connections: 2, idleSeconds: 20}\n";
    let server = serve(&format!("issuers: [{}]\n{limits}", issuer.entry(VIEWERS)));
    let call = call(&issuer.forge().good("alice"));
    let connect = || TcpStream::connect(server.address()).expect("a connection");
    let (mut first, mut second) = (connect(), connect());
    for stream in [&mut first, &mut second] {
        assert_eq!(ask(stream, &call).as_deref(), Some("HTTP/1.1 200"));
    }
    let mut third = connect();
    assert_eq!(ask(&mut third, &call).as_deref(), Some("HTTP/1.1 200"), "an idle caller gives way");
    server.wait_for(|said| said.contains("limits.connections").then_some(()));
    let said = |mut stream: &TcpStream| {
        stream.set_read_timeout(Some(Duration::from_millis(500))).expect("a timeout");
        stream.read_to_end(&mut Vec::new()).map_err(|end| end.kind())
    };
    let waits = |said| matches!(said, Err(std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut));
    assert!(!waits(said(&first)), "the one that was idle for longest has ended");
    assert!(waits(said(&second)) && waits(said(&third)), "the others have not");
}

/// One token, with whatever it may do, shuts nobody out by connections on which nothing runs; and nobody ends a
/// call that runs.
#[tokio::test]
async fn what_runs_for_a_caller_gives_way_to_nobody() {
    let (issuer, upstream) = (Issuer::start(), Silent::start());
    let limits = "limits: {connections: 1, callSeconds: 4}\n";
    let server = serve(&format!("issuers: [{}]\n{}{limits}", issuer.entry(VIEWERS), upstream.config()));
    let token = issuer.forge().good("alice");
    let connect = || TcpStream::connect(server.address()).expect("a connection");
    let mut runs = connect();
    runs.write_all(&request(&token, "kro_instances")).expect("written");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(ask(&mut connect(), PROBE), None, "there is no room");
    let mut answer = [0; 12];
    runs.read_exact(&mut answer).expect("an answer after four seconds");
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 200");
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(
        ask(&mut connect(), PROBE).as_deref(),
        Some("HTTP/1.1 200"),
        "there is, now that nothing runs"
    );
}

/// Who takes every connection without a token keeps neither probes nor callers out.
#[tokio::test]
async fn strangers_who_hold_every_connection_give_way() {
    let issuer = Issuer::start();
    let server = serve(&format!("issuers: [{}]\nlimits: {{connections: 32}}\n", issuer.entry(VIEWERS)));
    let call = call(&issuer.forge().good("alice"));
    let connect = || {
        let stream = TcpStream::connect(server.address()).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(3))).expect("a timeout");
        stream
    };
    let mut caller = connect();
    assert_eq!(ask(&mut caller, &call).as_deref(), Some("HTTP/1.1 200"));
    let mut held = Vec::new();
    for round in 0..4 {
        for _ in 0..50 {
            let mut stream = connect();
            let _ = ask(&mut stream, PROBE);
            held.push(stream);
        }
        assert_eq!(ask(&mut connect(), PROBE).as_deref(), Some("HTTP/1.1 200"), "a probe, round {round}");
        assert_eq!(ask(&mut connect(), &call).as_deref(), Some("HTTP/1.1 200"), "a call, round {round}");
        std::thread::sleep(Duration::from_millis(500));
    }
    let mut rest = Vec::new();
    caller.set_nonblocking(true).expect("a flag");
    let end = caller.read_to_end(&mut rest).expect_err("it has not ended");
    assert_eq!(end.kind(), std::io::ErrorKind::WouldBlock, "a caller's connection stays");
}

/// Without a token, a connection is kept for ten seconds after a request, whatever callers have.
#[tokio::test]
async fn a_request_without_a_token_buys_no_long_wait() {
    let issuer = Issuer::start();
    let server = serve(&format!("issuers: [{}]\n", issuer.entry(VIEWERS)));
    let refused = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    let call = call(&issuer.forge().good("alice"));
    let (probe, refused, caller) =
        tokio::join!(kept(&server, PROBE, None), kept(&server, refused, None), kept(&server, &call, None));
    for (kept, said) in [probe, refused] {
        assert!((9..15).contains(&kept.as_secs()), "{kept:?} {said}");
    }
    assert!(caller.0 > Duration::from_secs(24) && caller.1.starts_with("HTTP/1.1 200"), "{caller:?}");
}

#[tokio::test]
async fn https_with_a_certificate_that_can_be_replaced() {
    let authority = Authority::new();
    let product = Product::new(["serve", "--http", "127.0.0.1:0"]);
    let renew = |product: &Product| {
        let identity = authority.loopback();
        let files =
            (product.write("tls.crt", &identity.certificate), product.write("tls.key", &identity.key));
        (identity, files)
    };
    let (_, (certificate, key)) = renew(&product);
    let server = product
        .config("http: {tls: {certFile: tls.crt, keyFile: tls.key}}\nlimits: {idleSeconds: 1}\n")
        .serve();
    let url = format!("https://{}/mcp", server.address());
    let client = || {
        let root = reqwest::Certificate::from_pem(authority.pem().as_bytes()).expect("a CA");
        reqwest::Client::builder().tls_certs_only([root]).tls_info(true)
    };
    for (http, version) in [
        (client().http1_only().build(), reqwest::Version::HTTP_11),
        (client().build(), reqwest::Version::HTTP_2),
    ] {
        let mcp = Mcp::new(&url).over(http.expect("an HTTP client"));
        let answer = mcp.http_request(&whoami()).send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
    }
    // who does not speak TLS, or not to the end, is cut off and holds up nobody
    let plain = reqwest::Client::new().get(format!("http://{}/healthz", server.address())).send().await;
    assert!(plain.is_err(), "{plain:?}");
    let begun = kept(&server, b"\x16\x03\x01\x02\x00\x01", None).await;
    assert!(begun.0 < Duration::from_secs(5), "{begun:?}");

    let served = async || {
        let http = client().build().expect("an HTTP client");
        let answer = http.get(url.replace("/mcp", "/healthz")).send().await.expect("an answer");
        answer
            .extensions()
            .get::<reqwest::tls::TlsInfo>()
            .and_then(|tls| tls.peer_certificate().map(<[u8]>::to_vec))
    };
    let first = served().await;
    let renewed = authority.loopback();
    std::fs::write(&key, "no key").expect("a file");
    server.wait_for(|said| said.contains("is kept out").then_some(()));
    assert_eq!(served().await, first, "the old one goes on");
    std::fs::write(&certificate, &renewed.certificate).expect("a file");
    std::fs::write(&key, &renewed.key).expect("a file");
    server.wait_for(|said| said.contains("certificate was replaced").then_some(()));
    assert_eq!(served().await.as_deref(), Some(renewed.certificate_der.as_slice()));
}

#[tokio::test]
async fn a_certificate_that_is_no_good_is_said_at_the_start() {
    let authority = Authority::new();
    let (one, other) = (authority.loopback(), authority.loopback());
    for (certificate, key, said) in [
        (&one.certificate, &other.key, "tls.crt and"),
        (&one.certificate, &one.certificate, "holds no private key"),
        (&one.key, &one.key, "holds no certificate"),
    ] {
        let product = Product::new(["serve", "--http", "127.0.0.1:0"]);
        product.write("tls.crt", certificate);
        product.write("tls.key", key);
        let output = product.config("http: {tls: {certFile: tls.crt, keyFile: tls.key}}\n").output();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains("http.tls: ") && error.contains(said), "{error}");
        assert!(!error.contains("PRIVATE"), "{error}");
    }
}

/// An address of this machine that is not loopback; what is sent to it stays on the machine.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // nothing is sent: the route says which address it would be sent from
    socket.connect("198.51.100.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|address| !address.is_loopback())
}

#[tokio::test]
async fn beyond_loopback_only_with_tls_or_behind_named_proxies() {
    let issuer = Issuer::start();
    let issuers = format!("issuers: [{}]\n", issuer.entry(VIEWERS));
    let all = |config: &str| Product::new(["serve", "--http", "0.0.0.0:0"]).config(config);
    let output = all(&issuers).output();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("http.trustedProxies"), "{error}");

    let Some(own) = own_address() else { return };
    let good = issuer.forge().good("alice");
    for (proxies, status) in [("10.255.255.1", 403), (own.to_string().as_str(), 200)] {
        let server = all(&format!("{issuers}http: {{trustedProxies: ['{proxies}']}}\n")).serve();
        let port = server.address().port();
        let mcp = Mcp::with_token(format!("http://{own}:{port}/mcp"), &good)
            .header("host", "localhost")
            .header("x-forwarded-for", "127.0.0.1")
            .header("x-forwarded-proto", "https");
        let reply = mcp.request("tools/list", json!({})).await;
        assert_eq!((reply.status, reply.header("cache-control")), (status, "no-store"), "{}", reply.text);
        let health = reqwest::get(format!("http://{own}:{port}/readyz")).await.expect("an answer");
        assert_eq!(health.status(), 200, "who watches over the server need not be named");
        let loopback = Mcp::with_token(format!("http://127.0.0.1:{port}/mcp"), &good);
        assert_eq!(loopback.request("tools/list", json!({})).await.status, 200);
    }
}

#[tokio::test]
async fn what_every_answer_says_to_caches() {
    let issuer = Issuer::start();
    let server = serve(&format!("issuers: [{}]\n", issuer.entry(VIEWERS)));
    let mcp = Mcp::with_token(server.url("/mcp"), &issuer.forge().good("alice"));
    for request in [
        mcp.http_request(&whoami()),
        mcp.http_request(&whoami()).body("{"),
        mcp.http_request(&whoami()).header(header::ORIGIN, "https://evil.example.com"),
        mcp.http_request(&whoami()).header(header::HOST, "evil.example.com"),
        reqwest::Client::new().get(server.url("/mcp")),
    ] {
        let reply = sent(request).await;
        assert_eq!(reply.header("cache-control"), "no-store", "{} {}", reply.status, reply.text);
    }
    let source = "\"outcome\":\"not_allowed\",\"reason\":\"source\"";
    server.wait_for(|said| (said.matches(source).count() == 2).then_some(()));
}
