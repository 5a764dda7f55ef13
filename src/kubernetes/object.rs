//! [`Object`]: any Kubernetes object as JSON, with the accessors that every reader needs.

use serde_json::{Map, Value};

/// A Kubernetes object as the API server sent it.
///
/// Kept as JSON because most kinds here (those that an RGD generates) are unknown at compile time.
/// Items of a list come without `apiVersion` and `kind`; the fetching layer fills them in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(Map<String, Value>);

/// One entry of `status.conditions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition<'a> {
    /// `type`
    pub kind: &'a str,
    /// `True`, `False` or `Unknown`
    pub status: &'a str,
    /// Machine-readable cause; empty when absent.
    pub reason: &'a str,
    /// Human-readable detail; empty when absent. Text from the cluster: untrusted.
    pub message: &'a str,
    /// `metadata.generation` that this condition is about, where the controller says so.
    pub observed_generation: Option<i64>,
    /// RFC 3339; empty when absent.
    pub last_transition: &'a str,
}

impl Condition<'_> {
    /// Whether the status is `True`.
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }

    /// Whether the status is `False`.
    pub fn is_false(&self) -> bool {
        self.status == "False"
    }
}

impl Object {
    /// Takes a JSON value as an object; anything but a JSON object is `None`.
    pub fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self(map)),
            _ => None,
        }
    }

    /// The whole object as JSON.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// A top-level member such as `spec`.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The raw members, for layers that look at an object as plain data.
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The raw members, for layers that rewrite an object (redaction, list items).
    pub fn members_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }

    /// The value at `path`, each element a member name; `None` where any step is missing.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(*first)?, |value, key| value.get(*key))
    }

    /// The string at `path`.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_str()
    }

    /// The integer at `path`.
    pub fn integer(&self, path: &[&str]) -> Option<i64> {
        self.at(path)?.as_i64()
    }

    /// `apiVersion`, empty when absent.
    pub fn api_version(&self) -> &str {
        self.text(&["apiVersion"]).unwrap_or_default()
    }

    /// The API group of `apiVersion`, empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// `kind`, empty when absent.
    pub fn kind(&self) -> &str {
        self.text(&["kind"]).unwrap_or_default()
    }

    /// `metadata.name`, empty when absent.
    pub fn name(&self) -> &str {
        self.text(&["metadata", "name"]).unwrap_or_default()
    }

    /// `metadata.namespace`; `None` for a cluster-scoped object.
    pub fn namespace(&self) -> Option<&str> {
        self.text(&["metadata", "namespace"]).filter(|namespace| !namespace.is_empty())
    }

    /// `metadata.uid`, empty when absent.
    pub fn uid(&self) -> &str {
        self.text(&["metadata", "uid"]).unwrap_or_default()
    }

    /// `metadata.labels[key]`
    pub fn label(&self, key: &str) -> Option<&str> {
        self.text(&["metadata", "labels", key])
    }

    /// `metadata.annotations[key]`
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.text(&["metadata", "annotations", key])
    }

    /// `metadata.generation`
    pub fn generation(&self) -> Option<i64> {
        self.integer(&["metadata", "generation"])
    }

    /// `metadata.creationTimestamp`, RFC 3339.
    pub fn created(&self) -> Option<&str> {
        self.text(&["metadata", "creationTimestamp"])
    }

    /// `metadata.deletionTimestamp`, RFC 3339; present while the object is being deleted.
    pub fn deletion(&self) -> Option<&str> {
        self.text(&["metadata", "deletionTimestamp"])
    }

    /// `metadata.finalizers`
    pub fn finalizers(&self) -> Vec<&str> {
        self.strings(&["metadata", "finalizers"])
    }

    /// The names in `metadata.managedFields[].manager`.
    pub fn field_managers(&self) -> Vec<&str> {
        self.items(&["metadata", "managedFields"])
            .iter()
            .filter_map(|entry| entry.get("manager")?.as_str())
            .collect()
    }

    /// `status.conditions`, in the order the controller wrote them.
    pub fn conditions(&self) -> Vec<Condition<'_>> {
        self.items(&["status", "conditions"]).iter().filter_map(condition).collect()
    }

    /// The condition of that type.
    pub fn condition(&self, kind: &str) -> Option<Condition<'_>> {
        self.conditions().into_iter().find(|condition| condition.kind == kind)
    }

    /// The array at `path`, empty when absent or not an array.
    pub fn items(&self, path: &[&str]) -> &[Value] {
        self.at(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The strings of the array at `path`.
    pub fn strings(&self, path: &[&str]) -> Vec<&str> {
        self.items(path).iter().filter_map(Value::as_str).collect()
    }
}

/// How a manifest begins, as people write it.
const ORDER: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];

/// A manifest with its members in the order that people expect; those of one kind alone stand before the status.
pub fn in_order(value: Value) -> Value {
    let Value::Object(mut members) = value else { return value };
    let status = members.shift_remove("status");
    let mut ordered = Map::new();
    for name in ORDER {
        ordered.extend(members.shift_remove(name).map(|value| (name.to_owned(), value)));
    }
    ordered.extend(members);
    ordered.extend(status.map(|status| ("status".to_owned(), status)));
    Value::Object(ordered)
}

fn condition(value: &Value) -> Option<Condition<'_>> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    Some(Condition {
        kind: value.get("type")?.as_str()?,
        status: text("status"),
        reason: text("reason"),
        message: text("message"),
        observed_generation: value.get("observedGeneration").and_then(Value::as_i64),
        last_transition: text("lastTransitionTime"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn odd_shapes_read_as_absent() {
        let object = Object::from_value(json!({
            "apiVersion": "v1", "kind": 7, "metadata": {"labels": "no", "finalizers": {"a": 1}},
            "status": {"conditions": [1, {"status": "True"}, {"type": "Ready", "status": true}]}
        }))
        .expect("an object");
        assert_eq!((object.kind(), object.name(), object.group()), ("", "", ""));
        assert_eq!(object.label("a"), None);
        assert!(object.finalizers().is_empty());
        assert_eq!(object.conditions().len(), 1);
        assert!(!object.condition("Ready").expect("the typed entry").is_true());
    }
}
