use serde_json::json;

use super::{Scene, name, of_type, reference, resource, to};
use crate::knative::{
    mesh::{Presence, Relation, Role},
    resource::{Destination, Target},
};

fn edges(scene: &Scene) -> Vec<String> {
    let mesh = scene.mesh();
    let edges = mesh.edges.iter();
    edges
        .map(|edge| format!("{} -{:?}-> {}", name(&mesh, edge.from), edge.relation, name(&mesh, edge.to)))
        .collect()
}

#[test]
fn a_uri_that_is_the_address_of_an_object_is_that_object() {
    let mut scene = Scene::whole();
    scene.broker("main").resource.address = Some("http://ingress.knative.svc/shop/main".to_owned());
    let mut service = resource("Service billing");
    service.reference.group = "serving.knative.dev".to_owned();
    service.address = Some("http://billing.shop.svc.cluster.local".to_owned());
    scene.0.targets.insert(service.reference.clone(), Target::Found(Box::new(service)));
    scene.source("PingSource p", "http://ingress.knative.svc:80/shop/main/", &[]);
    scene.trigger("t", "main", &json!([]), "http://billing.shop.svc.cluster.local/in?token=hunter2");
    scene.trigger("u", "main", &json!([]), "https://user:hunter2@example.com/in?token=hunter2");
    assert_eq!(
        edges(&scene),
        [
            "PingSource shop/p -Sink-> Broker shop/main",
            "Broker shop/main -Trigger-> Service shop/billing",
            "Broker shop/main -Trigger-> https://example.com/in?…",
        ]
    );
}

#[test]
fn a_uri_that_is_no_address_is_where_the_controller_resolved_it_to() {
    let mut scene = Scene::whole();
    scene.broker("main").resource.address = Some("http://ingress/shop/main".to_owned());
    scene.source("PingSource p", "http://alias.example.com", &[]).resolved =
        Some("http://ingress/shop/main".to_owned());
    assert_eq!(edges(&scene), ["PingSource shop/p -Sink-> Broker shop/main"]);
}

#[test]
fn a_plain_service_is_known_by_its_cluster_name() {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.there(&["Service orders/api"]);
    scene.trigger("t", "main", &json!([]), "http://api.orders.svc.cluster.local:8080/events");
    scene.trigger("u", "main", &json!([]), "http://other.orders.svc/events");
    assert_eq!(
        edges(&scene),
        [
            "Broker shop/main -Trigger-> Service orders/api",
            "Broker shop/main -Trigger-> http://other.orders.svc/events",
        ]
    );
}

#[test]
fn a_uri_beside_a_reference_is_a_path_of_it() {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.there(&["Service billing"]);
    scene.trigger("t", "main", &json!([]), "Service billing").subscriber.uri = Some("/in".to_owned());
    assert_eq!(edges(&scene), ["Broker shop/main -Trigger-> Service shop/billing"]);
}

#[test]
fn what_a_channel_a_flow_or_a_broker_made_for_itself_is_a_part_of_it() {
    let mut scene = Scene::whole();
    scene.broker("main");
    scene.channel("Channel orders");
    scene.channel("InMemoryChannel orders").resource.owner = Some(reference("Channel orders"));
    scene.flow("Sequence clean", &["Service a"], None);
    scene.channel("Channel clean-0").resource.owner = Some(reference("Sequence clean"));
    scene.channel("InMemoryChannel clean-0").resource.owner = Some(reference("Channel clean-0"));
    scene.channel("InMemoryChannel main-kne-trigger").resource.owner = Some(reference("Broker main"));
    scene.subscription("clean-0", "Channel clean-0", "Service a").resource.owner =
        Some(reference("Sequence clean"));
    scene.trigger("t", "main", &json!([]), "Service a");
    let made = scene.subscription("main-t", "InMemoryChannel main-kne-trigger", "Service filter");
    made.resource.owner = Some(reference("Trigger t"));
    scene.subscription("mine", "InMemoryChannel orders", "Service a");
    scene.there(&["Service a", "Service filter"]);
    let mesh = scene.mesh();
    let names: Vec<_> = (0..mesh.nodes.len()).map(|node| name(&mesh, node)).collect();
    assert_eq!(names, ["Broker shop/main", "Sequence shop/clean", "Channel shop/orders", "Service shop/a"]);
    assert_eq!(
        edges(&scene),
        [
            "Broker shop/main -Trigger-> Service shop/a",
            "Channel shop/orders -Subscription-> Service shop/a",
            "Sequence shop/clean -Step-> Service shop/a",
        ]
    );
    assert_eq!(mesh.node(&reference("InMemoryChannel clean-0")), mesh.node(&reference("Sequence clean")));
    assert!(mesh.is_part(&scene.0.channels[1].resource) && !mesh.is_part(&scene.0.channels[0].resource));
    assert!(
        mesh.is_part(&scene.0.subscriptions[1].resource) && !mesh.is_part(&scene.0.subscriptions[2].resource)
    );
}

#[test]
fn a_part_whose_owner_was_not_read_stands_for_itself_and_owners_in_a_circle_do_no_harm() {
    let mut scene = Scene::default();
    scene.channel("InMemoryChannel a").resource.owner = Some(reference("Sequence unread"));
    scene.channel("InMemoryChannel b").resource.owner = Some(reference("InMemoryChannel c"));
    scene.channel("InMemoryChannel c").resource.owner = Some(reference("InMemoryChannel b"));
    scene.channel("InMemoryChannel d").resource.owner = Some(reference("InMemoryChannel d"));
    let mesh = scene.mesh();
    assert_eq!(mesh.nodes.len(), 4);
    assert!(mesh.nodes.iter().all(|node| node.presence == Presence::Here && node.role == Role::Channel));
}

#[test]
fn dead_letters_go_to_the_triggers_sink_or_else_to_that_of_the_broker() {
    let mut scene = Scene::whole();
    scene.broker("main").dead_letter = Some(to("Service lost"));
    scene.trigger("own", "main", &of_type("a"), "Service s").dead_letter = Some(to("Service own-lost"));
    scene.trigger("none", "main", &of_type("b"), "Service s");
    let mesh = scene.mesh();
    let dead: Vec<_> = mesh.edges.iter().filter(|edge| edge.relation == Relation::DeadLetter).collect();
    let said: Vec<_> = dead.iter().map(|edge| (name(&mesh, edge.to), edge.filter.to_string())).collect();
    let said: Vec<_> = said.iter().map(|(name, filter)| (name.as_str(), filter.as_str())).collect();
    assert_eq!(said, [("Service shop/own-lost", "type = a"), ("Service shop/lost", "type = b")]);
}

#[test]
fn a_parallel_sends_to_filters_branches_and_replies() {
    let mut scene = Scene::whole();
    let flow = scene.flow("Parallel fan", &["Service a", "Service b"], Some("Service all"));
    flow.steps[0].filter = Some(to("Service gate"));
    flow.steps[0].reply = Some(to("Service own"));
    flow.steps[1].dead_letter = Some(to("Service lost"));
    assert_eq!(
        edges(&scene),
        [
            "Parallel shop/fan -Step-> Service shop/gate",
            "Parallel shop/fan -Step-> Service shop/a",
            "Service shop/a -Reply-> Service shop/own",
            "Parallel shop/fan -Step-> Service shop/b",
            "Parallel shop/fan -DeadLetter-> Service shop/lost",
            "Service shop/b -Reply-> Service shop/all",
        ]
    );
}

#[test]
fn nothing_is_missing_that_was_not_read_to_its_end() {
    let mut scene = Scene::default();
    scene.trigger("t", "nowhere", &json!([]), "Service s");
    scene.subscription("s", "InMemoryChannel nowhere", "Deployment d");
    scene.source("PingSource p", "Broker other/none", &[]);
    scene.0.targets.insert(reference("Deployment d"), Target::NotAddressable);
    scene.trigger("empty", "nowhere", &json!([]), "Service s").subscriber = Destination::default();
    let mesh = scene.mesh();
    let presence = |text: &str| mesh.nodes[mesh.node(&reference(text)).expect("a node")].presence;
    assert_eq!(presence("Broker nowhere"), Presence::Unread);
    assert_eq!(presence("InMemoryChannel nowhere"), Presence::Unread);
    assert_eq!(presence("Service s"), Presence::Unread);
    assert_eq!(presence("Deployment d"), Presence::NotAddressable);
    scene.0.whole = Scene::whole().0.whole;
    let mesh = scene.mesh();
    assert_eq!(
        mesh.nodes[mesh.node(&reference("Broker nowhere")).expect("a node")].presence,
        Presence::Missing
    );
}
