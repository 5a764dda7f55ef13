use super::*;

#[test]
fn rules_on_ids_iterators_and_conditions() {
    let each = |list: &str| json!([{"n": list}]);
    let named = |resource: Value| {
        let mut resource = resource;
        *resource.pointer_mut("/template/metadata/name").expect("a name") = json!("x-${n}");
        resource
    };
    let reference = |metadata: Value| {
        json!({"id": "x", "externalRef": {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}})
    };
    for (resources, because) in [
        (json!([config("my-id", "v")]), "my-id id (id)"),
        (json!([config("schema", "v")]), "schema id (reserved-word)"),
        (json!([config("a", "v"), config("a", "v")]), "a id (id): another resource has the same id"),
        (json!([{"id": "a"}]), "a template (resource): it has neither"),
        (
            json!([with(config("a", "v"), "externalRef", json!({}))]),
            "a externalRef (resource): it has a template too",
        ),
        (
            json!([reference(json!({}))]),
            "x externalRef.metadata (external-ref): it has neither a name nor a selector",
        ),
        (json!([reference(json!({"name": "a", "selector": {}}))]), "a name and a selector"),
        (json!([reference(json!({"selector": {"matchLabel": {}}}))]), "did you mean \"matchLabels\"?"),
        (json!([reference(json!({"selector": {"matchLabels": {"a b": "c"}}}))]), "is no label"),
        (
            json!([reference(json!({"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}))]),
            "needs values",
        ),
        (
            json!([reference(json!({"selector": "${schema.spec.name}"}))]),
            "is string, and the field is map(string, dyn)",
        ),
        (json!([reference(json!({"selector": "abc"}))]), "a selector is a LabelSelector"),
        (
            json!([with(reference(json!({"name": "a"})), "forEach", each("${schema.spec.names}"))]),
            "an externalRef cannot have forEach",
        ),
        (
            json!([with(config("a", "v"), "forEach", each("${schema.spec.names}"))]),
            "a forEach (for-each): the iterator \"n\" is not used in metadata.name or metadata.namespace",
        ),
        (
            json!([with(named(config("a", "v")), "forEach", each("${schema.spec.name}"))]),
            "a forEach[0] (for-each): `schema.spec.name` is string, and must be a list",
        ),
        (
            json!([with(named(config("a", "v")), "forEach", each("${schema.spec.any.x}"))]),
            "make it one with .map(x, x)",
        ),
        (json!([with(named(config("a", "v")), "forEach", each("plain"))]), "must be one expression"),
        (
            json!([with(named(config("a", "v")), "forEach", json!([{"n": "${schema.spec.names}"}, {}]))]),
            "exactly one name",
        ),
        (
            json!([with(
                named(config("a", "v")),
                "forEach",
                json!([{"n": "${schema.spec.names}"}, {"n": "${schema.spec.names}"}])
            )]),
            "two iterators",
        ),
        (
            json!([with(named(config("n", "v")), "forEach", each("${schema.spec.names}"))]),
            "is the id of a resource",
        ),
        (
            json!([with(config("a", "v"), "includeWhen", json!(["true"]))]),
            "a includeWhen[0] (include-when): it must be one expression",
        ),
        (
            json!([with(config("a", "v"), "includeWhen", json!(["${schema.spec.name}"]))]),
            "is string, and must be bool",
        ),
        (
            json!([with(config("a", "v"), "includeWhen", json!(["${schema.spec.any.x}"]))]),
            "compare it with true",
        ),
        (
            json!([with(config("a", "v"), "readyWhen", json!(["${schema.spec.on}"]))]),
            "a readyWhen[0] (unknown-reference)",
        ),
        (
            json!([with(config("a", "v"), "readyWhen", json!(["${a.data.x}"]))]),
            "a readyWhen[0] (ready-when): `a.data.x` is string",
        ),
        (
            json!([config("a", "${b.data.x}"), config("b", "${a.data.x}")]),
            "a template (cycle): it waits for itself: a -> b -> a",
        ),
        (
            json!([with(
                config("a", "v"),
                "template",
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x", "namespace": "y"}})
            )]),
            "a template.metadata.namespace (namespace): Namespace is cluster-scoped",
        ),
        (
            json!([with(
                config("a", "v"),
                "template",
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "labels": {"kro.run/x": "y"}}})
            )]),
            "(reserved-prefix): labels that begin with kro.run/",
        ),
        (
            json!([with(
                config("a", "v"),
                "template",
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "annotations": {"internal.kro.run/x": "y"}}})
            )]),
            "(reserved-prefix): annotations that begin with internal.kro.run/",
        ),
    ] {
        let text = only(json!({}), resources.clone());
        assert!(text.contains(because), "{because}: {text}");
    }
    for fine in [
        json!([with(named(config("a", "${n}")), "forEach", each("${schema.spec.names}"))]),
        json!([with(named(config("a", "v")), "readyWhen", json!(["${each.data.x == 'y'}"])),]),
        json!([with(
            reference(json!({"selector": {"matchLabels": {"a": "${schema.spec.name}"}}})),
            "readyWhen",
            json!(["${x.all(c, c.data.a == 'b')}"])
        )]),
        json!([reference(json!({"name": "${schema.spec.name}"})), config("a", "${x.data.y}")]),
        json!([
            deployment(json!(1)),
            with(
                config("a", "v"),
                "includeWhen",
                json!(["${web.status.readyReplicas > 0}", "${schema.spec.?on}"])
            )
        ]),
    ]
    .into_iter()
    .map(|mut resources| {
        // the one with `each` is a collection
        if resources.to_string().contains("each.") {
            *resources.pointer_mut("/0").expect("one") =
                with(resources[0].clone(), "forEach", each("${schema.spec.names}"));
        }
        resources
    }) {
        assert_eq!(found(json!({}), fine.clone()), [], "{fine}");
    }
}

#[test]
fn rules_on_the_schema_and_the_status() {
    let resources = json!([deployment(json!(1))]);
    let condition = |text: &str| json!({"status": {"conditions": [text]}});
    for (schema, because) in [
        (json!({"kind": "webApp"}), "schema.kind (schema)"),
        (json!({"apiVersion": "kro.run/v1"}), "schema.apiVersion (schema)"),
        (json!({"group": "Not A Group"}), "schema.group (schema)"),
        (json!({"scope": "Global"}), "schema.scope (schema)"),
        (json!({"spec": {"name": "strin"}}), "schema.spec.name (schema-syntax): has the unknown type"),
        (
            json!({"scope": "Cluster"}),
            "web template.metadata.namespace (namespace): Deployment lives in namespaces",
        ),
        (json!({"status": {"a": "plain"}}), "schema.status.a (status): it has no expression"),
        (json!({"status": {"a": {"b": 1}}}), "schema.status.a.b (status)"),
        (json!({"status": {"a": "${1 + 1}"}}), "it must refer to a resource or to schema"),
        (json!({"status": {"a": "${nope.x}"}}), "schema.status.a (unknown-reference)"),
        (json!({"status": {"a": "${web.status.nope}"}}), "schema.status.a (unknown-field)"),
        (json!({"status": {"a": "n-${web.status.readyReplicas}"}}), "schema.status.a (type)"),
        (json!({"status": {"conditions": {}}}), "it must be a list of expressions"),
        (condition("${true}"), "it is bool, and must be runtime.newCondition"),
        (condition("${runtime.newCondition({type: 'A'})}"), "a new condition needs \"status\""),
        (
            condition("${runtime.newCondition({'type': 'A', status: 'True'})}"),
            "keys of runtime.newCondition are plain names",
        ),
        (condition("${runtime.newCondition({type: 'A', status: 'Yes'})}"), "not \"Yes\""),
        (
            condition("${runtime.newCondition({type: 'A', status: 'True', why: 'x'})}"),
            "a condition has no \"why\"",
        ),
        (
            condition("${runtime.newCondition({type: 'A', status: runtime.condition(schema, 'B').status})}"),
            "only kro's conditions",
        ),
    ] {
        let problems = found(schema.clone(), resources.clone());
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(lines.iter().any(|line| line.contains(because)), "{because}: {lines:#?}");
    }
    for fine in [
        json!({"scope": "Namespaced", "group": "acme.example"}),
        json!({"status": {"a": "${web.status.readyReplicas}", "b": ["${schema.spec.name}"], "c": {}}}),
        condition(
            "${runtime.newCondition({type: 'A', status: web.status.readyReplicas > 0 ? 'True' : 'False'})}",
        ),
        condition(
            "${schema.spec.names.map(n, runtime.newCondition({type: n, status: runtime.condition(schema, 'Ready').status}))}",
        ),
    ] {
        assert_eq!(found(fine.clone(), resources.clone()), [], "{fine}");
    }
}
