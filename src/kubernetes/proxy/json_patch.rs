//! JSON patches (RFC 6902) that could tell values of what they change.

use std::fmt;

use http::{HeaderMap, header::CONTENT_TYPE};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};

/// Patches that name what they write, and read nothing.
const WRITING: [&str; 4] = [
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/apply-patch+cbor",
];
const JSON_PATCH: &str = "application/json-patch+json";

/// Whether a patch may read values of what it changes: `copy` and `move` show them elsewhere, `test` says whether
/// a guess is right, and what is no known operation is not known to do neither.
///
/// # Errors
/// It is no list of operations.
pub fn reads_values(patch: &[u8]) -> Result<bool, serde_json::Error> {
    let operations: Vec<Operation> = serde_json::from_slice(patch)?;
    Ok(operations.iter().any(|operation| operation.reads))
}

/// Which patch a body is, by its header.
pub(super) enum Kind {
    Writing,
    JsonPatch,
    Unknown,
}

impl Kind {
    /// As the API server takes the header: up to a semicolon (apiserver `handlers/patch.go`), but in any case.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(CONTENT_TYPE).iter();
        let (Some(Ok(value)), None) = (values.next().map(|value| value.to_str()), values.next()) else {
            return Self::Unknown;
        };
        match value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            JSON_PATCH => Self::JsonPatch,
            kind if WRITING.contains(&kind) => Self::Writing,
            _ => Self::Unknown,
        }
    }

    /// The media types that are known.
    pub(super) fn known() -> impl Iterator<Item = &'static str> {
        WRITING.into_iter().chain([JSON_PATCH])
    }
}

/// One operation. Its members are looked at one by one, since of two that are called alike one parser takes the
/// first and another the last.
struct Operation {
    reads: bool,
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Operation;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an operation")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Operation, A::Error> {
        let (mut named, mut reads) = (false, false);
        while let Some(name) = members.next_key::<String>()? {
            if name.eq_ignore_ascii_case("op") {
                let operation: String = members.next_value()?;
                named = true;
                reads |= !matches!(operation.as_str(), "add" | "remove" | "replace");
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        if named { Ok(Operation { reads }) } else { Err(A::Error::missing_field("op")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_is_known_however_it_is_written() {
        let reads = |patch: &str| reads_values(patch.as_bytes()).ok();
        assert_eq!(reads("[]"), Some(false));
        assert_eq!(
            reads(r#" [{"op":"add","path":"/a","value":{"op":"copy"}}, {"op":"remove","path":"/b"}] "#),
            Some(false)
        );
        for patch in [
            r#"[{"op":"add"},{"op":"copy"}]"#,
            r#"[{"op":"move"}]"#,
            r#"[{"\u006fp":"te\u0073t"}]"#,
            r#"[{"op":"copy","op":"add"}]"#,
            r#"[{"op":"add","op":"copy"}]"#,
            r#"[{"Op":"COPY"}]"#,
            r#"[{"op":"add "}]"#,
        ] {
            assert_eq!(reads(patch), Some(true), "{patch}");
        }
        for patch in
            ["", "{}", "null", "[null]", "[{}]", "[[]]", r#"[{"op":1}]"#, "\u{feff}[]", "[] []", "op: copy"]
        {
            assert_eq!(reads(patch), None, "{patch}");
        }
        assert_eq!(reads_values(b"[{\"op\":\"add\",\"x\xff\":1}]").ok(), None);
    }
}
