//! Objects under secret-looking keys that say where a secret is, and do not hold it: `{name: db, key: password}`.

use serde_json::{Map, Value};

/// What a reference consists of.
const MEMBERS: [&str; 9] =
    ["name", "namespace", "key", "kind", "apiVersion", "group", "type", "secretName", "existingSecret"];
/// Of these, one names the Secret.
const NAMES: [&str; 3] = ["name", "secretName", "existingSecret"];
/// The types of a JSON schema.
const TYPES: [&str; 6] = ["string", "object", "array", "integer", "number", "boolean"];
/// Characters of the longest name of an object.
const LONGEST: usize = 253;

/// Whether an object only names a Secret, and a key in it: another value beside them makes it something else.
pub(super) fn is_reference(map: &Map<String, Value>) -> bool {
    let names = NAMES.iter().any(|name| map.get(*name).is_some_and(Value::is_string));
    let only = map.iter().all(|(key, value)| match value {
        Value::String(text) => MEMBERS.contains(&key.as_str()) && is_named(key, text),
        Value::Number(_) | Value::Array(_) => false,
        Value::Bool(_) | Value::Null | Value::Object(_) => true,
    });
    names && only
}

/// Whether a member of an object under a secret-looking key may stay as it is.
pub(super) fn is_plain_member(key: &str, value: &Value, reference: bool) -> bool {
    let Some(text) = value.as_str() else { return false };
    match key {
        "type" if TYPES.contains(&text) => true,
        // these say by themselves that what stands there is a name
        "secretName" | "existingSecret" | "kind" | "apiVersion" => is_named(key, text),
        _ if key.ends_with("Ref") => is_object_name(text),
        _ => reference && MEMBERS.contains(&key),
    }
}

fn is_named(key: &str, text: &str) -> bool {
    match key {
        "name" | "namespace" | "secretName" | "existingSecret" => is_object_name(text) || is_expression(text),
        "kind" => text.len() <= 63 && text.chars().all(|c| c.is_ascii_alphabetic()),
        "apiVersion" => {
            let version = text.rsplit('/').next().unwrap_or_default();
            let numbered =
                version.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            numbered && version.len() <= 12 && is_object_name(&text.replace('/', "."))
        }
        "group" => text.is_empty() || is_object_name(text),
        _ => is_key_name(text) || is_expression(text),
    }
}

/// A DNS-1123 subdomain.
fn is_object_name(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    text.len() <= LONGEST && edge(text.chars().next()) && edge(text.chars().last()) && text.chars().all(inner)
}

/// A key of a Secret's data; what has large letters, small ones and digits is rather a value.
fn is_key_name(text: &str) -> bool {
    let allowed = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let has = |kind: fn(&char) -> bool| text.chars().any(|c| kind(&c));
    let mixed = has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase) && has(char::is_ascii_digit);
    !text.is_empty() && text.len() <= LONGEST && allowed && !mixed
}

fn is_expression(text: &str) -> bool {
    super::structure::is_structure(text)
}
