//! Nodes that wait for each other.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::{Findings, Place};
use super::nodes::Node;
use super::problem::Rule;

/// Which node waits for which.
#[derive(Debug, Default)]
pub(super) struct Edges {
    waits: BTreeMap<String, BTreeSet<String>>,
}

impl Edges {
    pub(super) fn add<'n>(&mut self, node: &str, on: impl Iterator<Item = &'n String>) {
        self.waits.entry(node.to_owned()).or_default().extend(on.cloned());
    }
}

/// Complains of each circle once, at its first node.
pub(super) fn check(nodes: &[Node<'_>], edges: &Edges, findings: &mut Findings) {
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for node in nodes {
        let id = node.id.as_str();
        if edges.waits.get(id).is_some_and(|on| on.contains(id)) {
            let message = "it refers to itself: only readyWhen may";
            findings.add(Rule::Cycle, Place::node(id, node.part()), message);
            continue;
        }
        if told.contains(id) {
            continue;
        }
        if let Some(circle) = circle(id, edges) {
            let message = format!("it waits for itself: {} -> {id}", circle.join(" -> "));
            findings.add(Rule::Cycle, Place::node(id, node.part()), &message);
            told.extend(circle);
        }
    }
}

/// The shortest way from a node back to it.
fn circle<'e>(start: &'e str, edges: &'e Edges) -> Option<Vec<&'e str>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open = std::collections::VecDeque::from([start]);
    while let Some(at) = open.pop_front() {
        for next in edges.waits.get(at).into_iter().flatten() {
            if next == start {
                let mut way = vec![at];
                let mut back = at;
                while let Some(before) = came_from.get(back).copied() {
                    way.push(before);
                    back = before;
                }
                way.reverse();
                return Some(way);
            }
            if next != at && !came_from.contains_key(next.as_str()) {
                came_from.insert(next, at);
                open.push_back(next);
            }
        }
    }
    None
}
