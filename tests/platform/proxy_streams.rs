//! What streams through the endpoint for programs: byte for byte, at once, no faster than it is read, and no
//! longer than both ends are there.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    authority::Authority,
    issuer::Issuer,
    server::{Product, Server},
    upstream::{Upstream, digest_of, pattern},
};

const PATIENCE: Duration = Duration::from_secs(20);
const MOUNT: &str = "/api/kubernetes/proxy";
const MAPS: &str = "/api/v1/namespaces/a/configmaps";

fn serve(clusters: &str, more: &str) -> Server {
    let config = format!(
        "clusters: {{kubeconfig: {{enabled: false}}, static: [{clusters}]}}\nlocal: {{role: admin}}\n\
         http: {{proxy: {{base: kubernetes}}}}\naudit: {{to: audit.log}}\n{more}\n"
    );
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

fn own(upstream: &Upstream) -> String {
    format!("{{name: fake, url: \"{}\", identity: own}}", upstream.url)
}

fn url(server: &Server, path: &str) -> String {
    server.url(&format!("{MOUNT}{path}"))
}

/// Our audit lines so far.
fn audited(server: &Server) -> Vec<Value> {
    server.read("audit.log").lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

async fn audited_until(server: &Server, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let lines = audited(server);
        if enough(&lines) {
            return lines;
        }
        assert!(began.elapsed() < PATIENCE, "{lines:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_megabytes_pass_both_ways_unchanged_and_are_not_kept() {
    const SIZE: u64 = 50_000_000;
    let upstream = Upstream::start().await;
    let server = serve(&own(&upstream), "");
    let http = reqwest::Client::new();
    let answer = http.get(url(&server, &format!("{MAPS}/small"))).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.bytes().await.unwrap();
    let before = server.resident_kib();

    let mut down = http.get(url(&server, &format!("{MAPS}/big-{SIZE}"))).send().await.unwrap();
    assert_eq!(down.content_length(), Some(SIZE), "its length is known from the beginning");
    let mut sum = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let mut most = 0;
    while let Some(piece) = down.chunk().await.unwrap() {
        sum.update(&piece);
        most = most.max(server.resident_kib());
    }
    let sum: String = sum.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(sum, digest_of(SIZE));

    // once with its length said, once in pieces
    for sized in [true, false] {
        let pieces = futures::stream::iter((0..SIZE).step_by(50_000))
            .map(|at| Ok::<_, std::io::Error>(pattern(at, 50_000)));
        let body = reqwest::Body::wrap_stream(pieces);
        let mut request = http.put(url(&server, &format!("{MAPS}/sink"))).body(body);
        if sized {
            request = request.header("content-length", SIZE);
        }
        let (answer, grown) = tokio::join!(request.send(), async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            server.resident_kib()
        });
        let answer: Value = answer.unwrap().json().await.unwrap();
        assert_eq!((&answer["received"], answer["sha256"].as_str()), (&SIZE.into(), Some(&*digest_of(SIZE))));
        most = most.max(grown).max(server.resident_kib());
    }
    assert!(most < before + 12 * 1_024, "{before} KiB grew to {most} KiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_at_once_and_a_client_that_leaves_ends_the_upstream_request() {
    let upstream = Upstream::start().await;
    let server = serve(&own(&upstream), "");
    for (number, http) in [
        reqwest::Client::builder().http1_only().build().unwrap(),
        reqwest::Client::builder().http2_prior_knowledge().build().unwrap(),
    ]
    .into_iter()
    .enumerate()
    {
        let began = Instant::now();
        let mut watch = http.get(url(&server, &format!("{MAPS}?watch=1"))).send().await.unwrap();
        let first = watch.chunk().await.unwrap().expect("an event");
        assert_eq!(&first[..], b"{\"type\":\"ADDED\"}\n");
        assert!(began.elapsed() < Duration::from_millis(280), "{:?}", began.elapsed());
        assert_eq!(&watch.chunk().await.unwrap().expect("another")[..], b"{\"type\":\"MODIFIED\"}\n");
        drop(watch);
        upstream.left(number + 1).await;
        drop(http);
    }
    let ended = |lines: &[Value]| lines.iter().filter(|line| line["follows"] == "end").count() == 2;
    let lines = audited_until(&server, ended).await;
    let begun: Vec<&Value> = lines.iter().filter(|line| line["follows"] == "begin").collect();
    assert_eq!(begun.len(), 2, "{lines:#?}");
    assert_eq!(begun[0]["request"]["path"], MAPS, "{}", begun[0]);
    let end = lines.iter().find(|line| line["follows"] == "end").expect("an end");
    assert_eq!((&end["call"], &end["upstream_bytes"]), (&begun[0]["call"], &37.into()), "{end}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_the_cluster_breaks_off_is_broken_off_and_no_whole() {
    let upstream = Upstream::start().await;
    let server = serve(&own(&upstream), "");
    for http in [
        reqwest::Client::builder().http1_only().build().unwrap(),
        reqwest::Client::builder().http2_prior_knowledge().build().unwrap(),
    ] {
        for cut in ["cut", "chunk-cut"] {
            match http.get(url(&server, &format!("{MAPS}/{cut}"))).send().await {
                Ok(answer) => {
                    assert_eq!(answer.status(), 200);
                    answer.bytes().await.expect_err(cut);
                }
                // the end of a connection or stream can overtake the head on its way to whoever reads it
                Err(error) => assert!(error.is_request() && !error.is_connect(), "{error:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_not_read_for() {
    let upstream = Upstream::start().await;
    let server = serve(&own(&upstream), "");
    let request = url(&server, &format!("{MAPS}/big-500000000"));
    let mut answer =
        reqwest::Client::builder().http1_only().build().unwrap().get(request).send().await.unwrap();
    answer.chunk().await.unwrap().expect("the first piece");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let (before, resident) = (upstream.written(), server.resident_kib());
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    assert_eq!(upstream.written(), before, "it waits");
    // what sockets of four ends hold, and no more
    assert!(before < 40_000_000, "{before} bytes were written");
    assert!(resident < 100 * 1_024, "{resident} KiB");
    answer.chunk().await.unwrap().expect("it goes on");
    drop(answer);
    upstream.left(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_answers_is_not_waited_for_and_who_leaves_ends_the_waiting() {
    let upstream = Upstream::start().await;
    let server = serve(&own(&upstream), "limits: {callSeconds: 2}");
    let http = reqwest::Client::new();
    let answer = http.get(url(&server, &format!("{MAPS}/silent"))).send().await.unwrap();
    assert_eq!(answer.status(), 504);
    let error: Value = answer.json().await.unwrap();
    assert_eq!(error["error"]["name"], "ServiceUnavailableError", "{error}");
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
    upstream.left(1).await;

    let asking = http.get(url(&server, &format!("{MAPS}/silent?2"))).send();
    assert!(timeout(Duration::from_millis(300), asking).await.is_err());
    upstream.left(2).await;
    let endless =
        futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 1_024])).then(|piece| async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            piece
        });
    let asking =
        http.put(url(&server, &format!("{MAPS}/sink"))).body(reqwest::Body::wrap_stream(endless)).send();
    assert!(timeout(Duration::from_millis(300), asking).await.is_err());
    upstream.left(3).await;
    let lines = audited_until(&server, |lines| lines.len() == 3).await;
    let outcomes: Vec<&str> = lines.iter().filter_map(|line| line["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["timeout", "cancelled", "cancelled"]);
}

/// Sends a head as it is, and reads that of the answer.
async fn raw(server: &Server, head: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(head.replace('\n', "\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let byte = timeout(PATIENCE, stream.read_u8()).await.expect("an answer").expect("a head");
        answer.push(byte);
    }
    (stream, String::from_utf8(answer).unwrap().to_ascii_lowercase())
}

fn exec(path: &str, upgrade: &str, more: &str) -> String {
    format!(
        "GET {MOUNT}/api/v1/namespaces/a/pods/p/exec{path} HTTP/1.1\nHost: 127.0.0.1\nConnection: Upgrade, x-secret\n\
         Upgrade: {upgrade}\nSec-WebSocket-Key: a2V5\nSec-WebSocket-Version: 13\nSec-WebSocket-Protocol: v5.channel.k8s.io\n\
         X-Secret: 1\nCookie: a=b\n{more}\n"
    )
}

async fn read(stream: &mut TcpStream, bytes: usize) -> Vec<u8> {
    let mut read = vec![0; bytes];
    timeout(PATIENCE, stream.read_exact(&mut read)).await.expect("it comes").expect("all of it");
    read
}

/// Waits until nothing comes any more.
async fn ended(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_carries_both_ways_until_one_end_is_closed() {
    let upstream = Upstream::start().await;
    let server = serve(&own(&upstream), "limits: {idleSeconds: 1}");
    for (number, protocol) in ["websocket", "SPDY/3.1"].into_iter().enumerate() {
        let (mut stream, head) = raw(&server, &exec("?command=sh&stdin=true", protocol, "")).await;
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        assert!(
            head.contains("sec-websocket-protocol: v5.channel.k8s.io") && !head.contains("x-inner"),
            "{head}"
        );
        assert_eq!(read(&mut stream, 5).await, b"hello");
        let said = pattern(0, 300_000);
        let (mut from, mut to) = stream.split();
        let mut back = vec![0; said.len()];
        let (written, read) = tokio::join!(to.write_all(&said), from.read_exact(&mut back));
        written.and(read).unwrap();
        assert!(back == said, "what is said comes back");
        // it is no connection without a request
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        stream.write_all(b"more").await.unwrap();
        assert_eq!(self::read(&mut stream, 4).await, b"more");
        drop(stream);
        upstream.left(number + 1).await;
    }
    let sent = upstream.heads().remove(0).to_ascii_lowercase();
    assert!(
        sent.starts_with("get /api/v1/namespaces/a/pods/p/exec?command=sh&stdin=true http/1.1\r\n"),
        "{sent}"
    );
    for absent in ["x-secret", "cookie", "authorization", "x-forwarded"] {
        assert!(!sent.contains(absent), "{sent}");
    }
    let (mut stream, _) = raw(&server, &exec("?command=end", "websocket", "")).await;
    assert_eq!(read(&mut stream, 5).await, b"hello");
    ended(&mut stream).await;
    let count =
        |lines: &[Value], follows: &str| lines.iter().filter(|line| line["follows"] == follows).count();
    let lines = audited_until(&server, |lines| count(lines, "end") == 3).await;
    assert_eq!(count(&lines, "begin"), 3, "{lines:#?}");
    let end = lines.iter().find(|line| line["follows"] == "end").expect("an end");
    assert_eq!(end["upstream_bytes"], 300_009, "{end}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_channels_take_an_upgrade_and_only_to_what_clusters_speak() {
    let upstream = Upstream::start().await;
    let server = serve(&own(&upstream), "");
    let token = "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.YQ\n";
    for (head, status) in [
        (exec("", "websocket", token), "400"),
        (exec("", "tls/1.0", ""), "400"),
        (exec("", "websocket", "Content-Length: 1\n"), "400"),
        (exec("", "websocket", "").replace("/exec", "/log"), "400"),
        (exec("", "websocket", "").replace("HTTP/1.1", "HTTP/1.0"), "400"),
        // an upgrade that is not offered is no mistake
        (exec("", "h2c", "").replace("/exec", "/log"), "200"),
    ] {
        let (_, answer) = raw(&server, &head).await;
        assert_eq!(answer.split(' ').nth(1), Some(status), "{head}\n{answer}");
    }
    let heads = upstream.heads();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(!heads[0].to_ascii_lowercase().contains("upgrade"), "{heads:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lasts_ends_with_the_token_with_the_rules_and_with_the_server() {
    let (issuer, upstream) = (Issuer::start(), Upstream::start().await);
    let config = |roles: &str| {
        format!(
            "clusters: {{static: [{}], kubeconfig: {{enabled: false}}}}\nhttp: {{proxy: {{base: kubernetes}}}}\n\
             issuers: [{}]\n",
            own(&upstream),
            issuer.entry(&format!("[{{roles: [{roles}]}}]"))
        )
    };
    let product = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config("admin"));
    let mut server = product.serve();
    let token = |seconds: i64| {
        let mut claims = issuer.forge().claims("alice");
        claims["exp"] = (crate::forge::now() as i64 + seconds).into();
        issuer.forge().claiming(&claims)
    };
    let http = reqwest::Client::new();
    let open = async |token: &str| {
        let watch =
            http.get(url(&server, &format!("{MAPS}?watch=1"))).bearer_auth(token).send().await.unwrap();
        assert_eq!(watch.status(), 200);
        let bearer = format!("Authorization: Bearer {token}\n");
        let (channel, head) = raw(&server, &exec("", "websocket", &bearer)).await;
        assert!(head.starts_with("http/1.1 101"), "{head}");
        (watch, channel)
    };
    let over = async |mut watch: reqwest::Response, mut channel: TcpStream| {
        while let Ok(Some(_)) = timeout(PATIENCE, watch.chunk()).await.expect("the watch ends") {}
        ended(&mut channel).await;
    };
    let lasting = token(3_600);
    let (watch, channel) = open(&token(3)).await;
    let (mut kept, _channel) = open(&lasting).await;
    let began = Instant::now();
    over(watch, channel).await;
    assert!(began.elapsed() > Duration::from_millis(1_500), "{:?}", began.elapsed());

    // rules that let it go on, and rules that do not; of Secrets it is asked anew whether values may be in it
    let secrets = format!("{}?watch=1", MAPS.replace("configmaps", "secrets"));
    let mut secrets = http.get(url(&server, &secrets)).bearer_auth(&lasting).send().await.unwrap();
    assert_eq!(secrets.status(), 200);
    crate::reload::reload(&server, &config("admin, viewer"));
    while let Ok(Some(_)) = timeout(PATIENCE, secrets.chunk()).await.expect("a watch of Secrets ends") {}
    while let Ok(Ok(Some(_))) = timeout(Duration::from_millis(600), kept.chunk()).await {}
    let (watch, channel) = open(&lasting).await;
    crate::reload::reload(&server, &config("viewer").replace("roles: [viewer]", "allow: [kro.rgds.list]"));
    over(watch, channel).await;
    assert!(timeout(PATIENCE, kept.chunk()).await.expect("the first ends too").is_err());

    crate::reload::reload(&server, &config("admin"));
    let (watch, channel) = open(&lasting).await;
    server.terminate();
    over(watch, channel).await;
    assert!(server.ended(Duration::from_secs(5)).success());
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_take_no_places_of_calls_and_have_a_bound_of_their_own() {
    let upstream = Upstream::start().await;
    let server = serve(&own(&upstream), "limits: {concurrentCalls: 1, subscriptionsPerCaller: 2}");
    let http = reqwest::Client::new();
    let watch = || http.get(url(&server, &format!("{MAPS}?watch=1"))).send();
    let held = [watch().await.unwrap(), watch().await.unwrap()];
    let refused = watch().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (429, true));
    let error: Value = refused.json().await.unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains("watches"), "{error}");
    let call = http.get(url(&server, &format!("{MAPS}/x"))).send().await.unwrap();
    assert_eq!(call.status(), 200, "a call has its place");
    drop(held);
    upstream.left(2).await;
    assert_eq!(watch().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_with_a_prefix_that_wants_a_certificate_is_asked_with_it_and_below_its_prefix() {
    let authority = Authority::new();
    let (ours, theirs) = (authority.loopback(), authority.client("platform-mcp"));
    let roots = rustls_roots(&authority);
    let verifier = WebPkiClientVerifier::builder(roots.into()).build().unwrap();
    let key = PrivateKeyDer::try_from(ours.key_der).unwrap();
    let config = ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![ours.certificate_der.into()], key)
        .unwrap();
    let upstream = Upstream::tls(config).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::File::create(folder.path().join(name)).unwrap().write_all(text.as_bytes()).unwrap();
        folder.path().join(name)
    };
    let (ca, certificate, key) =
        (file("ca", &authority.pem()), file("crt", &theirs.certificate), file("key", &theirs.key));
    let kubeconfig = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": format!("{}/k8s/clusters/c-1", upstream.url), "certificate-authority": ca}}],
        "users": [{"name": "u", "user": {"client-certificate": certificate, "client-key": key}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    let kubeconfig = file("kubeconfig", &kubeconfig.to_string());
    let config = format!(
        "clusters: {{kubeconfig: {{path: {kubeconfig:?}, identity: own}}}}\nlocal: {{role: admin}}\n\
         http: {{proxy: {{base: kubernetes}}}}\n"
    );
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let answer = reqwest::get(url(&server, "/api/v1/namespaces/a/pods?x=1")).await.unwrap();
    assert_eq!(answer.status(), 200);
    let (_, refused) =
        raw(&server, &format!("GET {MOUNT}/../clusters/c-2/api HTTP/1.1\nHost: 127.0.0.1\n\n")).await;
    assert!(refused.starts_with("http/1.1 400"), "{refused}");
    let heads = upstream.heads();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(
        heads[0].starts_with("GET /k8s/clusters/c-1/api/v1/namespaces/a/pods?x=1 HTTP/1.1\r\n"),
        "{heads:?}"
    );
}

fn rustls_roots(authority: &Authority) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    roots
}
