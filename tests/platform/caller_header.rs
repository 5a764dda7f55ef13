//! Clusters that are shown the token that a caller brings for them beside the one for us, in
//! `Backstage-Kubernetes-Authorization` and its forms for providers.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    audit::AuditLine,
    control_plane::ControlPlane,
    exchange::{client, cluster, config, issuer, serve, tells_no_token, upstream},
    forge::{AUDIENCE, now},
    impersonation::{lamps, ours},
    kro_watch::{instance, latch},
    listen::Listen,
    mcp::Mcp,
    oidc::Provider,
    server::{Product, Server},
};

const HEADER: &str = "backstage-kubernetes-authorization";
/// In which a message that does not come would have come.
const QUIET: Duration = Duration::from_millis(1_500);

fn takes_theirs() -> Value {
    cluster("plane", &json!({"identity": "caller-header"}))
}

async fn brought(person: &str) -> String {
    Provider::shared().token_for(person, AUDIENCE).await
}

fn lamp(cluster: &str, namespace: &str) -> Value {
    json!({"cluster": cluster, "kind": "Lamp", "namespace": namespace, "name": "desk"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_asked_by_the_token_that_came_for_it() {
    lamps();
    let plane = ControlPlane::shared();
    let entries = [
        takes_theirs(),
        cluster("okta's", &json!({"identity": "caller-header", "provider": "oidc-Okta"})),
        cluster("google's", &json!({"identity": "caller-header", "provider": "google"})),
    ];
    let server = serve(&config(&entries, &issuer(None)));
    let mark = plane.audit_mark();
    let (bob, erin) = (brought("bob").await, brought("erin").await);
    // one caller of ours, and whoever they are to each cluster
    let mcp = client(&server, "alice")
        .await
        .header(HEADER, &format!("Bearer {bob}"))
        .header("backstage-kubernetes-authorization-oidc-okta", &erin);
    for (name, namespace, said) in [
        ("plane", "team-b", None),
        ("plane", "team-a", Some("User \"oidc:bob\" cannot get resource \"lamps\"")),
        ("okta's", "team-a", None),
        ("okta's", "team-b", None),
        ("google's", "team-a", Some("User \"oidc:bob\" cannot get resource \"lamps\"")),
    ] {
        let answer = mcp.call("kro_graph", lamp(name, namespace)).await;
        match said {
            None => assert!(!answer.is_error, "{name} {namespace}: {}", answer.text),
            Some(said) => {
                assert!(answer.is_error && answer.text.contains(said), "{name}: {}", answer.text);
            }
        }
    }
    let lines = upstream(&server, mark, 5);
    let users: std::collections::BTreeSet<&str> = lines.iter().map(|line| line.user.as_str()).collect();
    assert_eq!(users.into_iter().collect::<Vec<_>>(), ["oidc:bob", "oidc:erin"], "{lines:#?}");
    assert!(lines.iter().all(|line| line.impersonated_user.is_none()), "{lines:#?}");
    for line in ours(&server, 5) {
        assert_eq!(line["caller"]["username"], "alice", "{line}");
    }
    let rows = mcp.call("kubernetes_clusters", json!({})).await;
    assert_eq!(rows.structure["rows"][0]["identity"], "caller-header", "{}", rows.structure);
    assert!(rows.structure["rows"][0]["reachable"] == true, "{}", rows.structure);
    tells_no_token(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_that_can_be_shown_nothing_is_sent() {
    let plane = ControlPlane::shared();
    let entries = [
        takes_theirs(),
        cluster("okta's", &json!({"identity": "caller-header", "provider": "oidc-okta"})),
        cluster("own", &json!({"identity": "own", "token": plane.tokens.viewer})),
    ];
    let server = serve(&config(&entries, &issuer(None)));
    let mark = plane.audit_mark();
    let alice = client(&server, "alice").await;
    let ours_of_alice = Provider::shared().token_for("alice", crate::exchange::OURS).await;
    let ours_of_bob = Provider::shared().token_for("bob", crate::exchange::OURS).await;
    let okta = "backstage-kubernetes-authorization-oidc-okta";
    let ask =
        async |client: &Mcp, cluster: &str| client.call("kro_instances", json!({"cluster": cluster})).await;
    for (client, cluster, said) in [
        (
            alice.clone(),
            "plane",
            "no token of yours for it came in the header Backstage-Kubernetes-Authorization.",
        ),
        (alice.clone(), "okta's", "came in the header Backstage-Kubernetes-Authorization-oidc-okta."),
        (alice.clone().header(HEADER, ""), "plane", "Backstage-Kubernetes-Authorization is empty"),
        (alice.clone().header(HEADER, "Basic cGxhbnRlZA=="), "plane", "something else than Bearer"),
        (alice.clone().header(HEADER, "Bearer planted, planted"), "plane", "no bearer token has"),
        (
            alice.clone().header(HEADER, &ours_of_alice),
            "plane",
            "your token for this server, which is never passed on",
        ),
        (
            alice.clone().header(HEADER, &format!("{ours_of_alice}=")),
            "plane",
            "a token for this server, which is never passed on",
        ),
        (
            alice.clone().header(okta, &ours_of_bob),
            "okta's",
            "a token for this server, which is never passed on",
        ),
        (alice.clone().header(okta, "="), "okta's", "no bearer token has"),
    ] {
        let answer = ask(&client, cluster).await;
        assert!(answer.is_error && answer.text.contains(said), "{said}: {}", answer.text);
        assert!(answer.text.contains("identity: caller-header"), "{}", answer.text);
        for secret in ["planted", "cGxhbnRlZA", "eyJ"] {
            assert!(!answer.text.contains(secret), "{}", answer.text);
        }
        // who does not ask that cluster is none the worse for it
        let other = ask(&client, "own").await;
        assert!(!other.is_error, "{}", other.text);
    }
    // doubled
    let body = alice.message(
        &json!(1),
        "tools/call",
        &json!({"name": "kro_instances", "arguments": {"cluster": "plane"}}),
    );
    let sent = alice.http_request(&body).header(HEADER, "one").header(HEADER, "two").send().await.unwrap();
    let reply = crate::mcp::Reply::read(sent).await;
    assert!(reply.text.contains("came more than once"), "{}", reply.text);
    let lines = plane.audit_since(mark, "platform-mcp/");
    let audited = ours(&server, 15);
    let mine = |line: &&AuditLine| {
        let agent = |known: &Value| format!("call/{}", known["call"].as_str().unwrap_or_default());
        audited.iter().any(|known| line.user_agent.ends_with(&agent(known)))
    };
    assert!(lines.iter().filter(mine).all(|line| line.user == "platform-viewer"), "{lines:#?}");
    tells_no_token(&server);
    assert!(!server.read("audit.log").contains("planted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_cluster_refuses_spoils_nothing_for_the_others_who_share_one_discovery() {
    let plane = ControlPlane::shared();
    let server = serve(&config(&[takes_theirs()], &issuer(None)));
    let mark = plane.audit_mark();
    let ask = async |person: &str, token: &str| {
        let mcp = client(&server, person).await.header(HEADER, token);
        mcp.call("kro_instances", json!({})).await
    };
    let mut ended = Provider::shared().forge().claims("caller-51");
    ended["exp"] = json!(now() - 600);
    let ended = Provider::shared().forge().claiming(&ended);
    for bad in ["no-such-token", &ended] {
        let answer = ask("caller-51", bad).await;
        for said in ["did not take your token for it (401)", "get a token that this cluster takes"] {
            assert!(answer.is_error && answer.text.contains(said), "{said}: {}", answer.text);
        }
        assert!(!answer.text.contains(bad), "{}", answer.text);
    }
    let mut calls = 2;
    for person in ["caller-51", "caller-52", "caller-53", "caller-54"] {
        let answer = ask(person, &brought(person).await).await;
        assert!(!answer.is_error, "{}", answer.text);
        let refused = ask(person, "no-such-token").await;
        assert!(refused.is_error && refused.text.contains("401"), "{}", refused.text);
        calls += 2;
    }
    let lines = upstream(&server, mark, calls);
    let discoveries =
        lines.iter().filter(|line| line.code == 200 && line.uri.split('?').next() == Some("/apis"));
    assert_eq!(discoveries.count(), 1, "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_prompts_and_completions_are_asked_for_with_it_too() {
    lamps();
    let server = serve(&config(&[takes_theirs()], &issuer(None)));
    let with = client(&server, "alice").await.header(HEADER, &brought("alice").await);
    let without = client(&server, "alice").await;
    let uri = "kro://plane/team-a/Lamp/desk";
    let read = with.result("resources/read", json!({ "uri": uri })).await.expect("a resource");
    assert!(read.to_string().contains("desk"), "{read}");
    let unread = without.result("resources/read", json!({ "uri": uri })).await.expect_err("nothing");
    assert_eq!(unread.code, -32602, "{unread:?}");
    let complete = json!({
        "ref": {"type": "ref/resource", "uri": "kro://{cluster}/{namespace}/{kind}/{name}"},
        "argument": {"name": "name", "value": "de"},
        "context": {"arguments": {"cluster": "plane", "namespace": "team-a", "kind": "Lamp"}},
    });
    let names = |result: Value| result["completion"]["values"].to_string();
    let found = with.result("completion/complete", complete.clone()).await.expect("an answer");
    assert!(names(found.clone()).contains("desk"), "{found}");
    let none = without.result("completion/complete", complete).await.expect("an answer");
    assert_eq!(names(none.clone()), "[]", "{none}");
    let prompt = json!({"name": "diagnose_kro_instance",
        "arguments": {"cluster": "plane", "namespace": "team-a", "kind": "Lamp", "name": "desk"}});
    let got = with.result("prompts/get", prompt.clone()).await.expect("a prompt").to_string();
    assert!(got.contains("desk") && !got.contains("no token of yours"), "{got}");
    let got = without.result("prompts/get", prompt).await;
    let said = got.map_or_else(|error| error.message, |prompt| prompt.to_string());
    assert!(said.contains("no token of yours for it came in the header"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_stdio_there_is_no_header_and_that_is_said() {
    let token = Provider::shared().token_for("alice", crate::exchange::OURS).await;
    let product = Product::new(["call", "kro_instances"]).config(&config(&[takes_theirs()], &issuer(None)));
    let output = product.env("PLATFORM_MCP_TOKEN", &token).output();
    let said = String::from_utf8_lossy(&output.stderr);
    for words in ["Backstage-Kubernetes-Authorization", "call over HTTP (stdio has no headers)"] {
        assert!(!output.status.success() && said.contains(words), "{words}: {said}");
    }
}

async fn follow(client: &Mcp, uri: &str) -> (Listen, Value) {
    let mut stream = Listen::ask(client, "s", &json!({"resourceSubscriptions": [uri]})).await;
    let first = stream.next(Duration::from_secs(15)).await.expect("an acknowledgement");
    (stream, first["params"]["notifications"]["resourceSubscriptions"].clone())
}

fn touch(plane: &ControlPlane, namespace: &str, number: usize) {
    let note = format!("test.example/touched={number}");
    plane.kubectl(&["annotate", "--overwrite", "latch/one", "-n", namespace, &note]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_lives_by_the_token_it_began_with_and_ends_with_it() {
    let plane = latch();
    let namespace = plane.namespace("presented");
    instance(plane, &namespace, "one");
    plane.apply(&format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: presented-latches}}\nrules: \
         [{{apiGroups: [watch.test.kro.run, kro.run], resources: ['*'], verbs: [get, list, watch]}}]\n---\napiVersion: \
         rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: presented-latches-{0}}}\nroleRef: \
         {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: presented-latches}}\nsubjects: \
         [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: 'oidc:caller-55'}}]\n",
        &*namespace
    ));
    let server: Server = serve(&config(&[takes_theirs()], &issuer(None)));
    let uri = format!("kro://plane/{}/Latch/one", &*namespace);
    let forge = Provider::shared().forge();
    let expires = now() + 6;
    let mut short = forge.claims("caller-55");
    short["exp"] = json!(expires);
    let short = client(&server, "caller-55").await.header(HEADER, &forge.claiming(&short));
    let long = client(&server, "caller-55").await.header(HEADER, &brought("caller-55").await);
    // the same caller without a token for the cluster follows nothing
    let (_none, followed) = follow(&client(&server, "caller-55").await, &uri).await;
    assert!(followed.as_array().is_none_or(Vec::is_empty), "{followed}");
    let (mut ends, followed) = follow(&short, &uri).await;
    assert_eq!(followed, json!([uri]));
    let (mut lives, followed) = follow(&long, &uri).await;
    assert_eq!(followed, json!([uri]));
    while ends.next(QUIET).await.is_some() {}
    while lives.next(QUIET).await.is_some() {}
    touch(plane, &namespace, 0);
    for stream in [&mut ends, &mut lives] {
        let told = stream.next(Duration::from_secs(15)).await.expect("it is told");
        assert_eq!(told["method"], "notifications/resources/updated", "{told}");
    }
    // the API server remembers for ten seconds that a token was good
    let began = Instant::now();
    let mut number = 0;
    let over = loop {
        number += 1;
        touch(plane, &namespace, number);
        match ends.next(Duration::from_secs(2)).await {
            Some(message) if message["result"].is_object() => break true,
            Some(_) | None if began.elapsed() > Duration::from_secs(60) => break false,
            Some(_) | None => {}
        }
    };
    assert!(over && now() >= expires, "it ends when its token is not taken any more");
    let mut told = false;
    touch(plane, &namespace, number + 1);
    while let Some(message) = lives.next(Duration::from_secs(3)).await {
        assert_eq!(message["method"], "notifications/resources/updated", "{message}");
        told = true;
    }
    assert!(told, "the other goes on");
    let ended = ours(&server, 1).into_iter().filter(|line| line["follows"] == "end").count();
    assert_eq!(ended, 1);
    tells_no_token(&server);
}
