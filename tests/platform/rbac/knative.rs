//! `rbac knative` on the real API server, and `examples/knative` as it stands there.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::applied::{Applied, Right, asked, documents, printed};
use crate::{
    audit::AuditLine,
    control_plane::ControlPlane,
    knative::{self, KINDS, StandardMesh},
    mcp::Mcp,
    server::{Product, Server},
};

/// `examples/knative/platform-mcp.yaml` with the address of this plane, and the server's own credential where it has one.
fn example(plane: &ControlPlane, own: Option<&str>) -> String {
    let example = include_str!("../../../examples/knative/platform-mcp.yaml");
    let limits = "limits: {requestsPerSecond: 100000, burst: 100000}\n";
    let config = example
        .replace("${KUBERNETES_URL}", &plane.server)
        .replace("${KUBERNETES_CA}", &plane.ca_file.to_string_lossy());
    assert!(!config.contains("${") || config.contains("KUBERNETES_URL=https"), "{config}");
    match own {
        None => format!("{config}{limits}"),
        Some(token) => {
            let with =
                config.replace("identity: caller-header", &format!("token: {token}\n      identity: own"));
            assert_ne!(with, config);
            format!("{with}{limits}")
        }
    }
}

fn serve(config: &str) -> Server {
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(config).serve()
}

/// Kinds that were there when it was printed: other tests bring more.
fn is_known(right: &&Right) -> bool {
    let (_, group, resource) = right;
    let kind = KINDS.iter().any(|kind| kind.group == group && kind.plural == resource);
    kind || (group.is_empty() && resource == "services") || resource == "customresourcedefinitions"
}

/// That everything was allowed that this account asked for, and everything that is allowed was asked for.
#[track_caller]
fn enough_and_no_more(applied: &Applied, lines: &[AuditLine]) {
    let theirs = applied.theirs(lines);
    let refused: Vec<Right> =
        theirs.iter().filter(|line| line.code == 403).filter_map(|line| asked(line)).collect();
    assert!(!refused.iter().any(|right| is_known(&right)), "refused: {refused:?}");
    let exercised: BTreeSet<Right> = theirs.iter().filter_map(|line| asked(line)).collect();
    let granted = applied.granted();
    let unused: Vec<&Right> =
        granted.iter().filter(is_known).filter(|right| !exercised.contains(*right)).collect();
    assert!(unused.is_empty(), "granted and not used: {unused:?}\n{exercised:?}");
    let changed: Vec<&Right> = granted.iter().filter(|(verb, ..)| verb != "get" && verb != "list").collect();
    assert!(changed.is_empty(), "{changed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_drop_in_needs_what_is_printed_and_nothing_else() {
    let (plane, _mesh) = (knative::plane(), StandardMesh::shared());
    let ns = plane.namespace("rbac");
    let name = format!("mesh-{}", &*ns);
    let to = ["knative", "--cluster", "prod", "--namespace", &*ns, "--name", &name];
    let (manifest, said) = printed(&example(plane, Some(&plane.tokens.admin)), &to);
    assert!(!said.contains("forbidden"), "{said}");
    assert!(manifest.contains("# Left out: \"ConfigMap\", which something names"), "{manifest}");
    assert!(!manifest.contains("\"configmaps\"") && !manifest.contains("\"secrets\""), "{manifest}");
    let applied = Applied::on(plane, manifest, &ns, &name);
    for wanted in [("", "services"), ("serving.knative.dev", "services"), ("sinks.knative.dev", "jobsinks")] {
        let right = ("get".to_owned(), wanted.0.to_owned(), wanted.1.to_owned());
        assert!(applied.granted().contains(&right), "{wanted:?}");
    }
    let server = serve(&example(plane, None));
    let mark = plane.audit_mark();
    let url = server.url("/v1/getEventMesh");
    let answer = reqwest::Client::new().get(&url).bearer_auth(applied.token()).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{text}");
    let mesh: Value = serde_json::from_str(&text).unwrap();
    assert!(mesh["brokers"].as_array().is_some_and(|brokers| brokers.len() > 1), "{text}");
    assert!(text.contains("billing-component"), "consumers are found with it: {text}");
    let granted = applied.granted();
    let lines = plane.audit_until(mark, "platform-mcp/", |lines| {
        let exercised: BTreeSet<Right> =
            applied.theirs(lines).iter().filter_map(|line| asked(line)).collect();
        granted.iter().filter(is_known).all(|right| exercised.contains(right))
    });
    enough_and_no_more(&applied, &lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tool_needs_what_is_printed_and_nothing_else() {
    let (plane, _mesh) = (knative::plane(), StandardMesh::shared());
    let ns = plane.namespace("rbac");
    let name = format!("server-{}", &*ns);
    let to = ["knative", "--for", "tool", "--cluster", "prod", "--namespace", &*ns, "--name", &name];
    let (manifest, _) = printed(&example(plane, Some(&plane.tokens.admin)), &to);
    assert!(!manifest.contains("kind: Secret") && !manifest.contains("\"get\""), "{manifest}");
    let applied = Applied::on(plane, manifest, &ns, &name);
    let server = serve(&example(plane, Some(&applied.token())));
    let mark = plane.audit_mark();
    let answer = Mcp::new(server.url("/mcp")).call("knative_event_mesh", json!({})).await;
    assert!(!answer.is_error && !answer.text.contains("forbidden"), "{}", answer.text);
    let granted = applied.granted();
    let lines = plane.audit_until(mark, "platform-mcp/", |lines| {
        let exercised: BTreeSet<Right> =
            applied.theirs(lines).iter().filter_map(|line| asked(line)).collect();
        granted.iter().filter(is_known).all(|right| exercised.contains(right))
    });
    enough_and_no_more(&applied, &lines);
}

#[test]
fn the_example_is_what_the_command_prints() {
    let kinds = ["knative", "--kinds", "services,services.serving.knative.dev"];
    let (manifest, said) = printed("{}", &kinds);
    assert_eq!(
        (manifest.as_str(), said.as_str()),
        (include_str!("../../../examples/knative/service-account.yaml"), "")
    );
}

#[test]
fn the_example_for_backstage_has_what_the_plugin_reads_and_its_trap() {
    let config: Value = documents(include_str!("../../../examples/knative/app-config.yaml")).remove(0);
    let provider = &config["catalog"]["providers"]["knativeEventMesh"]["prod"];
    assert!(provider["baseUrl"].is_string() && provider["token"].is_string(), "{config}");
    assert!(
        provider["schedule"]["frequency"].is_object() && provider["schedule"]["timeout"].is_object(),
        "{config}"
    );
    assert_eq!(
        config["token"],
        json!({}),
        "getConfig(\"token\") of 1.21.0 takes an object, and throws without one"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_gets_a_lasting_token_where_controllers_run() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("rbac");
    let name = format!("lasting-{}", &*ns);
    let to = ["knative", "--kinds", "services", "--namespace", &*ns, "--name", &name];
    let (manifest, _) = printed("{}", &to);
    let _applied = Applied::on(plane, manifest, &ns, &name);
    let secret = format!("secret/{name}-token");
    plane.wait_for("the token", std::time::Duration::from_secs(30), || {
        let secret = plane.get(&ns, &secret)?;
        secret["data"]["token"].as_str().filter(|token| !token.is_empty()).map(|_| ())
    });
}
