//! Knative that is not there, half there or on its way out, and objects that are none of what they should be.

use std::time::Duration;

use serde_json::{Value, json};

use super::{gaps, good, over};
use crate::{
    control_plane::ControlPlane,
    knative::{self, KINDS, Kind},
    mcp::Mcp,
};

fn kind(name: &str) -> Kind {
    let found = KINDS.into_iter().find(|kind| kind.kind == name && kind.group.ends_with("knative.dev"));
    found.unwrap_or_else(|| panic!("{name} is not in KINDS"))
}

fn object(of: &Kind, namespace: &str, name: &str, more: &Value) -> Value {
    let mut object = json!({
        "apiVersion": format!("{}/{}", of.group, of.versions[0]), "kind": of.kind,
        "metadata": {"namespace": namespace, "name": name},
    });
    for (member, value) in more.as_object().into_iter().flatten() {
        object[member] = value.clone();
    }
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn knative_that_is_absent_half_installed_or_losing_a_kind_is_told_so_and_the_rest_is_shown() {
    let plane = ControlPlane::start(&[("WITHOUT_CONTROLLERS", "1")]);
    let without = over(&plane, &plane.tokens.viewer);
    let answer = good(&Mcp::new(without.url("/mcp")), json!({})).await;
    assert!(answer.text.contains("Knative Eventing is not installed in mesh"), "{}", answer.text);

    // a Broker, a Trigger, and a source whose kind says in no JSON what it can send
    let (broker, trigger) = (kind("Broker"), kind("Trigger"));
    let ping = Kind { event_types: "dev.knative.sources.ping, and others", ..kind("PingSource") };
    knative::install(&plane, [&broker, &trigger, &ping]);
    let namespace = plane.namespace("half");
    let to = |kind: &str, name: &str| json!({"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": kind, "name": name}});
    let subscriber =
        json!({"ref": {"apiVersion": "messaging.knative.dev/v1", "kind": "Channel", "name": "later"}});
    knative::apply(
        &plane,
        vec![
            object(&broker, &namespace, "default", &json!({"spec": {}})),
            object(
                &trigger,
                &namespace,
                "onwards",
                &json!({"spec": {"broker": "default", "subscriber": subscriber}}),
            ),
            object(&ping, &namespace, "heartbeat", &json!({"spec": {"sink": to("Broker", "default")}})),
        ],
    );
    let server = over(&plane, &plane.tokens.viewer);
    let mcp = Mcp::new(server.url("/mcp"));
    let half = good(&mcp, json!({})).await;
    let told = gaps(&half);
    for missing in ["EventType.eventing.knative.dev", "Subscription.messaging.knative.dev"] {
        assert!(told.contains(&format!("{missing} is not installed")), "{missing}: {told}");
    }
    assert!(told.contains("pingsources.sources.knative.dev") && told.contains("not JSON"), "{told}");
    let row = &half.structure["consumers"][0];
    assert_eq!(
        (&row["via"], &row["to"]),
        (&json!("Trigger onwards"), &json!("Channel later (no such kind)"))
    );
    assert_eq!(half.structure["sources"][0]["sink"], "Broker default", "{}", half.text);

    // one kind goes while the server still knows it
    plane.kubectl(&["delete", "crd", "triggers.eventing.knative.dev", "--wait=true"]);
    plane.wait_for("the end of the triggers", Duration::from_secs(30), || {
        plane.try_kubectl(&["get", "--raw", "/apis/eventing.knative.dev/v1/triggers"]).err()
    });
    let less = good(&mcp, json!({})).await;
    assert!(gaps(&less).contains("Trigger.eventing.knative.dev is not installed"), "{}", gaps(&less));
    assert_eq!(less.structure["counts"]["brokers"], 1, "{}", less.text);
    assert_eq!(less.structure["counts"]["consumers"], 0, "{}", less.text);

    // and a kind that comes is seen by a server that has not looked before
    knative::install(&plane, [&kind("Subscription"), &kind("Channel")]);
    let channel = object(&kind("Channel"), &namespace, "later", &json!({"spec": {}}));
    knative::apply(&plane, vec![channel]);
    let server = over(&plane, &plane.tokens.viewer);
    let more = good(&Mcp::new(server.url("/mcp")), json!({})).await;
    assert!(!gaps(&more).contains("Subscription.messaging.knative.dev"), "{}", gaps(&more));
    assert_eq!(more.structure["counts"]["channels"], 1, "{}", more.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_are_none_of_what_they_should_be_are_shown_as_far_as_they_can_be() {
    let plane = knative::plane();
    let namespace = plane.namespace("odd");
    let long = "x".repeat(3_000);
    let nested = (0..60).fold(json!({"exact": {"type": "deep"}}), |inner, _| json!({"not": inner}));
    let triggers = [
        ("no-spec", json!({})),
        ("null-spec", json!({"spec": null})),
        ("texts", json!({"spec": "broker", "status": "Ready"})),
        ("numbers", json!({"spec": {"broker": 7, "filter": 7, "filters": {"exact": 7}, "subscriber": 7}})),
        ("lists", json!({"spec": {"broker": [], "filters": [7, null, "exact", []], "subscriber": []}})),
        (
            "dialect",
            json!({"spec": {"broker": "odd", "filters": [{"regex": {"type": ".*"}}],
            "subscriber": {"uri": "http://someone:sesame@odd.test/in?token=sesame#sesame"}}}),
        ),
        (
            "long",
            json!({"spec": {"broker": long, "filter": {"attributes": {"type": long}},
            "subscriber": {"ref": {"kind": long, "name": long, "apiVersion": long}}}}),
        ),
        (
            "deep",
            json!({"spec": {"broker": "odd", "filters": [nested],
            "subscriber": {"ref": {"apiVersion": "v1", "kind": "Service", "name": "nobody"}}}}),
        ),
        (
            "nameless",
            json!({"spec": {"broker": "odd", "subscriber": {"ref": {"apiVersion": "v1", "kind": "Service"}}}}),
        ),
        (
            "controls",
            json!({"spec": {"broker": "odd", "subscriber": {"uri": "http://odd.test/\u{1b}[31m\u{202e}|`\"x"}},
            "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "\u{7}\u{1b}]8;;\nIgnore", "message": null}]}}),
        ),
        (
            "conditions",
            json!({"spec": {"broker": "odd"}, "status": {"conditions": [7, null, {"type": 7}], "subscriberUri": 7}}),
        ),
    ];
    let mut objects: Vec<Value> =
        triggers.iter().map(|(name, more)| object(&kind("Trigger"), &namespace, name, more)).collect();
    objects.push(object(&kind("Broker"), &namespace, "odd", &json!({"spec": {"delivery": "none"}})));
    objects.push(object(
        &kind("EventType"),
        &namespace,
        "odd",
        &json!({"spec": {"attributes": "none", "type": 7}}),
    ));
    objects.push(object(
        &kind("Subscription"),
        &namespace,
        "odd",
        &json!({"spec": {"channel": {"kind": "Channel"}}}),
    ));
    objects.push(object(&kind("Sequence"), &namespace, "odd", &json!({"spec": {"steps": {"ref": 7}}})));
    objects.push(object(
        &kind("Parallel"),
        &namespace,
        "odd",
        &json!({"spec": {"branches": [7, {"filter": 7}]}}),
    ));
    let odd_source =
        json!({"spec": {"sink": {"ref": {"name": "odd"}}}, "status": {"ceAttributes": {"type": "x"}}});
    objects.push(object(&kind("PingSource"), &namespace, "odd", &odd_source));
    let secret = "oc.refs/secret-of-a-sink";
    let to_secret = json!({"spec": {"broker": "odd", "subscriber": {"ref": {"apiVersion": "v1", "kind": "Secret", "name": "secret-of-a-sink"}}}});
    objects.push(object(&kind("Trigger"), &namespace, "to-secret", &to_secret));
    let itself = json!({"spec": {"broker": "odd", "subscriber": {"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "odd"}}}});
    objects.push(object(&kind("Trigger"), &namespace, "itself", &itself));
    knative::apply(plane, objects);

    let server = over(plane, &plane.tokens.viewer);
    let mcp = Mcp::new(server.url("/mcp"));
    let mark = plane.audit_mark();
    let answer = good(&mcp, json!({"namespace": &*namespace, "limit": 1000})).await;
    let counts = &answer.structure["counts"];
    assert_eq!((&counts["event_types"], &counts["flows"]), (&json!(1), &json!(2)), "{}", answer.text);
    for shown in
        ["Trigger dialect", "Trigger deep", "Trigger to-secret", "Trigger itself", "Trigger controls"]
    {
        assert!(answer.text.contains(shown), "{shown}: {}", answer.text);
    }
    let whole = format!("{}{}", answer.text, answer.structure);
    for never in ["sesame", "\u{1b}", "\u{7}", "\u{202e}", &long] {
        assert!(!whole.contains(never), "{never:?}: {whole}");
    }
    assert!(whole.contains("Secret secret-of-a-sink (takes no events)"), "{whole}");
    let read = plane.audit_since(mark, "platform-mcp/");
    assert!(!read.iter().any(|line| line.uri.contains("/secrets")), "{secret}: {read:#?}");
    for format in ["mermaid", "dot"] {
        let asked =
            json!({"namespace": &*namespace, "broker": "odd", "direction": "consumers", "format": format});
        let drawn = good(&mcp, asked).await;
        assert!(!drawn.text.contains('\u{1b}') && !drawn.text.contains("sesame"), "{}", drawn.text);
    }
}
