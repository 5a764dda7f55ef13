//! The names kro writes on objects: labels, annotations, finalizers, field managers.
//!
//! kro v0.9.4 `pkg/metadata/{labels,prefixes,annotations}.go`. A planned migration moves
//! `kro.run/*` to `internal.kro.run/*` (kro `docs/design/proposals/label-migration.md`), so both
//! prefixes are read; `applyset.kubernetes.io/*` stays as it is.

use crate::kubernetes::Object;

/// The API group of kro's own kinds, and the default group of the kinds it generates.
pub const GROUP: &str = "kro.run";
/// The API group of GraphRevisions.
pub const INTERNAL_GROUP: &str = "internal.kro.run";
/// The finalizer on RGDs, GraphRevisions and instances.
pub const FINALIZER: &str = "kro.run/finalizer";
/// The server-side-apply field manager of children.
pub const CHILD_MANAGER: &str = "kro.run/applyset";

/// On a child: the id of its ApplySet.
pub const PART_OF: &str = "applyset.kubernetes.io/part-of";
/// On an instance: the id of the ApplySet it is the parent of.
pub const APPLYSET_ID: &str = "applyset.kubernetes.io/id";
/// On an instance: who manages the ApplySet (`kro/v0.9.4`).
pub const APPLYSET_TOOLING: &str = "applyset.kubernetes.io/tooling";
/// On an instance: the kinds of its children, a superset.
pub const CONTAINS_GROUP_KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
/// On an instance: the namespaces of its children besides its own.
pub const ADDITIONAL_NAMESPACES: &str = "applyset.kubernetes.io/additional-namespaces";

/// On a child: the uid of the instance; the only link before kro 0.5.
pub const INSTANCE_ID: &str = "kro.run/instance-id";
/// On a generated CRD and a GraphRevision: the name of the RGD.
pub const RGD_NAME: &str = "kro.run/resource-graph-definition-name";
/// On an instance: set to `suspended` or `disabled`, kro leaves its children alone.
pub const RECONCILE: &str = "reconcile";

const PREFIXES: [&str; 2] = ["kro.run/", "internal.kro.run/"];

/// The id of the node that a child belongs to (kro ≥ 0.8).
pub fn node_id(object: &Object) -> Option<&str> {
    label(object, "node-id")
}

/// The name of the RGD that an instance belongs to.
///
/// Children of kro ≤ 0.8.5 carry it too, with their parent's RGD: see [`is_instance`].
pub fn rgd_name(object: &Object) -> Option<&str> {
    label(object, "resource-graph-definition-name")
}

/// The version of the kro that has an object in hand (`v0.9.4`).
pub fn kro_version(object: &Object) -> Option<&str> {
    label(object, "kro-version")
}

/// Which instance a child says it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParentName<'a> {
    /// API group and kind (kro ≥ 0.8.2); the kind is empty where kro does not tell.
    pub group: &'a str,
    /// Kind, as in `kind:`.
    pub kind: &'a str,
    /// None for a cluster-scoped instance (kro ≥ 0.9).
    pub namespace: Option<&'a str>,
    /// Name.
    pub name: &'a str,
}

/// Which instance an object says it is a child of: whoever may write labels can have it say anything.
pub fn parent(object: &Object) -> Option<ParentName<'_>> {
    let marked = object.label(PART_OF).is_some() || object.label(INSTANCE_ID).is_some();
    let name = label(object, "instance-name").filter(|_| marked)?;
    Some(ParentName {
        group: label(object, "instance-group").unwrap_or_default(),
        kind: label(object, "instance-kind").unwrap_or_default(),
        namespace: label(object, "instance-namespace"),
        name,
    })
}

/// The position of a collection's member (kro ≥ 0.8).
pub fn collection_index(object: &Object) -> Option<u64> {
    label(object, "collection-index")?.parse().ok()
}

/// How many members kro wanted when it last applied this one.
pub fn collection_size(object: &Object) -> Option<u64> {
    label(object, "collection-size")?.parse().ok()
}

/// The value of the annotation `kro.run/reconcile`.
pub fn reconcile(object: &Object) -> Option<&str> {
    PREFIXES.iter().find_map(|prefix| object.annotation(&format!("{prefix}{RECONCILE}")))
}

/// Whether an object is an instance that kro has taken in hand: the parent of an ApplySet of
/// kro's. `kubectl apply --applyset` makes such parents too, of ConfigMaps and Secrets.
pub fn is_instance(object: &Object) -> bool {
    let parent = object.label(APPLYSET_ID).is_some();
    let by_kro = object.annotation(APPLYSET_TOOLING).is_some_and(|tool| tool.starts_with("kro/"));
    parent && (by_kro || rgd_name(object).is_some())
}

fn label<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    PREFIXES
        .iter()
        .find_map(|prefix| object.label(&format!("{prefix}{name}")))
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_prefixes_are_read_and_the_empty_value_is_none() {
        let object = |labels| Object::from_value(json!({"metadata": {"labels": labels}})).expect("an object");
        assert_eq!(node_id(&object(json!({"kro.run/node-id": "a"}))), Some("a"));
        assert_eq!(node_id(&object(json!({"internal.kro.run/node-id": "b"}))), Some("b"));
        assert_eq!(node_id(&object(json!({"kro.run/node-id": ""}))), None);
    }

    #[test]
    fn a_kubectl_applyset_parent_is_no_instance() {
        let secret = json!({"metadata": {"labels": {APPLYSET_ID: "x"},
            "annotations": {APPLYSET_TOOLING: "kubectl/v1.33"}}});
        assert!(!is_instance(&Object::from_value(secret).expect("an object")));
    }
}
