//! Sources of clusters add up: names that two of them have, files that break and come back, authorities that
//! change, and clusters that do not answer among many that do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::{Router, routing::get};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};

use crate::authority::{Authority, Identity};
use crate::control_plane::ControlPlane;
use crate::faulty::Faulty;
use crate::mcp::{Mcp, ToolAnswer};
use crate::server::{Product, Server};
use crate::silent::Silent;

fn row<'a>(answer: &'a ToolAnswer, name: &str) -> &'a Value {
    let rows = answer.structure["rows"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {}", answer.text))
}

async fn clusters(client: &Mcp) -> ToolAnswer {
    client.call("kubernetes_clusters", json!({})).await
}

/// What `kubernetes_clusters` answers once it answers this.
async fn until(client: &Mcp, what: &str, holds: impl Fn(&ToolAnswer) -> bool) -> ToolAnswer {
    let began = Instant::now();
    loop {
        let answer = clusters(client).await;
        if holds(&answer) {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "in vain: {what}: {}", answer.text);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The number of the last call that was about this cluster, from the server's own audit log.
fn last_call(server: &Server, cluster: &str) -> String {
    server.wait_for(|said| {
        let line = said.lines().rfind(|line| line.contains("\"call\":") && line.contains(cluster))?;
        let line: Value = serde_json::from_str(line.get(line.find('{')?..)?).ok()?;
        line["call"].as_str().map(str::to_owned)
    })
}

fn contexts(clusters: &[(&str, &str)]) -> String {
    let part = |what: &str, of: &dyn Fn(&str, &str) -> Value| {
        let all = clusters.iter().map(|(name, url)| json!({"name": name, what: of(name, url)}));
        all.collect::<Vec<_>>()
    };
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": clusters[0].0,
        "clusters": part("cluster", &|_, url| json!({"server": url})),
        "users": part("user", &|_, _| json!({"token": "planted-token"})),
        "contexts": part("context", &|name, _| json!({"cluster": name, "user": name})),
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_two_sources_have_is_refused_and_each_is_reached_by_its_source() {
    let (one, other) = tokio::task::block_in_place(|| {
        (ControlPlane::shared(), ControlPlane::start(&[("WITHOUT_CONTROLLERS", "1")]))
    });
    let file = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": one.server, "certificate-authority": one.ca_file}}],
        "users": [{"name": "u", "user": {"token": one.tokens.viewer}}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "prod",
    });
    let entry = format!(
        "{{name: prod, url: '{}', caFile: '{}', token: {}, identity: own}}",
        other.server,
        other.ca_file.display(),
        other.tokens.viewer
    );
    let product = Product::new(["serve", "--http", "127.0.0.1:0"]);
    let kubeconfig = product.write("kube.yaml", &file.to_string());
    let config = format!(
        "clusters: {{kubeconfig: {{path: '{}', identity: own}}, static: [{entry}]}}\n",
        kubeconfig.display()
    );
    let server = product.config(&config).serve();
    let client = Mcp::new(server.url("/mcp"));

    let refused = client.call("kubernetes_clusters", json!({"cluster": "prod"})).await;
    assert!(refused.is_error && refused.text.contains("ambiguous"), "{}", refused.text);
    assert!(refused.text.contains("kubeconfig/prod, static/prod"), "{}", refused.text);

    let all = clusters(&client).await;
    for (name, source) in [("kubeconfig/prod", "kubeconfig"), ("static/prod", "static")] {
        let row = row(&all, name);
        assert_eq!((&row["source"], &row["reachable"]), (&json!(source), &json!(true)), "{row}");
        assert!(row["version"].as_str().is_some_and(|version| version.starts_with("v1.")), "{row}");
        assert!(row["latency_ms"].is_number() && row["problem"].is_null(), "{row}");
    }

    // each name means one of them, and the other hears nothing
    for (name, asked, silent) in [("kubeconfig/prod", one, &other), ("static/prod", &other, one)] {
        let marks = tokio::task::block_in_place(|| (asked.audit_mark(), silent.audit_mark()));
        let answer = client.call("kubernetes_clusters", json!({"cluster": name})).await;
        assert_eq!(answer.structure["rows"].as_array().map(Vec::len), Some(1), "{}", answer.text);
        let agent = tokio::task::block_in_place(|| format!("call/{}", last_call(&server, name)));
        let asked =
            tokio::task::block_in_place(|| asked.audit_until(marks.0, &agent, |lines| !lines.is_empty()));
        assert_eq!((asked[0].uri.as_str(), asked[0].user.as_str()), ("/version", "platform-viewer"));
        let elsewhere = tokio::task::block_in_place(|| silent.audit_since(marks.1, &agent));
        assert!(elsewhere.is_empty(), "{name}: {elsewhere:?}");
    }
    let kro = client.call("kro_overview", json!({"cluster": "kubeconfig/prod"})).await;
    let none = client.call("kro_overview", json!({"cluster": "static/prod"})).await;
    assert!(kro.text != none.text && !kro.is_error, "one has kro and the other has not: {}", none.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kubeconfig_that_breaks_keeps_its_clusters_and_one_that_is_mended_is_taken_up() {
    let upstream = Faulty::start().await;
    let good = contexts(&[("one", &upstream.url), ("two", &upstream.url)]);
    let product = Product::new(["serve", "--http", "127.0.0.1:0"]);
    let file = product.write("kube.yaml", &good);
    let config = format!(
        "clusters: {{kubeconfig: {{path: '{}'}}}}\nmetrics: {{address: '127.0.0.1:0'}}\n",
        file.display()
    );
    let server = product.config(&config).serve();
    let client = Mcp::new(server.url("/mcp"));
    let before = clusters(&client).await;
    assert_eq!(before.structure["total"], 2, "{}", before.text);
    assert!(!client.call("kro_instances", json!({"cluster": "one"})).await.is_error);
    let discovered =
        || upstream.seen().iter().filter(|path| path.starts_with("/apis?") || *path == "/apis").count();
    let asked = discovered();

    for broken in [&good[..good.len() / 2], ""] {
        std::fs::write(&file, broken).unwrap();
        let answer = until(&client, "it is broken", |answer| answer.text.contains("not read for")).await;
        assert_eq!(answer.structure["total"], 2, "{}", answer.text);
        assert!(answer.text.contains("source kubeconfig: not read for "), "{}", answer.text);
        assert!(!answer.text.contains("planted") && !answer.text.contains("kube.yaml"), "{}", answer.text);
        assert!(!client.call("kro_instances", json!({"cluster": "two"})).await.is_error, "it works on");
    }
    let metrics = reqwest::get(server.metrics_url()).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("mcp_server_cluster_source_failing{source=\"kubeconfig\"} 1"), "{metrics}");

    std::fs::write(&file, contexts(&[("one", &upstream.url), ("three", &upstream.url)])).unwrap();
    let answer = until(&client, "it is mended", |answer| answer.text.contains("three")).await;
    assert!(!answer.text.contains("two") && !answer.text.contains("not read"), "{}", answer.text);
    let asked_before = (asked, discovered());
    assert!(!client.call("kro_instances", json!({"cluster": "one"})).await.is_error);
    assert_eq!(discovered(), asked_before.1, "what stayed as it was is discovered once");
    let said = server.said();
    assert_eq!(said.matches("it cannot be read: ").count(), 1, "{said}");
    assert_eq!(said.matches("it is read again").count(), 1, "{said}");
    assert!(!said.contains("planted"), "{said}");

    // the registry of a configuration that holds no more reads no more
    server.reconfigure("clusters: {kubeconfig: {enabled: false}}\n");
    server.hang_up();
    server.wait_for(|said| said.contains("it holds from now on").then_some(()));
    std::fs::write(&file, "{").unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(server.said().matches("it cannot be read: ").count(), 1, "{}", server.said());
    assert_eq!(clusters(&client).await.structure["total"], 0);
}

/// An API server of one path whose certificate changes. It keeps no connection.
struct Tls {
    address: SocketAddr,
    config: RustlsConfig,
    handle: Handle<SocketAddr>,
}

fn serving(identity: Identity) -> Arc<rustls::ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key_der));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(identity.certificate_der)], key);
    Arc::new(config.unwrap())
}

impl Tls {
    fn start(identity: Identity) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let version = || async { ([("connection", "close")], axum::Json(json!({"gitVersion": "v1.36.0"}))) };
        let app = Router::new().route("/version", get(version));
        let (config, handle) = (RustlsConfig::from_config(serving(identity)), Handle::new());
        let server = axum_server::from_tcp_rustls(listener, config.clone()).unwrap().handle(handle.clone());
        tokio::spawn(server.serve(app.into_make_service()));
        Self { address, config, handle }
    }

    fn shows(&self, identity: Identity) {
        self.config.reload_from_config(serving(identity));
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_changes_its_authority_is_reached_again_once_the_file_has_it() {
    let (old, new) = (Authority::new(), Authority::new());
    let cluster = Tls::start(old.loopback());
    let product = Product::new(["serve", "--http", "127.0.0.1:0"]);
    let file = product.write("ca.pem", &old.pem());
    let config = format!(
        "clusters: {{static: [{{name: lab, url: 'https://{}', caFile: ca.pem, token: t}}]}}\n",
        cluster.address
    );
    let server = product.config(&config).serve();
    let client = Mcp::new(server.url("/mcp"));
    assert_eq!(row(&clusters(&client).await, "lab")["reachable"], true);

    for (identity, said) in [
        (old.identity(&["other.example"]), "not valid for name"),
        (new.loopback(), "invalid peer certificate"),
    ] {
        cluster.shows(identity);
        let answer = clusters(&client).await;
        let row = row(&answer, "lab");
        assert_eq!(row["reachable"], false, "{row}");
        let problem = row["problem"].as_str().unwrap_or_default();
        assert!(problem.contains("certificate") && problem.contains(said), "{problem}");
    }
    std::fs::write(&file, new.pem()).unwrap();
    until(&client, "the new authority", |answer| row(answer, "lab")["reachable"] == true).await;
    // nothing is trusted where the file has no certificate any more
    std::fs::write(&file, "nothing").unwrap();
    until(&client, "no authority", |answer| {
        let problem = row(answer, "lab")["problem"].as_str();
        problem.is_some_and(|problem| problem.contains("certificate"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn among_two_hundred_clusters_those_that_are_silent_hold_up_nobody() {
    let (upstream, silent) = (Faulty::start().await, Silent::start());
    let product = Product::new(["serve", "--http", "127.0.0.1:0"]);
    // those without one read all authorities of the system, each
    let authority = product.write("ca.pem", &Authority::new().pem());
    let entries: Vec<Value> = (0..200)
        .map(|number| {
            let url = if number % 20 == 7 { silent.url() } else { &upstream.url };
            json!({"name": format!("cluster-{number:03}"), "url": url, "caFile": authority})
        })
        .collect();
    let config = json!({"clusters": {"static": entries}}).to_string();
    let server = product.config(&config).serve();
    let client = Mcp::new(server.url("/mcp"));
    let began = Instant::now();
    let answer = client.call("kubernetes_clusters", json!({"limit": 20})).await;
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    assert!(answer.text.starts_with("200 clusters, 10 unreachable"), "{}", answer.text);
    let rows = answer.structure["rows"].as_array().expect("rows");
    let troubled = rows.iter().take(10).all(|row| row["reachable"] == false && row["problem"].is_string());
    assert!(troubled && rows[10]["reachable"] == true, "those with problems come first: {}", answer.text);
    assert_eq!((&answer.structure["total"], rows.len()), (&json!(200), 20));
}

#[test]
fn what_a_kubeconfig_has_twice_is_left_out_and_said() {
    let mut twice: Value =
        serde_json::from_str(&contexts(&[("a", "https://a"), ("b", "https://b"), ("c", "https://c")]))
            .unwrap();
    let double = |list: &mut Value, name: &str| {
        let items = list.as_array_mut().unwrap();
        let one = items.iter().find(|item| item["name"] == name).unwrap().clone();
        items.push(one);
    };
    double(&mut twice["contexts"], "a");
    double(&mut twice["users"], "b");
    let other = contexts(&[("d", "https://d"), ("c", "https://other")]);
    let product = Product::new(["call", "kubernetes_clusters"]);
    let files = [product.write("one.yaml", &twice.to_string()), product.write("other.yaml", &other)];
    let joined = std::env::join_paths(&files).unwrap();
    let ran = product.env("KUBECONFIG", joined).output();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(out.starts_with("1 cluster, ") && out.contains("\nd\t"), "{out}{err}");
    for said in [
        "kubeconfig: context \"a\" is there more than once",
        "context \"b\" names user \"b\", which users has more than once",
        "several files have the context \"c\"",
    ] {
        assert!(err.contains(said), "{said}: {err}");
    }
}
