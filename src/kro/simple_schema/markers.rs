//! Markers: `required=true default="x"`, as kro takes them apart (kro v0.9.4
//! `pkg/simpleschema/markers.go`).

/// The keys that kro knows.
pub(super) const KEYS: [&str; 16] = [
    "required",
    "default",
    "description",
    "minimum",
    "maximum",
    "validation",
    "enum",
    "immutable",
    "pattern",
    "uniqueItems",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "listType",
    "listMapKey",
];

/// A key with its value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) key: &'static str,
    pub(super) value: String,
}

/// Reads what follows the first `|` of a field.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub(super) fn parse(text: &str) -> Result<Vec<Marker>, String> {
    let mut found = Vec::new();
    let (mut key, mut buffer): (Option<&'static str>, String) = (None, String::new());
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_u32);
    for char in text.chars() {
        match char {
            '=' if key.is_none() && !quoted && depth == 0 => {
                key = Some(known(buffer.trim())?);
                buffer.clear();
            }
            '"' if !escaped => {
                quoted = !quoted;
                buffer.push(char);
            }
            '\\' if quoted && !escaped => {
                escaped = true;
                buffer.push(char);
            }
            '{' | '[' if !quoted => {
                depth += 1;
                buffer.push(char);
            }
            '}' | ']' if !quoted => {
                buffer.push(char);
                depth = depth.checked_sub(1).ok_or("closes a bracket in its markers that none opened")?;
            }
            char if char.is_whitespace() && !quoted && depth == 0 => {
                if let Some(key) = key.take() {
                    found.push(Marker { key, value: value(&buffer) });
                    buffer.clear();
                }
            }
            char => {
                escaped = escaped && !quoted;
                buffer.push(char);
            }
        }
    }
    if quoted {
        return Err("has a quote in its markers that does not close".to_owned());
    }
    if depth > 0 {
        return Err("has a bracket in its markers that does not close".to_owned());
    }
    match key {
        Some(key) => found.push(Marker { key, value: value(&buffer) }),
        None => return Err(format!("has a marker without a value: {buffer:?}; write key=value")),
    }
    Ok(found)
}

fn known(key: &str) -> Result<&'static str, String> {
    KEYS.into_iter().find(|known| *known == key).ok_or_else(|| {
        let hint = if key.starts_with('|') { "; markers are separated by spaces, not by |" } else { "" };
        format!("has the unknown marker {key:?}{hint}: there are {}", KEYS.join(", "))
    })
}

fn value(text: &str) -> String {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inner) => unescaped(inner),
        None => text.trim().to_owned(),
    }
}

fn unescaped(text: &str) -> String {
    let mut result = String::new();
    let mut escaped = false;
    for char in text.chars() {
        if escaped {
            if char != '"' && char != '\\' {
                result.push('\\');
            }
            result.push(char);
            escaped = false;
        } else if char == '\\' {
            escaped = true;
        } else {
            result.push(char);
        }
    }
    result
}
