//! Events that come back to where they were, as they are.

use std::collections::{HashMap, HashSet};

use crate::knative::{
    filter::{Attributes, Filter, Verdict},
    mesh::{
        Edge, Finding, Mesh, NodeId,
        walk::{Walk, Walked, Work},
    },
};

/// Nodes from which a way back is looked for.
const STARTS: usize = 200;

/// Ways back that are judged.
const WAYS: usize = 20;

/// Nodes of a loop that are named.
const NAMED: usize = 6;

pub(super) fn of(mesh: &Mesh, work: &mut Work) -> Vec<Finding> {
    let mut told: HashSet<usize> = HashSet::new();
    let mut found = Vec::new();
    for node in circling(mesh).into_iter().take(STARTS) {
        if told.contains(&node) || work.ran_out() {
            continue;
        }
        let walked = Walk::delivered(mesh).from(&Attributes::new(), &[(node, Verdict::Yes)], work);
        let Some(way) = way_back(mesh, &walked, node) else { continue };
        told.extend(way.iter().filter_map(|edge| mesh.edges.get(*edge)).map(|edge| edge.from));
        found.extend(finding(mesh, &way));
    }
    found
}

/// What is left when all that nothing comes to, or that nothing leaves, is taken away again and again.
fn circling(mesh: &Mesh) -> Vec<usize> {
    let passes = |node: usize| mesh.index.passes.get(node) == Some(&true);
    let is_way = |edge: &&Edge| edge.delivers() && passes(edge.from) && passes(edge.to);
    let ways: Vec<(usize, usize)> =
        mesh.edges.iter().filter(is_way).map(|edge| (edge.from, edge.to)).collect();
    let mut left: HashSet<usize> = (0..mesh.nodes.len()).filter(|node| passes(*node)).collect();
    for forward in [true, false] {
        let turned = ways.iter().map(|(from, to)| if forward { (*from, *to) } else { (*to, *from) });
        peel(&mut left, turned);
    }
    let mut left: Vec<usize> = left.into_iter().collect();
    left.sort_unstable();
    left
}

/// Takes away what nothing comes to.
fn peel(left: &mut HashSet<usize>, ways: impl Iterator<Item = (usize, usize)>) {
    let ways: Vec<_> = ways.filter(|(from, to)| left.contains(from) && left.contains(to)).collect();
    let mut next: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut coming: HashMap<usize, usize> = HashMap::new();
    for (from, to) in ways {
        next.entry(from).or_default().push(to);
        *coming.entry(to).or_default() += 1;
    }
    let mut bare: Vec<usize> = left.iter().copied().filter(|node| !coming.contains_key(node)).collect();
    while let Some(node) = bare.pop() {
        left.remove(&node);
        for to in next.remove(&node).unwrap_or_default() {
            if let Some(count) = coming.get_mut(&to) {
                *count -= 1;
                if *count == 0 {
                    bare.push(to);
                }
            }
        }
    }
}

/// The edges of the shortest way back to `node` that some event can take again and again.
fn way_back(mesh: &Mesh, walked: &Walked, node: usize) -> Option<Vec<usize>> {
    let mut back: Vec<_> = walked
        .steps
        .iter()
        .filter(|step| walked.states.get(step.to).is_some_and(|to| to.node == node))
        .collect();
    back.sort_by_key(|step| walked.states.get(step.from).map(|state| state.distance));
    back.into_iter().take(WAYS).find_map(|last| {
        let mut way = vec![last.edge];
        let mut state = walked.states.get(last.from)?;
        while let Some(step) = state.parent.and_then(|step| walked.steps.get(step)) {
            way.push(step.edge);
            state = walked.states.get(step.from)?;
        }
        way.reverse();
        let filters: Vec<&Filter> =
            way.iter().filter_map(|edge| mesh.edges.get(*edge)).map(|edge| &edge.filter).collect();
        Filter::contradiction_of(&filters).is_none().then_some(way)
    })
}

fn finding(mesh: &Mesh, way: &[usize]) -> Option<Finding> {
    let edges: Vec<_> = way.iter().filter_map(|edge| mesh.edges.get(*edge)).collect();
    let object = |node: usize| match &mesh.nodes.get(node)?.id {
        NodeId::Object(reference) => Some(reference),
        NodeId::Uri(_) => None,
    };
    let about = object(edges.first()?.from)?;
    let mut names: Vec<String> =
        edges.iter().filter_map(|edge| object(edge.from)).map(ToString::to_string).collect();
    if names.len() > NAMED {
        let more = names.len() - NAMED;
        names.truncate(NAMED);
        names.push(format!("{more} more"));
    }
    let is_sure = edges.iter().all(|edge| edge.filter.is_evaluated());
    let go = if is_sure { "events go" } else { "events may go (a filter was not evaluated)" };
    let via = edges.last()?.via.as_ref().map_or("the last of them".to_owned(), ToString::to_string);
    let what =
        format!("{go} round: {} → {about}: narrow the filter of {via}, or remove it", names.join(" → "));
    Some(Finding { code: "loop", about: about.clone(), what })
}
