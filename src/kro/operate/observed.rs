//! [`Observed`]: what a plan depends on, as digests; and what of an object a plan depends on.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::{kro::labels, kubernetes::Object};

/// Prefixes of the labels and annotations that kro writes.
const OF_KRO: [&str; 3] = ["kro.run/", "internal.kro.run/", "applyset.kubernetes.io/"];
/// `metadata` of an object that whoever writes it can mean.
const MEANT: [&str; 6] = ["name", "namespace", "labels", "annotations", "finalizers", "ownerReferences"];
/// Written by `kubectl apply`: the whole object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Whether kro writes a label or an annotation. That which suspends an instance is people's.
pub fn is_of_kro(key: &str) -> bool {
    OF_KRO.iter().any(|prefix| {
        key.strip_prefix(prefix)
            .is_some_and(|name| name != labels::RECONCILE && name != "allow-breaking-changes")
    })
}

/// What an object is and what people meant it to be: without status, bookkeeping, and what kro notes on it,
/// all of which change while a plan waits for its confirmation.
pub fn stable(object: &Object) -> Value {
    let mut members = meant(object);
    if let Some(Value::Object(metadata)) = members.get_mut("metadata") {
        for name in ["uid", "generation", "deletionTimestamp"] {
            let value = object.at(&["metadata", name]).cloned();
            metadata.extend(value.map(|value| (name.to_owned(), value)));
        }
    }
    Value::Object(members)
}

/// What people meant an object to be: what two of them are compared by.
pub fn intent(object: &Object) -> Value {
    Value::Object(meant(object))
}

fn meant(object: &Object) -> Map<String, Value> {
    let mut members = object.members().clone();
    members.remove("status");
    let Some(Value::Object(metadata)) = members.get_mut("metadata") else { return members };
    metadata.retain(|name, _| MEANT.contains(&name.as_str()));
    for name in ["labels", "annotations"] {
        if let Some(Value::Object(texts)) = metadata.get_mut(name) {
            texts.retain(|key, _| !is_of_kro(key) && key != LAST_APPLIED);
        }
    }
    if let Some(Value::Array(finalizers)) = metadata.get_mut("finalizers") {
        finalizers.retain(|finalizer| finalizer.as_str() != Some(labels::FINALIZER));
    }
    let empty = |value: &Value| {
        value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
    };
    metadata.retain(|_, value| !empty(value));
    members
}

/// A thing that a plan depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The object that would change.
    Object,
    /// What the API server would make of it.
    Effect,
    /// What becomes of its nodes.
    Nodes,
    /// What is already where it would make objects.
    Targets,
    /// What goes with it.
    Gone,
    /// Whom it breaks.
    Broken,
}

impl Part {
    const ALL: [Self; 6] = [Self::Object, Self::Effect, Self::Nodes, Self::Targets, Self::Gone, Self::Broken];

    /// In the sealed text, which the caller carries.
    fn letter(self) -> char {
        match self {
            Self::Object => 'o',
            Self::Effect => 'e',
            Self::Nodes => 'n',
            Self::Targets => 't',
            Self::Gone => 'g',
            Self::Broken => 'b',
        }
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Object => "the object",
            Self::Effect => "what the API server would make of it",
            Self::Nodes => "what becomes of its nodes",
            Self::Targets => "what is there already",
            Self::Gone => "what goes with it",
            Self::Broken => "whom it breaks",
        }
    }
}

/// What a plan depends on: a digest of each part. Only the digests leave.
#[derive(Clone, Debug, Default)]
pub struct Observed(BTreeMap<Part, String>);

impl Observed {
    /// With one part more.
    #[must_use]
    pub fn with(mut self, part: Part, value: &Value) -> Self {
        let mut text = String::new();
        canonical(value, &mut text);
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        // half of it: nobody gains from a collision, which would have to be of the same caller's plan
        let half = hash.as_ref().get(..16).unwrap_or_default();
        self.0.insert(part, URL_SAFE_NO_PAD.encode(half));
        self
    }

    /// As text, the same for the same things.
    pub fn text(&self) -> String {
        self.0.iter().map(|(part, hash)| format!("{}{hash}", part.letter())).collect::<Vec<_>>().join(" ")
    }

    /// What is not as it was when `agreed` was observed.
    pub fn changed_since(&self, agreed: &str) -> Vec<&'static str> {
        let before = |part: Part| agreed.split(' ').find_map(|entry| entry.strip_prefix(part.letter()));
        let changed = |part: &Part| before(*part) != self.0.get(part).map(String::as_str);
        Part::ALL.into_iter().filter(changed).map(Part::name).collect()
    }
}

/// JSON with the members of objects in order.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            text.push('{');
            for (name, value) in sorted {
                text.push_str(&json!(name).to_string());
                text.push(':');
                canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        Object::from_value(value).expect("an object")
    }

    #[test]
    fn what_kro_notes_on_an_object_changes_no_plan_and_what_people_do_does() {
        let before = object(json!({"kind": "App", "metadata": {"name": "a", "uid": "1", "generation": 1,
            "resourceVersion": "5", "managedFields": [1]}, "spec": {"x": 1}}));
        let noted = object(json!({"kind": "App", "spec": {"x": 1}, "status": {"state": "ACTIVE"},
            "metadata": {"generation": 1, "name": "a", "uid": "1", "resourceVersion": "9",
                "labels": {"kro.run/owned": "true"}, "finalizers": ["kro.run/finalizer"],
                "annotations": {"applyset.kubernetes.io/tooling": "kro/v0.9.4"}}}));
        let digest = |object: &Object| Observed::default().with(Part::Object, &stable(object));
        assert_eq!(digest(&before).text(), digest(&noted).text());
        assert_eq!(digest(&noted).changed_since(&digest(&before).text()), Vec::<&str>::new());
        for (path, value) in [
            ("/metadata/generation", json!(2)),
            ("/metadata/uid", json!("2")),
            ("/spec/x", json!(2)),
            ("/metadata/annotations", json!({"kro.run/reconcile": "suspended"})),
            ("/metadata/labels", json!({"team": "a"})),
        ] {
            let mut other = noted.clone().into_value();
            *other.pointer_mut(path).expect("a field") = value;
            let other = digest(&object(other));
            assert_eq!(other.changed_since(&digest(&before).text()), ["the object"], "{path}");
        }
    }

    #[test]
    fn a_dry_run_twice_has_one_effect() {
        let dry_run = |uid: &str| {
            intent(&object(json!({"metadata": {"name": "a", "uid": uid, "creationTimestamp": uid},
                "spec": {"x": 1}})))
        };
        assert_eq!(dry_run("1"), dry_run("2"));
    }
}
