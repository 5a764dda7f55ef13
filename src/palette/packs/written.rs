//! [`Written`]: values of a pack, or the content of a manifest, as they may be shown. Comments are never: nothing
//! says what is in them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Map, Value, json};

use super::{allowance, lines};
use crate::{
    answer::redact::{self, Learned, is_secret_key, redacted},
    kubernetes::{
        Object,
        difference::{Difference, differences},
        written,
    },
};

/// How often a text that is YAML may stand in a text that is YAML.
const DEEPEST: usize = 3;

/// A text that Palette keeps for us, read.
#[derive(Clone, PartialEq)]
pub struct Written {
    bytes: usize,
    /// Of the text as it came.
    digest: u64,
    form: Form,
}

#[derive(Clone, PartialEq)]
enum Form {
    /// YAML, unredacted.
    Documents(Vec<Value>),
    /// No YAML; judged line by line.
    Lines(String),
    /// Not judged, and not shown.
    Opaque,
    /// Not read: the call had read enough.
    Beyond,
}

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Written({} bytes)", self.bytes)
    }
}

impl Written {
    /// Reads it. Costs a thread; for many texts at once, see [`crate::stack::deep`].
    pub fn read(text: &str) -> Self {
        let form = if allowance::take(text.len()) { Self::form(text) } else { Form::Beyond };
        Self { bytes: text.len(), digest: digest(text), form }
    }

    fn form(text: &str) -> Form {
        let documents = written::foreign(text).filter(|documents| {
            // a text without structure is a YAML string too
            documents.iter().all(|document| document.is_object() || document.is_array() || document.is_null())
        });
        match documents {
            Some(mut documents) => {
                documents.retain(|document| !document.is_null());
                Form::Documents(documents)
            }
            None => lines::judged(text).map_or(Form::Opaque, Form::Lines),
        }
    }

    /// Bytes as it came.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What a reader has to know of how it is shown.
    pub fn note(&self) -> Option<&'static str> {
        match self.form {
            Form::Documents(_) => None,
            Form::Lines(_) => Some("not readable as YAML: shown line by line, without comments"),
            Form::Beyond => Some("not read: more than one call reads; name one pack"),
            Form::Opaque => Some("not readable as YAML, and not shown: secrets in it could not be told"),
        }
    }

    /// The documents, redacted; nothing where it is no YAML.
    pub fn documents(&self) -> Option<Vec<Value>> {
        let Form::Documents(documents) = &self.form else { return None };
        Some(documents.iter().cloned().map(|document| shown(document, 0)).collect())
    }

    /// Remembers the values of Secrets in it, for the answer to take out wherever else they stand.
    pub fn learn(&self, learned: &Learned) {
        let Form::Documents(documents) = &self.form else { return };
        for document in documents {
            if let Some(mut secret) =
                Object::from_value(document.clone()).filter(|object| is_kind_of_secret(&object.kind().into()))
            {
                learned.take_values(&mut secret);
            }
        }
    }

    /// Redacted, as text.
    pub fn text(&self) -> String {
        match &self.form {
            Form::Documents(_) => {
                let documents = self.documents().unwrap_or_default();
                documents.iter().map(yaml).collect::<Vec<_>>().join("---\n")
            }
            Form::Lines(lines) => lines.clone(),
            Form::Opaque | Form::Beyond => redacted(self.bytes),
        }
    }

    /// What differs, secrets said to differ and not told.
    pub fn differences(&self, after: &Self) -> Vec<Difference> {
        match (&self.form, &after.form) {
            _ if self.digest == after.digest => Vec::new(),
            (Form::Documents(before), Form::Documents(after)) => {
                differences(&comparable(before), &comparable(after))
            }
            _ => by_line(&self.text(), &after.text()),
        }
    }
}

/// One document as YAML.
pub fn yaml(document: &Value) -> String {
    serde_saphyr::to_string(document).unwrap_or_else(|_| document.to_string())
}

/// Without secret values, also in texts that are YAML themselves, and in Secrets of any API version.
fn shown(value: Value, depth: usize) -> Value {
    redact::values(without_secrets(value, depth))
}

fn without_secrets(value: Value, depth: usize) -> Value {
    match value {
        Value::String(text) if is_block(&text) => embedded(&text, depth).into(),
        Value::Array(items) => items.into_iter().map(|item| without_secrets(item, depth)).collect(),
        Value::Object(mut members) => {
            if members.get("kind").is_some_and(is_kind_of_secret) {
                for member in ["data", "stringData"] {
                    let Some(values) = members.get_mut(member) else { continue };
                    match values {
                        Value::Object(values) => values.values_mut().for_each(hide),
                        odd => hide(odd),
                    }
                }
            }
            members.into_iter().map(|(key, value)| (key, without_secrets(value, depth))).collect()
        }
        value => value,
    }
}

fn is_kind_of_secret(kind: &Value) -> bool {
    kind.as_str().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("Secret"))
}

fn hide(value: &mut Value) {
    let bytes = value.as_str().map_or_else(|| value.to_string().len(), str::len);
    *value = redacted(bytes).into();
}

/// Whether a value is a text of several lines, which may have a structure of its own.
fn is_block(text: &str) -> bool {
    text.trim_end().contains('\n') && text.contains([':', '='])
}

fn embedded(text: &str, depth: usize) -> String {
    if depth >= DEEPEST {
        return redacted(text.len());
    }
    // counted with the text that it is in
    match Written::form(text) {
        Form::Documents(documents) => {
            let documents: Vec<String> =
                documents.into_iter().map(|document| yaml(&shown(document, depth + 1))).collect();
            documents.join("---\n")
        }
        Form::Lines(lines) => lines,
        Form::Opaque | Form::Beyond => redacted(text.len()),
    }
}

/// The documents as one value whose differences can be told: what is redacted is told apart by a digest, under a
/// name that is redacted itself.
fn comparable(documents: &[Value]) -> Value {
    let marked = |document: &Value| marked(document, &shown(document.clone(), 0), false, 0);
    match documents {
        [] => json!({}),
        [document] => marked(document),
        documents => {
            let mut named = Map::new();
            for (at, document) in documents.iter().enumerate() {
                let name = object_name(document).filter(|name| !named.contains_key(name));
                named.insert(name.unwrap_or_else(|| format!("document {}", at + 1)), marked(document));
            }
            Value::Object(named)
        }
    }
}

/// `Deployment/web`, or `Deployment/shop/web`.
pub fn object_name(document: &Value) -> Option<String> {
    let kind = document.get("kind")?.as_str()?;
    let metadata = document.get("metadata")?;
    let name = metadata.get("name")?.as_str()?;
    match metadata.get("namespace").and_then(Value::as_str) {
        Some(namespace) => Some(format!("{kind}/{namespace}/{name}")),
        None => Some(format!("{kind}/{name}")),
    }
}

fn marked(raw: &Value, redacted: &Value, secret: bool, depth: usize) -> Value {
    if secret {
        return digest(&raw.to_string()).into();
    }
    if let Some(inner) = structure_of(raw).filter(|_| depth < DEEPEST) {
        return marked(&inner, &shown(inner.clone(), depth + 1), false, depth + 1);
    }
    match (raw, redacted) {
        (Value::Object(raw), Value::Object(redacted)) => {
            let is_secret = raw.get("kind").is_some_and(is_kind_of_secret);
            let below = |key: &str| is_secret_key(key) || (is_secret && matches!(key, "data" | "stringData"));
            let kept = raw.iter().filter_map(|(key, raw)| Some((key, raw, redacted.get(key)?)));
            kept.map(|(key, raw, redacted)| match (below(key), raw) {
                // one by one, as they are told
                (true, Value::Object(members)) => {
                    let digests =
                        members.iter().map(|(key, raw)| (key.clone(), marked(raw, raw, true, depth)));
                    (key.clone(), digests.collect())
                }
                (secret, raw) => (key.clone(), marked(raw, redacted, secret, depth)),
            })
            .collect()
        }
        (Value::Array(raw), Value::Array(redacted)) => {
            raw.iter().zip(redacted).map(|(raw, redacted)| marked(raw, redacted, false, depth)).collect()
        }
        (raw, redacted) if raw == redacted => raw.clone(),
        (raw, redacted) => json!({"text": redacted, "secret": digest(&raw.to_string())}),
    }
}

/// The one document that a text of several lines is.
fn structure_of(value: &Value) -> Option<Value> {
    let text = value.as_str().filter(|text| is_block(text))?;
    match Written::form(text) {
        Form::Documents(documents) => <[Value; 1]>::try_from(documents).ok().map(|[one]| one),
        _ => None,
    }
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The lines that only one side has; both are redacted already.
fn by_line(before: &str, after: &str) -> Vec<Difference> {
    let only = |these: &str, those: &str| -> Vec<String> {
        let those: std::collections::HashSet<&str> = those.lines().collect();
        these.lines().filter(|line| !those.contains(line)).map(|line| line.trim().to_owned()).collect()
    };
    let (gone, come) = (only(before, after), only(after, before));
    let path = || "(text)".to_owned();
    let mut found: Vec<Difference> = gone
        .into_iter()
        .map(|line| Difference { path: path(), before: Some(line), after: None })
        .chain(come.into_iter().map(|line| Difference { path: path(), before: None, after: Some(line) }))
        .collect();
    if found.is_empty() {
        let told = || Some("<redacted>".to_owned());
        found.push(Difference { path: path(), before: told(), after: told() });
    }
    found
}

#[cfg(test)]
mod tests;
