//! What an API server says against a request for Secrets: it quotes whole objects (apimachinery `field.Error`), and
//! webhooks and policies, which see them, say what they like.

use std::borrow::Cow;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// In place of words, to programs.
pub(super) const TO_PROGRAMS: &str = "withheld: these words can hold values of the Secret, which you may not read; with the permission \
     kubernetes.secrets.read they are shown";
/// In place of words, in answers of tools.
const TO_TOOLS: &str = "its words are withheld, since they can hold values of the Secret: compare the body with what \
     the kind takes (the permission kubernetes.secrets.read shows them)";
/// Characters of words that are known.
const LONGEST: usize = 1_000;
/// Characters of a reason, a name or a field.
const LONGEST_NAME: usize = 300;
/// Causes that are kept.
const MOST: usize = 50;

/// Whether an error with this status may come as a page of something in between: no API server quotes with it.
pub(super) fn is_page(status: StatusCode) -> bool {
    !status.is_success() && !matches!(status.as_u16(), 400 | 409 | 422)
}

/// Whether it is a `Status`.
pub(super) fn is(members: &Map<String, Value>) -> bool {
    members.get("kind").and_then(Value::as_str) == Some("Status")
}

/// As [`is`], of a body.
pub(super) fn is_one(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Kind<'k> {
        #[serde(borrow)]
        kind: Cow<'k, str>,
    }
    serde_json::from_slice::<Kind<'_>>(body).is_ok_and(|one| one.kind == "Status")
}

/// A body about Secrets that is no success, without what could quote them, for a tool.
pub(in crate::kubernetes::proxy) fn without_values(status: StatusCode, body: &[u8]) -> Vec<u8> {
    let said = match serde_json::from_slice(body) {
        Ok(Value::Object(mut members)) if is(&members) => {
            withhold(&mut members, TO_TOOLS);
            Value::Object(members)
        }
        _ if is_page(status) => return body.to_vec(),
        _ => json!({"kind": "Status", "message": TO_TOOLS}),
    };
    said.to_string().into_bytes()
}

/// Leaves of a `Status` what it is about, and its words where they are known to quote nothing. `instead` stands in
/// place of others.
pub(super) fn withhold(status: &mut Map<String, Value>, instead: &str) {
    let code = status.get("code").and_then(Value::as_u64).unwrap_or_default();
    let mut kept = Map::new();
    for name in ["kind", "apiVersion", "status", "reason", "code"] {
        kept.extend(short(status, name));
    }
    // apimachinery `ListMeta`
    if let Some(metadata) = status.get("metadata").and_then(Value::as_object) {
        let metadata: Map<String, Value> = short(metadata, "resourceVersion").into_iter().collect();
        kept.insert("metadata".to_owned(), metadata.into());
    }
    if let Some(message) = status.get("message").and_then(Value::as_str) {
        let message = if message.is_empty() || quotes_nothing(code, message) { message } else { instead };
        kept.insert("message".to_owned(), message.into());
    }
    if let Some(details) = status.get("details").and_then(Value::as_object) {
        kept.insert("details".to_owned(), detailed(details, instead).into());
    }
    *status = kept;
}

fn detailed(details: &Map<String, Value>, instead: &str) -> Map<String, Value> {
    let names = ["name", "group", "kind", "uid", "retryAfterSeconds"];
    let mut kept: Map<String, Value> = names.into_iter().filter_map(|name| short(details, name)).collect();
    let causes = details.get("causes").and_then(Value::as_array);
    let causes = causes.into_iter().flatten().filter_map(Value::as_object).take(MOST).map(|cause| {
        let mut kept: Map<String, Value> =
            ["reason", "field"].into_iter().filter_map(|name| short(cause, name)).collect();
        if let Some(message) = cause.get("message").and_then(Value::as_str) {
            // `conflict with "kubectl" using v1`, of the field (apimachinery `managedfields/internal/conflict.go`)
            let of_managers = cause.get("reason").and_then(Value::as_str) == Some("FieldManagerConflict")
                && message.starts_with("conflict with \"")
                && is_plain(message);
            kept.insert("message".to_owned(), if of_managers { message } else { instead }.into());
        }
        Value::Object(kept)
    });
    let causes: Vec<Value> = causes.collect();
    if !causes.is_empty() {
        kept.insert("causes".to_owned(), causes.into());
    }
    kept
}

/// A member that is a number or a short text.
fn short(members: &Map<String, Value>, name: &str) -> Option<(String, Value)> {
    let value = members.get(name).filter(|value| match value {
        Value::String(text) => text.len() <= LONGEST_NAME,
        value => value.is_number(),
    })?;
    Some((name.to_owned(), value.clone()))
}

/// No object, and no words of a webhook or a policy (apiserver `webhook/errors/statuserror.go`,
/// `policy/validating/plugin.go`), whatever status they chose.
fn is_plain(message: &str) -> bool {
    message.len() <= LONGEST && !message.contains(['{', '\n']) && !message.contains("denied")
}

/// Whether a message is of those that API servers make of names alone (apimachinery `errors.go`).
fn quotes_nothing(code: u64, message: &str) -> bool {
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    is_plain(message)
        && match code {
            401 => message == "Unauthorized",
            403 => says(&[
                "forbidden: User \"",
                "forbidden: exceeded quota: ",
                "forbidden: unable to create new content in namespace ",
            ]),
            404 => {
                message.ends_with(" not found")
                    || message == "the server could not find the requested resource"
            }
            405 | 406 | 410 | 415 | 429 => !message.contains("Invalid value"),
            409 => {
                message.ends_with(" already exists")
                    || message.starts_with("Operation cannot be fulfilled on ")
                    || message.starts_with("Apply failed with ")
            }
            500.. => !message.contains(['"', '\'', '`']),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(mut status: Value) -> Value {
        withhold(status.as_object_mut().expect("an object"), "withheld");
        status
    }

    #[test]
    fn what_is_about_and_no_more_is_left_of_what_can_quote() {
        let told = told(
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {"odd": "Ym9i"}, "status": "Failure",
            "message": "\"\" is invalid: patch: Invalid value: \"{\\\"data\\\":{\\\"user\\\":\\\"Ym9i\\\"}}\"",
            "reason": "Invalid", "code": 422, "odd": "Ym9i",
            "details": {"name": "s", "kind": "Secret", "odd": "Ym9i", "causes": [
                {"reason": "FieldValueInvalid", "field": "patch", "message": "Invalid value: Ym9i", "odd": "Ym9i"}]}}),
        );
        assert_eq!(
            told,
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "withheld",
            "reason": "Invalid", "code": 422, "details": {"name": "s", "kind": "Secret",
                "causes": [{"reason": "FieldValueInvalid", "field": "patch", "message": "withheld"}]}})
        );
    }

    #[test]
    fn words_are_kept_that_hold_names_alone() {
        for (code, message, kept) in [
            (401, "Unauthorized", true),
            (403, r#"secrets "s" is forbidden: User "a" cannot patch resource "secrets""#, true),
            (403, r#"secrets "s" is forbidden: exceeded quota: small, requested: secrets=1"#, true),
            (403, r#"admission webhook "w" denied the request: Ym9i"#, false),
            (403, r#"secrets "s" is forbidden: ValidatingAdmissionPolicy 'p' denied request: Ym9i"#, false),
            (404, r#"secrets "s" not found"#, true),
            (404, r#"admission webhook "w" denied the request: Ym9i not found"#, false),
            (409, r#"secrets "s" already exists"#, true),
            (409, r#"Operation cannot be fulfilled on secrets "s": the object has been modified"#, true),
            (409, "there is a meaningful conflict: diff1={\"data\":{}}", false),
            (410, "too old resource version: 1 (2)", true),
            (400, "illegal base64 data at input byte 3", false),
            (500, "etcdserver: request timed out", true),
            (500, r#"Internal error occurred: "Ym9i""#, false),
            (0, "anything", false),
        ] {
            let told = told(json!({"kind": "Status", "code": code, "message": message}));
            assert_eq!(told["message"] == message, kept, "{code} {message}");
        }
    }
}
