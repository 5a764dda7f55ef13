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

#[test]
fn what_kro_takes_is_left_alone() {
    for source in [
        "schema.spec.name",
        "schema.metadata.namespace",
        "schema.metadata.labels['a/b']",
        "schema.spec.?name.orValue('x')",
        "schema.spec.?inner.?host",
        "schema.spec.any.some.thing",
        "schema.spec.labels.app + schema.spec.labels['app']",
        "string(schema.spec.count + 1)",
        "string(has(schema.spec.inner.host))",
        "schema.spec.names.map(n, n + '-x').join(',')",
        "schema.spec.names.filter(n, n != '').size() > 0 ? 'a' : 'b'",
        "schema.spec.labels.transformList(k, v, k + '=' + v).join(',')",
        "schema.spec.names.exists(web, web == 'a') ? 'a' : 'b'",
        "web.status.conditions.filter(c, c.type == 'Ready')[0].status",
        "web.status.?conditions[?0].?status.orValue('')",
        "string(web.metadata.creationTimestamp)",
        "base64.encode(hash.sha256(schema.spec.name))",
        "random.seededString(5, schema.metadata.uid)",
        "json.unmarshal(schema.spec.name).a.b",
        "cel.bind(n, schema.spec.name, n + n)",
        "schema.spec.`name`",
        "quantity('1Gi').isGreaterThan(quantity('1Mi')) ? 'a' : 'b'",
        "[1, 'a'].map(x, string(x)).join('')",
        "schema.spec.names.sortBy(n, n).join('')",
    ] {
        assert_eq!(expression(source), None, "{source}");
    }
}

#[test]
fn an_expression_that_cannot_be_is_named_with_node_field_and_reason() {
    for (source, because) in [
        (
            "schema.spec.nam",
            "(unknown-field): in `schema.spec.nam`: there is no field \"nam\": did you mean \"name\"?",
        ),
        ("schema.spec.?nope.orValue('')", "there is no field \"nope\""),
        ("string(has(schema.spec.nope))", "there is no field \"nope\""),
        ("schema.status.x", "there is no field \"status\""),
        ("string(web.status.ready)", "there is no field \"ready\""),
        ("schema.spec.names.map(n, n.x).join('')", "in a value of type string"),
        ("web.status.conditions.status", "name one of its items"),
        (
            "webb.metadata.name",
            "(unknown-reference): in `webb.metadata.name`: there is no \"webb\" to refer to here: did you mean \"web\"?",
        ),
        ("schema.spec.my-name", "there is no field \"my\""),
        (
            "schema.spec.count",
            "(type): `schema.spec.count` is int, and the field is string: make it one with string(…)",
        ),
        ("schema.spec.names", "is list(string), and the field is string"),
        ("schema.spec.inner", "is object, and the field is string"),
        ("null", "is null, and the field is string"),
        ("schema.spec.name + schema.spec.count", "`+` does not take string and int: make a string"),
        ("string(schema.spec.name == null)", "`==` does not take string and null: use has(…)"),
        ("string(schema.spec.count > 1.5)", "`>` does not take int and double"),
        ("schema.spec.on ? 'a' : 1", "`? :` takes a bool and two values of one type"),
        ("schema.spec.name.orValue('x')", "string has no orValue(string)"),
        ("string(schema.spec.?names.size())", "end the optional with .orValue(…) first"),
        ("schema.spec.inner['host']", "select the field with a dot"),
        ("schema.spec.names.exists(n, n) ? 'a' : 'b'", "a test of a macro is string"),
        ("schema.spec.inner.map(k, k).join('')", "object is no list or map"),
        ("base64.encode(schema.spec.name)", "base64.encode does not take (string)"),
        ("schema.spec.name +", "(expression): in `schema.spec.name +`: it is not CEL"),
        ("", "it is not CEL"),
        ("a.metadata.name", "(cycle): it refers to itself"),
        ("string(runtime.now())", "there is no \"runtime\""),
    ] {
        let problems =
            found(json!({}), json!([deployment(json!(1)), config("a", &format!("${{{source}}}"))]));
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(
            lines.iter().any(|line| line.starts_with("a ") && line.contains(because)),
            "{source}: {lines:#?}"
        );
        assert!(problems.iter().any(|problem| problem.certain), "{source}: {lines:#?}");
    }
    let doubt = expression("schema.spec.name.shout()").expect("a doubt");
    assert!(doubt.contains("(expression, perhaps)") && doubt.contains("no function \"shout\""), "{doubt}");
}

#[test]
fn text_is_put_together_of_strings() {
    let text = |text: &str| found(json!({}), json!([config("a", text)]));
    assert_eq!(text("x-${schema.spec.name}-${schema.spec.name}"), []);
    assert_eq!(text("${schema.spec.name}${schema.spec.name}"), []);
    for wrong in
        ["x-${schema.spec.count}", "${schema.spec.count}${schema.spec.count}", "x-${schema.spec.?name}"]
    {
        let problems = text(wrong);
        assert!(
            matches!(problems.as_slice(), [problem] if problem.rule == Rule::Type),
            "{wrong}: {problems:#?}"
        );
    }
    let nested = text("${schema.spec.${schema.spec.name}}");
    assert_eq!(nested.first().map(|problem| problem.rule), Some(Rule::Expression));
    let open = text("${schema.spec.name");
    assert!(matches!(open.as_slice(), [problem] if !problem.certain), "{open:#?}");
}

#[test]
fn templates_are_held_against_the_schema_of_their_kind() {
    let none = json!({});
    for (resource, because) in [
        (deployment(json!("three")), "web template.spec.replicas (type): it is text, and must be integer"),
        (deployment(json!(1.5)), "it is a fraction, and must be integer"),
        (deployment(json!(true)), "it is a boolean"),
        (
            deployment(json!("${schema.spec.name}")),
            "is string, and the field is int: make it one with int(…)",
        ),
        (deployment(json!("${schema.spec.count}0")), "it is text, and must be integer"),
        (
            with(
                config("a", "b"),
                "template",
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "spec": {}}),
            ),
            "a template.spec (template-field): there is no such field: there are apiVersion",
        ),
        (
            with(
                config("a", "b"),
                "template",
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "dat": {}}),
            ),
            "did you mean \"data\"?",
        ),
        (
            with(
                config("a", "b"),
                "template",
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": ["x"]}),
            ),
            "it is a list, and must be object",
        ),
        (
            with(
                config("a", "b"),
                "template",
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"k": 1}}),
            ),
            "a template.data.k (type): it is a number, and must be string",
        ),
        (
            with(
                config("a", "b"),
                "template",
                json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"k": "${schema.spec.name}"}}),
            ),
            "use stringData",
        ),
        (
            with(
                config("a", "b"),
                "template",
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": "${schema.spec.names}"}),
            ),
            "is list(string), and the field is map(string, string)",
        ),
        (
            with(config("a", "b"), "template", json!({"apiVersion": "v1", "kind": "ConfigMap"})),
            "a template.metadata (template)",
        ),
        (
            with(
                config("a", "b"),
                "template",
                json!({"apiVersion": "v1", "kind": "${schema.spec.name}", "metadata": {}}),
            ),
            "must be written out",
        ),
        (
            with(
                config("a", "b"),
                "template",
                json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "${schema.spec.name}"}, "spec": {"group": "${schema.spec.name}"}}),
            ),
            "in the metadata of a CRD only",
        ),
    ] {
        let text = only(none.clone(), json!([resource]));
        assert!(text.contains(because), "{because}: {text}");
    }
    for fine in [
        deployment(json!(3)),
        deployment(Value::Null),
        deployment(json!("${schema.spec.?count}")),
        json!({"id": "a", "template": {"apiVersion": "example.io/v1", "kind": "Loose", "metadata": {"name": "x"},
            "spec": {"deep": ["${schema.spec.count}", {"x": 1.5}]}, "either": "${schema.spec.count}"}}),
        json!({"id": "a", "template": {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"},
            "spec": {"ports": [{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": "${schema.spec.count}"}]}}}),
    ] {
        assert_eq!(found(none.clone(), json!([fine])), []);
    }
}

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

#[test]
fn what_the_cluster_does_not_serve_is_named() {
    let mut known = world();
    known.kinds.extend(
        [
            (("gone.io/v1", "Gone"), Served::No { generated: None }),
            (("kro.run/v1alpha1", "Later"), Served::No { generated: Some("RGD later".into()) }),
            (("apps/v1beta1", "Deployment"), Served::OtherVersion("apps/v1".into())),
        ]
        .map(|((api_version, kind), served)| (World::wanted(api_version, kind), served)),
    );
    let of = |api_version: &str, kind: &str| {
        let resource = json!([{"id": "a", "template": {"apiVersion": api_version, "kind": kind,
            "metadata": {"name": "x"}, "spec": {"any": "${schema.spec.name}"}}}]);
        check(&rgd(json!({}), resource), &known, &Work::default())
    };
    for (api_version, kind, certain, because) in [
        ("gone.io/v1", "Gone", true, "its CRD must be there first"),
        ("kro.run/v1alpha1", "Later", false, "until RGD later generates it"),
        ("apps/v1beta1", "Deployment", true, "it serves apps/v1"),
    ] {
        let problems = of(api_version, kind);
        let [problem] = problems.as_slice() else { panic!("{problems:#?}") };
        assert_eq!((problem.rule, problem.certain), (Rule::UnknownKind, certain));
        assert!(problem.message.contains(because), "{problem}");
    }
    // a kind of which nothing is known is not complained about
    assert_eq!(of("unread.io/v1", "Unread"), []);
}

#[test]
fn two_templates_of_one_object_are_a_doubt() {
    let same = |id: &str| json!({"id": id, "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}});
    let text = only(json!({}), json!([same("a"), same("b")]));
    assert!(
        text.starts_with("b template.metadata.name (resource, perhaps): it writes the same ConfigMap as a"),
        "{text}"
    );
    let either = with(same("b"), "includeWhen", json!(["${schema.spec.on}"]));
    assert_eq!(found(json!({}), json!([same("a"), either])), []);
}

#[test]
fn hostile_definitions_end_soon() {
    let deep = (0..60).fold(json!("${schema.spec.name}"), |inner, _| json!({ "x": inner }));
    let loose = |value: Value| {
        json!({"id": "a", "template": {"apiVersion": "example.io/v1", "kind": "Loose",
        "metadata": {"name": "x"}, "spec": value}})
    };
    let long = "a".repeat(100_000);
    let many: Vec<Value> =
        (0..600).map(|index| config(&format!("n{index}"), "${nope.x + other.y}")).collect();
    let expressions: Vec<String> =
        (0..700).map(|index| format!("${{schema.spec.name + '{index}'}}")).collect();
    for resources in [
        json!([loose(deep)]),
        json!([config(&long, &format!("${{{long}}}"))]),
        json!([config("a", &format!("${{{}1{}}}", "(".repeat(500), ")".repeat(500)))]),
        json!(many),
        json!([loose(json!(expressions))]),
        json!([1, null, "x", [], {"id": 5, "template": 7, "forEach": [1], "includeWhen": [{}]}]),
    ] {
        let started = std::time::Instant::now();
        let problems = found(json!({}), resources);
        assert!(started.elapsed().as_secs() < 8, "{:?}", started.elapsed());
        assert!(problems.len() <= 101 && problems.iter().all(|problem| problem.message.len() < 2000));
    }
    let nothing = Object::from_value(json!({"spec": 5})).expect("an object");
    assert!(!check(&nothing, &World::default(), &Work::default()).is_empty());
}
