//! What kro waits for, before what it does not look at.

use super::case::Level;
use super::code::Code;
use super::finding::Finding;
use crate::kro::graph::Why;
use crate::kro::instance::{Complaint, Trouble};
use std::collections::BTreeSet;

/// Where kro waits for nodes, what is not done elsewhere comes after that: a workload without a `readyWhen` holds
/// nobody up. The Pods of a node that is waited for are the cause and stay first.
pub(super) fn first(level: &Level<'_>, findings: &mut [Finding]) {
    let waits = |finding: &Finding| matches!(finding.code, Code::READY_WHEN_FALSE | Code::DATA_PENDING);
    if level.standing.word.as_deref() != Some("IN_PROGRESS") || !findings.iter().any(waits) {
        return;
    }
    let awaited = awaited(level);
    for finding in findings {
        let waiting = matches!(finding.code, Code::PODS_NOT_READY | Code::CHILD_PROGRESSING);
        let own = finding.node.as_deref().is_some_and(|node| awaited.contains(base(node)));
        if waiting && !own {
            finding.after(Code::NOT_MADE_YET);
        }
    }
}

/// The ids of the nodes that others, or kro itself, wait for.
fn awaited(level: &Level<'_>) -> BTreeSet<String> {
    let here = |id: &str| level.nested.map_or_else(|| id.to_owned(), |nested| format!("{nested}/{id}"));
    let said = |complaint: &Complaint| match &complaint.trouble {
        Trouble::ReadyWhenFalse(_) | Trouble::ReadyWhenPending(_) => complaint.node.as_deref().map(here),
        Trouble::DataPending(other) => other.as_deref().map(here),
        _ => None,
    };
    let mut ids: BTreeSet<String> = level.standing.complaints.iter().filter_map(said).collect();
    for node in &level.nodes {
        match &node.why {
            Why::NotReady(_) => ids.extend([base(&node.id).to_owned()]),
            Why::Nodes(others) => ids.extend(others.iter().cloned()),
            Why::Data { what, .. } => ids.extend(what.split(['.', '[', ' ']).next().map(here)),
            _ => {}
        }
    }
    ids
}

/// A member of a collection is its node.
fn base(id: &str) -> &str {
    id.split('[').next().unwrap_or_default()
}
