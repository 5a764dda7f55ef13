use super::*;

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
