use serde_json::json;

use super::*;

fn translated(spec: &Value) -> Value {
    let Translated { schema, problems } = translate(spec, &Value::Null);
    assert_eq!(problems, [], "{spec}");
    schema
}

/// The schema of one field of that text.
fn field(text: &str) -> Value {
    translated(&json!({ "f": text })).pointer("/properties/f").cloned().expect("a field")
}

fn refused(text: &str) -> String {
    let problems = translate(&json!({ "f": text }), &Value::Null).problems;
    let [(path, why)] = problems.as_slice() else { panic!("{text}: {problems:?}") };
    assert_eq!(path, "spec.f", "{text}");
    why.clone()
}

#[test]
fn every_type_has_its_schema() {
    for (text, schema) in [
        ("string", json!({"type": "string"})),
        (" integer ", json!({"type": "integer"})),
        ("boolean", json!({"type": "boolean"})),
        ("float", json!({"type": "number"})),
        ("object", json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})),
        ("[]string", json!({"type": "array", "items": {"type": "string"}})),
        (
            "map[string][]integer",
            json!({"type": "object", "additionalProperties": {"type": "array", "items": {"type": "integer"}}}),
        ),
    ] {
        assert_eq!(field(text), schema, "{text}");
    }
}

#[test]
fn every_marker_has_its_place() {
    for (text, schema) in [
        ("string | default=\"a b\"", json!({"type": "string", "default": "a b"})),
        ("string | default=plain", json!({"type": "string", "default": "plain"})),
        ("string|default=x", json!({"type": "string", "default": "x"})),
        (
            "integer | default=3 minimum=1 maximum=5.5",
            json!({"type": "integer", "default": 3, "minimum": 1, "maximum": 5.5}),
        ),
        (
            "string | description=\"says \\\"hi\\\" = x\"",
            json!({"type": "string", "description": "says \"hi\" = x"}),
        ),
        ("string | enum=\"a, b\"", json!({"type": "string", "enum": ["a", "b"]})),
        ("integer | enum=\"1,2\"", json!({"type": "integer", "enum": [1, 2]})),
        (
            "string | pattern=\"^[a-z]+$\" minLength=1 maxLength=9",
            json!({"type": "string", "pattern": "^[a-z]+$", "minLength": 1, "maxLength": 9}),
        ),
        (
            "[]string | uniqueItems=true minItems=1 maxItems=2",
            json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set", "minItems": 1, "maxItems": 2}),
        ),
        (
            "[]object | listType=map listMapKey=name",
            json!({"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}),
        ),
        (
            "map[string]string | default={\"a\": \"b c\"}",
            json!({"type": "object", "additionalProperties": {"type": "string"}, "default": {"a": "b c"}}),
        ),
        (
            "string | immutable=true validation=\"self != ''\"",
            json!({"type": "string", "x-kubernetes-validations": [
            {"rule": "self == oldSelf", "message": "field is immutable"}, {"rule": "self != ''", "message": "validation failed"}]}),
        ),
    ] {
        assert_eq!(field(text), schema, "{text}");
    }
}

#[test]
fn required_and_defaults_of_an_object_come_from_its_fields() {
    let schema = translated(
        &json!({"b": "string | required=true", "a": "string | required=true", "c": {"d": "integer | default=1"}}),
    );
    assert_eq!(schema.get("required"), Some(&json!(["a", "b"])));
    assert_eq!(schema.get("default"), None);
    assert_eq!(schema.pointer("/properties/c/default"), Some(&json!({})));
    let schema = translated(&json!({"c": {"d": "integer | default=1"}}));
    assert_eq!(schema.get("default"), Some(&json!({})));
    assert_eq!(translated(&json!({})), json!({"type": "object", "properties": {}}));
}

#[test]
fn custom_types_are_put_in_their_place() {
    let types = json!({
        "Port": {"number": "integer | required=true", "name": "Name"},
        "Name": "string | required=true minLength=1",
        "Ports": "[]Port",
    });
    let Translated { schema, problems } =
        translate(&json!({"ports": "Ports", "by": "map[string]Port", "n": "Name"}), &types);
    assert_eq!(problems, []);
    let port = json!({"type": "object", "properties": {"number": {"type": "integer"}, "name": {"type": "string", "minLength": 1}}, "required": ["name", "number"]});
    assert_eq!(schema.pointer("/properties/ports/items"), Some(&port));
    assert_eq!(schema.pointer("/properties/by/additionalProperties"), Some(&port));
    assert_eq!(schema.get("required"), Some(&json!(["n"])));
}

#[test]
fn what_kro_would_not_take_is_named() {
    for (text, because) in [
        ("", "no type"),
        ("| required=true", "no type"),
        ("strin", "unknown type \"strin\""),
        ("[]", "list without a type"),
        ("map[int]string", "keys that are not string"),
        ("map[string]", "without a type of its values"),
        ("string | requird=true", "unknown marker \"requird\""),
        ("string | required=true | default=x", "not by |"),
        ("string | required", "without a value"),
        ("string | required=yes", "required=\"yes\""),
        ("string | default=\"x", "quote"),
        ("object | default={", "bracket"),
        ("object | default=}", "closes a bracket"),
        ("integer | default=one", "no integer"),
        ("boolean | default=1", "not of its type"),
        ("boolean | default=True", "no boolean"),
        ("[]string | default=a", "no JSON"),
        ("[]string | default={}", "not of its type"),
        ("integer | minimum=low", "no number"),
        ("integer | minLength=1", "for string"),
        ("string | minItems=1", "for lists"),
        ("string | minLength=x", "no integer"),
        ("boolean | enum=\"true\"", "for string and integer"),
        ("string | enum=\"a,,b\"", "empty value"),
        ("integer | enum=\"1,x\"", "no integer"),
        ("string | enum=\"a,b\" default=c", "not in its enum"),
        ("integer | minimum=2 default=1", "not within"),
        ("string | pattern=\"\"", "empty pattern"),
        ("string | validation=\" \"", "empty validation"),
        ("[]string | listType=other", "listType"),
        ("[]string | uniqueItems=true listType=map", "at once"),
        ("[]string | listMapKey=a", "listType=map"),
    ] {
        let why = refused(text);
        assert!(why.contains(because), "{text}: {why}");
    }
    let refused = |spec: &Value, types: &Value| translate(spec, types).problems;
    assert_eq!(refused(&json!({"a": {"b": 1}}), &Value::Null).len(), 1);
    assert_eq!(refused(&json!([1]), &json!("x")).len(), 2);
    let circle = refused(&json!({}), &json!({"A": {"b": "[]B"}, "B": {"a": "A"}, "C": "D"}));
    let paths: Vec<&str> = circle.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["types.A", "types.B", "types.C"]);
}

#[test]
fn types_that_explode_end_early() {
    let mut types = Map::new();
    types.insert("T0".into(), json!({"a": "string"}));
    for level in 1..60 {
        let below = format!("T{}", level - 1);
        types.insert(format!("T{level}"), json!({"a": below, "b": below, "c": below}));
    }
    let started = std::time::Instant::now();
    let translated = translate(&json!({"x": "T59"}), &Value::Object(types));
    assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
    assert!(!translated.problems.is_empty());
    assert!(size(&translated.schema) < 4 * MOST_FIELDS);
}
