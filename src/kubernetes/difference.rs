//! [`Difference`]: what differs between two values, field by field.

mod told;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::answer::redact::{is_secret_key, is_secret_text};

use told::told;

/// What members of a list are known by, in this order.
const KEYS: [&str; 4] = ["id", "name", "type", "key"];

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    /// `spec.containers[web].image`
    pub path: String,
    /// Absent where it is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Absent where it is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.before, &self.after) {
            (None, Some(after)) => write!(out, "+ {}: {after}", self.path),
            (Some(before), None) => write!(out, "- {}: {before}", self.path),
            (before, after) => {
                let told = |value: &Option<String>| value.clone().unwrap_or_default();
                write!(out, "~ {}: {} → {}", self.path, told(before), told(after))
            }
        }
    }
}

/// What differs, in the order of the paths. Values under secret-looking keys are not told.
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(before), Some(after), false, &mut found);
    found
}

fn compare(
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    secret: bool,
    found: &mut Vec<Difference>,
) {
    let below = |key: &str| secret || is_secret_key(key) || holds_secrets(before, after, key);
    match (before, after) {
        (Some(before), Some(after)) if before == after => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                compare(&member(path, key), old.get(key), new.get(key), below(key), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => lists(path, old, new, secret, found),
        // what is added or removed whole is told by its leaves, as long as it has some
        (None, Some(Value::Object(new))) if !new.is_empty() => {
            for (key, value) in new {
                compare(&member(path, key), None, Some(value), below(key), found);
            }
        }
        (Some(Value::Object(old)), None) if !old.is_empty() => {
            for (key, value) in old {
                compare(&member(path, key), Some(value), None, below(key), found);
            }
        }
        (None, Some(Value::Array(new))) if has_objects(new) => lists(path, &[], new, secret, found),
        (Some(Value::Array(old)), None) if has_objects(old) => lists(path, old, &[], secret, found),
        (before, after) => {
            let (before, after) = told(before, after, secret || is_secret_text(path));
            found.push(Difference { path: path.to_owned(), before, after });
        }
    }
}

/// Whether what stands under `key` are the values of a Secret: of one, or of a template of one.
fn holds_secrets(before: Option<&Value>, after: Option<&Value>, key: &str) -> bool {
    let kind =
        |value: &&Value| value.get("kind").and_then(Value::as_str).map(str::trim).map(str::to_lowercase);
    let is_secret = |value: &&Value| kind(value).as_deref() == Some("secret");
    matches!(key, "data" | "stringData") && before.into_iter().chain(after).any(|value| is_secret(&value))
}

fn has_objects(list: &[Value]) -> bool {
    list.iter().any(|item| item.is_object() || item.is_array())
}

fn lists(path: &str, before: &[Value], after: &[Value], secret: bool, found: &mut Vec<Difference>) {
    let key = KEYS.into_iter().find_map(|key| Some((named(before, key)?, named(after, key)?)));
    let Some((old, new)) = key else {
        for at in 0..before.len().max(after.len()) {
            compare(&format!("{path}[{at}]"), before.get(at), after.get(at), secret, found);
        }
        return;
    };
    let names: std::collections::BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    for name in names {
        let secret = secret || is_secret_key(name);
        let (old, new) = (old.get(name).copied(), new.get(name).copied());
        compare(&format!("{path}[{name}]"), old, new, secret, found);
    }
}

/// The members of a list by the text under `key`, where each has one of its own.
fn named<'v>(list: &'v [Value], key: &str) -> Option<BTreeMap<&'v str, &'v Value>> {
    let members: Option<BTreeMap<&str, &Value>> =
        list.iter().map(|item| Some((item.get(key)?.as_str()?, item))).collect();
    members.filter(|members| members.len() == list.len())
}

fn member(path: &str, key: &str) -> String {
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    match (path.is_empty(), plain) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[{key:?}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(before: &Value, after: &Value) -> Vec<String> {
        differences(before, after).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_field_is_named_by_its_path() {
        let before =
            json!({"a": 1, "b": {"c": [1, 2]}, "gone": true, "l": [{"name": "x", "v": 1}, {"name": "y"}]});
        let after = json!({"a": 2, "b": {"c": [1, 3]}, "new": {"k.x/y": "z"}, "l": [{"name": "y"}, {"name": "x", "v": 2}]});
        assert_eq!(
            lines(&before, &after),
            ["~ a: 1 → 2", "~ b.c[1]: 2 → 3", "- gone: true", "~ l[x].v: 1 → 2", "+ new[\"k.x/y\"]: z"]
        );
        assert!(lines(&before, &before).is_empty());
    }

    #[test]
    fn what_is_added_whole_is_told_by_its_leaves() {
        let after =
            json!({"resources": [{"id": "web", "template": {"kind": "Pod", "ports": [80]}}], "empty": []});
        assert_eq!(
            lines(&json!({}), &after),
            [
                "+ empty: []",
                "+ resources[web].id: web",
                "+ resources[web].template.kind: Pod",
                "+ resources[web].template.ports: [80]"
            ]
        );
    }

    #[test]
    fn values_of_a_secret_in_a_template_are_not_told() {
        let template = |value: &str| json!({"t": {"kind": "Secret", "stringData": {"answer": value}, "data": {"b": value}}});
        let told = lines(&template("literal-1"), &template("literal-2"));
        assert_eq!(
            told,
            ["~ t.data.b: <redacted> → <redacted>", "~ t.stringData.answer: <redacted> → <redacted>"]
        );
        assert!(!lines(&json!({}), &template("literal-1")).concat().contains("literal"));
    }

    #[test]
    fn secrets_are_said_to_differ_and_not_told() {
        let told =
            lines(&json!({"dbPassword": "hunter2-a", "n": 1}), &json!({"dbPassword": "hunter2-b", "n": 1}));
        assert_eq!(told, ["~ dbPassword: <redacted> → <redacted>"]);
        let env = |value: &str| json!({"env": [{"name": "API_TOKEN", "value": value}]});
        assert_eq!(lines(&env("aaa-1"), &env("bbb-2")), ["~ env[API_TOKEN].value: <redacted> → <redacted>"]);
    }
}
