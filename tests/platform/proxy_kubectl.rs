//! The real `kubectl` pointed at the endpoint for programs: what it does is done as its user, whom the API server
//! knows by name.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    audit::AuditLine,
    authority::Authority,
    control_plane::ControlPlane,
    kubectl::{Kubectl, Namespace},
    kubelet::Kubelet,
    oidc::Provider,
    server::{Product, Server},
    shell::Shell,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// The server over one cluster, over TLS.
struct Rig {
    server: Server,
    authority: Authority,
    folder: TempDir,
}

impl Rig {
    fn start(cluster: &str, rules: &str) -> Self {
        let (plane, provider) = (ControlPlane::shared(), Provider::shared());
        let clusters = json!({
            "kubeconfig": {"enabled": false},
            "static": [{"name": "plane", "url": cluster, "caFile": plane.ca_file, "token": plane.tokens.server}],
        });
        let authority = Authority::new();
        let identity = authority.loopback();
        let product = Product::new(["serve", "--http", "127.0.0.1:0"]);
        product.write("tls.crt", &identity.certificate);
        product.write("tls.key", &identity.key);
        let config = format!(
            "clusters: {clusters}\naudit: {{to: audit.log}}\nissuers: [{}]\n\
             http: {{proxy: {{base: kubernetes}}, tls: {{certFile: tls.crt, keyFile: tls.key}}}}\n\
             roles:\n  all: {{allow: ['*']}}\n  plain: {{allow: ['*'], deny: [kubernetes.secrets.read]}}\n\
             limits: {{requestsPerSecond: 1000, burst: 1000}}\n",
            provider.entry(rules)
        );
        let folder = tempfile::tempdir().expect("a folder");
        Self { server: product.config(&config).serve(), authority, folder }
    }

    /// `kubectl` of a person.
    async fn kubectl(&self, person: &str) -> Kubectl {
        let token = Provider::shared().token(person).await;
        let ca = self.folder.path().join("ca.crt");
        std::fs::write(&ca, self.authority.pem()).expect("a file");
        let server = format!("https://{}/api/kubernetes/proxy", self.server.address());
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": server, "certificate-authority": ca}}],
            "users": [{"name": person, "user": {"token": token}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": person}}],
        });
        let folder = self.folder.path().join(person);
        std::fs::create_dir_all(&folder).expect("a folder");
        let kubeconfig = folder.join("config");
        std::fs::write(&kubeconfig, config.to_string()).expect("a file");
        Kubectl { program: ControlPlane::shared().bin.join("kubectl"), kubeconfig }
    }
}

/// A namespace in which alice may do all that these tests do.
fn of_alice(prefix: &str) -> Namespace {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace(prefix);
    let rbac = "rbac.authorization.k8s.io";
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": {"name": "all", "namespace": *namespace.name},
         "rules": [{"apiGroups": [""], "resources": ["*"], "verbs": ["*"]}]},
        {"apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": {"name": "all", "namespace": *namespace.name},
         "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "all"},
         "subjects": [{"apiGroup": rbac, "kind": "User", "name": "oidc:alice"}]},
    ]});
    plane.apply(&list.to_string());
    namespace
}

/// A command that goes on, until it is dropped.
struct Going {
    process: Child,
    lines: Receiver<String>,
}

impl Going {
    fn start(kubectl: &Kubectl, args: &[&str]) -> Self {
        let mut process = Command::new(&kubectl.program)
            .args(args)
            .env("KUBECONFIG", &kubectl.kubeconfig)
            .env("KUBECACHEDIR", kubectl.kubeconfig.with_file_name("cache"))
            .env("KUBERC", "off")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("kubectl starts");
        let stdout = BufReader::new(process.stdout.take().expect("a stdout"));
        let (send, lines) = channel();
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { process, lines }
    }

    #[track_caller]
    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line")
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the API server kept of requests about a namespace, once it has kept enough.
fn audited(mark: u64, namespace: &str, enough: impl Fn(&[&AuditLine]) -> bool) -> Vec<AuditLine> {
    let below = format!("/namespaces/{namespace}/");
    let about = |lines: &[AuditLine]| -> Vec<AuditLine> {
        lines.iter().filter(|line| line.uri.contains(&below)).cloned().collect()
    };
    let lines = ControlPlane::shared()
        .audit_until(mark, "platform-mcp/", |lines| enough(&about(lines).iter().collect::<Vec<_>>()));
    about(&lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_applies_gets_and_watches_as_its_user() {
    let plane = ControlPlane::shared();
    let namespace = of_alice("proxy-kubectl");
    let rig = Rig::start(&plane.server, "[{roles: [all]}]");
    let kubectl = rig.kubectl("alice").await;
    let mark = plane.audit_mark();
    let map = |colour: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "lamp"}, "data": {"colour": colour}}).to_string()
    };
    let apply = |colour: &str| kubectl.checked(&["apply", "-n", &namespace, "-f", "-"], &map(colour));
    assert_eq!(apply("red").trim(), "configmap/lamp created");
    let watch = Going::start(
        &kubectl,
        &[
            "get",
            "configmap",
            "-n",
            &namespace,
            "-w",
            "-o",
            "jsonpath={.metadata.name} {.data.colour}{'\\n'}",
        ],
    );
    let mut seen = Vec::new();
    while !seen.iter().any(|line: &String| line == "lamp red") {
        seen.push(watch.line());
    }
    assert_eq!(apply("blue").trim(), "configmap/lamp configured");
    while watch.line() != "lamp blue" {}
    drop(watch);
    let table = kubectl.checked(&["get", "configmap", "lamp", "-n", &namespace], "");
    assert!(table.lines().nth(1).is_some_and(|line| line.starts_with("lamp ")), "{table}");
    let refused = kubectl.run(&["get", "pods", "-n", "team-b"], "").expect_err("RBAC does not let alice");
    assert!(refused.contains("oidc:alice") && refused.contains("cannot list resource"), "{refused}");

    let lines = audited(mark, &namespace, |lines| lines.iter().any(|line| line.uri.contains("watch=true")));
    let line = |verb: &str| {
        lines.iter().find(|line| line.verb == verb).unwrap_or_else(|| panic!("{verb}: {lines:#?}"))
    };
    for verb in ["create", "patch", "watch", "get"] {
        assert_eq!(line(verb).impersonated_user.as_deref(), Some("oidc:alice"), "{verb}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_follows_a_log_line_by_line_until_it_leaves() {
    let plane = ControlPlane::shared();
    let namespace = of_alice("proxy-logs");
    let kubelet = Kubelet::start(plane, &format!("node-{namespace}")).await;
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "talker", "namespace": *namespace.name},
        "spec": {"nodeName": kubelet.node, "containers": [{"name": "main", "image": "none"}], "terminationGracePeriodSeconds": 0},
    });
    plane.apply(&pod.to_string());
    let rig = Rig::start(&plane.server, "[{roles: [all]}]");
    let kubectl = rig.kubectl("alice").await;
    let mark = plane.audit_mark();
    let logs = Going::start(&kubectl, &["logs", "-f", "talker", "-n", &namespace]);
    assert_eq!(logs.line(), "line 1");
    let began = Instant::now();
    kubelet.say();
    assert_eq!(logs.line(), "line 2");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    drop(logs);
    kubelet.left().await;
    let asked = kubelet.asked();
    assert!(asked[0].contains(&format!("/containerLogs/{namespace}/talker/main?follow=true")), "{asked:?}");
    let lines = audited(mark, &namespace, |lines| lines.iter().any(|line| line.uri.contains("/log?")));
    let line = lines.iter().find(|line| line.uri.contains("/log?")).unwrap();
    assert_eq!(line.impersonated_user.as_deref(), Some("oidc:alice"), "{line:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_executes_over_a_channel_and_not_without_the_permission() {
    let plane = ControlPlane::shared();
    let namespace = of_alice("proxy-exec");
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shell", "namespace": *namespace.name},
        "spec": {"containers": [{"name": "main", "image": "none"}]},
    });
    plane.apply(&pod.to_string());
    let shell = Shell::start(plane).await;
    let rig = Rig::start(
        &shell.url,
        "[{when: {groups: team-a}, roles: [all]}, {when: {groups: team-b}, allow: [kubernetes.proxy]}]",
    );
    let exec = ["exec", "-i", "shell", "-n", &namespace, "--", "sh", "-c", "cat && true"];
    let said = rig.kubectl("alice").await.checked(&exec, "first line\nsecond line\n");
    assert_eq!(said, "hello\nFIRST LINE\nSECOND LINE\n");
    let executed = shell.executed();
    let [(uri, headers)] = executed.as_slice() else { panic!("one of them: {executed:?}") };
    assert!(uri.contains("command=sh&command=-c&command=cat+%26%26+true"), "{uri}");
    assert_eq!(headers["impersonate-user"], "oidc:alice");
    assert_eq!(headers["sec-websocket-protocol"], "v5.channel.k8s.io");
    let refused = rig.kubectl("bob").await.run(&exec, "").expect_err("bob may not");
    assert!(!refused.contains("hello"), "{refused}");
    assert_eq!(shell.executed().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_shows_a_secret_without_its_values_to_who_may_not_read_them() {
    let plane = ControlPlane::shared();
    let namespace = of_alice("proxy-secret");
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "door", "namespace": *namespace.name},
        "stringData": {"code": "planted-value-4711"},
    });
    plane.apply(&secret.to_string());
    let value = STANDARD.encode("planted-value-4711");
    let rules = "[{when: {groups: team-a}, roles: [plain]}]";
    let rig = Rig::start(&plane.server, rules);
    let kubectl = rig.kubectl("alice").await;
    for output in ["yaml", "json", "jsonpath={.data}"] {
        let shown = kubectl.checked(&["get", "secret", "door", "-n", &namespace, "-o", output], "");
        assert!(!shown.contains(&value) && !shown.contains("planted"), "{output}: {shown}");
        assert!(shown.contains(&STANDARD.encode("<redacted:18 bytes>")), "{output}: {shown}");
    }
    let listed = kubectl.checked(&["get", "secrets", "-n", &namespace], "");
    assert!(listed.contains("door"), "{listed}");
    let rig = Rig::start(&plane.server, "[{roles: [all]}]");
    let kubectl = rig.kubectl("alice").await;
    let shown = kubectl.checked(&["get", "secret", "door", "-n", &namespace, "-o", "yaml"], "");
    assert!(shown.contains(&value), "{shown}");
}
