//! What of a value may be told in a reason.
//!
//! A reader of graphs need not be a reader of manifests, and an RGD can be written to bring any
//! value into a reason: only what is short and not where secrets are is told, else type and length.

use super::ready_when::shorten;
use crate::answer::redact::is_secret_key;
use crate::kro::expression::{Scope, expressions, plain_path, survey};
use serde_json::Value;

/// The longest text that is told.
const LONGEST: usize = 40;
/// Conditions of a list that are told.
const CONDITIONS: usize = 120;

/// The value at a path, told.
pub(super) fn told(members: &[String], value: &Value) -> String {
    match value {
        Value::Array(items) => conditions(items).unwrap_or_else(|| kind(value)),
        Value::Object(_) => kind(value),
        _ if is_private(members.iter().map(String::as_str)) => kind(value),
        Value::String(text) if text.chars().count() > LONGEST || text.contains(char::is_control) => {
            kind(value)
        }
        Value::String(text) => text.clone(),
        scalar => scalar.to_string(),
    }
}

/// What a value is, without it: `a string of 12 characters`.
pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(text) => format!("a string of {} characters", text.chars().count()),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(members) => format!("an object with {} members", members.len()),
    }
}

/// Whether the keys that lead to a value are where secrets are.
pub(super) fn is_private<'k>(keys: impl IntoIterator<Item = &'k str>) -> bool {
    let content = |key: &str| matches!(key, "data" | "stringData" | "binaryData" | "annotations");
    keys.into_iter().any(|key| is_secret_key(key) || content(key))
}

/// Whether a name that `text` renders to may be told.
pub(in crate::kro) fn is_tellable(text: &str, scope: &Scope<'_>) -> bool {
    expressions(text).all(|source| match plain_path(source) {
        Some(path) => !is_private(path.members().iter().map(String::as_str)),
        None => survey(source, scope.work())
            .is_ok_and(|survey| !is_private(survey.words.iter().map(String::as_str))),
    })
}

/// Conditions by type and status.
fn conditions(items: &[Value]) -> Option<String> {
    let condition = |item: &Value| {
        let kind = item.get("type")?.as_str().filter(|kind| is_word(kind))?;
        let status = item.get("status")?.as_str()?;
        matches!(status, "True" | "False" | "Unknown").then(|| format!("{kind}={status}"))
    };
    let told = items.iter().map(condition).collect::<Option<Vec<_>>>().filter(|told| !told.is_empty())?;
    Some(shorten(&told.join(" "), CONDITIONS))
}

fn is_word(text: &str) -> bool {
    text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-./".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(path: &str, value: &Value) -> String {
        told(&path.split('/').map(str::to_owned).collect::<Vec<_>>(), value)
    }

    #[test]
    fn only_what_is_short_and_public_is_told() {
        assert_eq!(at("status/phase", &json!("Pending")), "Pending");
        assert_eq!(at("spec/replicas", &json!(3)), "3");
        let phase = json!("s3cr3t!");
        for path in
            ["data/key", "stringData/a", "metadata/annotations/x", "spec/password", "spec/apiToken/raw"]
        {
            assert_eq!(at(path, &phase), "a string of 7 characters", "{path}");
        }
        assert_eq!(at("spec/pem", &json!("a\nb")), "a string of 3 characters");
        assert_eq!(at("spec/long", &json!("x".repeat(41))), "a string of 41 characters");
        assert_eq!(at("status/conditions", &json!([{"type": "Ready", "status": "True"}])), "Ready=True");
        assert_eq!(at("status/list", &json!([{"type": "Ready", "status": "s3cr3t"}])), "a list of 1");
    }

    #[test]
    fn a_name_out_of_private_keys_is_not_told() {
        let scope = Scope::default();
        assert!(is_tellable("${schema.spec.name}-x", &scope));
        assert!(is_tellable("${schema.spec.name + '-x'}", &scope));
        for text in [
            "${config.data.name}",
            "a-${schema.spec['password']}",
            "${schema.spec.list[0].token}",
            "${schema.spec.?apiKey.orValue('x')}",
        ] {
            assert!(!is_tellable(text, &scope), "{text}");
        }
    }
}
