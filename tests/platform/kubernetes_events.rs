//! `kubernetes_events` on a real API server, and over an API that refuses and floods.

use serde_json::{Value, json};

use crate::{
    control_plane::ControlPlane,
    faulty::{Fault, Faulty},
    mcp::{Mcp, ToolAnswer},
    server::{Product, Server},
};

fn serve(plane: &ControlPlane, config: &str) -> (Server, Mcp) {
    let server =
        Product::new(["serve", "--http", "127.0.0.1:0"]).kubeconfig(&plane.kubeconfig).config(config).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    (server, mcp)
}

fn within(namespaces: &str) -> String {
    format!(
        "roles: {{one: {{allow: [kubernetes.resources.read]}}}}\nlocal: {{role: one, within: {{namespaces: [{namespaces}]}}}}\n"
    )
}

fn messages(answer: &ToolAnswer) -> Vec<String> {
    assert!(!answer.is_error, "{}", answer.text);
    let rows = answer.structure["rows"].as_array().unwrap_or_else(|| panic!("no rows: {}", answer.text));
    rows.iter().filter_map(|row| row["message"].as_str()).map(str::to_owned).collect()
}

/// An event, seen so many minutes ago.
fn event(name: &str, namespace: &str, about: &Value, more: &Value) -> Value {
    let mut event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace},
        "involvedObject": about, "type": "Normal", "reason": "Pulled", "message": name, "count": 1,
        "source": {"component": "a-test"}, "firstTimestamp": ago(5), "lastTimestamp": ago(5)});
    event.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    event
}

fn ago(minutes: i64) -> String {
    (jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes))
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

fn about(kind: &str, namespace: &str, name: &str, uid: &str) -> Value {
    json!({"apiVersion": if kind == "Deployment" { "apps/v1" } else { "v1" }, "kind": kind, "namespace": namespace,
        "name": name, "uid": uid})
}

fn pod_uid(ns: &str) -> String {
    format!("the-pod-{ns}")
}

fn plant(plane: &ControlPlane, ns: &str) {
    let pod = about("Pod", ns, "web-0", &pod_uid(ns));
    let node = json!({"apiVersion": "v1", "kind": "Node", "name": format!("node-{ns}"), "uid": "n"});
    let back_off = |count: u64, minutes: i64| {
        json!({"type": "Warning", "reason": "BackOff", "message": "back-off", "count": count,
            "firstTimestamp": ago(minutes), "lastTimestamp": ago(minutes)})
    };
    let old = json!({"firstTimestamp": ago(300), "lastTimestamp": ago(300)});
    let items = [
        event("one", ns, &pod, &back_off(3, 20)),
        event("two", ns, &pod, &back_off(4, 10)),
        event("pulled", ns, &pod, &json!({"message": "an image was pulled", "lastTimestamp": ago(1)})),
        event("earlier", ns, &about("Pod", ns, "web-0", &format!("before-{ns}")), &old),
        event("scaled", ns, &about("Deployment", ns, "web", "d"), &json!({"reason": "Scaled"})),
        event("bound", ns, &about("PersistentVolumeClaim", ns, "web", "p"), &json!({"reason": "Bound"})),
        json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "newer", "namespace": ns},
            "regarding": pod, "type": "Warning", "reason": "Unhealthy", "note": "a probe failed", "action": "Probe",
            "reportingController": "test.io/probe", "reportingInstance": "one",
            "eventTime": "2026-01-01T00:00:00.000000Z"}),
        event(&format!("node-{ns}"), "default", &node, &json!({"reason": "Rebooted"})),
    ];
    plane.apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_found_by_what_they_are_about_and_what_they_say() {
    let plane = ControlPlane::shared();
    let ns = plane.namespace("events");
    let ns = &*ns;
    plant(plane, ns);
    let (_server, mcp) = serve(plane, "local: {role: viewer}\n");
    let ask = async |arguments: Value| mcp.call("kubernetes_events", arguments).await;

    let all = ask(json!({"namespace": ns})).await;
    assert_eq!(
        messages(&all)[..2],
        ["back-off", "a probe failed"],
        "warnings first, the newest of them first"
    );
    assert_eq!(messages(&all)[2], "an image was pulled", "{}", all.text);
    assert_eq!((messages(&all).len(), &all.structure["warnings"]), (6, &json!(2)), "{}", all.text);
    let first = all.text.lines().next().expect("a line");
    assert!(
        first.starts_with(&format!("namespace {ns} ("))
            && first.contains("2 warnings: BackOff x7 on Pod/web-0, 10m ago"),
        "{first}"
    );
    let row = &all.structure["rows"][0];
    assert_eq!(
        (&row["count"], &row["object"]),
        (&json!(7), &json!("Pod/web-0")),
        "repeats are one row: {row}"
    );

    for (arguments, expected) in [
        (
            json!({"kind": "pods", "name": "web-0"}),
            vec!["back-off", "a probe failed", "an image was pulled", "earlier"],
        ),
        (json!({"uid": pod_uid(ns)}), vec!["back-off", "a probe failed", "an image was pulled"]),
        (json!({"uid": format!("before-{ns}")}), vec!["earlier"]),
        (json!({"kind": "deploy", "name": "web"}), vec!["scaled"]),
        (json!({"name": "web"}), vec!["bound", "scaled"]),
        (json!({"kind": "PersistentVolumeClaim"}), vec!["bound"]),
        (json!({"type": "Warning"}), vec!["back-off", "a probe failed"]),
        (json!({"kind": "Pod", "type": "Normal"}), vec!["an image was pulled", "earlier"]),
        (json!({"reason": "backoff"}), vec!["back-off"]),
        (json!({"kind": "Pod", "since": "15m"}), vec!["back-off", "an image was pulled"]),
        (json!({"kind": "Service"}), vec![]),
    ] {
        let mut asked = arguments.clone();
        asked["namespace"] = json!(ns);
        let answer = ask(asked).await;
        let mut said = messages(&answer);
        if arguments["name"] == "web" && arguments.get("kind").is_none() {
            said.sort();
        }
        assert_eq!(said, expected, "{arguments}: {}", answer.text);
    }
    let named = ask(json!({"namespace": ns, "kind": "Pod", "name": "web-0"})).await;
    assert!(
        named.text.contains("2 objects had this name") && named.text.contains(&pod_uid(ns)),
        "{}",
        named.text
    );
    assert_eq!(
        named.structure["rows"][0].get("object"),
        None,
        "the object asked for is not told in each row"
    );
    let none = ask(json!({"namespace": ns, "reason": "Boom", "kind": "Pod"})).await;
    assert!(
        none.text.contains("the reasons here are BackOff (2), Pulled (2), Unhealthy (1)"),
        "{}",
        none.text
    );

    // without a namespace in all of them, the namespace in each row; of what is in none from where those are kept
    let everywhere = ask(json!({"kind": "Pod", "uid": pod_uid(ns)})).await;
    assert_eq!(everywhere.structure["rows"][0]["namespace"], ns, "{}", everywhere.text);
    let node = ask(json!({"kind": "node", "name": format!("node-{ns}")})).await;
    assert_eq!((messages(&node).len(), &node.structure["namespace"]), (1, &Value::Null), "{}", node.text);

    for (arguments, said) in [
        (json!({"kind": "Podd"}), "no kind \"Podd\". Nearest: Pod"),
        (json!({"namespace": ns, "type": "Wrning"}), "Possible: Warning, Normal"),
        (json!({"namespace": ns, "since": "soon"}), "\"since\""),
        (json!({"kind": "Pod", "namespace": ns, "name": "a/b"}), "not a valid Kubernetes name"),
        (json!({"namespace": "../kube-system"}), "not a valid Kubernetes name"),
        (json!({"namespace": ns, "limit": 0}), "\"limit\" must be at least 1"),
        (json!({"namespace": ns, "cursor": "x"}), "\"cursor\" is not one"),
    ] {
        let answer = ask(arguments.clone()).await;
        assert!(answer.is_error && answer.text.contains(said), "{arguments}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_kept_to_a_namespace_sees_events_of_nothing_else() {
    let plane = ControlPlane::shared();
    let (ns, others) = (plane.namespace("events"), plane.namespace("events"));
    plant(plane, &ns);
    plant(plane, &others);
    let (_server, mcp) = serve(plane, &within(&ns));
    let ask = async |arguments: Value| mcp.call("kubernetes_events", arguments).await;
    let open = ask(json!({})).await;
    assert_eq!(messages(&open).len(), 6, "{}", open.text);
    assert!(!open.text.contains(&*others) && open.text.contains("partial: filtered"), "{}", open.text);
    let pods = ask(json!({"kind": "Pod", "name": "web-0"})).await;
    assert_eq!(messages(&pods).len(), 4, "{}", pods.text);
    assert!(!pods.text.contains("objects had this name"), "{}", pods.text);

    // the same words whether or not there is something
    let denied = async |arguments: Value| {
        let answer = ask(arguments).await;
        assert!(answer.is_error && answer.text.contains("kubernetes.resources.read"), "{}", answer.text);
        answer.text
    };
    let there = denied(json!({"namespace": &*others, "kind": "Pod", "name": "web-0"})).await;
    assert_eq!(there, denied(json!({"namespace": &*others, "kind": "Pod", "name": "none"})).await);
    let node = denied(json!({"kind": "Node", "name": format!("node-{}", &*ns)})).await;
    assert_eq!(node, denied(json!({"kind": "Node", "name": "none"})).await);

    // who sees the namespace in which they are kept does not see what is in none by that
    let (_server, mcp) = serve(plane, &within("default"));
    let kept = mcp.call("kubernetes_events", json!({"namespace": "default", "reason": "Rebooted"})).await;
    assert!(messages(&kept).is_empty() && !kept.text.contains("node-"), "{}", kept.text);
    assert!(kept.text.contains("partial: events about cluster-scoped objects"), "{}", kept.text);
    let (_server, mcp) = serve(plane, "local: {role: viewer}\n");
    let kept = mcp
        .call(
            "kubernetes_events",
            json!({"namespace": "default", "kind": "Node", "name": format!("node-{}", &*ns)}),
        )
        .await;
    assert_eq!(messages(&kept).len(), 1, "{}", kept.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_events_come_in_pages_and_refusals_in_the_clusters_words() {
    let upstream = Faulty::start().await;
    let config =
        format!("clusters: {{static: [{{name: lab, url: '{}'}}]}}\nlocal: {{role: viewer}}\n", upstream.url);
    let server = Product::new(["serve", "--http", "127.0.0.1:0"]).config(&config).serve();
    let mcp = Mcp::new(server.url("/mcp"));
    let ask = async |arguments: Value| mcp.call("kubernetes_events", arguments).await;
    let items: Vec<Value> = (0..2_000)
        .map(|number| {
            let kind = if number % 100 == 0 { "Warning" } else { "Normal" };
            json!({"metadata": {"name": format!("e{number}"), "namespace": "shop"}, "type": kind, "reason": "Tick",
                "involvedObject": {"kind": "Pod", "namespace": "shop", "name": format!("p{number}"), "uid": format!("u{number}")},
                "message": format!("tick {number} {}", "x".repeat(200)), "lastTimestamp": ago(number % 50)})
        })
        .collect();
    let list = json!({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": items}).to_string();
    let list: &'static str = Box::leak(list.into_boxed_str());
    const CORE: &str = "/api/v1/namespaces/shop/events";
    const NEWER: &str = "/apis/events.k8s.io/v1/namespaces/shop/events";
    upstream.when(CORE, Fault::Answer(200, list));
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    loop {
        // the first as it comes, the others as large as may be asked for
        let limit = if seen.is_empty() { Value::Null } else { json!(1_000) };
        let page = ask(json!({"namespace": "shop", "limit": limit, "cursor": cursor})).await;
        let size = page.text.len().max(page.structure.to_string().len());
        assert!(size <= 24_000 || !seen.is_empty(), "{size}");
        assert!(
            page.text.starts_with("namespace shop (lab): 2000 events of 2000 objects, 20 warnings"),
            "{}",
            page.text
        );
        if seen.is_empty() {
            assert!(
                messages(&page).len() >= 20 && page.structure["rows"][19]["type"] == "Warning",
                "{}",
                page.text
            );
            assert!(page.text.contains("narrow it with namespace, kind and name"), "{}", page.text);
        }
        seen.extend(messages(&page));
        cursor = page.structure["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen.len(), 2_000);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 2_000, "no row twice");

    // refused by one of the two APIs, by both, and nobody may list all namespaces
    let refusal = r#"{"kind":"Status","message":"events is forbidden: User \"x\" cannot list"}"#;
    upstream.reset();
    upstream.when(CORE, Fault::Answer(403, refusal)).when(NEWER, Fault::Answer(200, list));
    assert_eq!(ask(json!({"namespace": "shop", "type": "Warning"})).await.structure["total"], 20);
    upstream.reset();
    upstream.when(CORE, Fault::Answer(403, refusal)).when(NEWER, Fault::Answer(403, r#"{"kind":"Status"}"#));
    let refused = ask(json!({"namespace": "shop"})).await;
    assert!(
        refused.is_error && refused.text.contains("events is forbidden: User \"x\" cannot list"),
        "{}",
        refused.text
    );
    assert!(refused.text.contains("administers that cluster's RBAC"), "{}", refused.text);
    upstream.reset();
    upstream.when("/v1/events", Fault::Answer(403, refusal));
    let wide = ask(json!({"kind": "Pod"})).await;
    assert!(wide.is_error && wide.text.contains("name a namespace"), "{}", wide.text);

    // an event of one namespace that names an object of another
    let astray = r#"{"kind":"EventList","metadata":{},"items":[{"metadata":{"name":"e","namespace":"shop"},"reason":"Lie",
        "involvedObject":{"kind":"Pod","namespace":"payments","name":"p"},"message":"it lies"}]}"#;
    upstream.reset();
    upstream.when(CORE, Fault::Answer(200, astray));
    let answer = ask(json!({"namespace": "shop"})).await;
    assert!(
        !answer.text.contains("it lies") && answer.text.contains("1 events are left out"),
        "{}",
        answer.text
    );
    for (fault, said) in
        [(Fault::Answer(200, "[]"), "not the JSON expected"), (Fault::Answer(500, "<html>"), "500")]
    {
        upstream.reset();
        upstream.when(CORE, fault);
        let answer = ask(json!({"namespace": "shop"})).await;
        assert!(answer.is_error && answer.text.contains(said), "{said}: {}", answer.text);
    }
}
