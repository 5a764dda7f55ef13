use serde_json::json;

use super::*;
use crate::knative::{
    filter::Filter,
    mesh::Anchor,
    resource::{
        Broker, Channel, Destination, Ready, Reference, Resource, Source, Subscription, Target, Trigger,
    },
};

fn reference(group: &str, kind: &str, name: &str) -> Reference {
    let (namespace, name) = name.split_once('/').expect("namespace/name");
    Reference {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn resource(group: &str, kind: &str, name: &str) -> Resource {
    Resource { reference: reference(group, kind, name), ..Resource::default() }
}

fn to(group: &str, kind: &str, name: &str) -> Destination {
    Destination { reference: Some(reference(group, kind, name)), uri: None }
}

const EVENTING: &str = "eventing.knative.dev";
const MESSAGING: &str = "messaging.knative.dev";

fn trigger(name: &str, broker: &str, event_type: &str, subscriber: Destination) -> Trigger {
    let wanted = [("type".to_owned(), event_type.to_owned())];
    Trigger {
        resource: resource(EVENTING, "Trigger", name),
        broker: reference(EVENTING, "Broker", broker),
        filter: Filter::Exact(wanted.into()),
        subscriber,
        ..Trigger::default()
    }
}

/// Two brokers of one name, a Service that two triggers and a broken one lead to, and two channels that feed each other.
fn sample() -> Resources {
    let broker = |name, dead_letter| Broker {
        resource: resource(EVENTING, "Broker", name),
        dead_letter,
        ..Broker::default()
    };
    let channel = |name| Channel { resource: resource(MESSAGING, "Channel", name), dead_letter: None };
    let subscription = |name, of, subscriber| Subscription {
        resource: resource(MESSAGING, "Subscription", name),
        channel: reference(MESSAGING, "Channel", of),
        subscriber: Some(to(MESSAGING, "Channel", subscriber)),
        ..Subscription::default()
    };
    let mut resources = Resources {
        brokers: vec![
            broker("shop/default", Some(to("", "Service", "shop/lost-and-found"))),
            broker("bank/default", None),
        ],
        triggers: vec![
            trigger("shop/orders", "shop/default", "order.made", to("", "Service", "shop/orders")),
            trigger("shop/gone", "shop/default", "order.made", to("", "Service", "shop/no-such")),
            trigger("shop/circle", "shop/default", "order.made", to(MESSAGING, "Channel", "shop/a")),
            Trigger {
                filter: Filter::Prefix([("type".to_owned(), "money.".to_owned())].into()),
                dead_letter: Some(to("", "Service", "bank/desk")),
                ..trigger("bank/money", "bank/default", "", to("", "Service", "bank/teller"))
            },
        ],
        channels: vec![channel("shop/a"), channel("shop/b")],
        subscriptions: vec![
            subscription("shop/a-b", "shop/a", "shop/b"),
            subscription("shop/b-a", "shop/b", "shop/a"),
        ],
        ..Resources::default()
    };
    for name in ["shop/orders", "shop/lost-and-found", "bank/teller", "bank/desk"] {
        let mut found = resource("", "Service", name);
        found
            .labels
            .insert(crate::knative::BACKSTAGE_ID.to_owned(), format!("id-of-{}", found.reference.name));
        resources.targets.insert(found.reference.clone(), Target::Found(Box::new(found)));
    }
    resources.targets.insert(reference("", "Service", "shop/no-such"), Target::Missing);
    resources
}

fn input(arguments: serde_json::Value) -> Input {
    serde_json::from_value(arguments).expect("arguments")
}

fn followed(arguments: serde_json::Value) -> (Followed, serde_json::Value) {
    let (resources, input) = (sample(), input(arguments));
    let mesh = Mesh::build(&resources);
    let anchors = anchor::anchors(&mesh, &resources, &input).expect("anchors");
    let part = Part::of(&mesh, &resources, None, &anchors);
    let followed = followed::follow(&part, &anchors, input.direction.expect("a direction"));
    let found = serde_json::to_value(&followed.found).expect("JSON");
    (followed, found)
}

#[test]
fn a_direction_needs_somewhere_to_begin() {
    for (arguments, said) in [
        (json!({"direction": "path"}), "event_type, broker or consumer"),
        (json!({"consumer": " "}), "\"consumer\" is empty"),
        (json!({"format": "dot", "cursor": "x"}), "\"cursor\""),
    ] {
        let error = input(arguments).check().expect_err(said);
        assert!(error.kind == ErrorKind::InvalidInput && error.text().contains(said), "{}", error.text());
    }
}

#[test]
fn names_are_resolved_as_people_write_them() {
    let resources = sample();
    let mesh = Mesh::build(&resources);
    let named = |arguments| {
        let anchors = anchor::anchors(&mesh, &resources, &input(arguments))?;
        let names = anchors.concat().into_iter().map(|anchor| match anchor {
            Anchor::Node(node) => words::node(&mesh, node, ""),
            Anchor::EventType { name, .. } => name,
        });
        Ok::<_, Error>(names.collect::<Vec<_>>())
    };
    for written in [
        "orders",
        "shop/orders",
        "Service/orders",
        "service/shop/orders",
        "Service shop/orders",
        "id-of-orders",
    ] {
        assert_eq!(named(json!({"consumer": written})).expect(written), ["Service shop/orders"], "{written}");
    }
    assert_eq!(named(json!({"consumer": "money"})).expect("of a trigger"), ["Service bank/teller"]);
    assert_eq!(
        named(json!({"broker": "default", "namespace": "bank"})).expect("one"),
        ["Broker bank/default"]
    );
    assert_eq!(named(json!({"broker": "default"})).expect("both").len(), 2, "a table may be of both");
    assert_eq!(named(json!({"event_type": "money.spent"})).expect("by its prefix"), ["money.spent"]);

    let several = named(json!({"broker": "default", "direction": "path"})).expect_err("two");
    assert_eq!(several.kind, ErrorKind::Conflict);
    assert_eq!(several.candidates, ["Broker shop/default", "Broker bank/default"]);
    for (arguments, near) in [
        (json!({"consumer": "ordres"}), "orders"),
        (json!({"broker": "shop/defualt"}), "shop/default"),
        (json!({"event_type": "order.mad"}), "order.made"),
        (json!({"broker": "default", "namespace": "shopp"}), "shop"),
    ] {
        let none = named(arguments).expect_err(near);
        assert_eq!(
            (none.kind, none.candidates.first().map(String::as_str)),
            (ErrorKind::NotFound, Some(near))
        );
        assert!(none.text().contains("knative_event_mesh without it lists"), "{}", none.text());
    }
}

#[test]
fn a_row_says_where_goes_what_is_not_delivered() {
    let resources = sample();
    let mesh = Mesh::build(&resources);
    let part = Part::of(&mesh, &resources, None, &[]);
    let rows: Vec<serde_json::Value> =
        consumers::rows(&part).iter().map(|row| serde_json::to_value(row).expect("JSON")).collect();
    let row =
        |via: &str| rows.iter().find(|row| row["via"] == via).unwrap_or_else(|| panic!("{via}: {rows:?}"));
    assert_eq!(
        *row("Trigger orders"),
        json!({"namespace": "shop", "from": "Broker default", "via": "Trigger orders", "filter": "type = order.made",
            "to": "Service orders", "id": "id-of-orders", "ready": "no status",
            "dead_letter": "Service lost-and-found"})
    );
    assert_eq!(row("Trigger money")["dead_letter"], "Service desk", "its own, where it has one");
    assert_eq!(row("Trigger gone")["to"], "Service no-such (missing)");
    assert_eq!(rows.len(), 6);
}

#[test]
fn who_gets_an_event_and_where_it_is_lost_is_said_first() {
    let (followed, found) =
        followed(json!({"event_type": "order.made", "broker": "shop/default", "direction": "consumers"}));
    assert_eq!(
        found["consumers"].as_array().expect("a list").first(),
        Some(&json!("maybe Service shop/orders [id-of-orders]")),
        "nothing says where such events are posted to"
    );
    assert_eq!(found["dead_ends"], json!(["Service shop/no-such (missing)"]));
    assert_eq!(found["undelivered"], json!(["Service shop/lost-and-found [id-of-lost-and-found]"]));
    let circle = found["loops"][0].as_str().expect("a loop");
    assert!(circle.contains("Channel shop/a → Channel shop/b"), "{circle}");
    for said in ["Service shop/orders", "ends at Service shop/no-such (missing)", "1 loop"] {
        assert!(followed.words.contains(said), "{}", followed.words);
    }
}

#[test]
fn where_events_of_a_consumer_come_from_is_told_without_a_source() {
    let (followed, found) = followed(json!({"consumer": "teller", "direction": "producers"}));
    assert_eq!(found["producers"], json!([]));
    assert!(found.get("consumers").is_none() && found.get("dead_ends").is_none(), "{found}");
    assert!(followed.words.starts_with("comes from no source that is known"), "{}", followed.words);
    assert_eq!(followed.rows.len(), 1, "from the broker by the trigger");
}

#[test]
fn what_of_a_small_table_does_not_fit_is_counted() {
    let resources = Resources {
        brokers: (0..500)
            .map(|index| Broker {
                resource: resource(EVENTING, "Broker", &format!("shop/broker-{index}")),
                ..Broker::default()
            })
            .collect(),
        ..Resources::default()
    };
    let mesh = Mesh::build(&resources);
    let part = Part::of(&mesh, &resources, None, &[]);
    let mut output = Output::default();
    let text = output.small_tables(&part, &Wrong::of(&part), 9_000);
    let shown = text.matches("Broker shop/broker-").count();
    assert!((5..100).contains(&shown) && text.len() < 4_000 && output.size() < 4_000, "{shown}: {text}");
    assert!(text.contains("brokers or channels more: narrow with namespace or broker"), "{text}");
}

#[test]
fn what_a_source_sends_by_itself_is_as_ready_as_the_source() {
    let mut resources = sample();
    let mut source = Source {
        resource: resource("sources.knative.dev", "PingSource", "shop/tick"),
        sink: Some(to("", "Service", "shop/orders")),
        ..Source::default()
    };
    source.resource.ready = Ready::No("SinkNotFound".to_owned());
    resources.sources.push(source);
    let mesh = Mesh::build(&resources);
    let part = Part::of(&mesh, &resources, None, &[]);
    let mut rows = consumers::rows(&part);
    rows.sort_by_cached_key(crate::answer::Row::key);
    let first: Vec<_> = rows.iter().map(|row| serde_json::to_value(row).expect("JSON")).collect();
    let row = first.iter().find(|row| row["from"] == "PingSource tick").expect("its row");
    assert_eq!(row["ready"], "no: SinkNotFound");
    let normal = first.iter().position(|row| row["via"] == "Trigger orders").expect("a row");
    assert!(
        first.iter().position(|one| one == row) < Some(normal),
        "what is not ready comes first: {first:?}"
    );
}
