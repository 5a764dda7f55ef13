use super::*;
use serde_json::json;

fn rgd(status: &Value) -> Object {
    let resources = json!([
        {"id": "ingress", "includeWhen": ["${schema.spec.ingress}"],
         "template": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "${deployment.metadata.name}"}, "spec": {"s": "${service.metadata.name}"}}},
        {"id": "deployment", "readyWhen": ["${service.spec.x == deployment.status.y}"],
         "template": {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "${schema.spec.name}"}, "spec": {"c": "${config.data.key}"}}},
        {"id": "service", "template": {"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "${deployment.metadata.name}"}}},
        {"id": "config", "externalRef": {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "${schema.spec.config}"}}},
        {"id": "workers", "forEach": [{"zone": "${config.data.zones}"}],
         "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "w-${zone}"}}},
    ]);
    Object::from_value(json!({
        "apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition",
        "metadata": {"name": "shop"},
        "spec": {"schema": {"kind": "Shop"}, "resources": resources}, "status": status
    }))
    .expect("an object")
}

fn shape(definition: &Definition) -> Vec<(&str, Vec<&str>)> {
    definition
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node.dependencies.iter().map(String::as_str).collect()))
        .collect()
}

#[test]
fn the_status_gives_order_and_edges() {
    let definition = Definition::read_within(
        &rgd(&json!({"state": "Active",
            "topologicalOrder": ["config", "deployment", "workers", "service", "ingress"],
            "resources": [
                {"id": "service", "dependencies": [{"id": "deployment"}]},
                {"id": "ingress", "dependencies": [{"id": "deployment"}, {"id": "service"}]}]})),
        &[],
        &Work::default(),
    );
    assert_eq!(definition.source, Source::Status);
    assert_eq!(
        shape(&definition),
        [
            ("config", vec![]),
            ("deployment", vec![]),
            ("workers", vec![]),
            ("service", vec!["deployment"]),
            ("ingress", vec!["deployment", "service"])
        ]
    );
    assert_eq!(definition.child_kinds().len(), 4);
    assert_eq!(definition.trouble, None);
}

#[test]
fn an_emptied_status_leaves_the_expressions() {
    let definition = Definition::read_within(
        &rgd(&json!({"state": "Inactive", "topologicalOrder": [], "resources": [], "conditions": [
            {"type": "GraphAccepted", "status": "False", "message": "bad"}]})),
        &[],
        &Work::default(),
    );
    assert_eq!(definition.source, Source::Derived);
    assert_eq!(
        shape(&definition),
        [
            ("config", vec![]),
            ("deployment", vec!["config"]),
            ("service", vec!["deployment"]),
            ("ingress", vec!["deployment", "service"]),
            ("workers", vec!["config"]),
        ]
    );
    assert_eq!(definition.trouble.as_deref(), Some("GraphAccepted is False: bad"));
}

#[test]
fn the_newest_verified_revision_is_what_instances_run_on() {
    let revision = |number: i64, verified: &str| {
        Object::from_value(json!({
            "spec": {"revision": number, "snapshot": {"name": "shop", "spec": {"resources": [
                {"id": format!("r{number}"), "template": {"apiVersion": "v1", "kind": "Secret"}}]}}},
            "status": {"topologicalOrder": [format!("r{number}")],
                "conditions": [{"type": "GraphVerified", "status": verified}]}
        }))
        .expect("an object")
    };
    let revisions = [revision(1, "True"), revision(2, "True"), revision(3, "False")];
    let definition =
        Definition::read_within(&rgd(&json!({"topologicalOrder": []})), &revisions, &Work::default());
    assert_eq!(definition.source, Source::Revision(2));
    assert_eq!(shape(&definition), [("r2", vec![])]);
}

#[test]
fn odd_entries_are_no_nodes() {
    for resource in [json!(7), json!({}), json!({"id": ""}), json!({"id": 3})] {
        assert!(Node::parse(&resource).is_none(), "{resource}");
    }
    let bare = Node::parse(&json!({"id": "a"})).expect("a node");
    assert_eq!((bare.kind.as_str(), bare.is_collection()), ("", false));
}

#[test]
fn no_more_is_read_than_a_person_would_write() {
    let many: Vec<Value> = (0..20_000).map(|at| json!({"id": format!("n{at}")})).collect();
    let ids: Vec<Value> = many.iter().map(|node| node["id"].clone()).collect();
    let needed: Vec<Value> = many.iter().take(1000).cloned().collect();
    let resources: Vec<Value> =
        ids.iter().map(|id| json!({"id": id, "dependencies": needed})).take(500).collect();
    let rgd = Object::from_value(json!({
        "metadata": {"name": "big"}, "spec": {"resources": many},
        "status": {"topologicalOrder": ids, "resources": resources}
    }))
    .expect("an object");
    let began = std::time::Instant::now();
    let definition = Definition::read_within(&rgd, &[], &Work::default());
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    assert_eq!((definition.nodes.len(), definition.nodes[3].dependencies.len()), (2000, 64));
    assert_eq!(definition.cut.len(), 2);
}
