//! Objects as an answer may carry them: what stands under secret-looking keys is replaced. Keys stay.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    LAST_APPLIED, is_secret_key, is_secret_text, redacted,
    reference::{is_plain_member, is_reference},
    shape,
    structure::{is_path, is_structure},
};
use crate::{answer::redact::shape::scrub_assignments, kubernetes::Object};

const SECRET_VALUES: [&str; 2] = ["data", "stringData"];
/// Members whose values are those of the name beside them.
const VALUES: [&str; 4] = ["value", "values", "default", "parametervalue"];
/// Members that name what is beside them.
const NAMES: [&str; 4] = ["name", "key", "id", "parameterkey"];
/// Longer texts in an object are not tried as JSON.
const LONGEST_JSON: usize = 256 << 10;

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
    let is =
        |name: &str, meant: &str| member(name).is_some_and(|told| told.trim().eq_ignore_ascii_case(meant));
    is("kind", kind) && is("apiVersion", "v1")
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
        let text = !value.is_object() && is_secret_text(key);
        if text || is_secret_key(key) { everything(value) } else { by_key(value) }
    }
}

/// `{name: DB_PASSWORD, value: …}`, the form of container environments and of many parameters.
fn named_value(map: &mut Map<String, Value>) {
    let among = |key: &str, known: &[&str]| known.iter().any(|known| key.eq_ignore_ascii_case(known));
    let named = map.iter().any(|(key, value)| {
        among(key, &NAMES) && value.as_str().is_some_and(|name| is_secret_text(name.trim()))
    });
    if named {
        map.iter_mut().filter(|(key, _)| among(key, &VALUES)).for_each(|(_, value)| everything(value));
    }
}

/// `--password secret` in a list of arguments; `--password=secret` is an assignment.
fn flags(items: &mut [Value]) {
    let mut after_flag = false;
    for item in items {
        let flag = item.as_str().is_some_and(|text| {
            text.starts_with('-') && !text.trim().contains(char::is_whitespace) && is_secret_key(text)
        });
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
            let reference = is_reference(map);
            for (key, value) in map.iter_mut() {
                if !is_plain_member(key, value, reference) {
                    everything(value);
                }
            }
        }
        _ => {}
    }
}

/// A Secret inside another object, such as a template of an RGD, may hold literals under any key.
fn nested_secret(secret: &mut Value) {
    for member in SECRET_VALUES {
        let values = match secret.get_mut(member) {
            Some(Value::Object(values)) => values,
            Some(odd) => {
                everything(odd);
                continue;
            }
            None => continue,
        };
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
    if let Some(clean) = clean_json(dirty) {
        *dirty = clean;
    }
    if let Cow::Owned(clean) = text(dirty) {
        *dirty = clean;
    }
}

/// What a text that is JSON itself is without its secrets, where it holds some.
fn clean_json(text: &str) -> Option<String> {
    if text.len() > LONGEST_JSON || !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let told: Value = serde_json::from_str(text).ok()?;
    let mut clean = told.clone();
    by_key(&mut clean);
    (clean != told).then(|| clean.to_string())
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

    #[test]
    fn a_member_below_a_secret_name_stays_only_in_a_reference() {
        let text = shown(json!({"kind": "Work", "spec": {
            "credentials": {"key": "planted-1"}, "secret": {"name": "Planted 2", "key": "x"},
            "adminPassword": {"type": "planted-3"}, "apiKey": {"group": "planted-4", "namespace": "planted-5"},
            "token": {"name": "app", "key": "aPlanted6", "value": "planted-7"},
            "clientSecret": {"passwordRef": "Planted 8", "valueRef": {"key": "planted-9"}},
            "dbPassword": "${planted 10}", "pwd": "{{ planted 11 }}", "passphrase": "string | planted12",
            "one": {"token": {"name": "kept-name", "key": "kept.key", "optional": false}},
            "two": {"password": {"type": "string"}, "apiToken": "${kept.path}", "pass": "{{.spectro.var.kept}}"},
        }}));
        assert!(!text.to_lowercase().contains("planted"), "{text}");
        for kept in ["kept-name", "kept.key", "\"type\":\"string\"", "${kept.path}", "{{.spectro.var.kept}}"]
        {
            assert!(text.contains(kept), "{kept} not in {text}");
        }
    }

    #[test]
    fn values_beside_a_secret_name_and_after_a_flag_are_taken() {
        let text = shown(json!({"kind": "Work", "spec": {
            "env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "kept-1", "key": "kept-2"}}},
                    {"Name": "DB_PASS_PROD", "Value": "planted-1"}, {"key": "X_TOKEN", "values": ["planted-2"]}],
            "args": ["--api-key planted-3", "run --password 'planted-4' --mode kept-4", "--token", "planted-5"],
            "command": "serve --client-secret planted-6 --port 80",
            "auths": {"r.example": {"auth": "planted-7"}}, "auth": {"mode": "kept-5"},
            "config": "{\"auths\":{\"r.example\":{\"auth\":\"planted-8\"}},\"kept\":\"kept-6\"}",
        }}));
        assert!(!text.contains("planted"), "{text}");
        for kept in ["kept-1", "kept-2", "kept-4", "kept-5", "kept-6", "--port 80"] {
            assert!(text.contains(kept), "{kept} not in {text}");
        }
    }

    #[test]
    fn a_secret_is_one_however_its_kind_is_written() {
        for kind in ["secret", "SECRET", " Secret "] {
            let secret = json!({"apiVersion": "v1", "kind": kind, "stringData": {"plain": "planted"}});
            let text = shown(json!({"kind": "Work", "spec": {"manifests": [secret]}}));
            assert!(!text.contains("planted"), "{text}");
        }
    }
}
