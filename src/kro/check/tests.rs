mod cluster;
mod expressions;
mod rules;

use serde_json::json;

use super::*;

fn world() -> World {
    let text = json!({"type": "string"});
    let texts = json!({"type": "object", "additionalProperties": text});
    let metadata = json!({"type": "object", "properties": {
        "name": text, "namespace": text, "labels": texts, "annotations": texts,
        "creationTimestamp": {"type": "string", "format": "date-time"}}});
    let kind = |fields: Value| {
        let mut schema = json!({"type": "object", "properties": {
            "apiVersion": text, "kind": text, "metadata": metadata}});
        let properties = schema.pointer_mut("/properties").and_then(Value::as_object_mut).expect("a map");
        properties.extend(fields.as_object().cloned().unwrap_or_default());
        schema
    };
    let container = json!({"type": "object", "properties": {"name": text, "image": text, "ports": {
        "type": "array", "items": {"type": "object", "properties": {"containerPort": {"type": "integer"}}}}}});
    World::of([
        ("v1", "ConfigMap", true, kind(json!({"data": texts}))),
        ("v1", "Namespace", false, kind(json!({}))),
        (
            "v1",
            "Secret",
            true,
            kind(json!({"data": {"type": "object", "additionalProperties": {
            "type": "string", "format": "byte"}}, "stringData": texts})),
        ),
        (
            "v1",
            "Service",
            true,
            kind(json!({"spec": {"type": "object", "properties": {
            "ports": {"type": "array", "items": {"type": "object", "properties": {
                "port": {"type": "integer"},
                "targetPort": {"oneOf": [{"type": "integer"}, {"type": "string"}]}}}}}}})),
        ),
        (
            "apps/v1",
            "Deployment",
            true,
            kind(json!({
            "spec": {"type": "object", "properties": {
                "replicas": {"type": "integer"}, "paused": {"type": "boolean"},
                "containers": {"type": "array", "items": container}}},
            "status": {"type": "object", "properties": {"readyReplicas": {"type": "integer"},
                "conditions": {"type": "array", "items": {"type": "object", "properties": {
                    "type": text, "status": text}}}}}})),
        ),
        (
            "example.io/v1",
            "Loose",
            true,
            kind(json!({
            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "either": {"x-kubernetes-int-or-string": true}})),
        ),
        (
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            false,
            kind(json!({"spec": {"type": "object"}})),
        ),
    ])
}

fn rgd(schema: Value, resources: Value) -> Object {
    let mut block = json!({"apiVersion": "v1alpha1", "kind": "WebApp", "spec": {
        "name": "string", "count": "integer", "on": "boolean", "share": "float", "names": "[]string",
        "labels": "map[string]string", "any": "object", "inner": {"host": "string"}}});
    let Value::Object(schema) = schema else { panic!("no map") };
    block.as_object_mut().expect("a map").extend(schema);
    let spec = with(json!({ "schema": block }), "resources", resources);
    let rgd = json!({"apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition",
        "metadata": {"name": "web"}});
    Object::from_value(with(rgd, "spec", spec)).expect("an object")
}

fn found(schema: Value, resources: Value) -> Vec<Problem> {
    check(&rgd(schema, resources), &world(), &Work::default())
}

fn config(id: &str, data: &str) -> Value {
    json!({"id": id, "template": {"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": format!("${{schema.spec.name}}-{id}")}, "data": {"key": data}}})
}

fn deployment(replicas: Value) -> Value {
    let spec = with(json!({"containers": [{"name": "c", "image": "i"}]}), "replicas", replicas);
    let template = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "${schema.spec.name}"}});
    with(json!({"id": "web"}), "template", with(template, "spec", spec))
}

fn with(mut resource: Value, key: &str, value: Value) -> Value {
    resource.as_object_mut().expect("a map").insert(key.to_owned(), value);
    resource
}

/// The only problem: its rule, node and field, in its words.
fn only(schema: Value, resources: Value) -> String {
    match found(schema, resources).as_slice() {
        [problem] => problem.to_string(),
        other => panic!("not one problem: {other:#?}"),
    }
}

/// What is wrong with an expression that makes the text of a ConfigMap.
fn expression(source: &str) -> Option<String> {
    let problems = found(json!({}), json!([deployment(json!(1)), config("a", &format!("${{{source}}}"))]));
    assert!(problems.len() < 2, "{source}: {problems:#?}");
    problems.first().map(|problem| {
        assert_eq!(problem.node.as_deref(), Some("a"), "{source}");
        assert_eq!(problem.field, "template.data.key", "{source}");
        problem.to_string()
    })
}
