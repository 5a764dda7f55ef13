//! Who reads the mesh: the API server sees the caller, and what the caller may not read is named.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{TOOL, ask, gaps, good, over, texts};
use crate::{
    audit::AuditLine,
    control_plane::ControlPlane,
    impersonation::ours,
    knative::{self, StandardMesh},
    mcp::Mcp,
    oidc::Provider,
    server::{Product, Server},
};

/// A server whose cluster sees each caller.
fn impersonating(plane: &ControlPlane) -> Server {
    let clusters = json!({"kubeconfig": {"enabled": false}, "static": [
        {"name": "mesh", "url": plane.server, "caFile": plane.ca_file, "token": plane.tokens.server}]});
    let issuer = Provider::shared().entry("[{roles: [viewer]}]");
    let config = format!("clusters: {clusters}\naudit: {{to: audit.log}}\nissuers: [{issuer}]\n");
    Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve()
}

async fn caller(server: &Server, person: &str) -> Mcp {
    Mcp::with_token(server.url("/mcp"), &Provider::shared().token(person).await)
}

/// Lets a person list these (`group`, resources) everywhere, or in one namespace.
fn grant(plane: &ControlPlane, person: &str, namespace: Option<&str>, rights: &[(&str, &[&str])]) {
    let rbac = "rbac.authorization.k8s.io";
    let rules: Vec<Value> = rights
        .iter()
        .map(|(group, resources)| json!({"apiGroups": [group], "resources": resources, "verbs": ["list", "get"]}))
        .collect();
    let name = format!("mesh-of-{person}");
    let metadata = match namespace {
        Some(namespace) => json!({"name": name, "namespace": namespace}),
        None => json!({"name": name}),
    };
    let binding = if namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
    plane.apply(
        &json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
            {"apiVersion": format!("{rbac}/v1"), "kind": binding, "metadata": metadata,
             "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": name},
             "subjects": [{"apiGroup": rbac, "kind": "User", "name": format!("oidc:{person}")}]},
        ]})
        .to_string(),
    );
}

fn path(line: &AuditLine) -> &str {
    line.uri.split('?').next().unwrap_or_default()
}

/// What the API server saw of the only call of the tool.
fn requests(plane: &ControlPlane, server: &Server, mark: u64) -> Vec<AuditLine> {
    let line = ours(server, 1).into_iter().find(|line| line["tool"] == TOOL).expect("its line");
    let call = format!("call/{}", line["call"].as_str().expect("a number"));
    let count = line["upstream_requests"].as_u64().expect("a count") as usize;
    plane.audit_until(mark, &call, |lines| lines.len() >= count)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_read_is_the_callers_own_one_for_each_kind_and_none_of_a_secret() {
    let (plane, _) = (knative::plane(), StandardMesh::shared());
    let server = impersonating(plane);
    let carol = caller(&server, "carol").await;
    let mark = plane.audit_mark();
    let answer = good(&carol, json!({})).await;
    assert!(answer.structure.get("partial").is_none(), "{}", gaps(&answer));

    let lines = requests(plane, &server, mark);
    let (shared, reads): (Vec<&AuditLine>, Vec<&AuditLine>) =
        lines.iter().partition(|line| matches!(path(line), "/api" | "/apis"));
    assert!(shared.iter().all(|line| line.user == "platform-mcp"), "{shared:#?}");
    for line in &reads {
        assert_eq!(line.user, "platform-mcp", "{line:#?}");
        assert_eq!(line.impersonated_user.as_deref(), Some("oidc:carol"), "{line:#?}");
        assert_eq!(line.impersonated_groups, ["oidc:platform-admins", "system:authenticated"], "{line:#?}");
        assert_eq!((line.verb.as_str(), line.code), ("list", 200), "{line:#?}");
    }
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let of_crds = reads.iter().filter(|line| path(line) == crds).count();
    assert_eq!(of_crds, 2, "one for each label: {reads:#?}");
    // where all that is referred to is in one namespace, no other is asked
    let everywhere = |line: &&AuditLine| match path(line).split_once("/namespaces/") {
        Some((version, rest)) => {
            format!("{version}/{}", rest.split_once('/').map_or("", |(_, plural)| plural))
        }
        None => path(line).to_owned(),
    };
    let mut kinds: Vec<String> = reads.iter().map(everywhere).filter(|path| path != crds).collect();
    let count = kinds.len();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), count, "one request for each kind: {kinds:#?}");
    for kind in [
        "/apis/eventing.knative.dev/v1/brokers",
        "/apis/eventing.knative.dev/v1/triggers",
        "/apis/eventing.knative.dev/v1beta3/eventtypes",
        "/apis/messaging.knative.dev/v1/subscriptions",
        "/apis/messaging.knative.dev/v1/channels",
        "/apis/messaging.knative.dev/v1/inmemorychannels",
        "/apis/flows.knative.dev/v1/sequences",
        "/apis/flows.knative.dev/v1/parallels",
        "/apis/sources.knative.dev/v1/pingsources",
        "/apis/sources.vendor.test/v1alpha1/repositoryfeeds",
        "/apis/serving.knative.dev/v1/services",
        "/apis/sinks.knative.dev/v1alpha1/jobsinks",
        "/api/v1/services",
    ] {
        assert!(kinds.iter().any(|read| read == kind), "{kind}: {kinds:#?}");
    }
    for never in ["secrets", "configmaps", "deployments"] {
        assert!(!kinds.iter().any(|kind| kind.contains(never)), "{never}: {kinds:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_may_not_be_read_is_named_and_nothing_is_said_missing_for_it() {
    let (plane, mesh) = (knative::plane(), StandardMesh::shared());
    let shop = &*mesh.shop;
    // all but the triggers and Knative's own Services
    let everything: &[(&str, &[&str])] = &[
        ("apiextensions.k8s.io", &["customresourcedefinitions"]),
        ("eventing.knative.dev", &["brokers", "eventtypes"]),
        ("messaging.knative.dev", &["*"]),
        ("flows.knative.dev", &["*"]),
        ("sources.knative.dev", &["*"]),
        ("sources.vendor.test", &["*"]),
        ("sinks.knative.dev", &["*"]),
    ];
    grant(plane, "caller-11", None, everything);
    let server = impersonating(plane);
    let some = caller(&server, "caller-11").await;
    let answer = good(&some, json!({"namespace": shop, "limit": 1000})).await;
    assert_eq!(answer.structure["partial"], true, "{}", answer.text);
    let told = gaps(&answer);
    assert!(told.contains("Trigger.eventing.knative.dev") && told.contains("oidc:caller-11"), "{told}");
    assert!(answer.text.contains("Trigger.eventing.knative.dev"), "in the text too: {}", answer.text);
    let from: BTreeSet<&str> = {
        let rows = answer.structure["consumers"].as_array().into_iter().flatten();
        rows.filter_map(|row| row["from"].as_str()).collect()
    };
    assert!(from.contains("Channel audit") && !from.contains("Broker default"), "{}", answer.text);
    let broker = format!("Broker {shop}/default");
    let wrong = answer.structure["findings"].as_array().into_iter().flatten();
    let blamed: Vec<&Value> = wrong.filter(|row| row["about"] == broker.as_str()).collect();
    assert_eq!(blamed, Vec::<&Value>::new(), "its triggers were not read");
    let followed = json!({"namespace": shop, "event_type": "shop.order.placed", "direction": "consumers"});
    let followed = good(&some, followed).await;
    assert_eq!(followed.structure["partial"], true, "{}", followed.text);

    // in one namespace alone, and without a look at CRDs
    let there: Vec<(&str, &[&str])> =
        [&everything[1..], &[("eventing.knative.dev", &["triggers"][..]), ("", &["services"])]].concat();
    grant(plane, "caller-12", Some(shop), &there);
    // `view` of all callers is what lets them read Services; these kinds it does not know
    let one = caller(&server, "caller-12").await;
    let answer = good(&one, json!({"namespace": shop, "limit": 1000})).await;
    let told = gaps(&answer);
    assert!(told.contains("CustomResourceDefinition"), "{told}");
    assert!(told.contains(&format!("namespaces other than {shop} were not looked at")), "{told}");
    let rows = answer.structure["consumers"].as_array().expect("consumers");
    let to = |via: &str| rows.iter().find(|row| row["via"] == via).map(|row| row["to"].clone());
    assert_eq!(to("Trigger legacy"), Some(json!("Service billing")), "{}", answer.text);
    let sources = answer.structure["sources"].to_string();
    assert!(sources.contains(&format!("Broker {}/ledger (not read)", mesh.bank)), "not missing: {sources}");
    let everywhere = ask(&one, json!({})).await;
    assert!(everywhere.is_error || everywhere.structure["partial"] == true, "{}", everywhere.text);
    assert!(everywhere.text.contains("oidc:caller-12"), "{}", everywhere.text);

    // nobody's rights
    let dave = ask(&caller(&server, "dave").await, json!({})).await;
    assert!(dave.is_error || texts(&dave.structure["gaps"]).len() > 4, "{}", dave.text);
    assert!(dave.text.contains("oidc:dave") && !dave.text.contains(shop), "{}", dave.text);
    assert!(!dave.text.contains("not installed"), "what may not be seen may be there: {}", dave.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_api_server_does_not_take_is_told_and_nothing_else() {
    let (plane, mesh) = (knative::plane(), StandardMesh::shared());
    let server = over(plane, "not-a-token-of-anybody");
    let answer = ask(&Mcp::new(server.url("/mcp")), json!({})).await;
    assert!(answer.is_error, "{}", answer.text);
    assert!(
        !answer.text.contains("not-a-token-of-anybody") && !answer.text.contains(&*mesh.shop),
        "{}",
        answer.text
    );
}
