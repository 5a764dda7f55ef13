//! The endpoint over a real API server, read by the provider of the Knative plugin for Backstage's catalog.

use std::process::Command;

use serde_json::{Value, json};

use super::{get, refused, serve};
use crate::{
    control_plane::ControlPlane,
    impersonation::ours,
    knative::{self, PLANTED, StandardMesh},
    kubectl::Namespace,
    parts::{eventing, support},
    server::Server,
};

/// What the token's user may do: `examples/knative` for the kinds of subscribers that the mesh has.
const RIGHTS: [(&str, &str, &str); 6] = [
    ("eventing.knative.dev", "brokers,triggers,eventtypes", "list"),
    ("messaging.knative.dev", "subscriptions,channels,inmemorychannels", "list"),
    ("flows.knative.dev", "sequences,parallels", "list"),
    (
        "sources.knative.dev",
        "apiserversources,containersources,integrationsources,pingsources,sinkbindings",
        "list",
    ),
    ("sources.vendor.test", "repositoryfeeds", "list"),
    ("apiextensions.k8s.io", "customresourcedefinitions", "list"),
];
const SUBSCRIBERS: [(&str, &str, &str); 3] = [
    ("", "services", "get"),
    ("serving.knative.dev", "services", "get"),
    ("sinks.knative.dev", "jobsinks", "get"),
];

/// A ServiceAccount in a namespace of its own.
struct Robot {
    namespace: Namespace,
    user: String,
    token: String,
}

impl Robot {
    /// With rights to `rules` everywhere.
    fn new(plane: &ControlPlane, rules: &[(&str, &str, &str)]) -> Self {
        let namespace = plane.namespace("robot");
        plane.kubectl(&["create", "serviceaccount", "mesh", "-n", &namespace]);
        let rules: Vec<Value> = rules
            .iter()
            .map(|(group, resources, verb)| {
                let resources: Vec<&str> = resources.split(',').collect();
                json!({"apiGroups": [group], "resources": resources, "verbs": [verb]})
            })
            .collect();
        let name = format!("{namespace}-mesh");
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name}, "rules": rules});
        let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "mesh", "namespace": &*namespace}]});
        plane.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [role, binding]}).to_string());
        let token = plane.kubectl(&["create", "token", "mesh", "-n", &namespace, "--duration=1h"]);
        let user = format!("system:serviceaccount:{namespace}:mesh");
        Self { namespace, user, token: token.trim().to_owned() }
    }
}

/// A server over the control plane with Knative. Its own credential could read everything.
fn over(plane: &ControlPlane, issuers: bool) -> Server {
    let cluster = json!({"name": "mesh", "url": plane.server, "caFile": plane.ca_file,
        "token": plane.tokens.viewer, "identity": "own"});
    serve(&cluster, issuers, "")
}

/// Of a list of the answer, the one in this namespace.
fn one<'m>(mesh: &'m Value, list: &str, namespace: &str, name: &str) -> &'m Value {
    let is = |one: &&Value| one["namespace"] == namespace && one["name"] == name;
    mesh[list]
        .as_array()
        .and_then(|all| all.iter().find(is))
        .unwrap_or_else(|| panic!("{list} {name}: {mesh}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plugins_provider_maps_every_entity_and_the_api_server_saw_the_token_alone() {
    let (plane, mesh) = (knative::plane(), StandardMesh::shared());
    let robot = Robot::new(plane, &[&RIGHTS[..], &SUBSCRIBERS].concat());
    let server = over(plane, false);
    let mark = plane.audit_mark();
    let answer = get(&server, Some(&robot.token)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    let text = answer.text().await.unwrap();
    for never in [PLANTED, "last-applied-configuration", "orders-key"] {
        assert!(!text.contains(never), "{never}");
    }
    let published: Value = serde_json::from_str(&text).expect("JSON");

    // who read it, at the API server
    let line = &ours(&server, 1)[0];
    let call = line["call"].as_str().expect("a number").to_owned();
    let requests = line["upstream_requests"].as_u64().expect("a count") as usize;
    let lines = plane.audit_until(mark, &format!("call/{call}"), |lines| lines.len() >= requests);
    for line in &lines {
        assert_eq!((line.user.as_str(), &line.impersonated_user), (robot.user.as_str(), &None), "{line:#?}");
        assert!(line.code < 400 || line.code == 404, "nothing was refused: {line:#?}");
        assert!(!line.uri.contains("/secrets") && !line.uri.contains("/configmaps"), "{line:#?}");
    }

    // what stands where
    let (shop, bank) = (&*mesh.shop, &*mesh.bank);
    let placed = one(&published, "eventTypes", shop, "order-placed");
    assert_eq!(placed["type"], "shop.order.placed");
    assert_eq!(
        placed["reference"],
        json!({"group": "eventing.knative.dev", "kind": "Broker", "namespace": shop, "name": "default"})
    );
    let payment = one(&published, "eventTypes", bank, "payment");
    assert_eq!(payment["schemaURL"], "https://schemas.platform.test/payment.json");
    assert_eq!(payment["schemaData"], r#"{"type":"object"}"#);
    assert_eq!(payment["reference"]["name"], "ledger", "the deprecated spec.broker");
    let ledger = one(&published, "brokers", bank, "ledger");
    assert_eq!(ledger["providedEventTypes"], json!([format!("{bank}/payment"), format!("{bank}/ping")]));
    let audit = published["subscribables"].as_array().unwrap().iter();
    let audit: Vec<&Value> = audit.filter(|one| one["name"] == "audit" && one["namespace"] == shop).collect();
    assert_eq!(audit.len(), 2, "the Channel and the one that it stands for");
    let heartbeat = one(&published, "sources", shop, "heartbeat");
    assert_eq!(heartbeat["sink"]["namespace"], bank, "not the source's own");
    assert_eq!(heartbeat["providedEventTypeTypes"], json!(["dev.knative.sources.ping"]));
    assert!(one(&published, "sources", bank, "commits").get("sink").is_none(), "a URI that is nobody's");
    for list in ["eventTypes", "brokers", "subscribables", "sources"] {
        let all = published[list].as_array().expect("a list");
        let order = |one: &Value| ["namespace", "name"].map(|key| one[key].as_str().unwrap().to_owned());
        assert!(all.is_sorted_by_key(order), "{list}");
    }

    // and what the plugin makes of it
    let given = provider(&server, &robot.token);
    assert_eq!(given["errors"], json!([]));
    assert_eq!(given["invalid"], json!([]), "as the API says");
    assert_eq!(given["odd"], json!([]), "the catalog takes all of them");
    assert_eq!(given["mutations"].as_array().map(Vec::len), Some(1));
    let entities = given["mutations"][0]["entities"].as_array().expect("entities");
    let here = |one: &&Value| {
        let namespace = &one["entity"]["metadata"]["namespace"];
        namespace == shop || namespace == bank
    };
    let lists = ["eventTypes", "brokers", "subscribables", "sources"];
    let shown = lists.iter().flat_map(|list| published[*list].as_array().expect("a list"));
    let ours = shown.filter(|one| one["namespace"] == shop || one["namespace"] == bank).count();
    assert_eq!(entities.iter().filter(here).count(), ours);
    let api = entities.iter().map(|one| &one["entity"]).find(|one| {
        one["kind"] == "API"
            && one["metadata"]["name"] == "order-placed"
            && one["metadata"]["namespace"] == shop
    });
    let api = api.expect("an API");
    assert_eq!(api["metadata"]["consumedBy"], placed["consumedBy"]);
    drop(robot.namespace);
}

/// Runs the provider against a server.
fn provider(server: &Server, token: &str) -> Value {
    let parts = eventing();
    let output = Command::new(parts.join("bin/node"))
        .arg(support("eventing/provider.mjs"))
        .arg(parts)
        .args([server.url("").trim_end_matches('/'), token])
        .output()
        .expect("Node starts");
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_api_server_does_not_take_or_lets_list_nothing_is_told_so() {
    let plane = knative::plane();
    let nobody = Robot::new(plane, &[]);
    let some = Robot::new(
        plane,
        &[&RIGHTS[1..], &[("eventing.knative.dev", "brokers,eventtypes", "list")]].concat(),
    );
    for issuers in super::ISSUERS {
        let server = over(plane, issuers);
        for garbage in ["garbage", "eyJhbGciOiJSUzI1NiJ9.e30.AAAA"] {
            let (status, message) = refused(get(&server, Some(garbage)).send().await.unwrap()).await;
            assert!(status == 401 && message.contains("does not take this token"), "{status} {message}");
        }
        let (status, message) = refused(get(&server, Some(&nobody.token)).send().await.unwrap()).await;
        assert_eq!(status, 403, "{message}");
        assert!(
            message.contains("Broker.eventing.knative.dev") && message.contains("rbac knative"),
            "{message}"
        );
        // one kind is missing, and no mesh without it: the catalog would forget what is not in it
        let (status, message) = refused(get(&server, Some(&some.token)).send().await.unwrap()).await;
        assert_eq!(status, 403, "{message}");
        assert!(message.contains("list Trigger.eventing.knative.dev in all namespaces"), "{message}");
        let given = provider(&server, &some.token);
        assert_eq!(given["mutations"], json!([]), "the plugin keeps what it had");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_are_those_who_get_an_event_or_may() {
    let (plane, mesh) = (knative::plane(), StandardMesh::shared());
    let robot = Robot::new(plane, &[&RIGHTS[..], &SUBSCRIBERS].concat());
    let server = over(plane, false);
    let published: Value = get(&server, Some(&robot.token)).send().await.unwrap().json().await.expect("JSON");
    let (shop, bank) = (&*mesh.shop, &*mesh.bank);
    let consumers =
        |namespace: &str, name: &str| one(&published, "eventTypes", namespace, name)["consumedBy"].clone();
    assert_eq!(
        consumers(shop, "order-placed"),
        json!(["archive", "big-orders", "billing-component", "finance"]),
        "by each dialect; not by what filters another source, and by CESQL perhaps"
    );
    assert_eq!(
        consumers(shop, "order-cancelled"),
        json!(["archive", "big-orders", "cancel-desk", "cancellations", "not-placed"])
    );
    let added = consumers(shop, "resource-added");
    let added: Vec<&str> = added.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for consumer in ["audit-log", "audit-copy"] {
        assert!(added.contains(&consumer), "consumers of channels resolve: {added:?}");
    }
    let heartbeat = one(&published, "sources", shop, "heartbeat");
    assert_eq!(heartbeat["providedEventTypes"], json!([format!("{bank}/ping")]));
    drop(robot.namespace);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_may_not_be_read_is_nobodys_consumer_and_nothing_else_is_lost() {
    let (plane, mesh) = (knative::plane(), StandardMesh::shared());
    let robot = Robot::new(plane, &[&RIGHTS[..], &SUBSCRIBERS[1..]].concat());
    let server = over(plane, false);
    let answer = get(&server, Some(&robot.token)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    let published: Value = answer.json().await.expect("JSON");
    let cancelled = one(&published, "eventTypes", &mesh.shop, "order-cancelled");
    assert_eq!(cancelled["consumedBy"], json!(["cancellations"]), "the Knative Service alone could be read");
}
