//! What goes with an instance, in which order, what keeps it, and what stays.

use std::collections::BTreeMap;

use crate::{
    kro::{
        applyset,
        definition::Definition,
        graph::{Collected, Home, Observed, Rgd},
        instance, labels,
    },
    kubernetes::Object,
};

/// On a child: when it goes, the highest first (kro ≥ 0.9.4 `pkg/controller/instance/deletion.go`).
const APPLY_ORDER: &str = "internal.kro.run/apply-order";
/// What keeps it that is told.
const MOST: usize = 20;
/// Nested instances that are looked into for it.
const DEEPEST: usize = 16;

/// One object that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Going {
    /// Which wave it goes with, 1 first. A wave begins when the one before it is gone.
    pub wave: usize,
    /// Its node, a path through nested instances.
    pub node: Option<String>,
    /// Its kind.
    pub kind: String,
    /// Its namespace; none for what is in none.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Finalizers that somebody has to take off before it goes.
    pub finalizers: Vec<String>,
    /// What goes with it that is no child.
    pub takes: Option<&'static str>,
}

/// What goes with an instance, in order. Below a nested instance everything goes before it, at once.
pub fn going(collected: &Collected) -> Vec<Going> {
    let home = Home::of(&collected.instance);
    let children: Vec<&Object> = collected.children.iter().filter(|child| home.has(child)).collect();
    let orders: Vec<Option<usize>> = match children.iter().any(|child| order(child).is_some()) {
        true => children.iter().map(|child| order(child)).collect(),
        false => {
            let levels = collected.rgd.definition().map(levels).unwrap_or_default();
            children.iter().map(|child| levels.get(labels::node_id(child)?).copied()).collect()
        }
    };
    // without an order: the last wave
    let mut ranks: Vec<usize> = orders.iter().map(|order| order.unwrap_or_default()).collect();
    let own = ranks.clone();
    ranks.sort_unstable_by(|a, b| b.cmp(a));
    ranks.dedup();
    let wave = |rank: usize| ranks.iter().position(|other| *other == rank).unwrap_or_default() + 1;
    let mut found: Vec<Going> = Vec::new();
    for (child, rank) in children.into_iter().zip(own) {
        let at = wave(rank);
        let node = labels::node_id(child).map(str::to_owned);
        if let Some(nested) = collected.nested.get(child.uid()) {
            let below = going(nested).into_iter().map(|inner| Going {
                wave: at,
                node: match (&node, &inner.node) {
                    (Some(outer), Some(inner)) => Some(format!("{outer}/{inner}")),
                    (outer, inner) => outer.clone().or_else(|| inner.clone()),
                },
                ..inner
            });
            found.extend(below);
        }
        let held = |finalizer: &&str| *finalizer != labels::FINALIZER || !labels::is_instance(child);
        found.push(Going {
            wave: at,
            node,
            kind: child.kind().to_owned(),
            namespace: child.namespace().map(str::to_owned),
            name: child.name().to_owned(),
            finalizers: child.finalizers().into_iter().filter(held).map(str::to_owned).collect(),
            takes: takes(child),
        });
    }
    found.sort_by_key(|going| going.wave);
    found
}

fn order(child: &Object) -> Option<usize> {
    child.annotation(APPLY_ORDER)?.parse().ok().filter(|order| *order > 0)
}

fn takes(child: &Object) -> Option<&'static str> {
    match (child.group(), child.kind()) {
        ("", "Namespace") => Some("everything in that namespace"),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Some("every object of the kind it defines"),
        ("", "PersistentVolumeClaim") => Some("the data of its volume, unless the volume is retained"),
        _ => None,
    }
}

/// How far each node is from those that need nothing: what needs it goes before it (kro < 0.9.4).
fn levels(definition: &Definition) -> BTreeMap<&str, usize> {
    let mut levels: BTreeMap<&str, usize> = BTreeMap::new();
    for node in &definition.nodes {
        let below = node.dependencies.iter().filter_map(|id| levels.get(id.as_str())).max();
        let level = 1 + below.copied().unwrap_or_default();
        levels.insert(&node.id, level);
    }
    levels
}

/// What keeps an instance from going, or will: finalizers that somebody other than kro has to take off, and
/// kro's own where nobody is left to do it. What kro complains of while all is there keeps no deletion.
pub fn blocks(collected: &Collected) -> Vec<String> {
    let instance = &collected.instance;
    let mut found = Vec::new();
    if instance.finalizers().contains(&labels::FINALIZER) {
        found.extend(unattended(collected));
    }
    let others = foreign(instance);
    if !others.is_empty() {
        found.push(format!("it has finalizers that are not kro's: {}", others.join(", ")));
    }
    children(collected, 0, &mut found);
    let more = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    found.extend((more > 0).then(|| format!("and {more} more")));
    found
}

/// Why nobody takes kro's finalizer off.
fn unattended(collected: &Collected) -> Option<String> {
    match &collected.rgd {
        Rgd::Gone(name) => Some(format!(
            "RGD {name} does not exist: nobody takes kro.run/finalizer off, so it stays until the RGD is applied again"
        )),
        Rgd::Unknown => Some(
            "no RGD generates this kind any more: nobody takes kro.run/finalizer off, so it stays".to_owned(),
        ),
        Rgd::Read(_) | Rgd::Unread(..) if !instance::is_observed(&collected.instance) => Some(
            "kro has not looked at it yet: if no controller does, nobody takes kro.run/finalizer off"
                .to_owned(),
        ),
        Rgd::Read(_) | Rgd::Unread(..) => None,
    }
}

fn children(collected: &Collected, depth: usize, found: &mut Vec<String>) {
    let home = Home::of(&collected.instance);
    for child in collected.children.iter().filter(|child| home.has(child)) {
        let what = match child.namespace() {
            Some(namespace) => format!("{} {namespace}/{}", child.kind(), child.name()),
            None => format!("{} {}", child.kind(), child.name()),
        };
        let others = foreign(child);
        if !others.is_empty() {
            found.push(format!("{what} has finalizers that are not kro's: {}", others.join(", ")));
        }
        let Some(nested) = collected.nested.get(child.uid()).filter(|_| depth < DEEPEST) else { continue };
        if child.finalizers().contains(&labels::FINALIZER) {
            found.extend(unattended(nested).map(|why| format!("{what}: {why}")));
        }
        children(nested, depth + 1, found);
    }
}

/// Finalizers that are neither kro's nor of Kubernetes, which takes its own off.
fn foreign(object: &Object) -> Vec<&str> {
    let of_kubernetes = |finalizer: &str| {
        let domain = finalizer.split_once('/').map(|(domain, _)| domain);
        domain.is_none_or(|domain| domain == "kubernetes.io" || domain.ends_with(".kubernetes.io"))
    };
    let finalizers = object.finalizers().into_iter();
    finalizers.filter(|finalizer| *finalizer != labels::FINALIZER && !of_kubernetes(finalizer)).collect()
}

/// What stays when an instance is gone.
pub fn stays(collected: &Collected) -> Vec<String> {
    let mut found = Vec::new();
    let instance = &collected.instance;
    let known = !collected.children.is_empty();
    if !instance.finalizers().contains(&labels::FINALIZER) && known {
        found
            .push("what kro made of it: it has no finalizer of kro, so it goes at once and alone".to_owned());
    }
    let nodes = collected.rgd.definition().map(|definition| definition.nodes.as_slice()).unwrap_or_default();
    for node in nodes.iter().filter(|node| node.external().is_some()) {
        let object = match collected.externals.get(&node.id) {
            Some(Observed::One(object)) => format!("{}/{}", object.kind(), object.name()),
            _ => node.kind.clone(),
        };
        found.push(format!("{object}, which node {} only refers to", node.id));
    }
    let home = Home::of(instance);
    for child in collected.children.iter().filter(|child| !home.has(child)).take(10) {
        let place = child.namespace().unwrap_or_default();
        let what = format!("{}/{} in {place}", child.kind(), child.name());
        found.push(format!("{what}, which has its label and is outside of where kro looks"));
    }
    if collected.children.iter().any(|child| child.kind() == "StatefulSet" && child.group() == "apps") {
        found.push("volume claims that its StatefulSets made, unless they say otherwise".to_owned());
    }
    found
}

/// The namespaces where children may be, `None` for what is in none.
pub fn places(instance: &Object) -> Vec<Option<&str>> {
    std::iter::once(None).chain(applyset::namespaces(instance).entries.into_iter().map(Some)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn object(value: Value) -> Object {
        Object::from_value(value).expect("an object")
    }

    fn instance(name: &str, finalizers: &[&str]) -> Object {
        object(json!({"apiVersion": "x.test/v1", "kind": "App", "metadata": {"name": name, "namespace": "t",
            "uid": name, "finalizers": finalizers, "annotations": {"applyset.kubernetes.io/contains-group-kinds": ""}}}))
    }

    fn child(kind: &str, node: &str, namespace: &str, order: &str) -> Object {
        object(json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": node, "namespace": namespace,
            "uid": node, "labels": {"kro.run/node-id": node},
            "annotations": {"internal.kro.run/apply-order": order}}}))
    }

    fn definition() -> Rgd {
        let rgd = json!({"metadata": {"name": "app"}, "spec": {"resources": [
            {"id": "first", "template": {"kind": "ConfigMap"}},
            {"id": "second", "template": {"kind": "ConfigMap"}},
            {"id": "conf", "externalRef": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}}]},
            "status": {"state": "Active", "topologicalOrder": ["first", "second", "conf"],
                "resources": [{"id": "second", "dependencies": [{"id": "first"}]}]}});
        Rgd::Read(Box::new(Definition::read(&object(rgd), &[])))
    }

    fn waves(collected: &Collected) -> Vec<(usize, Option<String>)> {
        going(collected).into_iter().map(|going| (going.wave, going.node)).collect()
    }

    fn node(wave: usize, id: &str) -> (usize, Option<String>) {
        (wave, Some(id.to_owned()))
    }

    #[test]
    fn the_highest_order_goes_first_and_what_has_none_last() {
        let mut collected = Collected::new(instance("a", &["kro.run/finalizer", "other/one"]), definition());
        collected.children = vec![
            child("ConfigMap", "first", "t", "1"),
            child("Namespace", "second", "t", "2"),
            child("ConfigMap", "odd", "t", "x"),
            child("ConfigMap", "elsewhere", "other", "9"),
        ];
        assert_eq!(waves(&collected), [node(1, "second"), node(2, "first"), node(3, "odd")]);
        assert_eq!(going(&collected)[0].takes, Some("everything in that namespace"));
        let blocks = blocks(&collected).join("\n");
        assert!(blocks.contains("other/one") && blocks.contains("not looked at it yet"), "{blocks}");
        let stays = stays(&collected).join("\n");
        assert!(stays.contains("node conf only refers to"), "{stays}");
        assert!(stays.contains("ConfigMap/elsewhere in other"), "{stays}");
    }

    #[test]
    fn older_kro_goes_by_dependencies_and_nested_instances_take_theirs_along() {
        let mut inner = Collected::new(instance("inner", &[]), Rgd::Gone("inner".to_owned()));
        inner.children = vec![child("Secret", "leaf", "t", "")];
        let mut collected = Collected::new(instance("a", &[]), definition());
        let mut nested = child("App", "second", "t", "");
        nested.members_mut()["metadata"]["uid"] = json!("inner");
        collected.children = vec![child("ConfigMap", "first", "t", ""), nested];
        collected.nested.insert("inner".to_owned(), inner);
        assert_eq!(waves(&collected), [node(1, "second/leaf"), node(1, "second"), node(2, "first")]);
        assert!(stays(&collected)[0].starts_with("what kro made of it"), "{:?}", stays(&collected));
        let gone = Collected::new(instance("a", &["kro.run/finalizer"]), Rgd::Gone("app".to_owned()));
        assert!(blocks(&gone)[0].contains("RGD app does not exist"), "{:?}", blocks(&gone));
    }

    #[test]
    fn what_kro_complains_of_keeps_nothing_and_finalizers_of_others_do() {
        let mut busy = instance("a", &["kro.run/finalizer", "foregroundDeletion"]);
        busy.members_mut().insert(
            "status".to_owned(),
            json!({"state": "ERROR", "conditions": [{"type": "Ready", "status": "False",
                "message": "field is immutable", "observedGeneration": 1}]}),
        );
        busy.members_mut()["metadata"]["generation"] = json!(2);
        let mut collected = Collected::new(busy, definition());
        let mut held = child("ConfigMap", "first", "t", "1");
        held.members_mut()["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
        collected.children = vec![held.clone()];
        assert_eq!(blocks(&collected), Vec::<String>::new());
        held.members_mut()["metadata"]["finalizers"] = json!(["acme.test/hold"]);
        collected.children = vec![held];
        assert_eq!(
            blocks(&collected),
            ["ConfigMap t/first has finalizers that are not kro's: acme.test/hold"]
        );
        let alone = Collected::new(instance("a", &[]), Rgd::Gone("app".to_owned()));
        assert!(blocks(&alone).is_empty(), "nothing of kro's is on it");
    }
}
