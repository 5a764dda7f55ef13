use super::*;

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
