use serde_json::{Value, json};

use super::{Published, consumer_ids};
use crate::knative::{
    mesh::Mesh,
    resource::{Broker, Channel, Destination, EventType, Reference, Resource, Resources, Sent, Source},
};

fn resource(group: &str, kind: &str, namespace: &str, name: &str) -> Resource {
    let [group, kind, namespace, name] = [group, kind, namespace, name].map(str::to_owned);
    let uid = format!("uid-{name}");
    Resource { reference: Reference { group, kind, namespace, name }, uid, ..Resource::default() }
}

fn event_type(namespace: &str, name: &str, r#type: &str, offered_by: Option<&Reference>) -> EventType {
    EventType {
        resource: resource("eventing.knative.dev", "EventType", namespace, name),
        attributes: [("type".to_owned(), Some(r#type.to_owned()))].into(),
        reference: offered_by.cloned(),
        ..EventType::default()
    }
}

fn published(resources: &Resources) -> Value {
    let mesh = Mesh::build(resources);
    let ids = |index| consumer_ids(&mesh, resources, index);
    let consumers = (0..resources.event_types.len()).map(ids).collect();
    serde_json::to_value(Published::of(resources, &mesh, consumers)).expect("JSON")
}

#[test]
fn the_shape_is_that_of_the_backend() {
    let broker = resource("eventing.knative.dev", "Broker", "shop", "default");
    let channel = resource("messaging.knative.dev", "InMemoryChannel", "shop", "orders");
    let mut placed = event_type("shop", "placed", "com.example.placed", Some(&broker.reference));
    placed.description = Some("An order was placed".to_owned());
    placed.schema = Some("https://schemas.example.com/placed.json".to_owned());
    placed.schema_data = Some("{\"type\":\"object\"}".to_owned());
    placed.resource.labels = [("app".to_owned(), "shop".to_owned())].into();
    let resources = Resources {
        event_types: vec![placed, event_type("a", "late", "com.example.late", Some(&channel.reference))],
        sources: vec![Source {
            resource: resource("sources.knative.dev", "PingSource", "shop", "minute"),
            sink: Some(Destination { reference: Some(broker.reference.clone()), uri: None }),
            announced: vec!["dev.knative.sources.ping".to_owned()],
            sends: vec![Sent { event_type: "com.example.placed".to_owned(), source: "/x".to_owned() }],
            ..Source::default()
        }],
        brokers: vec![Broker { resource: broker, ..Broker::default() }],
        channels: vec![Channel { resource: channel, dead_letter: None }],
        ..Resources::default()
    };
    let mesh = published(&resources);
    assert_eq!(
        mesh["eventTypes"],
        json!([
            {
                "namespace": "a", "name": "late", "type": "com.example.late", "uid": "uid-late", "labels": null,
                "annotations": null, "consumedBy": [],
                "reference": {"group": "messaging.knative.dev", "kind": "InMemoryChannel", "namespace": "shop",
                    "name": "orders"},
            },
            {
                "namespace": "shop", "name": "placed", "type": "com.example.placed", "uid": "uid-placed",
                "description": "An order was placed", "schemaData": "{\"type\":\"object\"}",
                "schemaURL": "https://schemas.example.com/placed.json", "labels": {"app": "shop"},
                "annotations": null, "consumedBy": [],
                "reference": {"group": "eventing.knative.dev", "kind": "Broker", "namespace": "shop",
                    "name": "default"},
            },
        ]),
        "by namespace, then name"
    );
    assert_eq!(
        mesh["brokers"],
        json!([{"namespace": "shop", "name": "default", "uid": "uid-default", "labels": null,
            "annotations": null, "providedEventTypes": ["shop/placed"]}])
    );
    assert_eq!(
        mesh["subscribables"],
        json!([{"namespace": "shop", "name": "orders", "uid": "uid-orders", "labels": null, "annotations": null,
            "group": "messaging.knative.dev", "kind": "InMemoryChannel", "providedEventTypes": ["a/late"]}])
    );
    let source = &mesh["sources"][0];
    assert_eq!(source["sink"]["kind"], "Broker");
    assert_eq!(source["providedEventTypeTypes"], json!(["com.example.placed", "dev.knative.sources.ping"]));
    assert!(source["providedEventTypes"].is_array() && source["group"] == "sources.knative.dev", "{source}");
}

#[test]
fn nothing_there_is_four_empty_lists() {
    let empty = json!({"eventTypes": [], "brokers": [], "subscribables": [], "sources": []});
    assert_eq!(published(&Resources::default()), empty);
}
