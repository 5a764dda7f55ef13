//! [`Content`]: what the body of a change is, and the body itself, read without trust.

use http::Method;
use serde_json::Value;

use crate::{
    Error,
    answer::sanitise,
    kubernetes::{proxy::reads_values, written},
};

/// The argument that a body comes in.
const BODY: &str = "body";

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// An object, or the options of a deletion.
    Json,
    /// RFC 7396.
    Merge,
    /// Kubernetes' own, for kinds that are built in.
    Strategic,
    /// RFC 6902.
    JsonPatch,
    /// Server-side apply.
    Apply,
}

impl Content {
    const PATCHES: [Self; 4] = [Self::Merge, Self::Strategic, Self::JsonPatch, Self::Apply];

    /// The media type that is sent.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Merge => "application/merge-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::JsonPatch => "application/json-patch+json",
            Self::Apply => "application/apply-patch+yaml",
        }
    }

    /// From the argument `content_type`. YAML is sent as JSON.
    ///
    /// # Errors
    /// It is missing for a patch, or none that is sent.
    pub fn of(method: &Method, written: Option<&str>) -> Result<Self, Error> {
        let plain =
            written.map(|written| written.split(';').next().unwrap_or_default().trim().to_lowercase());
        let allowed = if method == Method::PATCH {
            let patch = |name: &str| Self::PATCHES.into_iter().find(|patch| patch.name() == name);
            match plain.as_deref().map(patch) {
                Some(Some(patch)) => return Ok(patch),
                _ => Self::PATCHES.map(Self::name).to_vec(),
            }
        } else {
            match plain.as_deref() {
                None | Some("application/json" | "application/yaml") => return Ok(Self::Json),
                Some(_) => vec!["application/json", "application/yaml"],
            }
        };
        let message = match written {
            None => "the argument \"content_type\" is missing: say which patch the body is".to_owned(),
            Some(written) => {
                let written = sanitise::short(written, 80);
                format!("the argument \"content_type\": {method} takes no {written:?}")
            }
        };
        Err(Error::invalid_input(message).candidates(allowed))
    }

    /// The body, from the argument `body`.
    ///
    /// # Errors
    /// It is missing, is not what it is said to be, or holds what only our answers hold.
    pub fn body(self, method: &Method, text: Option<&str>) -> Result<Option<Value>, Error> {
        let wrong = |what: &str| Error::invalid_input(format!("the argument {BODY:?} {what}"));
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            return match *method {
                Method::DELETE | Method::POST => Ok(None),
                _ => Err(wrong(&format!("is missing: {method} needs one"))),
            };
        };
        let body = written::document(BODY, text)?;
        match (self, &body) {
            (Self::JsonPatch, Value::Array(operations)) => {
                let whole = |operation: &Value| {
                    ["op", "path"].iter().all(|member| operation.get(member).is_some_and(Value::is_string))
                };
                if operations.is_empty() || !operations.iter().all(whole) {
                    return Err(wrong("must be a list of operations, each with op and path (RFC 6902)"));
                }
            }
            (Self::JsonPatch, _) => return Err(wrong("must be a list of operations (RFC 6902)")),
            (_, Value::Object(members)) => {
                if members.get("metadata").is_some_and(|metadata| !metadata.is_object()) {
                    return Err(wrong("has a metadata that is no object"));
                }
            }
            _ => return Err(wrong("must be an object")),
        }
        let redacted = written::redacted(&body);
        if !redacted.is_empty() {
            let what = format!(
                "holds <redacted> in place of a value, which would be written, at {}",
                redacted.join(", ")
            );
            return Err(
                wrong(&what).next("leave these fields out: a merge patch leaves alone what it does not name")
            );
        }
        Ok(Some(body))
    }
}

/// Whether a body reads values of what it changes: it could tell them to who may not read them.
pub fn reads(content: Content, body: &Value) -> bool {
    content == Content::JsonPatch
        && serde_json::to_vec(body).is_ok_and(|patch| reads_values(&patch).unwrap_or(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_must_say_which_it_is() {
        let of = |method: Method, written: Option<&str>| Content::of(&method, written);
        assert_eq!(of(Method::POST, None).ok(), Some(Content::Json));
        assert_eq!(of(Method::PUT, Some("Application/YAML; charset=utf-8")).ok(), Some(Content::Json));
        assert_eq!(of(Method::PATCH, Some("application/json-patch+json")).ok(), Some(Content::JsonPatch));
        for (method, written) in [
            (Method::PATCH, None),
            (Method::PATCH, Some("application/json")),
            (Method::POST, Some("application/vnd.kubernetes.protobuf")),
            (Method::PUT, Some("application/merge-patch+json")),
        ] {
            let error = of(method, written).expect_err("refused").text();
            assert!(error.contains("content_type") && error.contains("Possible: application/"), "{error}");
        }
    }

    #[test]
    fn bodies_are_what_they_are_said_to_be() {
        let body = |content: Content, text: &str| content.body(&Method::PATCH, Some(text));
        assert!(body(Content::JsonPatch, r#"[{"op": "remove", "path": "/a"}]"#).is_ok());
        assert!(body(Content::Merge, "spec: {x: 1}").is_ok());
        for (content, text) in [
            (Content::JsonPatch, "a: 1"),
            (Content::JsonPatch, "[]"),
            (Content::JsonPatch, "[{op: add}]"),
            (Content::Merge, "[1]"),
            (Content::Apply, "words"),
            (Content::Merge, "metadata: 7"),
            (Content::Merge, ""),
            (Content::Merge, "data: {a: '<redacted:5 bytes>'}"),
            (Content::Merge, "data: {a: PHJlZGFjdGVkOjUgYnl0ZXM+}"),
        ] {
            let error = body(content, text).expect_err(text).text();
            assert!(error.contains("\"body\""), "{error}");
        }
        assert_eq!(Content::Json.body(&Method::DELETE, None).ok(), Some(None));
        assert!(Content::Json.body(&Method::PUT, None).is_err());
    }
}
