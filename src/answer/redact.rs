//! What never leaves: values of Secrets, credentials by key, credentials by shape.
//!
//! Three nets, each enough for most of what the others catch: Secret objects lose their values where
//! they enter ([`Learned::from_object`]), manifests lose values whose key says secret ([`manifest`]),
//! and every text of every answer, error and audit line is searched for values seen in this call and
//! for things shaped like credentials ([`Learned::scrub`]).

use std::{
    borrow::Cow,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

use aho_corasick::AhoCorasick;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use parking_lot::Mutex;
use regex::{Captures, Regex};
use serde_json::{Map, Value};

use crate::kubernetes::Object;

/// Shorter values would match ordinary words when answers are searched for them.
const SHORTEST_LEARNED: usize = 6;

/// The secret values that came by during one call.
#[derive(Default)]
pub struct Learned {
    values: Mutex<Vec<String>>,
    any: AtomicBool,
}

impl std::fmt::Debug for Learned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Learned(..)")
    }
}

impl Learned {
    /// Replaces the values of a Secret by their length, and remembers them for [`Self::scrub`].
    pub fn from_object(&self, object: &mut Object) {
        if object.kind() != "Secret" || !object.group().is_empty() {
            return;
        }
        let public = names(object);
        let mut seen = Vec::new();
        for (member, encoded) in [("data", true), ("stringData", false)] {
            if let Some(Value::Object(data)) = object.members_mut().get_mut(member) {
                data.values_mut().for_each(|value| take_secret(value, encoded, &public, &mut seen));
            }
        }
        if let Some(Value::Object(annotations)) =
            object.members_mut().get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"))
        {
            annotations.remove(LAST_APPLIED);
        }
        self.any.fetch_or(!seen.is_empty(), Ordering::Release);
        self.values.lock().extend(seen);
    }

    /// `text` without learned values and without anything shaped like a credential.
    pub fn scrub<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = scrub_shapes(text);
        if !self.any.load(Ordering::Acquire) {
            return text;
        }
        for value in self.values.lock().iter() {
            if text.contains(value.as_str()) {
                text = Cow::Owned(text.replace(value.as_str(), "<redacted>"));
            }
        }
        text
    }
}

/// What the object says of itself to everyone who may list it. A value that stands there (a user
/// name that is the instance's name) is no secret, and scrubbing it would take names out of answers.
fn names(object: &Object) -> Vec<String> {
    let labels = object.at(&["metadata", "labels"]).and_then(Value::as_object).into_iter().flatten();
    let labels = labels.filter_map(|(_, value)| value.as_str());
    [object.name(), object.namespace().unwrap_or_default()]
        .into_iter()
        .chain(labels)
        .map(str::to_owned)
        .collect()
}

fn take_secret(value: &mut Value, encoded: bool, public: &[String], seen: &mut Vec<String>) {
    let text = value.as_str().unwrap_or_default();
    let decoded = if encoded { STANDARD.decode(text).ok() } else { Some(text.as_bytes().to_vec()) };
    let length = decoded.as_ref().map_or(text.len(), Vec::len);
    let plain = decoded.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    for candidate in [text.to_owned(), plain.trim().to_owned(), STANDARD.encode(&plain)] {
        let known = seen.contains(&candidate) || public.iter().any(|name| name.contains(&candidate));
        if candidate.len() >= SHORTEST_LEARNED && !known {
            seen.push(candidate);
        }
    }
    *value = redacted(length).into();
}

fn redacted(bytes: usize) -> String {
    format!("<redacted:{bytes} bytes>")
}

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object as an answer may carry it: without `managedFields` and `last-applied-configuration`,
/// and with the values of secret-looking keys replaced. Keys stay.
///
/// The values of a Secret itself were taken where it came in, unless the caller may read them.
pub fn manifest(object: Object) -> Value {
    let mut value = object.into_value();
    let values = if is_secret(&value) {
        SECRET_VALUES.map(|member| (member, take(&mut value, member)))
    } else {
        Default::default()
    };
    if let Some(Value::Object(metadata)) = value.get_mut("metadata") {
        metadata.remove("managedFields");
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove(LAST_APPLIED);
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    by_key(&mut value);
    if let Value::Object(members) = &mut value {
        members.extend(values.into_iter().filter_map(|(member, value)| Some((member.to_owned(), value?))));
    }
    value
}

const SECRET_VALUES: [&str; 2] = ["data", "stringData"];

fn is_secret(value: &Value) -> bool {
    value.get("kind").and_then(Value::as_str) == Some("Secret")
        && value.get("apiVersion").and_then(Value::as_str) == Some("v1")
}

fn take(value: &mut Value, member: &str) -> Option<Value> {
    value.as_object_mut()?.remove(member)
}

/// A Secret inside another object, such as a template of an RGD, may hold literals under any key.
fn nested_secret(value: &mut Value) {
    for member in SECRET_VALUES {
        let values =
            value.get_mut(member).and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut);
        for text in values.filter_map(|value| if let Value::String(text) = value { Some(text) } else { None })
        {
            if !is_structure(text) {
                *text = redacted(text.len());
            }
        }
    }
}

fn by_key(value: &mut Value) {
    if is_secret(value) {
        nested_secret(value);
    }
    match value {
        Value::Object(map) => {
            named_value(map);
            for (key, value) in map.iter_mut() {
                match value {
                    Value::String(text) if is_secret_key(key) && !is_structure(text) => {
                        *text = redacted(text.len());
                    }
                    Value::String(text) => {
                        if let Cow::Owned(cleaned) = scrub_assignments(text) {
                            *text = cleaned;
                        }
                    }
                    _ => by_key(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(by_key),
        _ => {}
    }
}

/// `{name: DB_PASSWORD, value: …}`, the form of container environments and of many parameters.
fn named_value(map: &mut Map<String, Value>) {
    let secret = map.get("name").and_then(Value::as_str).is_some_and(is_secret_key);
    if let Some(Value::String(text)) = map.get_mut("value").filter(|_| secret)
        && !is_structure(text)
    {
        *text = redacted(text.len());
    }
}

/// Whether a key names a credential: it ends with a word for one. Names of Secrets
/// (`secretName`, `tokenSecretRef`) do not.
pub fn is_secret_key(key: &str) -> bool {
    const ENDINGS: [&str; 16] = [
        "password",
        "passwd",
        "passphrase",
        "token",
        "secret",
        "apikey",
        "accesskey",
        "secretkey",
        "secretaccesskey",
        "privatekey",
        "clientkeydata",
        "credential",
        "credentials",
        "connectionstring",
        "authorization",
        "kubeconfig",
    ];
    let letters: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    ENDINGS.iter().any(|ending| letters.ends_with(ending))
}

/// A value that says where a secret comes from or of what type it is, not the secret: a kro
/// expression without literals, or a SimpleSchema type without a default.
fn is_structure(text: &str) -> bool {
    let expression = text.starts_with("${") && text.ends_with('}') && !text.contains(['"', '\'']);
    let schema_type = matches!(text.split('|').next().map(str::trim), Some("string" | "bytes" | "object"))
        && !text.contains("default");
    text.is_empty() || expression || schema_type || text.starts_with("<redacted")
}

#[allow(clippy::expect_used, reason = "literal patterns, covered by the tests below")]
fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("a literal pattern")
}

static SHAPES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
        r"|(?i:bearer|basic) [A-Za-z0-9+/=._~-]{16,}",
    ))
});
static USERINFO: LazyLock<Regex> = LazyLock::new(|| pattern(r"(://[^/\s:@]*:)[^/\s@]+@"));
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?im)\b([\w.-]*(?:password|passwd|passphrase|token|secret|api[_-]?key|access[_-]?key|private[_-]?key)["']?\s*[=:]\s*)("[^"\n]+"|'[^'\n]+'|[^\s"',;$<]+)"#,
    )
});

/// What each pattern cannot do without: one pass over a text tells that most hold none of it.
#[allow(clippy::expect_used, reason = "literal patterns, covered by the tests below")]
static HINTS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::new(["eyJ", "PRIVATE KEY", "earer ", "EARER ", "asic ", "ASIC ", "://"])
        .expect("literal patterns")
});
/// No credential that has a shape is shorter.
const SHORTEST_SHAPE: usize = 12;

/// Credentials by their shape, wherever they stand.
fn scrub_shapes(text: &str) -> Cow<'_, str> {
    if text.len() < SHORTEST_SHAPE || !HINTS.is_match(text) {
        return Cow::Borrowed(text);
    }
    let mut text = SHAPES.replace_all(text, "<redacted>");
    if text.contains("://")
        && let Cow::Owned(cleaned) = USERINFO.replace_all(&text, "${1}<redacted>@")
    {
        text = Cow::Owned(cleaned);
    }
    text
}

/// `password=…` inside a longer text, such as a properties file in a ConfigMap.
fn scrub_assignments(text: &str) -> Cow<'_, str> {
    if !text.contains(['=', ':']) {
        return Cow::Borrowed(text);
    }
    ASSIGNMENT.replace_all(text, |found: &Captures<'_>| {
        let key = found.get(1).map_or("", |key| key.as_str());
        format!("{key}{}", redacted(found.get(2).map_or(0, |value| value.len())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Object {
        Object::from_value(value).expect("an object")
    }

    #[test]
    fn a_secret_loses_its_values_and_they_are_found_elsewhere() {
        let learned = Learned::default();
        let mut secret = object(json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"annotations": {LAST_APPLIED: "{\"data\":{\"p\":\"aHVudGVyMi1wbGFudGVk\"}}"}},
            "data": {"p": "aHVudGVyMi1wbGFudGVk", "odd": 7}, "stringData": {"q": "second-planted"}}));
        learned.from_object(&mut secret);
        let shown = secret.into_value().to_string();
        assert!(shown.contains("<redacted:15 bytes>") && !shown.contains("planted"), "{shown}");
        assert!(!shown.contains("aHVudGVyMi1wbGFudGVk"), "{shown}");
        assert_eq!(
            learned.scrub("Invalid value: \"hunter2-planted\" or aHVudGVyMi1wbGFudGVk or second-planted"),
            "Invalid value: \"<redacted>\" or <redacted> or <redacted>"
        );
    }

    #[test]
    fn a_value_that_is_a_name_is_not_taken_out_of_answers() {
        let learned = Learned::default();
        let mut secret = object(json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "orders-credentials", "labels": {"kro.run/instance-name": "orders"}},
            "stringData": {"username": "orders", "password": "planted-value"}}));
        learned.from_object(&mut secret);
        assert_eq!(learned.scrub("Database/orders uses planted-value"), "Database/orders uses <redacted>");
        assert!(
            !secret.into_value().to_string().contains("\"username\":\"orders\""),
            "the value itself goes"
        );
    }

    #[test]
    fn manifests_lose_values_by_key_and_keep_structure() {
        let shown = manifest(object(json!({
            "kind": "WebApp", "metadata": {"managedFields": [1], "annotations": {LAST_APPLIED: "x"}},
            "spec": {
                "adminPassword": "hunter2", "secretName": "db-creds", "apiKey": "k-123",
                "tokenSecretRef": {"name": "t"}, "dbPassword": "${schema.spec.password}",
                "schema": {"password": "string | required=true"},
                "env": [{"name": "DB_PASSWORD", "value": "hunter3"}, {"name": "MODE", "value": "fast"}],
                "template": {"apiVersion": "v1", "kind": "Secret", "stringData": {"pin": "hunter6", "url": "${schema.spec.url}"}},
                "text": "user=app\npassword=hunter4\nurl=postgres://a:hunter5@db/x",
            }
        })));
        let text = shown.to_string();
        for leaked in ["hunter2", "k-123", "hunter3", "hunter4", "hunter6", "managedFields", "last-applied"] {
            assert!(!text.contains(leaked), "{leaked} in {text}");
        }
        for kept in [
            "db-creds",
            "${schema.spec.password}",
            "string | required=true",
            "fast",
            "user=app",
            "${schema.spec.url}",
        ] {
            assert!(text.contains(kept), "{kept} not in {text}");
        }
        assert!(!Learned::default().scrub(&text).contains("hunter5"));
    }

    #[test]
    fn credentials_are_known_by_shape() {
        let learned = Learned::default();
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";
        for text in [jwt, "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"] {
            assert_eq!(learned.scrub(&format!("a {text} b")), "a <redacted> b");
        }
        assert_eq!(learned.scrub("the Bearer of news"), "the Bearer of news");
    }
}
