//! As whom clusters see users of a real Backstage: by the names that are configured for each cluster, in the API
//! server's own audit log and by its RBAC; and what is refused where there is no such name.

use serde_json::{Value, json};

use crate::{
    audit::AuditLine,
    backstage::{Backstage, MACHINE_TOKEN, Options},
    control_plane::ControlPlane,
    impersonation::{lamps, ours},
    mcp::{Mcp, ToolAnswer},
    server::{Product, Server},
};

const ALICE: &str = "user:default/alice";
const TEAM_A: &str = "group:default/team-a";

/// A server for this Backstage, with these names of users, over the control plane under four names.
fn serve(backstage: &Backstage, impersonate: &Value) -> Server {
    let plane = ControlPlane::shared();
    let cluster = |name: &str, token: &str, identity: Option<&str>| json!({"name": name, "url": plane.server, "caFile": plane.ca_file, "token": token, "identity": identity});
    let config = json!({
        "backstage": {"url": backstage.url(), "impersonate": impersonate, "services": [{"roles": ["viewer"]}]},
        "clusters": {
            "kubeconfig": {"enabled": false},
            "static": [
                cluster("plane", &plane.tokens.server, None),
                // may impersonate anybody, so only our names decide
                cluster("mail-eu", &plane.tokens.admin, None),
                cluster("told-eu", &plane.tokens.admin, None),
                cluster("own", &plane.tokens.viewer, Some("own")),
            ],
        },
        "audit": {"to": "audit.log"},
        "limits": {"requestsPerSecond": 100_000, "burst": 100_000},
    });
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config.to_string()).serve();
    backstage.front().to(server.address());
    server
}

/// A Backstage whose policy allows both teams everything.
fn backstage() -> Backstage {
    lamps();
    let everything = Options::default().group(TEAM_A, ["*"]).group("group:default/team-b", ["*"]);
    Backstage::start(everything)
}

fn names() -> Value {
    json!({
        "username": "oidc:{name}",
        "groups": "oidc:{name}",
        "clusters": [
            {"clusters": ["mail-*"], "username": "{name}@example.com", "groups": "{name}"},
            {"clusters": ["static/told-*"], "username": "b:{namespace}/{name}", "groups": "b:{namespace}/{name}"},
        ],
    })
}

async fn graph(client: &Mcp, cluster: &str, namespace: &str) -> ToolAnswer {
    let lamp = json!({"cluster": cluster, "kind": "Lamp", "namespace": namespace, "name": "desk"});
    client.call("platform-mcp.kro_graph", lamp).await
}

/// Our audit line of the call that comes next, and what the API server wrote of it.
async fn both_logs(
    server: &Server,
    before: usize,
    call: impl Future<Output = ToolAnswer>,
) -> (ToolAnswer, Value, Vec<AuditLine>) {
    let plane = ControlPlane::shared();
    let mark = plane.audit_mark();
    let answer = call.await;
    let line = ours(server, before + 1).remove(before);
    let (id, wanted) =
        (line["call"].as_str().unwrap().to_owned(), line["upstream_requests"].as_u64().unwrap());
    let mine = |line: &&AuditLine| line.id.starts_with(&format!("{id}."));
    let lines =
        plane.audit_until(mark, "platform-mcp/", |lines| lines.iter().filter(mine).count() as u64 >= wanted);
    let mut lines: Vec<AuditLine> = lines.into_iter().filter(|line| mine(&line)).collect();
    // what all callers share is read as the server
    lines.retain(|line| !matches!(line.uri.split('?').next(), Some("/api" | "/apis")));
    (answer, line, lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_backstage_is_in_both_audit_logs_and_the_clusters_rbac_decides() {
    let backstage = backstage();
    let server = serve(&backstage, &names());
    // a group of another namespace is not the team of that name
    let token = backstage.user_token(ALICE, &[TEAM_A, "group:other/team-b"]).await;
    let client = backstage.mcp(&token);

    let (answer, line, seen) = both_logs(&server, 0, graph(&client, "plane", "team-a")).await;
    assert!(!answer.is_error, "{}", answer.text);
    assert!(answer.structure.to_string().contains("desk-bulb"), "{}", answer.structure);
    assert_eq!((&line["caller"]["username"], &line["decision"]), (&json!(ALICE), &json!("allow")), "{line}");
    assert_eq!((&line["caller"]["issuer"], &line["door"]), (&json!(backstage.issuer()), &json!("backstage")));
    assert!(seen.len() > 2, "{seen:#?}");
    for request in &seen {
        assert_eq!(request.user, "platform-mcp");
        assert_eq!(request.impersonated_user.as_deref(), Some("oidc:alice"), "{request:#?}");
        assert_eq!(request.impersonated_groups, ["oidc:team-a", "system:authenticated"], "{request:#?}");
    }

    let (answer, line, _) = both_logs(&server, 1, graph(&client, "plane", "team-b")).await;
    assert!(answer.is_error && answer.text.starts_with("NotAllowedError: "), "{}", answer.text);
    assert!(answer.text.contains("User \"oidc:alice\" cannot get resource \"lamps\""), "{}", answer.text);
    assert_eq!((&line["decision"], &line["refused_by"]), (&json!("allow"), &json!("cluster")), "{line}");

    for (index, (cluster, user, groups)) in [
        ("mail-eu", "alice@example.com", vec!["team-a", "system:authenticated"]),
        ("told-eu", "b:default/alice", vec!["b:default/team-a", "b:other/team-b", "system:authenticated"]),
    ]
    .into_iter()
    .enumerate()
    {
        let (answer, _, seen) = both_logs(&server, 2 + index, graph(&client, cluster, "team-a")).await;
        assert!(answer.is_error && answer.text.contains(&format!("User {user:?} cannot")), "{}", answer.text);
        assert!(!seen.is_empty());
        for request in &seen {
            assert_eq!(request.impersonated_user.as_deref(), Some(user), "{request:#?}");
            assert_eq!(request.impersonated_groups, groups, "{request:#?}");
        }
    }
    let (answer, _, seen) = both_logs(&server, 4, graph(&client, "own", "team-b")).await;
    assert!(!answer.is_error, "{}", answer.text);
    assert!(seen.iter().all(|line| line.user == "platform-viewer" && line.impersonated_user.is_none()));

    // one call, and each cluster sees its own
    let (answer, _, seen) =
        both_logs(&server, 5, client.call("platform-mcp.kubernetes_clusters", json!({}))).await;
    assert_eq!(answer.structure["rows"].as_array().map(Vec::len), Some(4), "{}", answer.structure);
    let mut people: Vec<&str> = seen.iter().filter_map(|line| line.impersonated_user.as_deref()).collect();
    people.sort_unstable();
    people.dedup();
    assert_eq!(people, ["alice@example.com", "b:default/alice", "oidc:alice"], "{seen:#?}");

    let told = client.call("platform-mcp.whoami", json!({})).await.structure;
    assert_eq!((&told["username"], &told["cluster_user"]), (&json!(ALICE), &json!("oidc:alice")), "{told}");
    let see = [
        json!({"clusters": ["mail-*"], "user": "alice@example.com", "groups": ["team-a"], "groups_left_out": 1}),
        json!({
            "clusters": ["static/told-*"], "user": "b:default/alice",
            "groups": ["b:default/team-a", "b:other/team-b"],
        }),
        json!({"user": "oidc:alice", "groups": ["oidc:team-a"], "groups_left_out": 1}),
    ];
    assert_eq!(told["clusters_see"], json!(see), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_name_on_a_cluster_is_refused_there_and_told_why() {
    let backstage = backstage();
    let server = serve(&backstage, &names());
    let mark = ControlPlane::shared().audit_mark();
    let other = backstage.user_token("user:other/alice", &[TEAM_A]).await;
    let other = backstage.mcp(&other);
    let machine = backstage.mcp(MACHINE_TOKEN);
    for (client, said, next) in [
        (&other, "users of Backstage's namespace \"default\" alone, and you are of \"other\"", "{namespace}"),
        (&machine, "a Backstage plugin that calls for no user has no identity", "as a user of Backstage"),
    ] {
        let refused = graph(client, "plane", "team-a").await;
        assert!(refused.is_error, "{}", refused.text);
        for words in ["NotAllowedError", "identity: impersonate", said, next, "identity: own"] {
            assert!(refused.text.contains(words), "{words}: {}", refused.text);
        }
        let own = graph(client, "own", "team-a").await;
        assert!(!own.is_error, "{}", own.text);
        let told = client.call("platform-mcp.whoami", json!({})).await.structure;
        let rest = told["clusters_see"].as_array().and_then(|all| all.last()).unwrap();
        assert!(rest["refused"].as_str().is_some_and(|why| why.contains(said)), "{told}");
        assert_eq!((&told["cluster_user"], &rest["user"]), (&Value::Null, &Value::Null), "{told}");
    }
    let told = graph(&other, "told-eu", "team-a").await;
    assert!(told.text.contains("User \"b:other/alice\" cannot"), "{}", told.text);
    let line = ours(&server, 1).remove(0);
    assert_eq!((&line["refused_by"], &line["upstream_requests"]), (&json!("identity"), &json!(0)), "{line}");
    let calls: Vec<Value> = ours(&server, 7);
    let refused: Vec<&str> = calls
        .iter()
        .filter(|line| line["refused_by"] == "identity")
        .filter_map(|line| line["call"].as_str())
        .collect();
    assert_eq!(refused.len(), 2, "{calls:#?}");
    let sent = ControlPlane::shared().audit_since(mark, "platform-mcp/");
    assert!(
        sent.iter().all(|line| !refused.iter().any(|call| line.id.starts_with(&format!("{call}.")))),
        "{sent:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_names_users_of_backstage_are_shown_to_no_cluster() {
    let backstage = backstage();
    let server = serve(&backstage, &Value::Null);
    // no claim of a token, and no header, makes one
    let token = backstage.plugin_token(ALICE, &[TEAM_A]).await;
    let client = Mcp::with_token(server.url("/mcp"), &token)
        .header("impersonate-user", "oidc:alice")
        .header("impersonate-group", "oidc:team-a")
        .header("x-remote-user", "oidc:alice");
    let lamp = json!({"cluster": "plane", "kind": "Lamp", "namespace": "team-a", "name": "desk"});
    let refused = client.call("kro_graph", lamp).await;
    assert!(refused.is_error, "{}", refused.text);
    for words in ["no name is configured by which it knows users of Backstage", "`backstage.impersonate`"] {
        assert!(refused.text.contains(words), "{words}: {}", refused.text);
    }
    let told = client.call("whoami", json!({})).await;
    assert!(
        told.text
            .contains("clusters see, if not configured otherwise: nobody: calls are refused, since no name"),
        "{}",
        told.text
    );
}

/// What the example tells a cluster, for a server in this namespace; taken back when it is dropped.
struct Told(String);

impl Told {
    fn the_cluster(namespace: &str) -> Self {
        let example = include_str!("../../examples/backstage/rbac.yaml");
        let of_server = "namespace: platform-mcp\n";
        assert_eq!(example.matches(of_server).count(), 1);
        let told = Self(example.replace(of_server, &format!("namespace: {namespace}\n")));
        ControlPlane::shared().apply(&told.0);
        told
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        for (kind, name, more) in [
            ("clusterrolebinding", "platform-mcp-backstage-impersonate", None),
            ("clusterrole", "platform-mcp-backstage-impersonate", None),
            ("clusterrolebinding", "platform-mcp-backstage-rgds", None),
            ("clusterrole", "platform-mcp-backstage-rgds", None),
            ("rolebinding", "platform-mcp-backstage-view", Some("--namespace=team-a")),
        ] {
            let arguments = ["delete", kind, name].into_iter().chain(more).collect::<Vec<_>>();
            let _ = ControlPlane::shared().try_kubectl(&arguments);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_as_it_stands_serves_its_users_and_its_rbac_lets_in_whom_it_names() {
    let (backstage, plane) = (backstage(), ControlPlane::shared());
    let namespace = plane.namespace("backstage");
    plane.kubectl(&["create", "serviceaccount", "platform-mcp", "-n", &namespace.name]);
    let _told = Told::the_cluster(&namespace.name);
    let token = plane.kubectl(&["create", "token", "platform-mcp", "-n", &namespace.name]);

    // as in the Pod that it runs in, but for the address of the cluster
    let example = include_str!("../../examples/backstage/platform-mcp.yaml");
    let cluster =
        json!([{"name": "plane", "url": plane.server, "caFile": plane.ca_file, "token": token.trim()}]);
    let config = example.replace("\nclusters:\n", &format!("\nclusters:\n  static: {cluster}\n"));
    assert_ne!(config, example);
    let product = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config);
    let product = product.env("PLATFORM_MCP_SEAL_KEY", "a seal key of the tests");
    let server = product.env("BACKSTAGE_URL", backstage.url()).serve();
    backstage.front().to(server.address());

    let ask = async |person: &str, group: &str| {
        let token = backstage.user_token(&format!("user:default/{person}"), &[group]).await;
        let client = backstage.mcp(&token);
        let lamp = json!({"cluster": "plane", "kind": "ResourceGraphDefinition", "name": "lamp"});
        client.call("platform-mcp.kro_yaml", lamp).await
    };
    let alice = ask("alice", TEAM_A).await;
    assert!(!alice.is_error, "{}", alice.text);
    let bob = ask("bob", "group:default/team-b").await;
    assert!(bob.is_error && bob.text.contains("User \"bob@example.com\" cannot get"), "{}", bob.text);
    let carol = ask("carol", TEAM_A).await;
    assert!(carol.is_error, "{}", carol.text);
    for words in ["does not let this server act for you", "cannot impersonate"] {
        assert!(carol.text.contains(words), "{words}: {}", carol.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_for_the_rbac_plugin_name_permissions_and_actions_as_we_publish_them() {
    let backstage = Backstage::start(Options::default());
    let server = serve(&backstage, &Value::Null);
    let token = backstage.mint().plugin("permission", "platform-mcp").sign();
    let url = server.url("/api/platform-mcp/.well-known/backstage/permissions/metadata");
    let published = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
    let published: Value = published.json().await.unwrap();
    let permissions = published["permissions"].as_array().unwrap_or_else(|| panic!("{published}"));
    let csv = include_str!("../../examples/backstage/rbac-policy.csv");
    let (mut roles, mut lines) = (Vec::new(), 0);
    for line in csv.lines() {
        match line.split(", ").collect::<Vec<_>>().as_slice() {
            ["g", group, role] if group.starts_with("group:default/") => roles.push(*role),
            ["p", role, name, action, "allow"] => {
                assert!(roles.contains(role), "{line}");
                let known = permissions.iter().find(|known| known["name"] == *name);
                let known = known.unwrap_or_else(|| panic!("{line}: there is no such permission"));
                let published = known["attributes"]["action"].as_str().unwrap_or("use");
                assert_eq!(*action, published, "{line}");
                lines += 1;
            }
            _ => panic!("{line}"),
        }
    }
    assert!(lines > 10, "{csv}");
}
