//! Clusters that are shown a token of the caller's issuer, got in exchange for the one for us (RFC 8693): on the
//! real provider and the real API server, which takes tokens for one audience alone, and that is not ours.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    audit::AuditLine,
    control_plane::ControlPlane,
    forge::AUDIENCE,
    impersonation::{lamps, ours},
    issuer::{Answer, Issuer},
    mcp::Mcp,
    oidc::{EXCHANGER, Provider},
    reload::reload,
    server::{Product, Server},
    trust::PREFIX,
};

/// The audience of tokens for the server under test.
pub(crate) const OURS: &str = "https://mcp.identities.test";

/// The issuer, as these tests configure it.
pub(crate) fn issuer(exchange: Option<Value>) -> Value {
    let provider = Provider::shared();
    let mut issuer = json!({
        "url": provider.issuer(), "audiences": [OURS], "caFile": provider.ca_file(),
        "username": {"prefix": PREFIX}, "groups": {"prefix": PREFIX},
        "rules": [{"roles": ["viewer"], "allow": ["kubernetes.proxy"]}],
    });
    if let Some(exchange) = exchange {
        issuer["exchange"] = exchange;
    }
    issuer
}

pub(crate) fn exchange() -> Value {
    json!({"clientId": EXCHANGER[0], "clientSecret": EXCHANGER[1]})
}

/// The API server of the control plane as a cluster of this name, with what else is configured of it.
pub(crate) fn cluster(name: &str, more: &Value) -> Value {
    let plane = ControlPlane::shared();
    let mut entry = json!({"name": name, "url": plane.server, "caFile": plane.ca_file});
    for (key, value) in more.as_object().expect("an object") {
        entry[key] = value.clone();
    }
    entry
}

/// A configuration with these clusters and this issuer.
pub(crate) fn config(clusters: &[Value], issuer: &Value) -> String {
    let clusters = json!({"kubeconfig": {"enabled": false}, "static": clusters});
    format!("clusters: {clusters}\naudit: {{to: audit.log}}\nissuers: [{issuer}]\n")
}

pub(crate) fn serve(config: &str) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(config).serve()
}

pub(crate) async fn client(server: &Server, person: &str) -> Mcp {
    Mcp::with_token(server.url("/mcp"), &Provider::shared().token_for(person, OURS).await)
}

fn to_plane(audience: &str) -> Value {
    cluster("plane", &json!({"identity": "exchange", "audience": audience}))
}

/// How often a person's token was exchanged for this audience.
fn exchanged(person: &str, audience: &str) -> usize {
    Provider::shared().exchanged(audience).iter().filter(|subject| *subject == person).count()
}

/// What the API server wrote of the calls that this server made, once all of them are there. It does not write of
/// those whom it does not know.
pub(crate) fn upstream(server: &Server, mark: u64, calls: usize) -> Vec<AuditLine> {
    let mut audited = ours(server, calls);
    audited.retain(|line| line["outcome"] != "upstream");
    let count: u64 = audited.iter().filter_map(|line| line["upstream_requests"].as_u64()).sum();
    let agents: Vec<String> =
        audited.iter().map(|line| format!("call/{}", line["call"].as_str().unwrap_or_default())).collect();
    let mine = |line: &&AuditLine| agents.iter().any(|agent| line.user_agent.ends_with(agent.as_str()));
    let plane = ControlPlane::shared();
    let lines =
        plane.audit_until(mark, "platform-mcp/", |lines| lines.iter().filter(mine).count() as u64 >= count);
    lines.iter().filter(mine).cloned().collect()
}

/// That no token is in what a server wrote.
#[track_caller]
pub(crate) fn tells_no_token(server: &Server) {
    for said in [server.said(), server.read("audit.log")] {
        assert!(!said.contains("eyJ"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_asked_as_the_caller_by_a_token_that_was_got_once() {
    let plane = ControlPlane::shared();
    let other = "https://other.exchange.test";
    let entries = [to_plane(AUDIENCE), cluster("other", &json!({"identity": "exchange", "audience": other}))];
    let server = serve(&config(&entries, &issuer(Some(exchange()))));
    let mark = plane.audit_mark();
    let mcp = client(&server, "caller-41").await;
    let calls = (0..8).map(|_| mcp.call("kro_instances", json!({"cluster": "plane"})));
    for answer in futures::future::join_all(calls).await {
        assert!(!answer.is_error, "{}", answer.text);
    }
    assert_eq!(exchanged("caller-41", AUDIENCE), 1, "once for all");
    let lines = upstream(&server, mark, 8);
    assert!(lines.len() > 8, "{lines:#?}");
    for line in &lines {
        assert_eq!((line.user.as_str(), &line.impersonated_user), ("oidc:caller-41", &None), "{line:#?}");
        assert!(line.groups.contains(&"oidc:callers".to_owned()), "{line:#?}");
    }
    let discoveries = lines.iter().filter(|line| line.uri.starts_with("/apis?") || line.uri == "/apis");
    assert_eq!(discoveries.count(), 1, "{lines:#?}");
    let rows = mcp.call("kubernetes_clusters", json!({})).await;
    assert!(rows.structure.to_string().contains(r#""identity":"exchange""#), "{}", rows.structure);

    // a token for another audience is another token, which this API server does not take
    let refused = mcp.call("kro_instances", json!({"cluster": "other"})).await;
    for said in ["did not take your token for it (401)", "get a token that this cluster takes"] {
        assert!(refused.is_error && refused.text.contains(said), "{said}: {}", refused.text);
    }
    assert_eq!((exchanged("caller-41", AUDIENCE), exchanged("caller-41", other)), (1, 1));
    tells_no_token(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rbac_forbids_is_said_in_its_own_words() {
    lamps();
    let server = serve(&config(&[to_plane(AUDIENCE)], &issuer(Some(exchange()))));
    let alice = client(&server, "alice").await;
    let lamp = |namespace: &str| json!({"kind": "Lamp", "namespace": namespace, "name": "desk"});
    let own = alice.call("kro_graph", lamp("team-a")).await;
    assert!(!own.is_error, "{}", own.text);
    let theirs = alice.call("kro_graph", lamp("team-b")).await;
    for said in ["User \"oidc:alice\" cannot get resource \"lamps\"", "namespace \"team-b\""] {
        assert!(theirs.is_error && theirs.text.contains(said), "{said}: {}", theirs.text);
    }
    let line = ours(&server, 2).remove(1);
    assert_eq!((&line["decision"], &line["refused_by"]), (&json!("allow"), &json!("cluster")), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_has_ended_is_got_anew() {
    let mut exchange = exchange();
    exchange["scope"] = json!("ttl-2");
    let server = serve(&config(&[to_plane(AUDIENCE)], &issuer(Some(exchange))));
    let mcp = client(&server, "caller-42").await;
    let call = async || {
        let answer = mcp.call("kubernetes_clusters", json!({})).await;
        assert_eq!(answer.structure["rows"][0]["reachable"], true, "{}", answer.text);
    };
    call().await;
    call().await;
    assert_eq!(exchanged("caller-42", AUDIENCE), 1);
    tokio::time::sleep(Duration::from_millis(2_000)).await;
    call().await;
    assert_eq!(exchanged("caller-42", AUDIENCE), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_issuer_says_reaches_the_caller_and_a_new_configuration_mends_it() {
    let ask = async |server: &Server| {
        client(server, "caller-43").await.call("kro_instances", json!({"cluster": "plane"})).await
    };
    let with = |key: &str, value: &str| {
        let mut exchange = exchange();
        exchange[key] = json!(value);
        config(&[to_plane(AUDIENCE)], &issuer(Some(exchange)))
    };
    let unknown = config(&[to_plane("https://unknown.test/a\u{202e}b")], &issuer(Some(exchange())));
    let server = serve(&unknown);
    for (next, said) in [
        (None, "invalid_target"),
        (Some(with("clientSecret", "wrong")), "invalid_client"),
        (Some(with("clientId", "caller-1")), "invalid_client"),
        (Some(with("scope", "echo")), "your own token back, which is for this server and never passed on"),
        (Some(with("subjectTokenType", "id")), "invalid_request"),
        (Some(config(&[to_plane(OURS)], &issuer(Some(exchange())))), "is for this server too"),
        (Some(config(&[to_plane(AUDIENCE)], &issuer(None))), "not configured to exchange tokens"),
    ] {
        if let Some(next) = &next {
            reload(&server, next);
        }
        let answer = ask(&server).await;
        assert!(answer.is_error && answer.text.contains(said), "{said}: {}", answer.text);
        assert!(answer.text.contains("token") && !answer.text.contains("Retryable"), "{}", answer.text);
        assert!(!answer.text.contains('\u{202e}') && !answer.text.contains("eyJ"), "{}", answer.text);
    }
    reload(&server, &with("clientSecret", EXCHANGER[1]));
    let answer = ask(&server).await;
    assert!(!answer.is_error, "{}", answer.text);
    tells_no_token(&server);
    assert!(!server.said().contains(EXCHANGER[1]) && !server.said().contains("wrong"), "{}", server.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_got_stays_where_a_new_configuration_changes_something_else() {
    let before = config(&[to_plane(AUDIENCE)], &issuer(Some(exchange())));
    let server = serve(&before);
    let call = async || {
        let mcp = client(&server, "caller-44").await;
        let answer = mcp.call("kubernetes_clusters", json!({})).await;
        assert_eq!(answer.structure["rows"][0]["reachable"], true, "{}", answer.text);
        exchanged("caller-44", AUDIENCE)
    };
    assert_eq!(call().await, 1);
    reload(&server, &before.replace("kubernetes.proxy", "kubernetes.proxy.write"));
    assert_eq!(call().await, 1);
    let mut changed = exchange();
    changed["scope"] = json!("another");
    reload(&server, &config(&[to_plane(AUDIENCE)], &issuer(Some(changed))));
    assert_eq!(call().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_started_the_process_is_shown_by_their_token_too() {
    let token = Provider::shared().token_for("caller-45", OURS).await;
    let config = config(&[to_plane(AUDIENCE)], &issuer(Some(exchange())));
    let call = |config: &str, token: &str| {
        let product = Product::new(["call", "kubernetes_clusters", "--output", "json"]).config(config);
        product.env("PLATFORM_MCP_TOKEN", token).output()
    };
    let said = call(&config, &token);
    let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success() && out.contains(r#""reachable""#), "{out}{err}");
    assert!(out.contains("exchange") && exchanged("caller-45", AUDIENCE) == 1, "{out}{err}");
    assert!(!out.contains("eyJ") && !err.contains("eyJ"), "{out}{err}");
    let plane = ControlPlane::shared();
    let local = json!({"kubeconfig": {"enabled": false}, "static": [{"name": "plane", "url": plane.server,
        "caFile": plane.ca_file, "identity": "exchange", "audience": "a"}]});
    let said = Product::new(["call", "kro_instances"]).config(&format!("clusters: {local}\n")).output();
    let err = String::from_utf8_lossy(&said.stderr);
    for words in ["identity: exchange", "the local user has none"] {
        assert!(!said.status.success() && err.contains(words), "{words}: {err}");
    }
}

/// One API server, shown callers in each way at once.
#[tokio::test(flavor = "multi_thread")]
async fn one_api_server_sees_callers_in_four_ways_side_by_side() {
    lamps();
    let (plane, provider) = (ControlPlane::shared(), Provider::shared());
    let credential = &plane.tokens.server;
    let entries = [
        cluster("as-itself", &json!({"identity": "own", "token": plane.tokens.viewer})),
        cluster("impersonates", &json!({"identity": "impersonate", "token": credential})),
        cluster("exchanges", &json!({"identity": "exchange", "audience": AUDIENCE, "token": credential})),
        cluster("takes-theirs", &json!({"identity": "caller-header"})),
    ];
    let server = serve(&config(&entries, &issuer(Some(exchange()))));
    let presented = provider.token_for("bob", AUDIENCE).await;
    let mcp = client(&server, "alice").await.header("backstage-kubernetes-authorization", &presented);
    let lamp = |cluster: &str, namespace: &str| json!({"cluster": cluster, "kind": "Lamp", "namespace": namespace, "name": "desk"});
    let (mut calls, mark) = (0, plane.audit_mark());
    for (name, user, impersonated, groups, theirs) in [
        ("as-itself", "platform-viewer", None, None, None),
        ("impersonates", "platform-mcp", Some("oidc:alice"), Some("oidc:team-a"), Some("oidc:alice")),
        ("exchanges", "oidc:alice", None, Some("oidc:team-a"), Some("oidc:alice")),
        ("takes-theirs", "oidc:bob", None, Some("oidc:team-b"), Some("oidc:bob")),
    ] {
        let own = if name == "takes-theirs" { "team-b" } else { "team-a" };
        let other = if own == "team-a" { "team-b" } else { "team-a" };
        let answer = mcp.call("kro_graph", lamp(name, own)).await;
        assert!(!answer.is_error, "{name}: {}", answer.text);
        let refused = mcp.call("kro_graph", lamp(name, other)).await;
        match theirs {
            None => assert!(!refused.is_error, "{name}: {}", refused.text),
            Some(who) => {
                let said = format!("User \"{who}\" cannot get resource \"lamps\"");
                assert!(refused.is_error && refused.text.contains(&said), "{name}: {}", refused.text);
            }
        }
        calls += 2;
        let ids: Vec<String> = ours(&server, calls)
            .iter()
            .skip(calls - 2)
            .filter_map(|line| line["call"].as_str().map(|call| format!("{call}.")))
            .collect();
        let lines = upstream(&server, mark, calls);
        let of_calls: Vec<&AuditLine> =
            lines.iter().filter(|line| ids.iter().any(|id| line.id.starts_with(id.as_str()))).collect();
        let about: Vec<_> = of_calls.iter().filter(|line| line.uri.contains("lamps/desk")).collect();
        assert_eq!(about.len(), 2, "{name}: {lines:#?}");
        for line in about {
            assert_eq!(line.user, user, "{name}: {line:#?}");
            assert_eq!(line.impersonated_user.as_deref(), impersonated, "{name}: {line:#?}");
            let shown = if impersonated.is_some() { &line.impersonated_groups } else { &line.groups };
            assert!(groups.is_none_or(|group| shown.iter().any(|shown| shown == group)), "{name}: {line:#?}");
        }
    }
    tells_no_token(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_how_each_cluster_is_shown_callers_and_what_is_missing() {
    let check = |config: &str| {
        let output = Product::new(["check"]).config(config).output();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let entries = [
        to_plane(AUDIENCE),
        cluster("theirs", &json!({"identity": "caller-header", "provider": "oidc-okta"})),
        cluster("anyone's", &json!({"identity": "caller-header"})),
    ];
    let said = check(&config(&entries, &issuer(Some(exchange()))));
    for words in [
        "it says that it exchanges tokens",
        "identity exchange (plane)",
        "identity caller-header (anyone's, theirs)",
        "(anyone's: Backstage-Kubernetes-Authorization, theirs: Backstage-Kubernetes-Authorization-oidc-okta)",
        "nothing to mend",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("identity own") && !said.contains("identity impersonate"), "{said}");
    let said = check(&config(&entries, &issuer(None)));
    assert!(said.contains("no issuer has `exchange`"), "{said}");

    let other = Issuer::start();
    let mut document = other.document();
    document["grant_types_supported"] = json!(["authorization_code"]);
    other.discovery(Answer::Json(document));
    let settings = json!({"url": other.url(), "audiences": [OURS], "caFile": other.ca_file(), "rules": [],
        "exchange": {"clientId": "a", "clientSecret": "planted"}});
    let said = check(&config(&[], &settings));
    assert!(said.contains("grant_types_supported does not have urn:ietf:params:oauth"), "{said}");
    assert!(!said.contains("planted"), "{said}");
}
