//! Whose an object is, by the labels that kro puts on children.

use super::case::Owner;
use crate::kro::{applyset, labels};
use crate::kubernetes::Object;
use serde_json::json;

/// The instance that an object belongs to. Labels are written by anyone, so the instance that they name counts
/// only where its ApplySet is the one the object is part of; `sees` says which namespaces the caller may see.
pub fn of(object: &Object, sees: impl Fn(Option<&str>) -> bool) -> Owner {
    let label = |name: &str| {
        ["kro.run/", "internal.kro.run/"]
            .into_iter()
            .find_map(|prefix| object.label(&format!("{prefix}{name}")))
    };
    let (Some(part_of), Some(name), Some(kind)) =
        (object.label(labels::PART_OF), label("instance-name"), label("instance-kind"))
    else {
        return Owner::Stranger;
    };
    let namespace = label("instance-namespace").filter(|namespace| !namespace.is_empty());
    let group = label("instance-group").unwrap_or(labels::GROUP);
    let named = Object::from_value(json!({"apiVersion": format!("{group}/v1"), "kind": kind,
        "metadata": {"name": name, "namespace": namespace}}));
    if named.is_none_or(|named| applyset::id(&named) != part_of) {
        return Owner::Stranger;
    }
    if !sees(namespace) {
        return Owner::Hidden;
    }
    Owner::Instance { kind: kind.to_owned(), namespace: namespace.map(str::to_owned), name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(part_of: &str) -> Object {
        Object::from_value(json!({"kind": "ConfigMap", "metadata": {"name": "x", "labels": {
            labels::PART_OF: part_of, "kro.run/instance-name": "tenant001", "kro.run/instance-kind": "Tenant",
            "kro.run/instance-namespace": "default", "kro.run/instance-group": "kro.run"}}}))
        .expect("an object")
    }

    #[test]
    fn labels_count_where_the_hash_says_the_same() {
        let real = child("applyset-RNTDHZviVSWE9qzUP7V_ceccI8UVmLZQ0aAx4iZaoXE-v1");
        let owner = Owner::Instance {
            kind: "Tenant".into(),
            namespace: Some("default".into()),
            name: "tenant001".into(),
        };
        assert_eq!(of(&real, |_| true), owner);
        assert_eq!(of(&real, |namespace| namespace != Some("default")), Owner::Hidden);
        assert_eq!(of(&child("applyset-forged-v1"), |_| true), Owner::Stranger);
    }
}
