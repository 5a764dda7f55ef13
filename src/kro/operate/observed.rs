//! What of an object a plan depends on, beside what kro notes on it.

use serde_json::{Map, Value};

use crate::{kro::labels, kubernetes::Object};

pub use crate::kubernetes::observed::{Observed, Part};

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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
