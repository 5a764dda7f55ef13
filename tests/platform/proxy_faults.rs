//! Clusters that are down, silent, not what they should be, or send what has no end: for the tools and for the
//! endpoint each ends in time, with words that help, and programs hear of no address.

use std::time::{Duration, Instant};

use reqwest::{Response, StatusCode};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::timeout};

use crate::{
    authority::Authority,
    mcp::Mcp,
    server::{Product, Server},
    upstream::Upstream,
};

const MOUNT: &str = "/api/kubernetes/proxy";
const MAPS: &str = "/api/v1/namespaces/a/configmaps";
/// What a call may take in these tests, and a bit.
const CALL_SECONDS: u64 = 2;
const BOUNDED: Duration = Duration::from_millis(CALL_SECONDS * 1_000 + 1_500);
const CLUSTER: &str = "Backstage-Kubernetes-Cluster";

struct Rig {
    upstream: Upstream,
    _folder: tempfile::TempDir,
    server: Server,
    mcp: Mcp,
}

impl Rig {
    /// `fake` does as the path says; the others fail before that.
    async fn start() -> Self {
        let upstream = Upstream::start().await;
        let (theirs, trusted) = (Authority::new(), Authority::new());
        let tls = |authority: &Authority, name: &str| {
            let identity = authority.identity(&[name]);
            let key = PrivateKeyDer::try_from(identity.key_der).expect("a key");
            let config = ServerConfig::builder().with_no_client_auth();
            config.with_single_cert(vec![identity.certificate_der.into()], key).expect("a certificate")
        };
        let stranger = Upstream::tls(tls(&theirs, "127.0.0.1")).await;
        let namesake = Upstream::tls(tls(&trusted, "another.example")).await;
        let folder = tempfile::tempdir().expect("a folder");
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, trusted.pem()).expect("written");
        // takes connections, and says nothing on them
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let silent_at = silent.local_addr().expect("its address");
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok(connection) = silent.accept().await {
                kept.push(connection);
            }
        });
        let cluster = |name: &str, url: String, ca: Option<&std::path::Path>| {
            let mut cluster = json!({"name": name, "url": url, "identity": "own", "token": "t"});
            if let Some(ca) = ca {
                cluster["caFile"] = json!(ca);
            }
            cluster
        };
        let port = |upstream: &Upstream| upstream.url.rsplit(':').next().expect("a port").to_owned();
        let clusters = json!([
            cluster("fake", upstream.url.clone(), None),
            cluster("down", "http://127.0.0.1:9".to_owned(), None),
            cluster("silent", format!("http://{silent_at}"), None),
            cluster("silent-tls", format!("https://{silent_at}"), Some(&ca)),
            cluster("stranger", stranger.url.clone(), Some(&ca)),
            cluster("namesake", namesake.url.clone(), Some(&ca)),
            cluster("plain", format!("https://127.0.0.1:{}", port(&upstream)), Some(&ca)),
            cluster("encrypted", format!("http://127.0.0.1:{}", port(&stranger)), None),
        ]);
        let config = format!(
            "clusters: {{kubeconfig: {{enabled: false}}, static: {clusters}}}\nlocal: {{role: admin}}\n\
             http: {{proxy: {{base: kubernetes}}}}\nlimits: {{callSeconds: {CALL_SECONDS}}}\n"
        );
        let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
        let mcp = Mcp::new(server.url("/mcp"));
        Self { upstream, _folder: folder, server, mcp }
    }

    async fn get(&self, cluster: &str, path: &str) -> Response {
        let url = self.server.url(&format!("{MOUNT}{path}"));
        reqwest::Client::new().get(url).header(CLUSTER, cluster).send().await.expect("an answer")
    }
}

/// An error in Backstage's form, that says no more than it should.
async fn refused(answer: Response, status: StatusCode, whose: &str) -> String {
    assert_eq!(answer.status(), status, "{whose}");
    let error: Value = answer.json().await.expect("JSON");
    assert_eq!(error["error"]["name"], "ServiceUnavailableError", "{error}");
    let text = error.to_string();
    for inner in ["127.0.0.1", "10.9.8.7", "http://", "https://"] {
        assert!(!text.contains(inner), "{inner}: {text}");
    }
    error["error"]["message"].as_str().expect("a message").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_cannot_be_asked_is_said_to_be_that_in_time() {
    let rig = Rig::start().await;
    let rig = &rig;
    let checks = [
        ("down", StatusCode::BAD_GATEWAY, "refused"),
        ("silent", StatusCode::GATEWAY_TIMEOUT, "no answer within"),
        ("silent-tls", StatusCode::GATEWAY_TIMEOUT, "no answer within"),
        ("stranger", StatusCode::BAD_GATEWAY, "certificate"),
        ("namesake", StatusCode::BAD_GATEWAY, "certificate"),
        ("plain", StatusCode::BAD_GATEWAY, "cannot reach the cluster"),
        ("encrypted", StatusCode::BAD_GATEWAY, "cannot reach the cluster"),
    ]
    .map(|(cluster, status, said)| async move {
        let began = Instant::now();
        let answer = rig.get(cluster, MAPS).await;
        assert!(began.elapsed() < BOUNDED, "{cluster}: {:?}", began.elapsed());
        let message = refused(answer, status, cluster).await;
        assert!(message.contains("the cluster"), "{cluster}: {message}");
        for (tool, arguments) in [
            ("kubernetes_proxy", json!({"cluster": cluster, "path": MAPS})),
            (
                "kubernetes_proxy_write",
                json!({"cluster": cluster, "method": "DELETE", "path": format!("{MAPS}/x")}),
            ),
            ("kubernetes_events", json!({"cluster": cluster, "namespace": "a"})),
            ("kubernetes_access", json!({"cluster": cluster, "namespace": "a"})),
        ] {
            let began = Instant::now();
            let answer = rig.mcp.call(tool, arguments).await;
            assert!(began.elapsed() < BOUNDED, "{cluster} {tool}: {:?}", began.elapsed());
            // what our permissions say is known without a cluster
            let partial = tool == "kubernetes_access";
            assert_eq!(answer.is_error, !partial, "{cluster} {tool}: {}", answer.text);
            let text = answer.text.to_lowercase();
            assert!(text.contains(said), "{cluster} {tool}: {}", answer.text);
            assert!(text.contains("retryable") || partial, "{cluster} {tool}: {}", answer.text);
        }
    });
    futures::future::join_all(checks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_none_ends_the_call_and_says_why() {
    let rig = Rig::start().await;
    let rig = &rig;
    let before = rig.server.resident_kib();
    let checks = [
        ("silent", "no answer within"),
        ("headless", "no answer within"),
        ("drip", "no answer within"),
        ("endless", "larger than"),
        ("big-52428800", "larger than"),
        ("cut", "cannot reach the cluster"),
        ("chunk-cut", "cannot reach the cluster"),
        ("garbage", "cannot reach the cluster"),
        ("moved", "307"),
    ]
    .map(|(name, said)| async move {
        let path = format!("{MAPS}/{name}");
        let began = Instant::now();
        let answer = rig.mcp.call("kubernetes_proxy", json!({"cluster": "fake", "path": path})).await;
        assert!(began.elapsed() < BOUNDED, "{name}: {:?}", began.elapsed());
        assert!(answer.is_error && answer.text.contains(said), "{name}: {}", answer.text);
        assert!(answer.text.len() < 2_000 && !answer.text.contains("10.9.8.7"), "{name}: {}", answer.text);
    });
    futures::future::join_all(checks).await;
    let grown = rig.server.resident_kib().saturating_sub(before);
    assert!(grown < 160 << 10, "{grown} KiB more");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_or_never_ends_is_no_whole_answer_to_a_program() {
    let rig = Rig::start().await;
    for (name, status) in [
        ("garbage", StatusCode::BAD_GATEWAY),
        ("moved", StatusCode::BAD_GATEWAY),
        ("silent", StatusCode::GATEWAY_TIMEOUT),
    ] {
        let began = Instant::now();
        refused(rig.get("fake", &format!("{MAPS}/{name}")).await, status, name).await;
        assert!(began.elapsed() < BOUNDED, "{name}");
    }
    let began = Instant::now();
    let headless = rig.get("fake", &format!("{MAPS}/headless")).await;
    assert!(headless.status().is_server_error() && began.elapsed() < BOUNDED, "{}", headless.status());
    for name in ["cut", "chunk-cut"] {
        let answer = rig.get("fake", &format!("{MAPS}/{name}")).await;
        assert_eq!(answer.status(), StatusCode::OK, "{name}");
        assert!(answer.bytes().await.is_err(), "{name}: half of it is no answer");
    }
    // 50 MB are the program's to take; here they only pass
    let before = rig.server.resident_kib();
    let whole = rig.get("fake", &format!("{MAPS}/big-52428800")).await.bytes().await.expect("all of it");
    assert_eq!(whole.len(), 52_428_800);
    let grown = rig.server.resident_kib().saturating_sub(before);
    assert!(grown < 32 << 10, "{grown} KiB more");
    // what has no end ends when the program leaves, and the cluster is left with it
    let left = 2;
    for name in ["drip", "endless"] {
        let mut answer = rig.get("fake", &format!("{MAPS}/{name}")).await;
        let first = timeout(BOUNDED, answer.chunk()).await.expect("at once").expect("a piece");
        assert!(first.is_some_and(|piece| piece.starts_with(b"x")), "{name}");
        drop(answer);
    }
    rig.upstream.left(left).await;
}
