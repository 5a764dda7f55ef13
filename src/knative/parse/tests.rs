use serde_json::json;

use super::*;
use crate::knative::resource::Ready;

fn object(value: Value) -> Object {
    Object::from_value(value).expect("an object")
}

fn reference(kind: &str, group: &str, namespace: &str, name: &str) -> Reference {
    Reference { group: group.into(), kind: kind.into(), namespace: namespace.into(), name: name.into() }
}

fn with_conditions(conditions: Value) -> Ready {
    let mut described = json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 2}});
    described["status"]["conditions"] = conditions;
    resource(&object(described)).ready
}

#[test]
fn what_all_have_comes_without_the_copy_of_the_manifest_and_with_the_controller_as_owner() {
    let read = resource(&object(json!({"apiVersion": "messaging.knative.dev/v1", "kind": "InMemoryChannel",
    "metadata": {"namespace": "shop", "name": "orders", "uid": "u-1",
        "labels": {"backstage.io/kubernetes-id": "orders", "odd": 7},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"hunter\":2}",
            "note": "n".repeat(9_000)},
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "no"},
            {"apiVersion": "messaging.knative.dev/v1", "kind": "Channel", "name": "orders", "controller": true}]},
    "status": {"address": {"url": "http://orders.shop"}, "conditions": [{"type": "Ready", "status": "True"}]}})));
    assert_eq!(read.reference, reference("InMemoryChannel", "messaging.knative.dev", "shop", "orders"));
    assert_eq!(read.owner, Some(reference("Channel", "messaging.knative.dev", "shop", "orders")));
    assert_eq!((read.uid.as_str(), read.address.as_deref()), ("u-1", Some("http://orders.shop")));
    assert_eq!(read.ready, Ready::Yes);
    assert_eq!(read.labels.keys().collect::<Vec<_>>(), ["backstage.io/kubernetes-id"]);
    assert_eq!(read.annotations.keys().collect::<Vec<_>>(), ["note"]);
    assert!(read.annotations["note"].chars().count() <= 4_001, "bounded");
}

#[test]
fn the_reason_is_that_of_the_conditions_that_make_it_so() {
    let ready = with_conditions(json!([
        {"type": "BrokerReady", "status": "True"},
        {"type": "DependencyReady", "status": "Unknown", "reason": "Waiting"},
        {"type": "Extra", "status": "False", "severity": "Info", "reason": "Advice"},
        {"type": "Ready", "status": "False", "reason": "Unable to get the Subscriber's URI", "message": "not found"},
        {"type": "SubscriberResolved", "status": "False", "reason": "Unable to get the Subscriber's URI",
            "message": "not found"}]));
    assert_eq!(
        ready,
        Ready::No("SubscriberResolved: Unable to get the Subscriber's URI: not found".to_owned())
    );
    let unknown =
        with_conditions(json!([{"type": "Ready", "status": "Unknown", "reason": "", "message": ""},
        {"type": "Addressable", "status": "Unknown"}]));
    assert_eq!(unknown, Ready::Unknown("Addressable is Unknown".to_owned()));
    assert_eq!(
        with_conditions(json!([{"type": "Ready", "status": 7}])),
        Ready::Unknown("no reason given".to_owned())
    );
    assert_eq!(with_conditions(json!([{"type": "Other", "status": "True"}, 7, null])), Ready::Untold);
    assert_eq!(with_conditions(json!("none")), Ready::Untold);
}

#[test]
fn a_reason_is_bounded_and_on_one_line() {
    let condition = |kind: String| json!({"type": kind, "status": "False", "message": format!("a\nb{}", "x".repeat(5_000))});
    let mut conditions = vec![json!({"type": "Ready", "status": "False", "reason": "Sum"})];
    conditions.extend((0..50).map(|n| condition(format!("C{n}"))));
    let Ready::No(why) = with_conditions(json!(conditions)) else { panic!("not ready") };
    assert!(why.starts_with("Sum; C0: a bx") && why.ends_with("; 46 more"), "{why}");
    assert!(why.chars().count() < 1_100 && !why.contains('\n'), "{}", why.len());
}

#[test]
fn what_its_controller_has_not_seen_is_not_known_to_work() {
    let of = |metadata: Value| {
        resource(&object(json!({"metadata": metadata, "status": {"observedGeneration": 1,
            "conditions": [{"type": "Ready", "status": "True"}]}})))
        .ready
    };
    assert!(matches!(of(json!({"generation": 2})), Ready::Unknown(why) if why.contains("not seen")));
    assert!(matches!(
        of(json!({"generation": 1, "deletionTimestamp": "2026-01-01T00:00:00Z"})),
        Ready::No(_)
    ));
    assert_eq!(of(json!({"generation": 1})), Ready::Yes);
}

#[test]
fn a_trigger_may_name_its_broker_in_another_namespace_and_its_subscriber_in_every_way() {
    let trigger = |spec: Value| {
        trigger(&object(json!({"apiVersion": "eventing.knative.dev/v1", "kind": "Trigger",
            "metadata": {"namespace": "shop", "name": "t"}, "spec": spec,
            "status": {"subscriberUri": "http://s"}})))
    };
    let plain = trigger(json!({"broker": "default",
        "subscriber": {"ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "pay"}},
        "delivery": {"deadLetterSink": {"uri": "http://dead"}}}));
    assert_eq!(plain.broker, reference("Broker", "eventing.knative.dev", "shop", "default"));
    assert_eq!(plain.subscriber.reference, Some(reference("Service", "serving.knative.dev", "shop", "pay")));
    assert_eq!(plain.dead_letter.and_then(|sink| sink.uri).as_deref(), Some("http://dead"));
    assert_eq!(plain.resolved.as_deref(), Some("http://s"));
    let elsewhere = trigger(json!({"broker": "default",
        "brokerRef": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "main", "namespace": "hub"},
        "subscriber": {"ref": {"kind": "Service", "group": "serving.knative.dev", "name": "pay", "namespace": "x"},
            "uri": "/orders"}}));
    assert_eq!(elsewhere.broker, reference("Broker", "eventing.knative.dev", "hub", "main"));
    assert_eq!(
        elsewhere.subscriber,
        Destination {
            reference: Some(reference("Service", "serving.knative.dev", "x", "pay")),
            uri: Some("/orders".to_owned())
        }
    );
    let core = trigger(
        json!({"broker": "b", "subscriber": {"ref": {"apiVersion": "v1", "kind": "Service", "name": "s"}}}),
    );
    assert_eq!(core.subscriber.reference, Some(reference("Service", "", "shop", "s")));
}

#[test]
fn odd_shapes_read_as_absent() {
    for spec in [
        json!(null),
        json!("x"),
        json!([]),
        json!({"broker": 7, "brokerRef": "x", "subscriber": "x", "filter": 7, "filters": {}, "delivery": []}),
        json!({"broker": null, "brokerRef": {"name": "n"}, "subscriber": {"ref": {"kind": "Service"}, "uri": ""}}),
    ] {
        let read = trigger(&object(json!({"metadata": {"namespace": "n"}, "spec": spec})));
        assert_eq!((read.broker.name.as_str(), read.subscriber), ("", Destination::default()));
        let of = object(json!({"metadata": 7, "spec": spec, "status": "x"}));
        assert_eq!(subscription(&of).channel, Reference::default());
        assert!(flow(&of).steps.is_empty() && source(&of, &[]).sink.is_none());
        assert!(event_type(&of).attributes.is_empty() && event_type(&of).reference.is_none());
    }
    let flow = flow(&object(json!({"spec": {"steps": [7, null], "branches": [{}]}})));
    assert_eq!(flow.steps, [Step::default(), Step::default(), Step::default()], "as many as there are");
}

#[test]
fn a_step_is_its_own_destination_and_a_branch_has_three() {
    let sequence = flow(&object(json!({"metadata": {"namespace": "n"}, "spec": {
        "steps": [{"ref": {"apiVersion": "v1", "kind": "Service", "name": "a"},
                   "delivery": {"deadLetterSink": {"uri": "http://d"}}}, {"uri": "http://b"}],
        "reply": {"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "r"}}}})));
    let first = &sequence.steps[0];
    assert_eq!(first.subscriber.reference, Some(reference("Service", "", "n", "a")));
    assert_eq!(first.dead_letter.as_ref().and_then(|sink| sink.uri.as_deref()), Some("http://d"));
    assert_eq!(sequence.steps[1].subscriber.uri.as_deref(), Some("http://b"));
    assert_eq!(
        sequence.reply.and_then(|reply| reply.reference),
        Some(reference("Broker", "eventing.knative.dev", "n", "r"))
    );
    let parallel = flow(&object(json!({"spec": {"branches": [
        {"filter": {"uri": "http://f"}, "subscriber": {"uri": "http://s"}, "reply": {"uri": "http://r"}}]}})));
    let branch = &parallel.steps[0];
    let uri = |of: &Option<Destination>| of.as_ref().and_then(|of| of.uri.clone());
    assert_eq!(
        (uri(&branch.filter).as_deref(), branch.subscriber.uri.as_deref(), uri(&branch.reply).as_deref()),
        (Some("http://f"), Some("http://s"), Some("http://r"))
    );
}

#[test]
fn a_source_says_where_it_sends_and_what() {
    let read = source(
        &object(json!({"apiVersion": "sources.knative.dev/v1", "kind": "SinkBinding",
            "metadata": {"namespace": "n", "name": "s"},
            "spec": {"sink": {"ref": {"apiVersion": "v1", "kind": "Service", "name": "a", "namespace": "b"}},
                "subject": {"apiVersion": "apps/v1", "kind": "Deployment", "selector": {"matchLabels": {"a": "b"}}}},
            "status": {"sinkUri": "http://a.b", "ceAttributes": [{"type": "t", "source": "/s"}, {"source": "x"}, 7]}})),
        &["announced".to_owned()],
    );
    assert_eq!(read.sink.and_then(|sink| sink.reference), Some(reference("Service", "", "b", "a")));
    assert_eq!(read.subject, Some(reference("Deployment", "apps", "n", "")), "chosen by labels");
    assert_eq!(read.sends, [Sent { event_type: "t".to_owned(), source: "/s".to_owned() }]);
    assert_eq!(read.announced, ["announced"]);
    assert_eq!(read.resolved.as_deref(), Some("http://a.b"));
}

#[test]
fn announced_event_types_are_a_list_or_a_remark() {
    let list = r#"[{"type":"a","description":"x"},{"type":"b"},{"type":"a"},{"description":"none"},7,null]"#;
    assert_eq!(announced(list), Ok(vec!["a".to_owned(), "b".to_owned()]));
    for (text, why) in [("{", "JSON"), ("", "JSON"), (r#"{"type":"a"}"#, "list"), ("null", "list")] {
        assert!(announced(text).expect_err(text).contains(why), "{text}");
    }
    assert!(announced(&"[".repeat(100_000)).is_err(), "too deep");
}
