//! `knative_event_mesh` over a mesh of two thousand triggers on a real API server: how often it asks, and how much it
//! says.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    knative::{self, KINDS},
    mcp::{Mcp, ToolAnswer},
    server::Product,
};

const TRIGGERS: usize = 2_000;
/// To a Broker that is not there.
const LOST: usize = 40;
const TYPES: usize = 200;
const SERVICES: usize = 50;
/// 3,000 tokens, at three and a half bytes each.
const FIRST_PAGE: usize = 10_500;

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "eventing.knative.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn trigger(index: usize) -> Value {
    let broker = if index < LOST { "gone" } else { "default" };
    let service = format!("consumer-of-orders-{}", index % SERVICES);
    let spec = json!({
        "broker": broker,
        "filter": {"attributes": {"type": event_type(index % TYPES), "source": "/apps/storefront"}},
        "subscriber": {"ref": {"apiVersion": "v1", "kind": "Service", "name": service}},
    });
    object("Trigger", &format!("orders-to-consumer-{index:04}"), &spec)
}

fn event_type(index: usize) -> String {
    format!("com.example.storefront.order.changed.v{index}")
}

/// Puts the mesh there with as many requests as it has objects, past kubectl, which would take them one by one.
async fn plant(plane: &ControlPlane, namespace: &str) {
    let ca = reqwest::Certificate::from_pem(&std::fs::read(&plane.ca_file).expect("its CA")).expect("a CA");
    let http = reqwest::Client::builder().tls_certs_only([ca]).build().expect("a client");
    let base =
        |group: &str, plural: &str| format!("{}/{group}/namespaces/{namespace}/{plural}", plane.server);
    let eventing = "apis/eventing.knative.dev/v1";
    let mut objects: Vec<(String, Value)> =
        (0..TRIGGERS).map(|index| (base(eventing, "triggers"), trigger(index))).collect();
    objects.push((base(eventing, "brokers"), object("Broker", "default", &json!({}))));
    objects.extend((0..SERVICES).map(|index| {
        let name = format!("consumer-of-orders-{index}");
        let labels = json!({"backstage.io/kubernetes-id": name});
        let spec = json!({"ports": [{"port": 80}]});
        let service = json!({"apiVersion": "v1", "kind": "Service", "spec": spec,
            "metadata": {"name": name, "labels": labels}});
        (base("api/v1", "services"), service)
    }));
    objects.extend((0..TYPES).map(|index| {
        let spec = json!({"type": event_type(index), "source": "/apps/storefront",
            "reference": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default"}});
        let mut declared = object("EventType", &format!("order-changed-{index}"), &spec);
        declared["apiVersion"] = json!("eventing.knative.dev/v1beta2");
        (base("apis/eventing.knative.dev/v1beta2", "eventtypes"), declared)
    }));
    let made = stream::iter(objects).map(|(url, object)| {
        let sent = http.post(url).bearer_auth(&plane.tokens.admin).json(&object).send();
        async move { sent.await?.error_for_status() }
    });
    made.buffer_unordered(16).try_for_each(async |_| Ok(())).await.expect("the API server takes them");
}

fn rows(answer: &ToolAnswer) -> Vec<Value> {
    answer.structure["consumers"].as_array().cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_triggers_are_one_request_a_kind_and_a_page_of_three_thousand_tokens() {
    let plane = ControlPlane::start(&[("WITHOUT_CONTROLLERS", "1")]);
    knative::install(&plane, &KINDS);
    let namespace = plane.namespace("busy");
    plant(&plane, &namespace).await;
    let server = Product::new(["serve", "--http", "127.0.0.1:0"])
        .kubeconfig(&plane.kubeconfig)
        .config("limits: {requestsPerSecond: 100000, burst: 100000}\n")
        .serve();
    let mcp = Mcp::new(server.url("/mcp"));
    // discovery is asked once for all callers
    mcp.call("knative_event_mesh", json!({"namespace": "default"})).await;

    let mark = plane.audit_mark();
    let page = mcp.call("knative_event_mesh", json!({})).await;
    let first = page.text.lines().next().unwrap_or_default();
    assert!(first.contains("1 broker, 200 event types, 0 channels, 0 sources, 2000 consumers"), "{first}");
    assert!(first.contains("40 "), "what is lost is counted: {first}");
    let (text, structure) = (page.text.len(), page.structure.to_string().len());
    assert!(text <= FIRST_PAGE && structure <= FIRST_PAGE, "{text} bytes of text, {structure} of structure");
    eprintln!("first page: {text} bytes of text, {structure} of structure");
    let shown = rows(&page);
    assert!(shown.len() >= 10, "{}", page.text);
    assert!(
        shown.iter().all(|row| row["from"].as_str().is_some_and(|from| from.contains("gone"))),
        "{shown:?}"
    );

    let lines = plane.audit_until(mark, "platform-mcp", |lines| lines.len() >= 16);
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    for line in &lines {
        assert!(["list", "get"].contains(&line.verb.as_str()), "{line:?}");
        *asked.entry(line.uri.clone()).or_default() += 1;
    }
    let of = |plural: &str| lines.iter().filter(|line| line.uri.contains(plural)).count();
    for plural in ["/brokers", "/triggers", "/eventtypes", "/subscriptions", "/channels", "/inmemorychannels"]
    {
        assert_eq!(of(&format!("{plural}?")), 1, "{asked:#?}");
    }
    assert_eq!(of("/services?"), 1, "one for all subscribers: {asked:#?}");
    assert!(asked.values().all(|times| *times == 1), "nothing is asked twice: {asked:#?}");

    let mut names = BTreeSet::new();
    let (mut cursor, mut pages) = (Value::Null, 0);
    loop {
        let page = mcp.call("knative_event_mesh", json!({"limit": 1000, "cursor": cursor})).await;
        assert!(page.text.len() <= 100_000 && page.structure.to_string().len() <= 100_000);
        for row in rows(&page) {
            let via = row["via"].as_str().expect("a trigger").to_owned();
            assert!(names.insert(via), "no row twice: {row}");
        }
        pages += 1;
        cursor = page.structure["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(names.len(), TRIGGERS, "every page together; {pages} pages");

    let one = json!({"event_type": event_type(7), "direction": "consumers"});
    let gets = mcp.call("knative_event_mesh", one).await;
    let first = gets.text.lines().next().unwrap_or_default();
    assert!(first.contains("gets to 1 consumer: Service "), "{first}");
    let picture = mcp.call("knative_event_mesh", json!({"format": "mermaid"})).await;
    let (text, structure) = (picture.text.len(), picture.structure.to_string().len());
    assert!(text <= FIRST_PAGE && structure <= FIRST_PAGE, "{text} bytes of text, {structure} of structure");
    let truncated = picture.structure["truncated"].as_str().unwrap_or_default();
    assert!(truncated.contains(" of 2000 edges are drawn"), "{truncated}");
}
