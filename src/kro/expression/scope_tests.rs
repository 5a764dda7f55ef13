use super::*;
use serde_json::json;

fn scope() -> Scope<'static> {
    let mut scope = Scope::default();
    let mut set = |name: &str, value| scope.set(name, Variable::data(value));
    set("schema", json!({"spec": {"name": "shop", "replicas": 3, "zones": ["a", "b"], "on": true}}));
    set(
        "deployment",
        json!({"spec": {"replicas": 3}, "status": {"readyReplicas": 1, "conditions": [
            {"type": "Available", "status": "False"}]}}),
    );
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "data": {"user": "YWxpY2U="}});
    let secret = Object::from_value(secret).expect("an object");
    scope.set("secret", Variable::One(Box::leak(Box::new(secret))));
    scope
}

#[test]
fn values_as_kro_would_compute_them() {
    let scope = scope();
    let cases = [
        ("schema.spec.name", json!("shop")),
        ("schema.spec.name + '-db'", json!("shop-db")),
        ("deployment.spec.replicas == deployment.status.readyReplicas", json!(false)),
        ("schema.spec.replicas * 2", json!(6)),
        ("deployment.status.conditions.exists(c, c.type == 'Available' && c.status == 'True')", json!(false)),
        ("has(deployment.status.observed)", json!(false)),
        ("deployment.status.?observed.orValue(7)", json!(7)),
        ("schema.spec.zones.map(z, schema.spec.name + '-' + z)", json!(["shop-a", "shop-b"])),
        ("schema.spec.name.upperAscii()", json!("SHOP")),
        ("has(secret.data.user) && !has(secret.data.other)", json!(true)),
        ("schema.spec.on ? 'yes' : 'no'", json!("yes")),
        ("lists.range(schema.spec.replicas)", json!([0, 1, 2])),
    ];
    for (source, expected) in cases {
        assert_eq!(scope.evaluate(source), Ok(expected), "{source}");
    }
}

#[test]
fn templates_are_put_together() {
    let scope = scope();
    assert_eq!(scope.render("${schema.spec.name}-x-${schema.spec.replicas}"), Ok(json!("shop-x-3")));
    assert_eq!(scope.render("${schema.spec.zones}"), Ok(json!(["a", "b"])));
    assert_eq!(scope.render("plain"), Ok(json!("plain")));
}

#[test]
fn what_has_no_value_says_why() {
    let scope = scope();
    let pending = |what: &str| Err(Unresolved::Pending(what.into()));
    assert_eq!(scope.evaluate("deployment.status.url"), pending("deployment.status.url"));
    assert_eq!(scope.evaluate("deployment.status.url == 'x'"), pending("deployment.status.url"));
    assert_eq!(scope.evaluate("schema.spec.zones[7]"), pending("an index"));
    assert_eq!(scope.evaluate("other.status.url"), Err(Unresolved::Absent("other".into())));
    assert_eq!(scope.evaluate("other.x == 1"), Err(Unresolved::Absent("other".into())));
    for unsupported in [
        "random.seededString(4, schema.spec.name)",
        "quantity('1Gi').isGreaterThan(quantity('1Mi'))",
        "schema.spec.name + 1",
        "cel.bind(x, schema.spec.name, x + x)",
        "][",
        "secret.data.user",
        "string(secret.data.user)",
        "secret['data'].user == 'x'",
        "[secret].map(s, s.data.user)",
    ] {
        let result = scope.evaluate(unsupported);
        assert!(matches!(result, Err(Unresolved::Unsupported(_))), "{unsupported}: {result:?}");
    }
}

#[test]
fn an_error_never_prints_a_value() {
    let reason = scope().evaluate("int(string(secret.data.user)) > 1").expect_err("not a number");
    assert!(!reason.to_string().contains("alice"), "{reason}");
}

#[test]
fn work_is_bounded() {
    let mut scope = scope();
    let long: Vec<Value> = (0..900).map(Value::from).collect();
    scope.set("big", Variable::data(json!({"l": long, "s": "x".repeat(200_000)})));
    let start = std::time::Instant::now();
    for source in [
        "big.l.map(a, big.l.map(b, big.l.map(c, a + b + c)))",
        "big.l.map(a, big.s + big.s)",
        "big.s.replace('', big.s)",
        "'a'.replace('', 'bbbbbbbbbbbbbbbb').replace('', 'bbbbbbbbbbbbbbbb').replace('', 'bbbbbbbbbbbbbbbb').replace('', 'bbbbbbbbbbbbbbbb')",
        "lists.range(1000000).map(a, a)",
        "lists.range(big.l[0] + 1000000)",
    ] {
        let result = scope.evaluate(source);
        assert!(matches!(result, Err(Unresolved::Unsupported(_))), "{source}");
    }
    assert!(start.elapsed().as_secs() < 5);
    scope.set("big", Variable::data(json!({"l": (0..900).collect::<Vec<_>>()})));
    assert!(scope.evaluate("big.l.filter(a, a > 5).size()").is_ok());
}
