//! Whom a change of an RGD reaches: nodes that come and go, the kind's schema, the instances.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    answer::sanitise,
    kro::{
        definition::{Node, instance_kind},
        schema::{self, Described, Effect},
    },
    kubernetes::Object,
};

/// Lines of each kind that are told.
const MOST: usize = 50;

/// Nodes that are not in both, or make another kind, in words.
pub(super) fn nodes(before: Option<&Object>, after: &Object) -> Vec<String> {
    let parse = |rgd: &Object| -> BTreeMap<String, Node> {
        let nodes = rgd.items(&["spec", "resources"]).iter().filter_map(Node::parse);
        nodes.map(|node| (node.id.clone(), node)).collect()
    };
    let old = before.map(parse).unwrap_or_default();
    let new = parse(after);
    let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let called =
        |node: &Node| format!("{} ({})", sanitise::short(&node.id, 63), sanitise::short(&node.kind, 63));
    let told = ids.into_iter().filter_map(|id| match (old.get(id), new.get(id)) {
        (Some(old), None) if old.template().is_some() => {
            Some(format!("- {} goes: its objects are deleted in every instance", called(old)))
        }
        (Some(old), None) => Some(format!("- {} goes", called(old))),
        (None, Some(new)) => Some(format!("+ {} comes", called(new))),
        (Some(old), Some(new)) if old.group_kind() != new.group_kind() => Some(format!(
            "~ {} becomes {}: the old objects are deleted in every instance",
            called(old),
            new.group_kind()
        )),
        (Some(old), Some(new)) if identity(old) != identity(new) => Some(format!(
            "~ {} may be made under another name, and the old object deleted with what it holds",
            called(old)
        )),
        _ => None,
    });
    let mut told: Vec<String> = told.collect();
    told.sort_by_key(|line| line.starts_with('+'));
    told.truncate(MOST);
    told
}

fn identity(node: &Node) -> [Option<&Value>; 2] {
    let metadata = node.template().and_then(|template| template.get("metadata"));
    ["name", "namespace"].map(|field| metadata.and_then(|metadata| metadata.get(field)))
}

/// What changes of the kind that instances have.
pub(super) struct KindChange {
    /// In words, what breaks first.
    pub(super) lines: Vec<String>,
    /// Whether kro refuses it without being told otherwise.
    pub(super) breaking: bool,
    /// Instances that would not keep it, in words.
    pub(super) breaks: Vec<String>,
    /// What was not judged.
    pub(super) gaps: Vec<String>,
}

/// Compares the schemas, and looks at the instances. `before` is what kro compares with: the CRD, or where
/// that cannot be read the RGD as it is.
pub(super) fn kind(before: &Described, after: &Object, instances: &[Object]) -> KindChange {
    let (old, new) = (before, Described::of_rgd(after));
    let mut change = KindChange { lines: Vec::new(), breaking: false, breaks: Vec::new(), gaps: Vec::new() };
    if !old.problems.is_empty() || !new.problems.is_empty() {
        change.gaps.push("its schema could not be read whole, so changes of it are not all told".to_owned());
    }
    let mut changes = schema::changes("spec", &old.spec, &new.spec);
    changes.sort_by_key(|change| change.effect);
    change.breaking = changes.iter().any(|change| change.effect == Effect::Breaking);
    let line = |change: &schema::Change| match change.effect {
        Effect::Compatible => change.to_string(),
        effect => format!("{change} ({})", effect.word()),
    };
    change.lines = changes.iter().take(MOST).map(line).collect();
    if changes.is_empty() {
        return change;
    }
    let impact = schema::impact(&old.spec, &new.spec, instances);
    change.breaks = impact.first.iter().map(ToString::to_string).collect();
    let more = impact.broken.saturating_sub(impact.first.len());
    if more > 0 {
        change.breaks.push(format!("and {more} more"));
    }
    if impact.unjudged > 0 {
        change.gaps.push(format!("{} rules of the new schema are not judged here", impact.unjudged));
    }
    change
}

/// Fields that no RGD may change once it exists (kro v0.9.4 `helm/crds/kro.run_resourcegraphdefinitions.yaml`,
/// `self == oldSelf`).
pub(super) fn immutable(before: &Object, after: &Object) -> Vec<String> {
    let text = |rgd: &Object, field: &str| match field {
        "group" => instance_kind(rgd).group,
        "scope" => rgd.text(&["spec", "schema", "scope"]).unwrap_or("Namespaced").to_owned(),
        field => rgd.text(&["spec", "schema", field]).unwrap_or_default().to_owned(),
    };
    let changed = ["kind", "apiVersion", "group", "scope"].into_iter().filter_map(|field| {
        let (before, after) = (text(before, field), sanitise::short(&text(after, field), 80));
        (before != after).then(|| {
            format!(
                "spec.schema.{field} cannot be changed once the RGD exists: it is {before:?}, not {after:?}"
            )
        })
    });
    changed.collect()
}

/// How many instances there are in each namespace; those in none under `-`.
pub(super) fn counts(instances: &[Object]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for instance in instances {
        *counts.entry(instance.namespace().unwrap_or("-").to_owned()).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rgd(schema: &Value, resources: &Value) -> Object {
        Object::from_value(
            json!({"metadata": {"name": "r"}, "spec": {"schema": schema, "resources": resources}}),
        )
        .expect("an object")
    }

    #[test]
    fn nodes_that_take_objects_with_them_are_told_first() {
        let node = |id: &str, kind: &str, name: &str| json!({"id": id, "template": {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}});
        let schema = json!({"kind": "App"});
        let before = rgd(
            &schema,
            &json!([
                node("goes", "ConfigMap", "a"),
                node("turns", "ConfigMap", "b"),
                node("moves", "ConfigMap", "c"),
                node("stays", "ConfigMap", "d")
            ]),
        );
        let after = rgd(
            &schema,
            &json!([
                node("turns", "Secret", "b"),
                node("moves", "ConfigMap", "x"),
                node("stays", "ConfigMap", "d"),
                node("comes", "ConfigMap", "e")
            ]),
        );
        let told = nodes(Some(&before), &after);
        assert_eq!(told.len(), 4, "{told:#?}");
        assert!(told[0].starts_with("- goes (ConfigMap) goes: its objects are deleted"), "{told:#?}");
        assert!(told[1].starts_with("~ moves (ConfigMap) may be made under another name"), "{told:#?}");
        assert!(told[2].starts_with("~ turns (ConfigMap) becomes Secret"), "{told:#?}");
        assert_eq!(told[3], "+ comes (ConfigMap) comes");
    }

    #[test]
    fn what_cannot_be_changed_is_told_before_it_is_sent() {
        let before = rgd(&json!({"kind": "App", "apiVersion": "v1", "scope": "Namespaced"}), &json!([]));
        let after = rgd(&json!({"kind": "App", "apiVersion": "v1", "group": "kro.run"}), &json!([]));
        assert!(immutable(&before, &after).is_empty());
        let after =
            rgd(&json!({"kind": "Ape", "apiVersion": "v2", "scope": "Cluster", "group": "x.y"}), &json!([]));
        assert_eq!(immutable(&before, &after).len(), 4);
    }

    #[test]
    fn a_schema_is_judged_against_what_the_crd_has() {
        let wide = rgd(&json!({"kind": "App", "spec": {"width": "integer | default=1"}}), &json!([]));
        let narrow =
            rgd(&json!({"kind": "App", "spec": {"width": "integer | default=1 maximum=3"}}), &json!([]));
        let crd = json!({"spec": {"group": "kro.run", "names": {"kind": "App"}, "versions": [{"name": "v1",
            "storage": true, "schema": {"openAPIV3Schema": {"type": "object",
                "properties": {"spec": Described::of_rgd(&wide).spec}}}}]}});
        let crd = Described::of_crd(&Object::from_value(crd).expect("an object")).expect("a schema");
        let back = kind(&crd, &wide, &[]);
        assert!(!back.breaking && back.lines.is_empty(), "{:?}", back.lines);
        assert!(kind(&crd, &narrow, &[]).breaking);
    }
}
