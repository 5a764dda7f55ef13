use serde_json::json;

use super::{Scene, name, of_type, reference, to};
use crate::knative::{
    filter::Verdict,
    mesh::{Anchor, Direction, Trace},
    resource::Sent,
};

impl Scene {
    fn traced(&self, anchor: &Anchor, direction: Direction) -> (Trace, Vec<String>) {
        let mesh = self.mesh();
        let trace = mesh.trace(&self.0, anchor, direction);
        let hop = |hop: &crate::knative::mesh::Hop| {
            let edge = &mesh.edges[hop.edge];
            let doubt = if hop.verdict == Verdict::Yes { "" } else { "?" };
            format!("{}{doubt} {} > {}", hop.distance, name(&mesh, edge.from), name(&mesh, edge.to))
        };
        let hops = trace.hops.iter().map(hop).map(|hop| hop.replace("shop/", "")).collect();
        (trace, hops)
    }

    fn of_event(&self, name: &str, direction: Direction) -> Vec<String> {
        self.traced(&Anchor::EventType { name: name.to_owned(), namespace: None }, direction).1
    }

    fn of_node(&self, text: &str, direction: Direction) -> Vec<String> {
        let node = self.mesh().node(&reference(text)).expect("a node");
        self.traced(&Anchor::Node(node), direction).1
    }
}

/// Two sources to one broker, from there by type to a channel and a second broker.
fn scene() -> Scene {
    let mut scene = Scene::whole();
    scene.broker("main").dead_letter = Some(to("Service lost"));
    scene.broker("second");
    scene.channel("InMemoryChannel c");
    scene.source("PingSource a", "Broker main", &["com.a"]);
    scene.source("PingSource b", "Broker main", &["com.b"]);
    scene.event_type("a", "com.a", "Broker main");
    scene.event_type("b", "com.b", "Broker main");
    scene.trigger("a", "main", &of_type("com.a"), "InMemoryChannel c");
    scene.trigger("b", "main", &of_type("com.b"), "Broker second");
    scene.subscription("c", "InMemoryChannel c", "Service asked").reply = Some(to("Broker second"));
    scene.trigger("end", "second", &json!([]), "Service end");
    scene.trigger("never", "second", &of_type("com.a"), "Service never");
    scene
}

#[test]
fn an_event_type_is_followed_to_its_consumers_over_answers_too() {
    let scene = scene();
    assert_eq!(
        scene.of_event("com.b", Direction::Consumers),
        ["1 Broker main > Broker second", "1 Broker main > Service lost", "2 Broker second > Service end"]
    );
    assert_eq!(
        scene.of_event("com.a", Direction::Consumers),
        [
            "1 Broker main > InMemoryChannel c",
            "1 Broker main > Service lost",
            "2 InMemoryChannel c > Service asked",
            "3? Service asked > Broker second",
            "4? Broker second > Service end",
            "4? Broker second > Service never",
        ],
        "what is answered may be of any type"
    );
}

#[test]
fn an_event_type_is_followed_back_to_the_sources_that_send_it() {
    let scene = scene();
    assert_eq!(scene.of_event("com.b", Direction::Producers), ["1 PingSource b > Broker main"]);
    let path = scene.of_event("com.b", Direction::Path);
    assert_eq!(path.len(), 4, "{path:?}");
    let (trace, _) = scene.traced(
        &Anchor::EventType { name: "com.b".to_owned(), namespace: Some("shop".to_owned()) },
        Direction::Producers,
    );
    assert_eq!(trace.event_types, [1]);
    assert!(!trace.unsure);
    let nowhere = Anchor::EventType { name: "com.b".to_owned(), namespace: Some("other".to_owned()) };
    assert_eq!(scene.traced(&nowhere, Direction::Path).0, Trace::default());
}

#[test]
fn a_consumer_is_followed_back_to_those_sources_whose_events_reach_it() {
    let scene = scene();
    assert_eq!(
        scene.of_node("Service asked", Direction::Producers),
        [
            "1 InMemoryChannel c > Service asked",
            "2 Broker main > InMemoryChannel c",
            "3 PingSource a > Broker main"
        ]
    );
    let node = scene.mesh().node(&reference("Service asked")).expect("a node");
    let (trace, _) = scene.traced(&Anchor::Node(node), Direction::Producers);
    assert_eq!((trace.event_types, trace.starts, trace.unsure), (vec![0], vec![node], false));
    let never = scene.of_node("Service never", Direction::Producers);
    assert!(
        !never.iter().any(|hop| hop.contains("PingSource b")),
        "a source whose events do not pass: {never:?}"
    );
    assert!(never.contains(&"2? Service asked > Broker second".to_owned()), "{never:?}");
}

#[test]
fn a_broker_is_followed_to_all_its_triggers_and_those_with_known_events_are_sure() {
    let mut scene = scene();
    scene.trigger("other", "main", &of_type("com.other"), "Service other");
    let hops = scene.of_node("Broker main", Direction::Consumers);
    assert!(hops.contains(&"1 Broker main > InMemoryChannel c".to_owned()), "{hops:?}");
    assert!(
        hops.contains(&"1? Broker main > Service other".to_owned()),
        "nobody is known to send it: {hops:?}"
    );
    assert!(!scene.of_node("Broker main", Direction::Producers).iter().any(|hop| hop.contains("Service")));
}

#[test]
fn a_source_is_followed_by_what_it_sends_and_is_reached_by_nobody() {
    let scene = scene();
    let hops = scene.of_node("PingSource b", Direction::Consumers);
    assert_eq!(hops[..2], ["1 PingSource b > Broker main", "2 Broker main > Broker second"]);
    assert!(!hops.iter().any(|hop| hop.contains("InMemoryChannel")), "{hops:?}");
    assert_eq!(scene.of_node("PingSource b", Direction::Producers), [""; 0]);
}

#[test]
fn a_reply_is_followed_from_the_delivery_that_it_answers_alone() {
    let mut scene = Scene::whole();
    scene.channel("InMemoryChannel a");
    scene.channel("InMemoryChannel b");
    scene.subscription("a", "InMemoryChannel a", "Service s").reply = Some(to("Service a-reply"));
    scene.subscription("b", "InMemoryChannel b", "Service s").reply = Some(to("Service b-reply"));
    assert_eq!(
        scene.of_node("InMemoryChannel a", Direction::Consumers),
        ["1 InMemoryChannel a > Service s", "2? Service s > Service a-reply"]
    );
    assert_eq!(
        scene.of_node("Service b-reply", Direction::Producers),
        ["1? Service s > Service b-reply", "2 InMemoryChannel b > Service s"]
            .map(|hop| hop.replace("2 ", "2? "))
    );
    assert_eq!(
        scene.of_node("Service s", Direction::Consumers),
        ["1? Service s > Service a-reply", "1? Service s > Service b-reply"]
    );
}

#[test]
fn a_sequence_is_followed_step_by_step_to_its_reply() {
    let mut scene = Scene::whole();
    scene.flow("Sequence q", &["Service 1", "Service 2"], Some("Broker out"));
    scene.broker("out");
    scene.trigger("t", "out", &of_type("made"), "Service end");
    assert_eq!(
        scene.of_node("Sequence q", Direction::Consumers),
        [
            "1 Sequence q > Service 1",
            "2? Sequence q > Service 2",
            "3? Service 2 > Broker out",
            "4? Broker out > Service end"
        ]
    );
    let back = scene.of_node("Service end", Direction::Producers);
    assert_eq!(
        back,
        [
            "1? Broker out > Service end",
            "2? Service 2 > Broker out",
            "3? Sequence q > Service 2",
            "4? Sequence q > Service 1"
        ]
    );
}

#[test]
fn a_type_that_no_event_type_names_is_followed_from_the_sources_that_send_it() {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.source("PingSource p", "Broker main", &["com.a"]);
    scene.trigger("t", "main", &of_type("com.a"), "Service s");
    assert_eq!(
        scene.of_event("com.a", Direction::Path),
        ["1 PingSource p > Broker main", "1 Broker main > Service s"]
    );
    assert_eq!(scene.of_event("com.none", Direction::Path), [""; 0]);
}

#[test]
fn a_loop_is_followed_once() {
    let mut scene = Scene::whole();
    scene.broker("a");
    scene.broker("b");
    scene.trigger("there", "a", &json!([]), "Broker b");
    scene.trigger("back", "b", &json!([]), "Broker a");
    let hops = ["1 Broker a > Broker b", "2 Broker b > Broker a"];
    assert_eq!(scene.of_node("Broker a", Direction::Consumers), hops);
    assert_eq!(scene.of_node("Broker a", Direction::Path).len(), 2);
}

#[test]
fn a_trace_of_a_mesh_that_was_not_read_whole_is_not_sure() {
    let mut scene = scene();
    let of = |scene: &Scene| {
        let anchor = Anchor::EventType { name: "com.b".to_owned(), namespace: None };
        scene.traced(&anchor, Direction::Consumers).0.unsure
    };
    assert!(!of(&scene));
    let why = "may not be listed".to_owned();
    scene.0.unread.push(crate::knative::resource::Unread {
        kind: "Trigger.eventing.knative.dev".to_owned(),
        why,
        fault: None,
    });
    assert!(of(&scene));
}

#[test]
fn a_source_whose_source_attribute_differs_is_no_producer() {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene
        .event_type("a", "com.a", "Broker main")
        .attributes
        .insert("source".to_owned(), Some("/x".to_owned()));
    for (text, source) in [("PingSource x", "/x"), ("PingSource y", "/y")] {
        scene.source(text, "Broker main", &[]).sends =
            vec![Sent { event_type: "com.a".to_owned(), source: source.to_owned() }];
    }
    let anchor = Anchor::EventType { name: "com.a".to_owned(), namespace: None };
    let (_, hops) = scene.traced(&anchor, Direction::Producers);
    assert!(hops.contains(&"1 PingSource x > Broker main".to_owned()), "{hops:?}");
    let node = scene.mesh().node(&reference("PingSource y")).expect("a node");
    assert_eq!(scene.traced(&Anchor::Node(node + 100), Direction::Path).0, Trace::default());
}
