//! The cluster sees the caller and not the server: what the API server's audit log says of requests that
//! were made for two people, and what its RBAC makes of them.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::{
    audit::AuditLine,
    control_plane::ControlPlane,
    mcp::{Mcp, ToolAnswer},
    oidc::Provider,
    server::{Product, Server},
};

const EVERYTHING: &str = "[{roles: [viewer]}]";

/// The server, with this credential of its own for the cluster at this address.
fn serve(cluster: &str, credential: &str) -> Server {
    let (plane, provider) = (ControlPlane::shared(), Provider::shared());
    let clusters = json!({
        "kubeconfig": {"enabled": false},
        "static": [{"name": "plane", "url": cluster, "caFile": plane.ca_file, "token": credential}],
    });
    let issuer = provider.entry(EVERYTHING);
    let config = format!("clusters: {clusters}\naudit: {{to: audit.log}}\nissuers: [{issuer}]\n");
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

async fn client(server: &Server, person: &str) -> Mcp {
    Mcp::with_token(server.url("/mcp"), &Provider::shared().token(person).await)
}

/// An instance in the namespace of each team.
pub(crate) fn lamps() {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        let plane = ControlPlane::shared();
        plane.apply(
            "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata: {name: lamp}\nspec:\n  schema: \
             {apiVersion: v1alpha1, kind: Lamp, group: test.kro.run, spec: {colour: 'string | default=red'}}\n  \
             resources:\n  - id: bulb\n    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: '${schema.metadata.name}-bulb'}, \
             data: {colour: '${schema.spec.colour}'}}\n",
        );
        plane.kubectl(&["wait", "rgd/lamp", "--for=condition=Ready", "--timeout=90s"]);
        for team in ["team-a", "team-b"] {
            plane.apply(&format!(
                "apiVersion: test.kro.run/v1alpha1\nkind: Lamp\nmetadata: {{name: desk, namespace: {team}}}\nspec: {{}}\n"
            ));
        }
    });
}

fn discovery(line: &AuditLine) -> bool {
    let path = line.uri.split('?').next().unwrap_or_default();
    matches!(path, "/api" | "/apis")
}

/// Our own audit lines, once there are as many.
pub(crate) fn ours(server: &Server, wanted: usize) -> Vec<Value> {
    let began = std::time::Instant::now();
    loop {
        let text = server.read("audit.log");
        let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if lines.len() >= wanted {
            return lines;
        }
        assert!(began.elapsed().as_secs() < 10, "{text}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_sees_each_caller_and_the_server_for_discovery_alone() {
    lamps();
    let plane = ControlPlane::shared();
    let server = serve(&plane.server, &plane.tokens.server);
    let mark = plane.audit_mark();
    let mut calls = 0;
    for (person, team) in [("alice", "team-a"), ("bob", "team-b")] {
        let mcp = client(&server, person).await;
        for (tool, arguments) in [
            ("kubernetes_clusters", json!({})),
            ("kro_instances", json!({"namespace": team})),
            ("kro_graph", json!({"kind": "Lamp", "namespace": team, "name": "desk"})),
            ("kro_yaml", json!({"kind": "ResourceGraphDefinition", "name": "lamp"})),
        ] {
            let answer = mcp.call(tool, arguments).await;
            assert!(!answer.is_error, "{person} {tool}: {}", answer.text);
            calls += 1;
        }
        let clusters = mcp.call("kubernetes_clusters", json!({})).await;
        assert_eq!(clusters.structure["rows"][0]["identity"], "impersonate");
        calls += 1;
    }
    let audited = ours(&server, calls);
    let upstream: u64 = audited.iter().filter_map(|line| line["upstream_requests"].as_u64()).sum();
    let agents: Vec<String> =
        audited.iter().map(|line| format!("call/{}", line["call"].as_str().unwrap_or_default())).collect();
    let mine = |line: &&AuditLine| agents.iter().any(|agent| line.user_agent.ends_with(agent.as_str()));
    let lines = plane
        .audit_until(mark, "platform-mcp/", |lines| lines.iter().filter(mine).count() as u64 >= upstream);
    let lines: Vec<&AuditLine> = lines.iter().filter(mine).collect();
    assert_eq!(lines.len() as u64, upstream, "every request is in both logs");
    let (shared, theirs): (Vec<&AuditLine>, Vec<_>) = lines.iter().copied().partition(|line| discovery(line));
    assert!(!shared.is_empty() && theirs.len() > 10, "{lines:#?}");
    assert!(lines.iter().all(|line| line.user == "platform-mcp"), "{lines:#?}");
    assert!(shared.iter().all(|line| line.impersonated_user.is_none()), "{shared:#?}");
    for (person, team) in [("alice", "team-a"), ("bob", "team-b")] {
        let calls: Vec<&str> = audited
            .iter()
            .filter(|line| line["caller"]["username"] == person)
            .filter_map(|line| line["call"].as_str())
            .collect();
        let of_person: Vec<_> = theirs
            .iter()
            .filter(|line| calls.iter().any(|call| line.id.starts_with(&format!("{call}."))))
            .collect();
        assert!(of_person.len() > 4, "{person}: {theirs:#?}");
        for line in of_person {
            assert_eq!(line.impersonated_user, Some(format!("oidc:{person}")), "{line:#?}");
            let groups = [format!("oidc:{team}"), "system:authenticated".to_owned()];
            assert_eq!(line.impersonated_groups, groups, "{line:#?}");
        }
    }
    let names: BTreeSet<&str> = lines.iter().map(|line| line.id.as_str()).collect();
    assert_eq!(names.len(), lines.len(), "each request has a name of its own");
    for line in &audited {
        assert_eq!(line["token"]["hash"].as_str().map(str::len), Some(16), "{line}");
        assert!(line["token"]["jti"].is_string() && line["caller"]["issuer"].is_string(), "{line}");
        assert!(line["rule"].as_str().is_some_and(|rule| !rule.is_empty()), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_we_allow_and_rbac_forbids_gets_the_api_servers_own_reason() {
    lamps();
    let plane = ControlPlane::shared();
    let server = serve(&plane.server, &plane.tokens.server);
    let alice = client(&server, "alice").await;
    let lamp = |namespace: &str| json!({"kind": "Lamp", "namespace": namespace, "name": "desk"});
    let theirs = alice.call("kro_graph", lamp("team-b")).await;
    assert!(theirs.is_error, "{}", theirs.text);
    for said in ["User \"oidc:alice\" cannot get resource \"lamps\"", "namespace \"team-b\"", "RBAC"] {
        assert!(theirs.text.contains(said), "{said}: {}", theirs.text);
    }
    let line = ours(&server, 1).remove(0);
    assert_eq!((&line["decision"], &line["refused_by"]), (&json!("allow"), &json!("cluster")), "{line}");
    let nobody = client(&server, "dave").await.call("kro_graph", lamp("team-a")).await;
    assert!(nobody.is_error && nobody.text.contains("User \"oidc:dave\""), "{}", nobody.text);
    let everywhere = alice.call("kro_instances", json!({})).await;
    assert!(!everywhere.structure.to_string().contains("team-b"), "{}", everywhere.structure);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_becomes_a_master() {
    let plane = ControlPlane::shared();
    // a credential that may impersonate anybody: only we stand between
    let server = serve(&plane.server, &plane.tokens.admin);
    let mark = plane.audit_mark();
    let mallory = client(&server, "mallory").await;
    let reply = mallory.request("tools/list", json!({})).await;
    assert_eq!(reply.status, 401, "{}", reply.text);
    assert!(!reply.text.contains("system:"), "{}", reply.text);
    let line = ours(&server, 1).remove(0);
    assert_eq!((&line["outcome"], &line["decision"]), (&json!("unauthenticated"), &json!("deny")), "{line}");
    assert!(line["detail"].as_str().is_some_and(|detail| detail.contains("system:masters")), "{line}");
    assert!(
        plane
            .audit_since(mark, "platform-mcp/")
            .iter()
            .all(|line| line.impersonated_user != Some("oidc:mallory".to_owned()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_beyond_ascii_arrive_as_they_are() {
    let (plane, forge) = (ControlPlane::shared(), Provider::shared().forge());
    let server = serve(&plane.server, &plane.tokens.admin);
    let mut claims = forge.claims("alice");
    claims["sub"] = json!("jürgen");
    claims["groups"] = json!(["Köche", "a b", "料理人"]);
    let mark = plane.audit_mark();
    let juergen = Mcp::with_token(server.url("/mcp"), &forge.claiming(&claims));
    let answer = juergen.call("kubernetes_clusters", json!({})).await;
    assert_eq!(answer.structure["rows"][0]["reachable"], true, "{}", answer.text);
    let whose = |line: &AuditLine| line.impersonated_user.as_deref() == Some("oidc:jürgen");
    let lines = plane.audit_until(mark, "platform-mcp/", |lines| lines.iter().any(whose));
    let line = lines.into_iter().find(whose).unwrap();
    assert_eq!(line.impersonated_groups, ["oidc:Köche", "oidc:a b", "oidc:料理人", "system:authenticated"]);
}

/// Does what an example says, and takes it back.
struct Applied(&'static str);

impl Applied {
    fn file(name: &'static str) -> Self {
        let applied = Self(name);
        ControlPlane::shared().apply_file(applied.path());
        applied
    }

    fn path(&self) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rbac").join(self.0)
    }
}

impl Drop for Applied {
    fn drop(&mut self) {
        let path = self.path();
        let _ = ControlPlane::shared().try_kubectl(&["delete", "-f", &path.to_string_lossy(), "--wait=true"]);
    }
}

/// What a server with the rights of an example does for people who are in it, and for one who is not.
async fn as_the_example_says(file: &'static str) {
    lamps();
    let plane = ControlPlane::shared();
    let _applied = Applied::file(file);
    let token = plane.kubectl(&["create", "token", "platform-mcp", "-n", "platform-mcp"]);
    let server = serve(&plane.server, token.trim());
    let lamp = json!({"kind": "Lamp", "namespace": "team-a", "name": "desk"});
    let ask = async |person: &str| -> ToolAnswer {
        client(&server, person).await.call("kro_graph", lamp.clone()).await
    };
    let alice = ask("alice").await;
    assert!(!alice.is_error, "{file}: {}", alice.text);
    let bob = ask("bob").await;
    assert!(bob.is_error && bob.text.contains("User \"oidc:bob\" cannot get"), "{file}: {}", bob.text);
    let frank = ask("frank").await;
    assert!(frank.is_error, "{file}: {}", frank.text);
    for said in
        ["does not let this server act for you", "cannot impersonate", "examples/rbac/impersonate.yaml"]
    {
        assert!(frank.text.contains(said), "{file}: {said}: {}", frank.text);
    }
    let mark = plane.audit_mark();
    let version = client(&server, "alice").await.call("kubernetes_clusters", json!({})).await;
    assert_eq!(version.structure["rows"][0]["reachable"], true, "{}", version.text);
    assert!(version.structure["rows"][0]["version"].is_string(), "{}", version.text);
    let lines = plane.audit_until(mark, "platform-mcp/", |lines| {
        lines.iter().any(|line| {
            line.user == "system:serviceaccount:platform-mcp:platform-mcp" && line.uri == "/version"
        })
    });
    assert!(lines.iter().any(|line| line.impersonated_user.as_deref() == Some("oidc:alice")), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_rbac_are_enough_and_no_more() {
    as_the_example_says("impersonate.yaml").await;
    as_the_example_says("impersonate-constrained.yaml").await;
}

/// Passes connections on, and counts them.
async fn relay(to: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let to = to.clone();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(to).await.unwrap();
                let _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (address, count)
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_share_one_pool() {
    let plane = ControlPlane::shared();
    let (address, connections) = relay(plane.server.trim_start_matches("https://").to_owned()).await;
    let server = serve(&address, &plane.tokens.server);
    let mark = plane.audit_mark();
    for round in 0..4 {
        for person in ["alice", "bob", "carol", "caller-1", "caller-2"] {
            let answer = client(&server, person).await.call("kubernetes_clusters", json!({})).await;
            assert_eq!(answer.structure["rows"][0]["reachable"], true, "{round}: {}", answer.text);
        }
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1, "20 calls of 5 callers, one after the other");
    let lines = plane.audit_until(mark, "platform-mcp/", |lines| lines.len() >= 20);
    let people: BTreeSet<_> = lines.iter().filter_map(|line| line.impersonated_user.clone()).collect();
    assert!(people.len() >= 5, "{people:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_user_is_shown_to_no_cluster_that_wants_to_see_callers() {
    let plane = ControlPlane::shared();
    let mark = plane.audit_mark();
    let config = json!({
        "clusters": {
            "kubeconfig": {"enabled": false},
            "static": [{"name": "plane", "url": plane.server, "caFile": plane.ca_file,
                "token": plane.tokens.admin, "identity": "impersonate"}],
        },
    });
    let output = Product::new(["call", "kro_graph", "kind=Lamp", "namespace=team-a", "name=desk"])
        .config(&config.to_string())
        .output();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    for words in ["identity: impersonate", "the local user has no identity", "identity: own"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let call =
        plane.audit_since(mark, "platform-mcp/").into_iter().filter(|line| line.user == "platform-admin");
    assert_eq!(call.filter(|line| line.uri.contains("lamps")).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_each_identity_means_and_what_is_missing() {
    let (plane, provider) = (ControlPlane::shared(), Provider::shared());
    let check = |identity: Value, credential: &str| {
        let config = json!({
            "kubeconfig": {"enabled": false},
            "static": [{"name": "plane", "url": plane.server, "caFile": plane.ca_file, "token": credential,
                "identity": identity}],
        });
        let config = format!("clusters: {config}\nissuers: [{}]\n", provider.entry(EVERYTHING));
        let output = Product::new(["check"]).config(&config).output();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let may = check(json!("impersonate"), &plane.tokens.server);
    assert!(may.contains("callers with a token reach a cluster as themselves"), "{may}");
    assert!(may.contains("verb impersonate on groups, users"), "{may}");
    assert!(may.contains("the server may impersonate callers"), "{may}");
    let may_not = check(json!("impersonate"), &plane.tokens.limited);
    assert!(may_not.contains("the server may not impersonate groups, users"), "{may_not}");
    assert!(may_not.contains("examples/rbac/impersonate.yaml"), "{may_not}");
    let bare = json!({
        "kubeconfig": {"enabled": false},
        "static": [{"name": "plane", "url": plane.server, "caFile": plane.ca_file}],
    });
    let config = format!("clusters: {bare}\nissuers: [{}]\n", provider.entry(EVERYTHING));
    let output = Product::new(["check"]).config(&config).output();
    let none = String::from_utf8_lossy(&output.stdout);
    assert!(none.contains("`token` or `tokenFile`") && none.contains("`identity: own`"), "{none}");
    assert!(!none.contains("exec command"), "{none}");
    let own = check(json!("own"), &plane.tokens.server);
    assert!(own.contains("identity own") && own.contains("our permissions are the only gate"), "{own}");
    assert!(!own.contains("identity impersonate"), "{own}");
}
