//! `rbac impersonate` on the real API server.

use serde_json::json;

use super::applied::{Applied, printed};
use crate::{
    control_plane::ControlPlane,
    mcp::{Mcp, ToolAnswer},
    oidc::Provider,
    server::Product,
};

#[tokio::test(flavor = "multi_thread")]
async fn callers_who_are_named_are_impersonated_and_a_group_that_is_not_is_refused() {
    crate::impersonation::lamps();
    let (plane, provider) = (ControlPlane::shared(), Provider::shared());
    let ns = plane.namespace("rbac");
    let issuer = provider.entry("[{when: {groups: [team-a]}, roles: [viewer]}, {roles: [viewer]}]");
    let issuers = format!("issuers: [{issuer}]\n");
    let name = format!("shower-{}", &*ns);
    let people = ["--user", "oidc:alice", "--user", "oidc:bob", "--user", "oidc:erin"];
    let to = ["impersonate", "--namespace", &*ns, "--name", &name];
    let (manifest, said) = printed(&issuers, &[&to[..], &people].concat());
    assert_eq!(said, "");
    let applied = Applied::on(plane, manifest, &ns, &name);
    let clusters = json!({
        "kubeconfig": {"enabled": false},
        "static": [{"name": "plane", "url": plane.server, "caFile": plane.ca_file, "token": applied.token()}],
    });
    let server = Product::new(["serve", "--http", "127.0.0.1:0"])
        .config(&format!("clusters: {clusters}\n{issuers}"))
        .serve();
    let lamp = |team: &str| json!({"kind": "Lamp", "namespace": team, "name": "desk"});
    let asked = async |person: &str, team: &str| -> ToolAnswer {
        let mcp = Mcp::with_token(server.url("/mcp"), &provider.token(person).await);
        mcp.call("kro_graph", lamp(team)).await
    };
    let alice = asked("alice", "team-a").await;
    assert!(!alice.is_error, "{}", alice.text);
    // in a group that is not named; in one more than is named; not named
    for (person, team) in [("bob", "team-b"), ("erin", "team-a"), ("frank", "team-a")] {
        let refused = asked(person, team).await;
        assert!(refused.is_error, "{person}: {}", refused.text);
        assert!(refused.text.contains("impersonate"), "{person}: {}", refused.text);
    }
    let check = Product::new(["check"]).config(&format!("clusters: {clusters}\n{issuers}")).output();
    let check = String::from_utf8(check.stdout).unwrap();
    assert!(check.contains("cluster plane: the server may impersonate callers"), "{check}");
}
