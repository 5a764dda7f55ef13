use serde_json::json;

use super::{Scene, of_type, reference, to};
use crate::knative::resource::{Ready, Target, Unread};

fn unread(kind: &str) -> Unread {
    Unread { kind: kind.to_owned(), why: "may not be listed".to_owned(), fault: None }
}

/// A source, a broker, a trigger and a subscriber, with which nothing is wrong.
fn sound() -> Scene {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.source("PingSource p", "Broker main", &["com.a"]);
    scene.event_type("a", "com.a", "Broker main");
    scene.trigger("t", "main", &of_type("com.a"), "Service s");
    scene.there(&["Service s"]);
    scene
}

#[test]
fn a_sound_mesh_has_none() {
    assert_eq!(sound().findings(), [""; 0]);
}

#[test]
fn what_is_referred_to_and_not_there_is_found_the_worst_first() {
    let mut scene = sound();
    scene.trigger("1", "gone", &json!([]), "Service s");
    scene.subscription("2", "InMemoryChannel gone", "Service s");
    scene.trigger("3", "main", &json!([]), "Service gone");
    scene.trigger("4", "main", &json!([]), "Widget w");
    scene.trigger("5", "main", &json!([]), "Deployment d");
    scene.source("PingSource q", "Broker main", &["com.a"]).sink = None;
    for (text, target) in [
        ("Service gone", Target::Missing),
        ("Widget w", Target::NoKind),
        ("Deployment d", Target::NotAddressable),
    ] {
        scene.0.targets.insert(reference(text), target);
    }
    assert_eq!(
        scene.findings(),
        [
            "broker-missing Trigger shop/1",
            "channel-missing Subscription shop/2",
            "target-missing Trigger shop/3",
            "no-such-kind Trigger shop/4",
            "not-addressable Trigger shop/5",
            "source-without-sink PingSource shop/q",
        ]
    );
    let mesh = scene.mesh();
    let what = &mesh.findings[0].what;
    assert_eq!(what, "its broker Broker shop/gone does not exist: create it, or correct the reference");
}

#[test]
fn a_missing_dead_letter_sink_reply_or_step_is_found() {
    let mut scene = sound();
    scene.0.brokers[0].dead_letter = Some(to("Service gone"));
    scene.channel("InMemoryChannel c");
    scene.subscription("s", "InMemoryChannel c", "Service s").reply = Some(to("Service gone"));
    scene.flow("Sequence q", &["Service s", "Service gone"], None);
    scene.0.targets.insert(reference("Service gone"), Target::Missing);
    let mesh = scene.mesh();
    let what: Vec<_> =
        mesh.findings.iter().map(|finding| format!("{}: {}", finding.about, finding.what)).collect();
    let begins = [
        "Broker shop/main: its dead letter sink",
        "Sequence shop/q: its subscriber of step 2",
        "Subscription shop/s: its reply",
    ];
    for (what, begin) in what.iter().zip(begins) {
        assert!(what.starts_with(begin), "{what}");
    }
    assert_eq!(what.len(), 3, "{what:?}");
}

#[test]
fn nothing_is_missing_of_a_kind_that_was_not_read() {
    let mut scene = Scene::default();
    scene.trigger("1", "gone", &of_type("x"), "Service s");
    scene.subscription("2", "InMemoryChannel gone", "Service s");
    scene.broker("lonely");
    scene.event_type("a", "com.a", "Broker lonely");
    scene.0.unread.extend([
        unread("CustomResourceDefinition"),
        unread("Trigger.eventing.knative.dev"),
        unread("Subscription.messaging.knative.dev"),
    ]);
    assert_eq!(scene.findings(), [""; 0]);
}

#[test]
fn what_is_not_ready_is_found_with_its_reason_unless_something_it_needs_is_missing() {
    let mut scene = sound();
    scene.0.brokers[0].resource.ready = Ready::No("ChannelTemplateFailed: no such kind".to_owned());
    scene.0.triggers[0].resource.ready = Ready::Unknown("SubscriberResolved".to_owned());
    scene.trigger("gone", "gone", &json!([]), "Service s").resource.ready =
        Ready::No("BrokerDoesNotExist".to_owned());
    assert_eq!(
        scene.findings(),
        ["broker-missing Trigger shop/gone", "not-ready Broker shop/main", "not-ready Trigger shop/t"]
    );
    assert!(scene.mesh().findings[1].what.contains("ChannelTemplateFailed"));
}

#[test]
fn a_trigger_that_nothing_can_ever_match_is_found() {
    let mut scene = sound();
    scene.trigger(
        "never",
        "main",
        &json!([{"exact": {"type": "a"}}, {"prefix": {"type": "b"}}]),
        "Service s",
    );
    scene.trigger("none", "main", &of_type("com.none"), "Service s");
    scene.trigger("maybe", "main", &json!([{"cesql": "type = 'com.none'"}]), "Service s");
    scene.trigger("extra", "main", &json!([{"exact": {"region": "eu"}}]), "Service s");
    assert_eq!(
        scene.findings(),
        ["trigger-never-matches Trigger shop/never", "trigger-matches-nothing-known Trigger shop/none"]
    );
}

#[test]
fn a_trigger_may_match_what_is_not_known() {
    let silent = |scene: &mut Scene| {
        scene.trigger("none", "main", &of_type("com.none"), "Service s");
        scene.findings()
    };
    let mut scene = sound();
    scene.source("ContainerSource any", "Broker main", &[]);
    assert_eq!(silent(&mut scene), [""; 0], "a source that says nothing");
    let mut scene = sound();
    scene.0.unread.push(unread("EventType.eventing.knative.dev"));
    assert_eq!(silent(&mut scene), [""; 0], "event types that could not be read");
    let mut scene = sound();
    scene.channel("InMemoryChannel c");
    scene.subscription("c", "InMemoryChannel c", "Service s").reply = Some(to("Broker main"));
    scene.source("ContainerSource any", "InMemoryChannel c", &[]);
    assert_eq!(silent(&mut scene), [""; 0], "answers");
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.there(&["Service s"]);
    assert_eq!(silent(&mut scene), [""; 0], "no event is known to come by");
}

#[test]
fn event_types_that_nobody_sends_or_gets_are_found() {
    let mut scene = sound();
    scene.event_type("b", "com.b", "Broker main");
    assert_eq!(
        scene.findings(),
        ["event-type-without-source EventType shop/b", "event-type-without-consumer EventType shop/b"]
    );
    scene.source("ContainerSource any", "Broker main", &[]);
    let mesh = scene.mesh();
    assert!(mesh.findings[0].what.contains("ContainerSource shop/any may"), "{:?}", mesh.findings[0]);
    scene.0.unread.push(unread("ContainerSource.sources.knative.dev"));
    assert_eq!(scene.findings(), ["event-type-without-consumer EventType shop/b"]);
}

#[test]
fn what_passes_nothing_on_is_a_dead_end() {
    let mut scene = sound();
    scene.broker("lonely").dead_letter = Some(to("Service s"));
    scene.channel("InMemoryChannel lonely");
    scene.channel("Channel used");
    scene.channel("InMemoryChannel used").resource.owner = Some(reference("Channel used"));
    scene.subscription("s", "Channel used", "Service s");
    assert_eq!(scene.findings(), ["dead-end Broker shop/lonely", "dead-end InMemoryChannel shop/lonely"]);
}

#[test]
fn events_that_come_round_again_are_found_and_a_filter_between_ends_that() {
    let round = |one: serde_json::Value, other: serde_json::Value| {
        let mut scene = Scene::whole();
        scene.broker("a");
        scene.broker("b");
        scene.channel("InMemoryChannel c");
        scene.trigger("there", "a", &one, "Broker b");
        scene.trigger("on", "b", &other, "InMemoryChannel c");
        scene.subscription("back", "InMemoryChannel c", "Broker a");
        scene.mesh().findings
    };
    let found = round(json!([]), of_type("x"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].code, found[0].about.to_string()), ("loop", "Broker shop/a".to_owned()));
    assert!(found[0].what.contains("Broker shop/a → Broker shop/b → InMemoryChannel shop/c → Broker shop/a"));
    assert!(round(json!([{"cesql": "TRUE"}]), json!([]))[0].what.contains("may go"));
    assert_eq!(round(of_type("y"), of_type("x")), []);
    assert_eq!(round(json!([{"prefix": {"type": "y"}}]), of_type("x")), []);
    assert_eq!(round(of_type("x"), json!([{"prefix": {"type": "y"}}])), []);
}

#[test]
fn a_broker_that_sends_to_itself_is_a_loop() {
    let mut scene = Scene::whole();
    scene.broker("a");
    scene.trigger("self", "a", &json!([]), "Broker a");
    assert_eq!(scene.findings(), ["loop Broker shop/a"]);
}
