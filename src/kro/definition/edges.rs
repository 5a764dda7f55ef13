//! Edges derived from the CEL of the templates, where no status tells them.
//!
//! The rule is kro's: references in template fields, `forEach` and `includeWhen` make an edge,
//! `readyWhen` does not (kro v0.9.4 `pkg/graph/builder.go`).

use super::node::{External, Node, Role};
use crate::kro::expression::{Work, deep, expressions, references, strings_of};
use std::collections::{BTreeMap, BTreeSet};

/// Fills in the dependencies and puts the nodes into an order in which each comes after them.
pub(super) fn derive(mut nodes: Vec<Node>, work: &Work) -> Vec<Node> {
    let ids: Vec<String> = nodes.iter().map(|node| node.id.clone()).collect();
    let known: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    // one deep stack for all of them; without it, nodes without edges
    let _ = deep(|| nodes.iter_mut().for_each(|node| node.dependencies = dependencies(node, &known, work)));
    sort(nodes)
}

fn dependencies(node: &Node, known: &BTreeSet<&str>, work: &Work) -> Vec<String> {
    if work.is_over() {
        return Vec::new();
    }
    let found: BTreeSet<&str> = texts(node)
        .iter()
        .flat_map(|text| expressions(text))
        .flat_map(|source| references(source, known, work))
        .collect();
    let own = |id: &str| id == node.id || node.for_each.iter().any(|(name, _)| name == id);
    found.into_iter().filter(|id| !own(id)).map(str::to_owned).collect()
}

fn texts(node: &Node) -> Vec<&str> {
    let mut texts = match &node.role {
        Role::Template(template) => strings_of(template),
        Role::External(External::Named { name, namespace }) => {
            std::iter::once(name.as_str()).chain(namespace.as_deref()).collect()
        }
        Role::External(External::Selected { selector, namespace }) => {
            strings_of(selector).into_iter().chain(namespace.as_deref()).collect()
        }
    };
    texts.extend(node.for_each.iter().map(|(_, list)| list.as_str()));
    texts.extend(node.include_when.iter().map(String::as_str));
    texts
}

/// Repeatedly takes the first node whose dependencies are all taken. What is left is a cycle, which
/// kro refuses; it is shown in the order written.
fn sort(mut nodes: Vec<Node>) -> Vec<Node> {
    let places: BTreeMap<String, usize> =
        nodes.iter().zip(0..).map(|(node, at)| (node.id.clone(), at)).collect();
    for node in &mut nodes {
        node.dependencies.sort_by_key(|id| places.get(id).copied());
    }
    let mut waiting: BTreeMap<usize, usize> = BTreeMap::new();
    let mut dependents: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (node, at) in nodes.iter().zip(0..) {
        waiting.insert(at, node.dependencies.len());
        for needed in node.dependencies.iter().filter_map(|id| places.get(id)) {
            dependents.entry(*needed).or_default().push(at);
        }
    }
    let mut ready: BTreeSet<usize> =
        waiting.iter().filter(|(_, count)| **count == 0).map(|(at, _)| *at).collect();
    let mut order: Vec<usize> = Vec::with_capacity(nodes.len());
    while let Some(at) = ready.pop_first() {
        waiting.remove(&at);
        order.push(at);
        for dependent in dependents.get(&at).into_iter().flatten() {
            let left = waiting.entry(*dependent).or_default();
            *left = left.saturating_sub(1);
            if *left == 0 {
                ready.insert(*dependent);
            }
        }
    }
    order.extend(waiting.into_keys());
    let mut left: BTreeMap<usize, Node> = (0..).zip(nodes).collect();
    order.iter().filter_map(|at| left.remove(at)).collect()
}
