//! A token says whom it is for. The cluster and this server are two, though the same provider serves both: what is
//! for one is nothing to the other, and is never handed on to it.

use reqwest::StatusCode;
use serde_json::json;

use crate::control_plane::ControlPlane;
use crate::forge::AUDIENCE;
use crate::mcp::Mcp;
use crate::oidc::{self, Provider};
use crate::server::{Product, Server};

/// The audience of this server here; that of the cluster is [`AUDIENCE`].
const OURS: &str = "https://mcp.audiences.test/mcp";

fn serve() -> Server {
    let (plane, provider) = (ControlPlane::shared(), Provider::shared());
    let entry = provider.entry("[{roles: [viewer]}]").replace(AUDIENCE, OURS);
    assert!(entry.contains(OURS) && !entry.contains(AUDIENCE), "{entry}");
    let config = format!(
        "clusters: {{kubeconfig: {{enabled: false}}, static: [{{name: lab, url: {}, caFile: {}, token: {}}}]}}\n\
         issuers: [{entry}]\n",
        json!(plane.server),
        json!(plane.ca_file),
        json!(plane.tokens.server)
    );
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

/// Whom the cluster takes the bearer of this token for; `None` for nobody.
async fn to_the_cluster(token: &str) -> Option<String> {
    let plane = ControlPlane::shared();
    let url = format!("{}/apis/authentication.k8s.io/v1/selfsubjectreviews", plane.server);
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let answer = oidc::client(&plane.ca_file)
        .post(url)
        .bearer_auth(token)
        .json(&body)
        .send()
        .await
        .expect("an answer");
    if answer.status() == StatusCode::UNAUTHORIZED {
        return None;
    }
    let review: serde_json::Value = answer.json().await.expect("JSON");
    review["status"]["userInfo"]["username"].as_str().map(str::to_owned)
}

/// Whom this server takes the bearer of this token for; `None` for nobody.
async fn to_us(server: &Server, token: &str) -> Option<String> {
    let mcp = Mcp::with_token(server.url("/mcp"), token);
    let reply = mcp.request("tools/call", json!({"name": "whoami", "arguments": {}})).await;
    match reply.status {
        401 => None,
        200 => reply.message["result"]["structuredContent"]["cluster_user"].as_str().map(str::to_owned),
        _ => panic!("{} {}", reply.status, reply.text),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_the_cluster_is_refused_by_us_and_what_is_for_us_by_the_cluster() {
    let (plane, provider, server) = (ControlPlane::shared(), Provider::shared(), serve());
    let (for_us, for_the_cluster) =
        (provider.token_for("carol", OURS).await, provider.token_for("carol", AUDIENCE).await);
    let carol = Some("oidc:carol".to_owned());

    assert_eq!(to_the_cluster(&for_the_cluster).await, carol);
    assert_eq!(to_us(&server, &for_the_cluster).await, None);
    assert_eq!(to_us(&server, &for_us).await, carol);
    assert_eq!(to_the_cluster(&for_us).await, None);

    let mark = plane.audit_mark();
    let refused = Mcp::with_token(server.url("/mcp"), &for_the_cluster);
    let reply = refused.request("tools/call", json!({"name": "kro_instances", "arguments": {}})).await;
    assert_eq!(reply.status, 401, "{}", reply.text);
    // the cluster would not have it: it is the server that asks, in her name, with a credential of its own
    let taken = Mcp::with_token(server.url("/mcp"), &for_us).call("kro_instances", json!({})).await;
    assert!(!taken.is_error, "{}", taken.text);
    let lines = plane.audit_until(mark, "platform-mcp/", |lines| {
        lines.iter().any(|line| line.impersonated_user == carol && line.user == "platform-mcp")
    });
    let passed_on: Vec<_> = lines.iter().filter(|line| line.user == "oidc:carol").collect();
    assert!(passed_on.is_empty(), "{passed_on:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_both_is_taken_by_both_and_one_for_neither_by_none() {
    let (provider, server) = (Provider::shared(), serve());
    let forge = provider.forge();
    for (audience, us, cluster) in [
        (json!([OURS, AUDIENCE]), true, true),
        (json!([AUDIENCE, OURS]), true, true),
        (json!([OURS]), true, false),
        (json!([AUDIENCE]), false, true),
        (json!([AUDIENCE, format!("{OURS}/")]), false, true),
        (json!("https://elsewhere.test"), false, false),
        (json!([]), false, false),
    ] {
        let mut claims = forge.claims("alice");
        claims["aud"] = audience.clone();
        let token = forge.claiming(&claims);
        let taken = (to_us(&server, &token).await, to_the_cluster(&token).await);
        let alice = |taken: bool| taken.then(|| "oidc:alice".to_owned());
        assert_eq!(taken, (alice(us), alice(cluster)), "{audience}");
    }
}
