use serde_json::json;

use super::{Scene, of_type, reference};
use crate::knative::{
    filter::Verdict,
    mesh::{Anchor, Direction},
};

#[test]
fn two_thousand_triggers_and_event_types_of_one_broker_are_joined_and_followed() {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.there(&["Service s"]);
    for n in 0..2_000 {
        let name = format!("com.{n}");
        scene.trigger(&n.to_string(), "main", &of_type(&name), "Service s");
        scene.event_type(&n.to_string(), &name, "Broker main");
    }
    scene.source("PingSource p", "Broker main", &["com.7"]);
    let mesh = scene.mesh();
    assert_eq!(mesh.edges.len(), 2_001);
    let without = mesh.findings.iter().filter(|finding| finding.code == "event-type-without-source").count();
    assert_eq!((without, mesh.findings.len()), (1_999, 1_999));
    let reached = (0..2_000).map(|at| mesh.consumers(&scene.0, at)).collect::<Vec<_>>();
    assert!(reached.iter().all(|reached| reached.len() == 1 && reached[0].verdict == Verdict::Yes));
    let service = mesh.node(&reference("Service s")).expect("a node");
    let trace = mesh.trace(&scene.0, &Anchor::Node(service), Direction::Producers);
    assert_eq!((trace.hops.len(), trace.event_types.len(), trace.unsure), (2_001, 2_000, false));
}

#[test]
fn a_long_chain_of_channels_is_followed_to_its_end() {
    let mut scene = Scene::whole();
    for n in 0..1_500 {
        scene.channel(&format!("InMemoryChannel {n}"));
        scene.subscription(
            &n.to_string(),
            &format!("InMemoryChannel {n}"),
            &format!("InMemoryChannel {}", n + 1),
        );
    }
    scene.event_type("a", "com.a", "InMemoryChannel 0");
    let mesh = scene.mesh();
    let anchor = Anchor::EventType { name: "com.a".to_owned(), namespace: None };
    let trace = mesh.trace(&scene.0, &anchor, Direction::Consumers);
    assert_eq!(trace.hops.last().map(|hop| hop.distance), Some(1_500));
}

#[test]
fn a_mesh_made_to_be_slow_is_answered_as_far_as_it_goes_and_not_sure() {
    let mut scene = Scene::whole();
    for n in 0..60 {
        scene.broker(&n.to_string());
        for m in 0..60 {
            let filter = json!([{"exact": {format!("a{n}x{m}"): "v"}}]);
            scene.trigger(&format!("{n}-{m}"), &n.to_string(), &filter, &format!("Broker {m}"));
        }
    }
    let mesh = scene.mesh();
    let trace = mesh.trace(&scene.0, &Anchor::Node(0), Direction::Path);
    assert!(trace.unsure && trace.hops.len() > 3_000, "{}", trace.hops.len());
}

#[test]
fn filters_that_each_ask_for_another_attribute_cost_the_types_of_others_nothing() {
    let mut scene = Scene::whole();
    scene.broker("b");
    for n in 0..60 {
        let filter = json!([{"exact": {format!("x{n}"): "v"}}]);
        scene.trigger(&format!("t{n}"), "b", &filter, "Broker b");
    }
    scene.trigger("pay", "b", &json!([]), "Service pay");
    for n in 0..50 {
        scene.event_type(&format!("e{n}"), &format!("com.{n}"), "Broker b");
    }
    let begun = std::time::Instant::now();
    let mesh = scene.mesh();
    for at in 0..50 {
        let reached = mesh.consumers(&scene.0, at);
        assert!(reached.iter().any(|one| one.verdict == Verdict::Yes), "{at}: pay gets it for sure");
    }
    assert!(begun.elapsed().as_secs() < 10, "two to the sixtieth ways are not followed");
}
