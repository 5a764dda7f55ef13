//! Objects as an answer may carry them: what stands under secret-looking keys is replaced. Keys stay.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{LAST_APPLIED, is_secret_key, redacted, shape};
use crate::{answer::redact::shape::scrub_assignments, kubernetes::Object};

const SECRET_VALUES: [&str; 2] = ["data", "stringData"];
/// Below a secret-looking key, these say where a secret comes from.
const REFERENCES: [&str; 9] =
    ["name", "namespace", "key", "kind", "apiVersion", "group", "type", "secretName", "existingSecret"];

/// An object without `managedFields` and `last-applied-configuration`, and with the values of
/// secret-looking keys replaced.
///
/// The values of a Secret itself were taken where it came in, unless the caller may read them.
pub fn manifest(object: Object) -> Value {
    let mut value = object.into_value();
    let own = if is_secret(&value) {
        SECRET_VALUES.map(|member| (member, take(&mut value, member)))
    } else {
        Default::default()
    };
    if let Some(Value::Object(metadata)) = value.get_mut("metadata") {
        metadata.remove("managedFields");
    }
    by_key(&mut value);
    if let Value::Object(members) = &mut value {
        members.extend(own.into_iter().filter_map(|(member, value)| Some((member.to_owned(), value?))));
    }
    value
}

/// Any JSON, with the values of secret-looking keys replaced.
pub fn values(mut value: Value) -> Value {
    by_key(&mut value);
    value
}

/// Any text, without what is assigned to secret-looking names in it, and without what is shaped like a
/// credential.
pub fn text(text: &str) -> Cow<'_, str> {
    match scrub_assignments(text) {
        Cow::Borrowed(text) => shape::scrub(text),
        Cow::Owned(text) => Cow::Owned(shape::scrub(&text).into_owned()),
    }
}

fn is_secret(value: &Value) -> bool {
    is_a(value, "Secret")
}

fn is_a(value: &Value, kind: &str) -> bool {
    let member = |name: &str| value.get(name).and_then(Value::as_str);
    member("kind") == Some(kind) && member("apiVersion") == Some("v1")
}

fn take(value: &mut Value, member: &str) -> Option<Value> {
    value.as_object_mut()?.remove(member)
}

fn by_key(value: &mut Value) {
    if is_secret(value) {
        nested_secret(value);
    }
    if is_a(value, "SecretList")
        && let Some(Value::Array(items)) = value.get_mut("items")
    {
        items.iter_mut().for_each(nested_secret);
    }
    match value {
        Value::Object(map) => members(map),
        Value::Array(items) => flags(items),
        Value::String(text) => clean(text),
        _ => {}
    }
}

fn members(map: &mut Map<String, Value>) {
    if let Some(Value::Object(annotations)) = map.get_mut("annotations") {
        annotations.remove(LAST_APPLIED);
    }
    if map.get("annotations").is_some_and(|annotations| annotations.as_object().is_some_and(Map::is_empty)) {
        map.remove("annotations");
    }
    named_value(map);
    for (key, value) in map.iter_mut() {
        if is_secret_key(key) { everything(value) } else { by_key(value) }
    }
}

/// `{name: DB_PASSWORD, value: …}`, the form of container environments and of many parameters.
fn named_value(map: &mut Map<String, Value>) {
    let named = ["name", "key"].into_iter().filter_map(|key| map.get(key)?.as_str()).any(is_secret_key);
    if let Some(value) = map.get_mut("value").filter(|_| named) {
        everything(value);
    }
}

/// `--password secret` in a list of arguments; `--password=secret` is an assignment.
fn flags(items: &mut [Value]) {
    let mut after_flag = false;
    for item in items {
        let flag = item.as_str().is_some_and(|text| text.starts_with('-') && is_secret_key(text));
        if after_flag && !flag {
            everything(item);
        } else {
            by_key(item);
        }
        after_flag = flag;
    }
}

/// All that stands under a secret-looking key, but for what only says where the secret is.
fn everything(value: &mut Value) {
    match value {
        Value::String(text) if !is_structure(text) => *text = redacted(text.len()),
        Value::Number(number) => *value = redacted(number.to_string().len()).into(),
        Value::Array(items) => items.iter_mut().for_each(everything),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                let reference = REFERENCES.contains(&key.as_str()) || key.ends_with("Ref");
                if reference { by_key(value) } else { everything(value) }
            }
        }
        _ => {}
    }
}

/// A Secret inside another object, such as a template of an RGD, may hold literals under any key.
fn nested_secret(secret: &mut Value) {
    for member in SECRET_VALUES {
        let Some(Value::Object(values)) = secret.get_mut(member) else { continue };
        for value in values.values_mut() {
            match value {
                Value::String(text) if is_path(text) => {}
                Value::Null | Value::Bool(_) => {}
                other => {
                    *other =
                        redacted(other.as_str().map_or_else(|| other.to_string().len(), str::len)).into();
                }
            }
        }
    }
}

fn clean(dirty: &mut String) {
    if let Cow::Owned(clean) = text(dirty) {
        *dirty = clean;
    }
}

/// A value that says where a secret comes from or of what type it is, not the secret: a kro
/// expression without literals, or a SimpleSchema type without a default.
fn is_structure(text: &str) -> bool {
    let expression = text.starts_with("${") && text.ends_with('}') && !text.contains(['"', '\'']);
    let schema_type = matches!(text.split('|').next().map(str::trim), Some("string" | "bytes" | "object"))
        && !text.contains("default");
    text.is_empty() || expression || schema_type || is_redacted(text)
}

/// Exactly one expression, and in it nothing but a path.
fn is_path(text: &str) -> bool {
    let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let dotted = inner.is_some_and(|path| {
        path.contains('.')
            && path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'?'))
    });
    dotted || is_redacted(text)
}

/// What [`redacted`] writes, and nothing that only looks like it.
fn is_redacted(text: &str) -> bool {
    let length = text.strip_prefix("<redacted:").and_then(|rest| rest.strip_suffix(" bytes>"));
    text == "<redacted>" || length.is_some_and(|length| length.parse::<usize>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(value: Value) -> String {
        manifest(Object::from_value(value).expect("an object")).to_string()
    }

    #[test]
    fn manifests_lose_values_by_key_and_keep_structure() {
        let text = shown(json!({
            "kind": "WebApp", "metadata": {"managedFields": [1], "annotations": {LAST_APPLIED: "x"}},
            "spec": {
                "adminPassword": "hunter2", "secretName": "db-creds", "apiKey": "k-123", "pwd": 987_654_321,
                "tokenSecretRef": {"name": "t"}, "dbPassword": "${schema.spec.password}",
                "schema": {"password": "string | required=true"}, "tokens": ["tok-1"],
                "credentials": {"value": "hunter7", "secretRef": {"name": "kept-ref", "key": "kept-key"}},
                "env": [{"name": "DB_PASSWORD", "value": "hunter3"}, {"name": "MODE", "value": "fast"},
                        {"key": "DB_PASSWORD", "value": "hunter8"}],
                "args": ["--password=hunter9", "--token", "hunter10", "--verbose"],
                "text": "user=app\npassword=hunter4\nurl=postgres://a:hunter5@db/x",
            }
        }));
        for leaked in ["hunter", "k-123", "tok-1", "987654321", "managedFields", "last-applied"] {
            assert!(!text.contains(leaked), "{leaked} in {text}");
        }
        for kept in [
            "db-creds",
            "${schema.spec.password}",
            "string | required=true",
            "fast",
            "user=app",
            "kept-ref",
            "kept-key",
            "--verbose",
        ] {
            assert!(text.contains(kept), "{kept} not in {text}");
        }
    }

    #[test]
    fn a_secret_in_a_template_keeps_nothing_but_paths() {
        let text = shown(json!({"kind": "ResourceGraphDefinition", "spec": {"resources": [{"template": {
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "kept-name", "annotations": {LAST_APPLIED: "LITERAL0"}},
            "stringData": {"a": "LITERAL1", "b": "string|LITERAL2", "c": "${\"LITERAL3\"}", "d": "${LITERAL4}",
                           "e": "<redactedLITERAL5", "f": 1_234_567, "url": "${schema.spec.url}"}}}]}}));
        assert!(!text.contains("LITERAL") && !text.contains("1234567"), "{text}");
        assert!(text.contains("${schema.spec.url}") && text.contains("kept-name"), "{text}");
        let list =
            json!({"apiVersion": "v1", "kind": "SecretList", "items": [{"data": {"plain": "LITERAL"}}]});
        assert!(!shown(json!({"kind": "Work", "spec": {"manifests": [list]}})).contains("LITERAL"));
    }
}
