use super::*;
use serde_json::json;

fn told_of(before: &Value, after: &Value) -> Vec<String> {
    let tell = |change: &Change| format!("{} {change}", change.effect.word());
    changes("spec", before, after).iter().map(tell).collect()
}

fn object(properties: &Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required})
}

#[test]
fn what_kro_refuses_is_breaking() {
    let before = object(
        &json!({
            "gone": {"type": "string"}, "size": {"type": "string", "enum": ["s", "m"]},
            "port": {"type": "integer", "minimum": 1}, "name": {"type": "string"},
            "kept": {"type": "string", "default": "x"}, "free": {"type": "string"},
            "tags": {"type": "array", "items": {"type": "string"}},
        }),
        &["kept"],
    );
    let after = object(
        &json!({
            "size": {"type": "string", "enum": ["m", "l"]}, "port": {"type": "integer", "minimum": 1024},
            "name": {"type": "string", "pattern": "^a"}, "kept": {"type": "string"},
            "free": {"type": "integer"}, "new": {"type": "string"},
            "tags": {"type": "array", "items": {"type": "integer"}},
        }),
        &["kept", "name", "new"],
    );
    assert_eq!(
        told_of(&before, &after),
        [
            "breaking spec.free type: string → integer",
            "breaking spec.gone removed: was string",
            "breaking spec.kept required: required, with a default → required",
            "compatible spec.kept default: was \"x\"",
            "breaking spec.name required: optional → required",
            "breaking spec.name pattern: \"^a\"",
            "breaking spec.new added: string, required",
            "breaking spec.port minimum: 1 → 1024",
            "breaking spec.size enum: s, m → m, l",
            "breaking spec.tags[] type: string → integer",
        ]
    );
}

#[test]
fn what_only_allows_more_is_compatible() {
    let before = object(
        &json!({"a": {"type": "string", "enum": ["x"], "pattern": "x"}, "b": {"type": "integer", "maximum": 3},
                "c": {"type": "string"}}),
        &["a", "c"],
    );
    let after = object(
        &json!({"a": {"type": "string", "enum": ["x", "y"]}, "b": {"type": "integer", "maximum": 5, "default": 1},
                "c": {"type": "string"}, "d": {"type": "string"}, "e": {"type": "integer", "default": 1}}),
        &["a", "e"],
    );
    let all = changes("spec", &before, &after);
    assert!(all.iter().all(|change| change.effect == Effect::Compatible), "{all:?}");
    assert_eq!(all.len(), 7, "{all:?}");
    assert!(changes("spec", &before, &before).is_empty());
}

#[test]
fn what_kro_passes_over_takes_less_all_the_same() {
    let before = object(
        &json!({"a": {"type": "string"}, "m": {"type": "object", "additionalProperties": {"type": "string"}},
                "o": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}),
        &[],
    );
    let after = object(
        &json!({"a": {"type": "string", "enum": ["x"], "x-kubernetes-validations": [{"rule": "self != ''"}]},
                "m": {"type": "object", "additionalProperties": {"type": "integer"}},
                "o": {"type": "object", "properties": {"p": {"type": "string"}}}}),
        &[],
    );
    assert_eq!(
        told_of(&before, &after),
        [
            "tightening spec.a rules: [{\"rule\":\"self != ''\"}]",
            "tightening spec.a enum: x",
            "tightening spec.m{} type: string → integer",
            "tightening spec.o members: any members → its own members only",
            "compatible spec.o.p added: string",
        ]
    );
}

#[test]
fn values_under_secret_names_are_not_told() {
    let field = |value: &str| {
        object(
            &json!({"dbPassword": {"type": "string", "default": value, "enum": [value]},
                    "token": {"type": "object", "properties": {"v": {"type": "string", "default": value}}}}),
            &[],
        )
    };
    let told = told_of(&field("hunter2-a"), &field("hunter2-b")).join("\n");
    assert!(told.contains("spec.dbPassword default: <redacted> → <redacted>"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn schemas_without_end_are_looked_at_to_a_bound() {
    let deep =
        |leaf: &str| (0..200).fold(json!({"type": leaf}), |inner, _| object(&json!({"a": inner}), &[]));
    assert!(told_of(&deep("string"), &deep("integer")).is_empty());
    let wide = |kind: &str| {
        let all: serde_json::Map<String, Value> =
            (0..5_000).map(|n| (format!("f{n}"), json!({"type": kind}))).collect();
        object(&Value::Object(all), &[])
    };
    assert_eq!(changes("spec", &wide("string"), &wide("integer")).len(), MOST);
}
