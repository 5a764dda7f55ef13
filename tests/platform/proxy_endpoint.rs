//! The API of clusters for programs: who may ask it, for what, and what they are told where they may not.

use std::process::Command;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    exchange::OURS,
    forge::AUDIENCE,
    mcp::Mcp,
    oidc::Provider,
    parts::{node, support},
    server::{Product, Server},
    upstream::Upstream,
};

const MOUNT: &str = "/api/kubernetes/proxy";
const PODS: &str = "/api/v1/namespaces/team-a/pods";
const UNAUTHORIZED: &str = r#"{"error":{"name":"NotAllowedError","message":"Unauthorized"}}"#;

/// The server over the real control plane, whose clusters are these, with these rules for all callers.
fn serve(clusters: &Value, rules: &str) -> Server {
    let clusters = json!({"kubeconfig": {"enabled": false}, "static": clusters});
    let config = format!(
        "clusters: {clusters}\naudit: {{to: audit.log}}\nissuers: [{}]\nhttp: {{proxy: {{base: kubernetes}}}}\n\
         roles:\n  all: {{allow: ['*']}}\n  noproxy: {{allow: ['*'], deny: [kubernetes.proxy]}}\n",
        Provider::shared().entry(rules).replace(AUDIENCE, OURS)
    );
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

/// The control plane, whose callers bring their own token.
fn brought() -> Value {
    let plane = ControlPlane::shared();
    json!([{"name": "plane", "url": plane.server, "caFile": plane.ca_file, "identity": "caller-header"}])
}

/// A request of a person, with a token of theirs for the cluster that is not the one for us.
async fn ask(server: &Server, person: &str, path: &str) -> RequestBuilder {
    let ours = Provider::shared().token_for(person, OURS).await;
    let theirs = Provider::shared().token_for(person, AUDIENCE).await;
    let request = reqwest::Client::new().get(server.url(&format!("{MOUNT}{path}"))).bearer_auth(ours);
    request.header("Backstage-Kubernetes-Authorization", format!("Bearer {theirs}"))
}

async fn json(answer: Response) -> Value {
    answer.json().await.expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_denies_the_proxy_is_told_as_backstage_tells_it_and_hides_the_tool() {
    let (plane, provider) = (ControlPlane::shared(), Provider::shared());
    let server = serve(&brought(), "[{roles: [noproxy]}]");
    let token = provider.token_for("alice", OURS).await;
    let theirs = provider.token_for("alice", AUDIENCE).await;
    let direct =
        crate::oidc::client(&plane.ca_file).get(format!("{}{PODS}", plane.server)).bearer_auth(&theirs);
    assert_eq!(direct.send().await.unwrap().status(), 200, "the cluster takes the token for it");

    for path in [PODS, "/api", "/api/v1/namespaces/nowhere/pods"] {
        for cluster in ["plane", "static/plane", "nothing"] {
            let answer = ask(&server, "alice", path).await.header("Backstage-Kubernetes-Cluster", cluster);
            let answer = answer.send().await.unwrap();
            assert_eq!(
                (answer.status(), answer.text().await.unwrap().as_str()),
                (StatusCode::FORBIDDEN, UNAUTHORIZED)
            );
        }
    }
    let mcp = Mcp::with_token(server.url("/mcp"), &token);
    assert!(!mcp.list_tools().await.iter().any(|tool| tool["name"].as_str() == Some("kubernetes_proxy")));
    let unknown = mcp.try_call("kubernetes_nothing", json!({})).await.expect_err("unknown");
    let hidden = mcp.try_call("kubernetes_proxy", json!({"path": PODS})).await.expect_err("unknown");
    assert_eq!(
        hidden.message.replace("kubernetes_proxy", "X"),
        unknown.message.replace("kubernetes_nothing", "X")
    );
    let lines: Vec<Value> =
        server.read("audit.log").lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let denied =
        lines.iter().filter(|line| line["tool"] == "kubernetes_pass" && line["decision"] == "deny").count();
    assert_eq!(denied, 9, "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_with_a_token_for_the_cluster_is_themselves_there() {
    let plane = ControlPlane::shared();
    let server = serve(&brought(), "[{roles: [all]}]");
    let mark = plane.audit_mark();
    let answer = ask(&server, "alice", PODS).await.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("audit-id"));
    assert_eq!(json(answer).await["kind"], "PodList");
    let refused = ask(&server, "alice", "/api/v1/namespaces/team-b/pods?limit=1").await.send().await.unwrap();
    assert_eq!(refused.status(), 403);
    let refused = json(refused).await;
    assert_eq!(
        (&refused["kind"], &refused["reason"]),
        (&json!("Status"), &json!("Forbidden")),
        "RBAC's own words"
    );
    assert!(refused["message"].as_str().unwrap().contains("oidc:alice"), "{refused}");
    let lines = plane.audit_until(mark, "platform-mcp/", |lines| {
        lines.iter().any(|line| line.uri.ends_with("/team-b/pods?limit=1"))
    });
    let ours = lines.iter().filter(|line| line.uri == PODS || line.uri.ends_with("/team-b/pods?limit=1"));
    assert!(ours.clone().count() >= 2 && ours.clone().all(|line| line.user == "oidc:alice"), "{lines:#?}");

    // without a token for it, nothing is asked, and it is said which header is missing
    let token = Provider::shared().token_for("alice", OURS).await;
    let bare = reqwest::Client::new().get(server.url(&format!("{MOUNT}{PODS}")));
    let refused = bare.try_clone().unwrap().bearer_auth(&token).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    let refused = json(refused).await;
    assert_eq!(refused["error"]["name"], "NotAllowedError");
    assert!(
        refused["error"]["message"].as_str().unwrap().contains("Backstage-Kubernetes-Authorization"),
        "{refused}"
    );
    let anonymous = bare.send().await.unwrap();
    assert_eq!(anonymous.status(), 401);
    assert!(anonymous.headers()["www-authenticate"].to_str().unwrap().contains("resource_metadata"));
    let anonymous = json(anonymous).await;
    assert_eq!(anonymous["error"]["name"], "AuthenticationError");
    assert_eq!(anonymous["request"], json!({"method": "GET", "url": format!("{MOUNT}{PODS}")}));
    assert_eq!(anonymous["response"], json!({"statusCode": 401}));
}

/// Asks with Backstage's own client.
fn backstage(server: &Server, question: &Value) -> Value {
    let mut question = question.clone();
    question["base"] = server.url("").into();
    let output = Command::new(node().join("bin/node"))
        .arg(support("node/backend_client.mjs"))
        .arg(node())
        .arg(question.to_string())
        .output()
        .expect("node starts");
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn backstages_own_client_gets_namespaces_as_the_caller() {
    let (plane, provider) = (ControlPlane::shared(), Provider::shared());
    let entry = |name: &str, more: Value| {
        let mut entry = json!({"name": name, "url": plane.server, "caFile": plane.ca_file});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        entry
    };
    let clusters = json!([
        entry("spoken-for", json!({"token": plane.tokens.server, "identity": "impersonate"})),
        entry("brought", json!({"identity": "caller-header"})),
        entry("secret", json!({"identity": "caller-header"})),
    ]);
    let rules = "[{roles: [all], within: {clusters: [spoken-for, brought]}}]";
    let server = serve(&clusters, rules);
    let token = provider.token_for("carol", OURS).await;
    let mark = plane.audit_mark();
    let question = json!({"token": token, "cluster": "spoken-for", "path": "/api/v1/namespaces"});
    let answer = backstage(&server, &question);
    let expected = json!([
        {"name": "brought", "authProvider": "serviceAccount"},
        {"name": "spoken-for", "authProvider": "serviceAccount"},
    ]);
    assert_eq!(answer["clusters"], expected, "those that the caller may see");
    assert_eq!(answer["status"], 200, "{answer}");
    let names: Vec<&str> = answer["body"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["metadata"]["name"].as_str())
        .collect();
    assert!(names.contains(&"team-a") && names.contains(&"kube-system"), "{names:?}");
    let lines = plane.audit_until(mark, "platform-mcp/", |lines| {
        lines.iter().any(|line| line.uri == "/api/v1/namespaces")
    });
    let line = lines.iter().rfind(|line| line.uri == "/api/v1/namespaces").unwrap();
    assert_eq!(line.impersonated_user.as_deref(), Some("oidc:carol"), "{line:?}");
}

/// The server over a fake cluster that is asked as the server itself, for the local user.
fn local(clusters: &str) -> Server {
    let config = format!(
        "clusters: {{kubeconfig: {{enabled: false}}, static: [{clusters}]}}\nlocal: {{role: admin}}\n\
         http: {{proxy: {{base: kubernetes}}, allowedOrigins: ['https://app.example']}}\n"
    );
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_backstages_form_and_name_no_address_of_a_cluster() {
    let upstream = Upstream::start().await;
    let fake = format!(
        "{{name: fake, url: '{}', identity: own}}, {{name: down, url: 'http://127.0.0.1:9', identity: own}}",
        upstream.url
    );
    let server = local(&fake);
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let ask = async |method: Method, clusters: &[&str], path: &str| {
        let mut request = http.request(method, server.url(&format!("{MOUNT}{path}")));
        for cluster in clusters {
            request = request.header("Backstage-Kubernetes-Cluster", *cluster);
        }
        request.send().await.unwrap()
    };
    for (clusters, path, status, name, said) in [
        (&["nothing"][..], "/api", 404, "NotFoundError", "Cluster 'nothing' not found"),
        (&["fake", "fake"], "/api", 404, "NotFoundError", "more than once"),
        (&[""], "/api", 404, "NotFoundError", "names no cluster"),
        (&[], "/api", 400, "InputError", "Backstage-Kubernetes-Cluster is missing"),
        (&["fake"], "//api", 400, "InputError", "empty segment"),
        (&["down"], "/api", 502, "ServiceUnavailableError", "cannot be asked"),
        (
            &["fake"],
            "/api/v1/namespaces/a/configmaps/moved",
            502,
            "ServiceUnavailableError",
            "leads elsewhere",
        ),
    ] {
        let answer = ask(Method::GET, clusters, path).await;
        assert_eq!(answer.status().as_u16(), status, "{clusters:?} {path}");
        assert!(!answer.headers().contains_key("location"));
        let error = json(answer).await;
        assert_eq!(error["error"]["name"], name, "{error}");
        assert!(error["error"]["message"].as_str().unwrap().contains(said), "{error}");
        assert_eq!(error["response"]["statusCode"], status);
        assert!(
            !error.to_string().contains("10.9.8.7") && !error.to_string().contains("127.0.0.1"),
            "{error}"
        );
    }
    let refused = ask(Method::GET, &["fake"], "/api/v1/namespaces/a/configmaps/refused").await;
    assert_eq!(refused.status(), 401);
    for absent in ["www-authenticate", "set-cookie", "server"] {
        assert!(!refused.headers().contains_key(absent), "{:?}", refused.headers());
    }
    assert_eq!(json(refused).await["kind"], "Status", "the cluster's own answer");
    for method in [Method::TRACE, Method::OPTIONS, Method::from_bytes(b"PURGE").unwrap()] {
        let answer = ask(method, &["fake"], "/api").await;
        assert_eq!(answer.status(), 405);
        assert!(answer.headers().contains_key("allow"));
    }
    let head = ask(Method::HEAD, &["fake"], "/api/v1/namespaces/a/configmaps/x").await;
    assert!(head.headers()["content-length"].to_str().unwrap().parse::<u64>().unwrap() > 50);
    assert_eq!(upstream.heads().len(), 3, "{:#?}", upstream.heads());
    assert!(server.said().contains("could not be passed on"), "the log says why");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_get_nothing_and_without_the_key_there_is_no_endpoint() {
    let upstream = Upstream::start().await;
    let server = local(&format!("{{name: fake, url: '{}', identity: own}}", upstream.url));
    let http = reqwest::Client::new();
    let own = server.url("");
    let own = own.trim_end_matches('/').to_owned();
    let post = |name: &'static str, value: &str| {
        let request = http.post(server.url(&format!("{MOUNT}/api/v1/namespaces/a/configmaps"))).body("{}");
        request.header(name, value)
    };
    for (name, value, status) in [
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("origin", "http://localhost:evil.example", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("host", "evil.example", 403),
        ("origin", "https://app.example", 200),
        ("origin", "http://localhost:3000", 403),
        ("origin", &own, 200),
        ("sec-fetch-site", "same-origin", 200),
        ("host", "localhost", 200),
    ] {
        let answer = post(name, value).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{name}: {value}");
    }
    assert_eq!(upstream.heads().len(), 4);
    let none = Server::start();
    for path in [format!("{MOUNT}/api"), "/api/kubernetes/clusters".to_owned()] {
        assert_eq!(reqwest::get(none.url(&path)).await.unwrap().status(), 404);
    }
}
