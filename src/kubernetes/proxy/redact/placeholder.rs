//! What stands for a redacted value, on its way back: a program that reads a Secret, changes a part of it and
//! writes the whole would lose the rest.

/// The beginning of a placeholder as text, as Go writes it in JSON, and in base64.
const FORMS: [&[u8]; 3] = [b"<redacted:", b"\\u003credacted:", b"PHJlZGFjdGVkO"];

/// Whether a body that is to be written holds one.
pub(super) fn is_in(body: &[u8]) -> bool {
    FORMS.iter().any(|form| body.windows(form.len()).any(|part| part == *form))
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;
    use crate::answer::redact::redacted;

    #[test]
    fn a_placeholder_is_known_in_every_form() {
        for bytes in [0, 7, 1_000_000] {
            let text = redacted(bytes);
            let body = serde_json::json!({"data": {"a": STANDARD.encode(&text)}});
            assert!(is_in(body.to_string().as_bytes()), "{body}");
            assert!(is_in(format!("a: {text}").as_bytes()));
            assert!(is_in(text.replace('<', "\\u003c").as_bytes()));
        }
        assert!(!is_in(br#"{"data":{"a":"cmVkYWN0ZWQ="},"metadata":{"name":"redacted"}}"#));
    }
}
