//! The API server of the tests knows the OIDC provider's people, and lets the server under test act for them
//! and for nobody else.

use std::collections::BTreeMap;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::forge::With;
use crate::keys::{Alg, Key};
use crate::oidc::{self, Provider};

const REVIEW: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

/// Asks the API server who the bearer is, with more headers.
async fn review(plane: &ControlPlane, token: &str, headers: &[(&str, &str)]) -> Response {
    let mut request =
        oidc::client(&plane.ca_file).post(format!("{}{REVIEW}", plane.server)).bearer_auth(token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    request.json(&body).send().await.unwrap()
}

async fn user(answer: Response) -> Value {
    assert_eq!(answer.status(), StatusCode::CREATED);
    answer.json::<Value>().await.unwrap()["status"]["userInfo"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_takes_tokens_of_the_audience_and_knows_the_person_and_the_groups() {
    let (plane, provider) = (ControlPlane::shared(), Provider::shared());
    for (person, groups) in [
        ("alice", json!(["oidc:team-a", "system:authenticated"])),
        ("erin", json!(["oidc:team-a", "oidc:team-b", "system:authenticated"])),
        ("frank", json!(["oidc:team-a", "system:authenticated"])),
        ("dave", json!(["system:authenticated"])),
    ] {
        let user = user(review(plane, &provider.token(person).await, &[]).await).await;
        assert_eq!((&user["username"], &user["groups"]), (&json!(format!("oidc:{person}")), &groups));
    }
    let forge = provider.forge();
    let wrong = Key::new(Alg::Rs256, "rs256-1");
    for refused in [
        provider.token_for("alice", "https://elsewhere.test").await,
        forge.sign(&forge.header(Alg::Rs256), &forge.claims("alice"), With::Key(&wrong, Alg::Rs256)),
    ] {
        assert_eq!(review(plane, &refused, &[]).await.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn teams_read_their_own_namespace_and_admins_read_all() {
    let (plane, provider) = (ControlPlane::shared(), Provider::shared());
    let status = async |person: &str, path: &str| {
        let client = oidc::client(&plane.ca_file);
        let request = client.get(format!("{}{path}", plane.server)).bearer_auth(provider.token(person).await);
        request.send().await.unwrap().status().as_u16()
    };
    for (person, path, expected) in [
        ("alice", "/api/v1/namespaces/team-a/pods", 200),
        ("alice", "/api/v1/namespaces/team-a/secrets", 403),
        ("alice", "/api/v1/namespaces/team-b/pods", 403),
        ("alice", "/api/v1/pods", 403),
        ("alice", "/apis/kro.run/v1alpha1/resourcegraphdefinitions", 200),
        ("alice", "/apis", 200),
        ("bob", "/api/v1/namespaces/team-b/pods", 200),
        ("bob", "/api/v1/namespaces/team-a/pods", 403),
        ("carol", "/api/v1/secrets", 200),
        ("carol", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", 200),
        ("dave", "/api/v1/namespaces/team-a/pods", 403),
        ("dave", "/apis/kro.run/v1alpha1/resourcegraphdefinitions", 403),
        ("caller-7", "/api/v1/pods", 200),
        ("caller-7", "/api/v1/secrets", 403),
    ] {
        assert_eq!(status(person, path).await, expected, "{person} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_may_act_for_these_people_alone_and_the_audit_log_says_for_whom() {
    let plane = ControlPlane::shared();
    let own = &plane.tokens.server;
    let mark = plane.audit_mark();
    let headers = [
        ("user-agent", "oidc-rig/impersonation"),
        ("audit-id", "oidc-rig-1"),
        ("impersonate-user", "oidc:erin"),
        ("impersonate-group", "oidc:team-a"),
        ("impersonate-group", "oidc:team-b"),
        ("impersonate-uid", "erin"),
        ("impersonate-extra-email", "erin@platform.test"),
        ("impersonate-extra-platform-mcp.test%2fjti", "token-1"),
    ];
    let said = user(review(plane, own, &headers).await).await;
    assert_eq!(said["username"], "oidc:erin");
    assert_eq!(said["groups"], json!(["oidc:team-a", "oidc:team-b", "system:authenticated"]));
    assert_eq!(said["extra"]["platform-mcp.test/jti"], json!(["token-1"]));

    let lines = plane.audit_until(mark, "oidc-rig/impersonation", |lines| !lines.is_empty());
    let [line] = lines.as_slice() else { panic!("one request, {lines:?}") };
    assert_eq!((line.id.as_str(), line.user.as_str(), line.code), ("oidc-rig-1", "platform-mcp", 201));
    assert_eq!(line.impersonated_user.as_deref(), Some("oidc:erin"));
    assert_eq!(line.impersonated_uid.as_deref(), Some("erin"));
    assert_eq!(line.impersonated_groups, ["oidc:team-a", "oidc:team-b", "system:authenticated"]);
    let extra = BTreeMap::from([
        ("email".to_owned(), vec!["erin@platform.test".to_owned()]),
        ("platform-mcp.test/jti".to_owned(), vec!["token-1".to_owned()]),
    ]);
    assert_eq!(line.impersonated_extra, extra);

    for refused in [
        vec![("impersonate-user", "oidc:stranger")],
        vec![("impersonate-user", "platform-admin")],
        vec![("impersonate-user", "oidc:alice"), ("impersonate-group", "system:masters")],
        vec![("impersonate-user", "oidc:alice"), ("impersonate-group", "oidc:system:masters")],
        vec![("impersonate-user", "oidc:alice"), ("impersonate-extra-other", "x")],
    ] {
        assert_eq!(review(plane, own, &refused).await.status(), StatusCode::FORBIDDEN, "{refused:?}");
    }
    let client = oidc::client(&plane.ca_file);
    let pods = format!("{}/api/v1/namespaces/team-a/pods", plane.server);
    let as_itself = client.get(&pods).bearer_auth(own).send().await.unwrap();
    assert_eq!(as_itself.status(), StatusCode::FORBIDDEN, "by itself it reads nothing");
    let as_alice = client.get(&pods).bearer_auth(own).header("impersonate-user", "oidc:alice");
    let as_alice = as_alice.header("impersonate-group", "oidc:team-a").send().await.unwrap();
    assert_eq!(as_alice.status(), StatusCode::OK);
}
