//! The server's own credential from its own kubeconfig: client certificates and credential plugins, with the real
//! API server, as itself and to act for callers.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

use crate::{
    audit::AuditLine,
    control_plane::ControlPlane,
    exchange::{client, issuer},
    forge::AUDIENCE,
    impersonation::{lamps, ours},
    oidc::Provider,
    server::{Product, Server},
};

/// A client's certificate and its key, PEM, of the CA that the API server trusts for clients.
fn certificate(user: &str) -> (String, String) {
    let read = |name: &str| std::fs::read_to_string(ControlPlane::shared().dir().join(name)).unwrap();
    let mut authority = CertificateParams::default();
    authority.distinguished_name = rcgen::DistinguishedName::new();
    authority.distinguished_name.push(DnType::CommonName, "ca");
    authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = Issuer::new(authority, KeyPair::from_pem(&read("ca.key")).unwrap());
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, user);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// A kubeconfig whose user is this.
fn kubeconfig(folder: &Path, user: &Value) -> PathBuf {
    let plane = ControlPlane::shared();
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "plane",
        "clusters": [{"name": "plane", "cluster":
            {"server": plane.server, "certificate-authority": plane.ca_file}}],
        "users": [{"name": "us", "user": user}],
        "contexts": [{"name": "plane", "context": {"cluster": "plane", "user": "us"}}],
    });
    let file = folder.join("kubeconfig");
    std::fs::write(&file, config.to_string()).unwrap();
    file
}

/// A user whose credential a script prints; `$FOLDER` is a folder of its own.
fn plugin(folder: &Path, script: &str) -> Value {
    let env =
        [json!({"name": "FOLDER", "value": folder}), json!({"name": "PLATFORM_MCP_TOKEN", "value": "x"})];
    json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh", "args": ["-c", script],
        "env": env, "interactiveMode": "IfAvailable"}})
}

fn printing(status: &Value) -> String {
    let credential =
        json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status});
    // single quotes are in neither tokens nor PEM
    format!("printf x >>$FOLDER/runs; env >$FOLDER/env; printf '%s' '{credential}'")
}

fn serve(file: &Path, identity: &str) -> Server {
    let config = format!(
        "clusters: {{kubeconfig: {{identity: {identity}}}}}\naudit: {{to: audit.log}}\nissuers: [{}]\n",
        issuer(None)
    );
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).kubeconfig(file).serve()
}

/// Who the API server saw in calls of this server about one lamp.
fn seen(server: &Server, mark: u64) -> Vec<AuditLine> {
    let calls: Vec<String> = ours(server, 1)
        .iter()
        .map(|line| format!("{}.", line["call"].as_str().unwrap_or_default()))
        .collect();
    let mine = |line: &&AuditLine| {
        line.uri.contains("lamps/desk") && calls.iter().any(|call| line.id.starts_with(call.as_str()))
    };
    let lines = ControlPlane::shared()
        .audit_until(mark, "platform-mcp/", |lines| lines.iter().filter(mine).count() > 0);
    lines.iter().filter(mine).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_and_plugins_are_credentials_to_read_with_and_to_act_for_callers() {
    lamps();
    let plane = ControlPlane::shared();
    let lamp = json!({"kind": "Lamp", "namespace": "team-a", "name": "desk"});
    let (read, act) = (certificate("platform-viewer"), certificate("platform-mcp"));
    let file = |folder: &Path, name: &str, content: &str| {
        let file = folder.join(name);
        std::fs::write(&file, content).unwrap();
        file
    };
    let users = |folder: &Path, (certificate, key): &(String, String), token: &str| {
        let data = |text: &str| STANDARD.encode(text);
        [
            json!({"client-certificate-data": data(certificate), "client-key-data": data(key)}),
            json!({"client-certificate": file(folder, "tls.crt", certificate),
                "client-key": file(folder, "tls.key", key)}),
            plugin(folder, &printing(&json!({ "token": token }))),
            plugin(folder, &printing(&json!({"clientCertificateData": certificate, "clientKeyData": key}))),
        ]
    };
    for (identity, certificate, token, user, impersonated) in [
        ("own", &read, &plane.tokens.viewer, "platform-viewer", None),
        ("impersonate", &act, &plane.tokens.server, "platform-mcp", Some("oidc:alice")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for (index, user_of_file) in users(folder.path(), certificate, token).iter().enumerate() {
            let server = serve(&kubeconfig(folder.path(), user_of_file), identity);
            let mark = plane.audit_mark();
            let answer = client(&server, "alice").await.call("kro_graph", lamp.clone()).await;
            assert!(!answer.is_error, "{identity} {index}: {}", answer.text);
            for line in seen(&server, mark) {
                assert_eq!(line.user, user, "{identity} {index}: {line:#?}");
                assert_eq!(line.impersonated_user.as_deref(), impersonated, "{identity} {index}: {line:#?}");
            }
            let said = server.said() + &server.read("audit.log");
            assert!(!said.contains("PRIVATE KEY") && !said.contains(token.as_str()), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_run_once_for_all_until_its_credential_ends_and_does_not_see_the_callers_token() {
    let plane = ControlPlane::shared();
    let folder = tempfile::tempdir().unwrap();
    let runs = || std::fs::read_to_string(folder.path().join("runs")).unwrap_or_default().len();
    // good for two seconds, by its own clock
    let script = format!(
        "{}; ends=$(date -u -d '+12 seconds' +%Y-%m-%dT%H:%M:%SZ); \
         printf '{{\"status\": {{\"token\": \"{}\", \"expirationTimestamp\": \"%s\"}}}}' $ends",
        "printf x >>$FOLDER/runs; env >$FOLDER/env", plane.tokens.viewer
    );
    let server = serve(&kubeconfig(folder.path(), &plugin(folder.path(), &script)), "own");
    let ask = async || {
        let answer = client(&server, "alice").await.call("kubernetes_clusters", json!({})).await;
        assert_eq!(answer.structure["rows"][0]["reachable"], true, "{}", answer.text);
    };
    futures::future::join_all((0..10).map(|_| ask())).await;
    assert_eq!(runs(), 1);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    ask().await;
    assert_eq!(runs(), 2);

    let token = Provider::shared().token_for("alice", crate::exchange::OURS).await;
    let issuers = format!("issuers: [{}]\n", issuer(None));
    let product = Product::new(["call", "kubernetes_clusters"]).config(&issuers);
    let output =
        product.kubeconfig(folder.path().join("kubeconfig")).env("PLATFORM_MCP_TOKEN", &token).output();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let env = std::fs::read_to_string(folder.path().join("env")).unwrap();
    assert!(runs() >= 3 && env.contains("KUBERNETES_EXEC_INFO=") && env.contains("FOLDER="), "{env}");
    assert!(!env.contains("PLATFORM_MCP_TOKEN") && !env.contains(&token), "{env}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_fails_or_hangs_is_said_in_time_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let user = |script: &str| plugin(folder.path(), script);
    let hang = "echo $$ >$FOLDER/new; mv $FOLDER/new $FOLDER/pid; exec sleep 600";
    for (script, said) in [
        ("echo planted >&2; echo planted; exit 7", "the credential plugin \"sh\" failed (exit status: 7)"),
        ("echo planted", "printed no ExecCredential"),
        (hang, "the credential plugin \"sh\" did not end within 10 s"),
    ] {
        let server = serve(&kubeconfig(folder.path(), &user(script)), "own");
        let began = Instant::now();
        // whoami needs no cluster, and is not held up
        let mcp = client(&server, "alice").await;
        let call = mcp.call("kro_instances", json!({"cluster": "plane"}));
        let other = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let since = Instant::now();
            let answer = mcp.call("whoami", json!({})).await;
            assert!(!answer.is_error && since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
        };
        let (answer, ()) = tokio::join!(call, other);
        assert!(answer.is_error && answer.text.contains(said), "{said}: {}", answer.text);
        assert!(
            !answer.text.contains("planted") && began.elapsed() < Duration::from_secs(20),
            "{}",
            answer.text
        );
    }
    let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).exists(), "it was ended");
    // and where whoever asks has less time, it is told before that is over
    let began = Instant::now();
    let output = Product::new(["check"]).kubeconfig(kubeconfig(folder.path(), &user(hang))).output();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("the credential plugin did not answer in time"), "{said}");
    assert!(said.contains("exec command") && began.elapsed() < Duration::from_secs(8), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_of_ours_that_does_not_work_is_nothing_to_callers_who_bring_theirs() {
    lamps();
    let folder = tempfile::tempdir().unwrap();
    let user = plugin(folder.path(), "printf x >>$FOLDER/runs; exit 1");
    let server = serve(&kubeconfig(folder.path(), &user), "caller-header");
    let token = Provider::shared().token_for("alice", AUDIENCE).await;
    let mcp = client(&server, "alice").await.header("backstage-kubernetes-authorization", &token);
    let mark = ControlPlane::shared().audit_mark();
    let lamp = json!({"kind": "Lamp", "namespace": "team-a", "name": "desk"});
    let answer = mcp.call("kro_graph", lamp).await;
    assert!(!answer.is_error, "{}", answer.text);
    assert!(seen(&server, mark).iter().all(|line| line.user == "oidc:alice"));
    assert!(!folder.path().join("runs").exists(), "no program is run for them");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_servers_own_kubeconfig_names_a_program() {
    let plane = ControlPlane::shared();
    let entry = json!({"name": "a", "url": plane.server, "exec": {"command": "true"}});
    let config = json!({"clusters": {"kubeconfig": {"enabled": false}, "static": [entry]}});
    let output = Product::new(["check"]).config(&config.to_string()).output();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && said.contains("exec"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let gcp =
        json!({"auth-provider": {"name": "gcp", "config": {"cmd-path": "/bin/sh", "cmd-args": "-c id"}}});
    let output = Product::new(["check"]).kubeconfig(kubeconfig(folder.path(), &gcp)).output();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && said.contains("auth-provider starts a program"), "{said}");
}
