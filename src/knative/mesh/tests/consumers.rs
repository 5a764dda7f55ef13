use serde_json::json;

use super::{Scene, of_type, reference, to};
use crate::knative::{filter::Verdict, resource::Sent};

fn said(consumers: &[(String, Verdict)]) -> Vec<(&str, Verdict)> {
    consumers.iter().map(|(name, verdict)| (name.as_str(), *verdict)).collect()
}

#[test]
fn those_whose_filter_lets_the_type_pass_get_it() {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.broker("other");
    scene.event_type("a", "com.a", "Broker main");
    scene.trigger("all", "main", &json!([]), "Service all");
    scene.trigger("exact", "main", &of_type("com.a"), "Service exact");
    scene.trigger("wrong", "main", &of_type("com.b"), "Service wrong");
    scene.trigger("prefix", "main", &json!([{"prefix": {"type": "com."}}]), "Service prefix");
    scene.trigger("cesql", "main", &json!([{"cesql": "type = 'com.b'"}]), "Service cesql");
    scene.trigger("region", "main", &json!([{"exact": {"type": "com.a", "region": "eu"}}]), "Service region");
    scene.trigger("elsewhere", "other", &json!([]), "Service elsewhere");
    assert_eq!(
        said(&scene.consumers()),
        [
            ("Service shop/all", Verdict::Yes),
            ("Service shop/exact", Verdict::Yes),
            ("Service shop/prefix", Verdict::Yes),
            ("Service shop/cesql", Verdict::Unknown),
            ("Service shop/region", Verdict::Unknown),
        ]
    );
}

#[test]
fn it_goes_on_through_channels_brokers_and_sequences_but_not_over_answers() {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.broker("second");
    scene.channel("InMemoryChannel c");
    scene.flow("Sequence seq", &["Service first", "Service then"], Some("Service reply"));
    scene.event_type("a", "com.a", "Broker main");
    scene.trigger("on", "main", &of_type("com.a"), "InMemoryChannel c");
    scene.subscription("s", "InMemoryChannel c", "Broker second");
    scene.subscription("r", "InMemoryChannel c", "Service asks").reply = Some(to("Service answered"));
    scene.subscription("plain", "InMemoryChannel c", "").reply = Some(to("Service as-is"));
    scene.trigger("seq", "second", &json!([{"suffix": {"type": ".a"}}]), "Sequence seq");
    scene.trigger("no", "second", &of_type("com.b"), "Service no");
    let consumers = scene.consumers();
    assert_eq!(
        said(&consumers),
        [
            ("Broker shop/second", Verdict::Yes),
            ("Sequence shop/seq", Verdict::Yes),
            ("InMemoryChannel shop/c", Verdict::Yes),
            ("Service shop/asks", Verdict::Yes),
            ("Service shop/as-is", Verdict::Yes),
            ("Service shop/first", Verdict::Yes),
        ]
    );
}

#[test]
fn a_filter_before_tells_what_passes_the_next() {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.broker("second");
    scene.event_type("a", "com.a", "Broker main");
    scene.trigger("eu", "main", &json!([{"exact": {"region": "eu"}}]), "Broker second");
    scene.trigger("us", "second", &json!([{"exact": {"region": "us"}}]), "Service us");
    scene.trigger("too", "second", &json!([{"exact": {"region": "eu"}}]), "Service eu");
    assert_eq!(
        said(&scene.consumers()),
        [("Broker shop/second", Verdict::Unknown), ("Service shop/eu", Verdict::Unknown)]
    );
}

#[test]
fn a_loop_ends_and_the_surer_of_two_ways_counts() {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.broker("second");
    scene.event_type("a", "com.a", "Broker main");
    scene.trigger("there", "main", &json!([]), "Broker second");
    scene.trigger("back", "second", &json!([]), "Broker main");
    scene.trigger("maybe", "main", &json!([{"cesql": "TRUE"}]), "Service s");
    scene.trigger("sure", "second", &json!([]), "Service s");
    assert_eq!(
        said(&scene.consumers()),
        [("Broker shop/second", Verdict::Yes), ("Service shop/s", Verdict::Yes)]
    );
}

#[test]
fn a_dead_letter_sink_gets_it_and_is_told_apart() {
    let mut scene = Scene::whole();
    scene.broker("main").dead_letter = Some(to("Service lost"));
    scene.event_type("a", "com.a", "Broker main");
    scene.trigger("t", "main", &of_type("com.a"), "Service s");
    let mesh = scene.mesh();
    let undelivered: Vec<_> = mesh.consumers(&scene.0, 0).iter().map(|reached| reached.undelivered).collect();
    assert_eq!(undelivered, [false, true]);
    scene.trigger("u", "main", &json!([]), "Service lost");
    assert!(scene.mesh().consumers(&scene.0, 0).iter().all(|reached| !reached.undelivered));
}

#[test]
fn an_event_type_without_a_reference_enters_where_the_sources_beside_it_send() {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.event_type("a", "com.a", "");
    scene.trigger("t", "main", &json!([]), "Service s");
    assert_eq!(scene.consumers(), []);
    scene.source("PingSource other/p", "Broker main", &["com.a"]);
    assert_eq!(scene.consumers(), [], "a source of another namespace");
    scene.source("PingSource p", "Broker main", &["com.a"]);
    assert_eq!(said(&scene.consumers()), [("Service shop/s", Verdict::Yes)]);
}

#[test]
fn a_source_that_does_not_say_which_of_its_kinds_types_it_sends_is_not_sure() {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.event_type("a", "com.a", "");
    scene.trigger("t", "main", &json!([]), "Service s");
    scene.source("ApiServerSource p", "Broker main", &[]).announced =
        vec!["com.a".to_owned(), "com.b".to_owned()];
    assert_eq!(said(&scene.consumers()), [("Service shop/s", Verdict::Unknown)]);
    scene.0.sources[0].announced.pop();
    assert_eq!(said(&scene.consumers()), [("Service shop/s", Verdict::Yes)]);
}

#[test]
fn a_source_provides_the_event_types_of_what_it_reaches() {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.broker("second");
    scene.broker("other");
    scene.channel("InMemoryChannel c");
    scene.source("PingSource p", "InMemoryChannel c", &["com.a"]).announced = vec!["com.b".to_owned()];
    scene.subscription("s", "InMemoryChannel c", "Broker main");
    scene.trigger("no", "main", &of_type("com.b"), "Broker second");
    scene.event_type("0-direct", "com.a", "InMemoryChannel c");
    scene.event_type("1-over-hops", "com.a", "Broker main");
    scene.event_type("2-filtered", "com.a", "Broker second");
    scene.event_type("3-elsewhere", "com.a", "Broker other");
    scene.event_type("4-beside", "com.a", "");
    scene.event_type("away/5-far", "com.a", "");
    scene.event_type("6-announced", "com.b", "InMemoryChannel c");
    assert_eq!(scene.mesh().provided(&scene.0, 0), [0, 1, 4], "what it says itself beats what its kind can");
    scene.0.sources[0].sends.clear();
    assert_eq!(scene.mesh().provided(&scene.0, 0), [6]);
}

#[test]
fn the_source_attribute_is_compared_where_both_say_it() {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.source("PingSource p", "Broker main", &[]).sends =
        vec![Sent { event_type: "com.a".to_owned(), source: "/here".to_owned() }];
    for (name, source) in [("0", Some("/here")), ("1", Some("/there")), ("2", None)] {
        let event_type = scene.event_type(name, "com.a", "Broker main");
        event_type.attributes.insert("source".to_owned(), source.map(str::to_owned));
    }
    assert_eq!(scene.mesh().provided(&scene.0, 0), [0, 2]);
}

#[test]
fn an_event_type_of_a_receiver_is_gotten_by_it() {
    let mut scene = Scene::whole();
    scene.there(&["Service s"]);
    scene.event_type("a", "com.a", "Service s");
    assert_eq!(said(&scene.consumers()), [("Service shop/s", Verdict::Yes)]);
    scene.0.event_types[0].reference = Some(reference("Broker gone"));
    assert_eq!(scene.consumers(), []);
}

#[test]
fn nobody_gets_what_enters_a_broker_that_does_not_exist() {
    let mut scene = Scene::whole();
    scene.event_type("a", "com.a", "Broker nowhere");
    scene.trigger("all", "nowhere", &json!([]), "Service all");
    assert_eq!(said(&scene.consumers()), []);
}
