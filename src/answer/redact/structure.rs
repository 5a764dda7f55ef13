//! Values under secret-looking keys that are no secrets: where one comes from, or of what type it is.

/// A value that says where a secret comes from or of what type it is, not the secret: a kro
/// expression without literals, or a SimpleSchema type without a default.
pub(super) fn is_structure(text: &str) -> bool {
    text.is_empty() || is_macro(text) || is_schema_type(text) || is_redacted(text)
}

/// `${schema.spec.password}` and `{{.spectro.var.password}}`: one name, and nothing that could be a value.
fn is_macro(text: &str) -> bool {
    let named = |inner: &str| {
        inner
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '?' | '[' | ']' | '(' | ')'))
    };
    let between = |open: &str, close: &str| text.strip_prefix(open)?.strip_suffix(close);
    let expression = between("${", "}").is_some_and(named);
    let template =
        between("{{", "}}").map(str::trim).is_some_and(|path| path.starts_with('.') && named(path));
    expression || template
}

/// A SimpleSchema type with markers that hold no value of it: `string | required=true`.
fn is_schema_type(text: &str) -> bool {
    let (kind, markers) = text.split_once('|').unwrap_or((text, ""));
    let marker = |(name, _): (&str, &str)| name.trim().bytes().all(|b| b.is_ascii_alphabetic());
    let markers = markers.trim();
    matches!(kind.trim(), "string" | "bytes" | "object")
        && !text.contains("default")
        && (markers.is_empty() || markers.split_once('=').is_some_and(marker))
}

/// Exactly one expression, and in it nothing but a path.
pub(super) fn is_path(text: &str) -> bool {
    let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let dotted = inner.is_some_and(|path| {
        path.contains('.')
            && path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'?'))
    });
    dotted || is_redacted(text)
}

/// What [`redacted`](super::redacted) writes, and nothing that only looks like it.
pub(super) fn is_redacted(text: &str) -> bool {
    let length = text.strip_prefix("<redacted:").and_then(|rest| rest.strip_suffix(" bytes>"));
    text == "<redacted>" || length.is_some_and(|length| length.parse::<usize>().is_ok())
}
