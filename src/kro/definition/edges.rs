//! Edges derived from the CEL of the templates, where no status tells them.
//!
//! The rule is kro's: references in template fields, `forEach` and `includeWhen` make an edge,
//! `readyWhen` does not (kro v0.9.4 `pkg/graph/builder.go`).

use super::node::{External, Node, Role};
use crate::kro::expression::{expressions, references, strings_of};
use std::collections::{BTreeMap, BTreeSet};

/// Fills in the dependencies and puts the nodes into an order in which each comes after them.
pub(super) fn derive(mut nodes: Vec<Node>) -> Vec<Node> {
    let ids: Vec<String> = nodes.iter().map(|node| node.id.clone()).collect();
    for node in &mut nodes {
        let others = || ids.iter().map(String::as_str).filter(|id| *id != node.id);
        let found: BTreeSet<&str> = texts(node)
            .iter()
            .flat_map(|text| expressions(text))
            .flat_map(|source| references(source, others()))
            .collect();
        let own: BTreeSet<&str> = node.for_each.iter().map(|(name, _)| name.as_str()).collect();
        node.dependencies =
            others().filter(|id| found.contains(id) && !own.contains(id)).map(str::to_owned).collect();
    }
    sort(nodes)
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
fn sort(nodes: Vec<Node>) -> Vec<Node> {
    let mut sorted: Vec<Node> = Vec::with_capacity(nodes.len());
    let mut left: BTreeMap<usize, Node> = nodes.into_iter().enumerate().collect();
    loop {
        let taken: BTreeSet<&str> = sorted.iter().map(|node| node.id.as_str()).collect();
        let ready = |node: &Node| node.dependencies.iter().all(|id| taken.contains(id.as_str()));
        let Some(next) = left.iter().find(|(_, node)| ready(node)).map(|(at, _)| *at) else { break };
        sorted.extend(left.remove(&next));
    }
    sorted.extend(left.into_values());
    sorted
}
