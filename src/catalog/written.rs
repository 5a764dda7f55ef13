//! [`Document`]: entities as YAML documents or as a JSON list, with what tells one export from another.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::entity::Entity;
use crate::{Error, ErrorKind, kubernetes::rights::quoted};

/// Bytes of an export; a larger one is none.
const LARGEST: usize = 32 << 20;

/// How entities are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A document each, as locations of a catalog are read.
    #[default]
    Yaml,
    /// A list.
    Json,
}

/// An export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What is written.
    pub text: String,
    /// How many entities it has.
    pub entities: usize,
}

impl Document {
    /// Of these entities.
    ///
    /// # Errors
    /// It would be larger than any catalog takes.
    pub fn new(entities: &[Entity], format: Format) -> Result<Self, Error> {
        let broken = |error| Error::new(ErrorKind::Internal, format!("an entity is not JSON: {error}"));
        let mut text = String::new();
        for entity in entities {
            let entity = serde_json::to_value(entity).map_err(broken)?;
            match format {
                Format::Yaml => {
                    text.push_str("---\n");
                    members(&mut text, 0, &entity);
                }
                Format::Json => {
                    text.push_str(if text.is_empty() { "[\n" } else { ",\n" });
                    text.push_str(&entity.to_string());
                }
            }
            if text.len() > LARGEST {
                let kind = ErrorKind::Upstream { status: None, retryable: false };
                let what = format!("the export is larger than {} MiB", LARGEST >> 20);
                return Err(Error::new(kind, what).next("export fewer kinds or projects: `catalogProvider`"));
            }
        }
        if format == Format::Json {
            text.push_str(if text.is_empty() { "[]\n" } else { "\n]\n" });
        }
        Ok(Self { text, entities: entities.len() })
    }

    /// A strong entity tag (RFC 9110 section 8.8.3): the same for the same bytes, whichever replica wrote them.
    pub fn etag(&self) -> String {
        format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest(&SHA256, self.text.as_bytes())))
    }
}

/// The members of a map, a line each. Every text is quoted: what it would be without quotes differs between the versions
/// of YAML.
fn members(text: &mut String, indent: usize, value: &Value) {
    let Value::Object(all) = value else { return };
    for (key, value) in all {
        let _ = write!(text, "{:indent$}{}:", "", plain(key));
        match value {
            Value::Object(below) if !below.is_empty() => {
                text.push('\n');
                members(text, indent + 2, value);
            }
            Value::Array(items) if !items.is_empty() => {
                text.push('\n');
                for item in items {
                    let _ = writeln!(text, "{:indent$}  - {}", "", scalar(item));
                }
            }
            value => {
                let _ = writeln!(text, " {}", scalar(value));
            }
        }
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        // what is JSON is YAML
        value => value.to_string(),
    }
}

/// A key without quotes, where it means the same.
fn plain(key: &str) -> String {
    let may_be = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/');
    let known = key.starts_with(|c: char| c.is_ascii_lowercase()) && key.chars().all(may_be);
    let word = matches!(key, "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n");
    if known && !word { key.to_owned() } else { quoted(key) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let hostile = json!({
            "apiVersion": "v1", "null": "no", "1": "1e3", "a b": "~",
            "metadata": {"annotations": {"x.example/y": "a: b # c\n- d\u{2028}\u{7f}\"\\", "e": "", "日本": "0o17"},
                         "tags": ["yes", "1.10", "- a", "{}", "🚀"], "none": [], "empty": {}},
            "count": 3, "on": true,
        });
        let mut text = String::new();
        members(&mut text, 0, &hostile);
        let read: Value = serde_saphyr::from_str(&text).expect(&text);
        assert_eq!(read, hostile, "{text}");
        assert!(text.is_ascii() || text.contains("日本"), "{text}");
    }

    #[test]
    fn nothing_is_written_in_either_form_and_the_tag_is_of_the_bytes() {
        let [yaml, json] =
            [Format::Yaml, Format::Json].map(|format| Document::new(&[], format).expect("written"));
        assert_eq!((yaml.text.as_str(), json.text.as_str(), json.entities), ("", "[]\n", 0));
        assert_ne!(yaml.etag(), json.etag());
        assert_eq!(yaml.etag(), yaml.clone().etag());
        assert!(yaml.etag().starts_with('"') && yaml.etag().len() == 45, "{}", yaml.etag());
    }
}
