//! The ApplySet of an instance: its id, and what its annotations say about the children.
//!
//! KEP-3659, as kro v0.9.4 implements it (`pkg/controller/instance/applyset`). The id needs no
//! call: it is a hash of the instance's own coordinates.

use crate::kro::labels;
use crate::kubernetes::Object;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::{BTreeSet, HashSet};

/// A kind in a group, without version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupKind {
    /// API group, empty for the core group.
    pub group: String,
    /// Kind, as in `kind:`.
    pub kind: String,
}

impl GroupKind {
    /// From its two parts.
    pub fn new(group: &str, kind: &str) -> Self {
        Self { group: group.to_owned(), kind: kind.to_owned() }
    }

    /// The group and kind of an object.
    pub fn of(object: &Object) -> Self {
        Self::new(object.group(), object.kind())
    }
}

impl std::fmt::Display for GroupKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.group.as_str() {
            "" => write!(out, "{}", self.kind),
            group => write!(out, "{}.{group}", self.kind),
        }
    }
}

/// The id that every child of `instance` carries in `applyset.kubernetes.io/part-of`:
/// `applyset-<base64url(sha256("name.namespace.Kind.group"))>-v1`.
pub fn id(instance: &Object) -> String {
    let coordinates = format!(
        "{}.{}.{}.{}",
        instance.name(),
        instance.namespace().unwrap_or_default(),
        instance.kind(),
        instance.group()
    );
    let hash = digest::digest(&digest::SHA256, coordinates.as_bytes());
    format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(hash))
}

/// Kinds and namespaces that are looked at: whoever may write the annotations could name thousands,
/// and each is a request.
const MOST_KINDS: usize = 64;
const MOST_NAMESPACES: usize = 100;

/// What an annotation names, each once, up to a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<T> {
    /// What is looked at.
    pub entries: Vec<T>,
    /// How many more there are.
    pub left_out: usize,
}

impl<T> Named<T> {
    fn first(all: Vec<T>, most: usize) -> Self {
        let left_out = all.len().saturating_sub(most);
        Self { entries: all.into_iter().take(most).collect(), left_out }
    }
}

/// The kinds that children of `instance` may have, from its annotation: a superset (kinds stay
/// until a prune succeeds), and `None` for kro < 0.5, which writes no ApplySet.
pub fn group_kinds(instance: &Object) -> Option<Named<GroupKind>> {
    let list = instance.annotation(labels::CONTAINS_GROUP_KINDS)?;
    let mut seen = HashSet::new();
    let all = entries(list).filter(|entry| seen.insert(*entry)).map(group_kind).collect();
    Some(Named::first(all, MOST_KINDS))
}

/// The namespaces where children may be: the instance's own (`default` for a cluster-scoped one,
/// as kro prunes) and those of the annotation.
pub fn namespaces(instance: &Object) -> Named<&str> {
    let own = instance.namespace().unwrap_or("default");
    let others: BTreeSet<&str> = additional(instance).filter(|namespace| *namespace != own).collect();
    let mut all = Named::first(others.into_iter().collect(), MOST_NAMESPACES);
    all.entries.insert(0, own);
    all
}

/// Whether `instance` can have children in that namespace.
pub fn reaches(instance: &Object, namespace: Option<&str>) -> bool {
    names(instance.namespace(), instance.annotation(labels::ADDITIONAL_NAMESPACES), namespace)
}

/// The same by the instance's own namespace and its annotation of others.
pub fn names(own: Option<&str>, additional: Option<&str>, namespace: Option<&str>) -> bool {
    match (own, namespace) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(own), Some(namespace)) => {
            own == namespace || entries(additional.unwrap_or_default()).any(|other| other == namespace)
        }
    }
}

fn additional(instance: &Object) -> impl Iterator<Item = &str> {
    entries(instance.annotation(labels::ADDITIONAL_NAMESPACES).unwrap_or_default())
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

fn group_kind(entry: &str) -> GroupKind {
    let (kind, group) = entry.split_once('.').unwrap_or((entry, ""));
    GroupKind::new(group, kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn instance(annotations: &serde_json::Value) -> Object {
        Object::from_value(json!({
            "apiVersion": "kro.run/v1alpha1", "kind": "WebApp",
            "metadata": {"name": "shop", "namespace": "default", "annotations": annotations}
        }))
        .expect("an object")
    }

    #[test]
    fn kinds_and_namespaces_of_the_annotations() {
        let instance = instance(&json!({
            labels::CONTAINS_GROUP_KINDS: "Deployment.apps,Namespace, Ingress.networking.k8s.io,",
            labels::ADDITIONAL_NAMESPACES: "tenant001,default"
        }));
        assert_eq!(
            group_kinds(&instance).map(|kinds| kinds.entries),
            Some(vec![
                GroupKind::new("apps", "Deployment"),
                GroupKind::new("", "Namespace"),
                GroupKind::new("networking.k8s.io", "Ingress"),
            ])
        );
        assert_eq!(namespaces(&instance).entries, ["default", "tenant001"]);
    }

    #[test]
    fn what_is_named_is_looked_at_once_and_up_to_a_bound() {
        let many = |prefix: &str, count: usize| {
            (0..count).flat_map(|i| [format!("{prefix}{i}"), format!("{prefix}{i}")]).collect::<Vec<_>>()
        };
        let instance = instance(&json!({
            labels::CONTAINS_GROUP_KINDS: many("Kind", 70).join(","),
            labels::ADDITIONAL_NAMESPACES: many("space", 103).join(",")
        }));
        let kinds = group_kinds(&instance).expect("an ApplySet");
        assert_eq!((kinds.entries.len(), kinds.left_out), (64, 6));
        let namespaces = namespaces(&instance);
        assert_eq!((namespaces.entries.len(), namespaces.left_out), (101, 3));
        assert_eq!(namespaces.entries.first(), Some(&"default"));
    }

    #[test]
    fn children_are_where_the_instance_says() {
        let instance = instance(&json!({labels::ADDITIONAL_NAMESPACES: "a,b"}));
        for (namespace, expected) in
            [(Some("default"), true), (Some("b"), true), (Some("c"), false), (None, false)]
        {
            assert_eq!(reaches(&instance, namespace), expected, "{namespace:?}");
        }
    }

    #[test]
    fn the_id_is_the_one_that_kro_writes() {
        // read from kro v0.9.4 on its example saas-multi-tenant
        let tenant = Object::from_value(json!({
            "apiVersion": "kro.run/v1alpha1", "kind": "Tenant",
            "metadata": {"name": "tenant001", "namespace": "default"}
        }));
        assert_eq!(
            id(&tenant.expect("an object")),
            "applyset-RNTDHZviVSWE9qzUP7V_ceccI8UVmLZQ0aAx4iZaoXE-v1"
        );
    }

    #[test]
    fn no_annotation_is_an_older_kro_and_an_empty_one_is_no_children() {
        assert_eq!(group_kinds(&instance(&json!({}))), None);
        let empty = instance(&json!({labels::CONTAINS_GROUP_KINDS: ""}));
        assert_eq!(group_kinds(&empty), Some(Named { entries: vec![], left_out: 0 }));
    }
}
