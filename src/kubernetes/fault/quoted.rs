//! Values that an API server quotes before it says what is wrong with them.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// Before a value (apimachinery `field.Error`).
const VALUE: &str = "Invalid value: ";
/// Bytes of a value that stays.
const LONGEST: usize = 80;

/// A message without the objects and long values that it quotes: what follows them is the reason.
pub(in crate::kubernetes) fn without_objects(message: &str) -> Cow<'_, str> {
    if !message.contains(VALUE) {
        return message.into();
    }
    let (mut kept, mut rest) = (String::new(), message);
    while let Some(at) = rest.find(VALUE) {
        let (before, value) = rest.split_at(at + VALUE.len());
        kept.push_str(before);
        let (length, is_object) = match value.as_bytes().first() {
            Some(b'"') => (go_quoted(value), value.starts_with("\"{") || value.starts_with("\"[{")),
            Some(b'{' | b'[') => (json(value), true),
            _ => (0, false),
        };
        let (value, after) = value.split_at_checked(length).unwrap_or((value, ""));
        kept.push_str(match (is_object, value.len() > LONGEST) {
            (true, _) => "(the object)",
            (false, true) => "(a long value)",
            (false, false) => value,
        });
        rest = after;
    }
    kept.push_str(rest);
    kept.into()
}

/// Bytes of a text as Go's `%q` writes it; all that is left where it does not end.
fn go_quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            _ => escaped = byte == b'\\' && !escaped,
        }
    }
    text.len()
}

/// Bytes of a JSON value; all that is left where it does not end.
fn json(text: &str) -> usize {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => values.byte_offset(),
        _ => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::{Fault, Refused};

    #[test]
    fn the_reason_stays_and_the_object_before_it_goes() {
        let object = format!(r#"{{\"spec\":\"a \\\" {}\"}}"#, "x".repeat(2_000));
        for (message, left) in [
            (
                format!(
                    r#""" is invalid: patch: Invalid value: "{object}": strict decoding error: unknown field "spec.replica""#
                ),
                r#""" is invalid: patch: Invalid value: (the object): strict decoding error: unknown field "spec.replica""#,
            ),
            (
                r#"spec.selector: Invalid value: {"matchLabels":{"a":"}"}}: field is immutable"#.to_owned(),
                "spec.selector: Invalid value: (the object): field is immutable",
            ),
            (
                format!(
                    r#"[a: Invalid value: "{}": too long, b: Invalid value: "x\"y": odd]"#,
                    "é".repeat(60)
                ),
                r#"[a: Invalid value: (a long value): too long, b: Invalid value: "x\"y": odd]"#,
            ),
            (r#"patch: Invalid value: "{\"user\":\"Ym9i"#.to_owned(), "patch: Invalid value: (the object)"),
            (
                "spec.replicas: Invalid value: -1: must be 0 or more".to_owned(),
                "spec.replicas: Invalid value: -1: must be 0 or more",
            ),
            ("Invalid value: ".to_owned(), "Invalid value: "),
            ("nothing of it".to_owned(), "nothing of it"),
        ] {
            assert_eq!(without_objects(&message), left);
        }
    }

    #[test]
    fn faults_say_the_reason() {
        let value = format!(r#"Invalid value: "{{{}}}": unknown field "x""#, "y".repeat(5_000));
        let body = serde_json::json!({"kind": "Status", "message": value, "details": {"causes": [{"message": value}]}});
        let Fault::Refused(refused) = Fault::from_response(422, None, body.to_string().as_bytes()) else {
            panic!("refused")
        };
        let Refused { message, causes, .. } = *refused;
        for said in [&message, &causes[0].message] {
            assert_eq!(said, r#"Invalid value: (the object): unknown field "x""#);
        }
    }
}
