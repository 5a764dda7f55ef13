//! [`Followed`]: events followed from or to where somebody stands, in words and hop by hop.

mod told;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use self::told::{All, MAYBE, NAMED};
use super::{anchor::Named, consumers::is_abnormal, input::Way, part::Part, words};
use crate::{
    answer::Row,
    knative::{
        filter::Verdict,
        mesh::{Anchor, Direction, Edge, Presence, Relation, Role},
    },
};

/// Names of each sort in the structure.
const MOST: usize = 20;

/// A hop. Names without a namespace are of that of `via`, or else of `from`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct HopRow {
    /// Hops from where it began; below 0 against the events.
    distance: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    namespace: String,
    from: String,
    relation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// yes or maybe.
    passes: &'static str,
    /// Absent where it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<String>,
    #[serde(skip)]
    key: String,
}

impl Row for HopRow {
    const COLUMNS: &'static [&'static str] =
        &["hop", "namespace", "from", "relation", "via", "filter", "to", "backstage id", "passes", "ready"];

    fn cells(&self) -> Vec<String> {
        let or_none = |cell: &Option<String>| cell.clone().unwrap_or_default();
        vec![
            self.distance.to_string(),
            self.namespace.clone(),
            self.from.clone(),
            self.relation.to_owned(),
            or_none(&self.via),
            or_none(&self.filter),
            self.to.clone(),
            or_none(&self.id),
            self.passes.to_owned(),
            self.ready.clone().unwrap_or_else(|| "yes".to_owned()),
        ]
    }

    fn key(&self) -> String {
        self.key.clone()
    }
}

/// What following events came to.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Found {
    /// Who sends such events, first who surely does.
    #[serde(skip_serializing_if = "Option::is_none")]
    producers: Option<Vec<String>>,
    /// Who gets them in the end, first who surely does.
    #[serde(skip_serializing_if = "Option::is_none")]
    consumers: Option<Vec<String>>,
    /// Who gets what could not be delivered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    undelivered: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dead_ends: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    loops: Vec<String>,
}

/// A hop with its sign.
#[derive(Clone, Copy, Debug)]
struct Step {
    distance: i64,
    edge: usize,
    verdict: Verdict,
}

/// Events followed.
pub(super) struct Followed {
    pub(super) found: Found,
    pub(super) rows: Vec<HopRow>,
    /// Indexes of the edges, the nearest first.
    pub(super) edges: Vec<usize>,
    /// The first line, after what it is about.
    pub(super) words: String,
    pub(super) unsure: bool,
}

/// Follows events from the first of the anchors through all others.
pub(super) fn follow(part: &Part<'_>, anchors: &[Named], way: Way) -> Followed {
    let (mut steps, mut starts, mut unsure) = (Vec::new(), BTreeSet::new(), false);
    if let Some(anchor) = anchors.first().and_then(|named| named.first()) {
        for direction in way.directions() {
            let trace = part.mesh.trace(part.resources, anchor, *direction);
            let sign = if *direction == Direction::Producers { -1 } else { 1 };
            steps.extend(trace.hops.iter().map(|hop| Step {
                distance: sign * i64::try_from(hop.distance).unwrap_or(i64::MAX),
                edge: hop.edge,
                verdict: hop.verdict,
            }));
            starts.extend(trace.starts);
            unsure |= trace.unsure;
        }
    }
    steps.retain(|step| anchors.len() < 2 || part.edges.contains(&step.edge));
    steps.sort_by_key(|step| (step.distance, step.edge));
    // where events of a type begin, they may be with who gets them already
    let is_type =
        anchors.first().is_some_and(|named| matches!(named.first(), Some(Anchor::EventType { .. })));
    let begins = if is_type { starts.clone() } else { BTreeSet::new() };
    let is_onward = way != Way::Producers;
    let all = All {
        producers: (way != Way::Consumers).then(|| names(part, producers(part, &steps, &starts))),
        consumers: is_onward.then(|| names(part, consumers(part, &steps, &begins))),
        undelivered: if is_onward { names(part, undelivered(part, &steps)) } else { Vec::new() },
        dead_ends: if is_onward { dead_ends(part, &steps, &starts) } else { Vec::new() },
        loops: loops(part, &steps),
    };
    let rows =
        steps.iter().filter_map(|step| Some(row(part, step, part.mesh.edges.get(step.edge)?))).collect();
    let words = all.told(way == Way::Path && steps.is_empty());
    let found = Found {
        producers: all.producers.map(|names| words::few(names, MOST)),
        consumers: all.consumers.map(|names| words::few(names, MOST)),
        undelivered: words::few(all.undelivered, MOST),
        dead_ends: words::few(all.dead_ends, MOST),
        loops: all.loops,
    };
    Followed { found, rows, edges: steps.iter().map(|step| step.edge).collect(), words, unsure }
}

fn edge<'m>(part: &Part<'m>, step: &Step) -> Option<&'m Edge> {
    part.mesh.edges.get(step.edge)
}

fn role(part: &Part<'_>, index: usize) -> Option<Role> {
    part.mesh.nodes.get(index).map(|node| node.role)
}

/// Nodes with how sure they are: surest first, then in the order they were met.
fn surest(found: impl Iterator<Item = (usize, Verdict)>) -> Vec<(usize, Verdict)> {
    let mut best: BTreeMap<usize, (usize, Verdict)> = BTreeMap::new();
    for (order, (node, verdict)) in found.enumerate() {
        let entry = best.entry(node).or_insert((order, verdict));
        entry.1 = entry.1.max(verdict);
    }
    let mut all: Vec<(usize, usize, Verdict)> =
        best.into_iter().map(|(node, (order, verdict))| (order, node, verdict)).collect();
    all.sort_by_key(|(order, _, verdict)| (std::cmp::Reverse(*verdict), *order));
    all.into_iter().map(|(_, node, verdict)| (node, verdict)).collect()
}

fn names(part: &Part<'_>, nodes: Vec<(usize, Verdict)>) -> Vec<String> {
    let named = nodes.into_iter().map(|(node, verdict)| {
        let name = words::node(part.mesh, node, "");
        let id = part.mesh.nodes.get(node).and_then(|node| node.backstage_id.as_deref());
        let id = id.map(|id| format!(" [{id}]")).unwrap_or_default();
        if verdict == Verdict::Yes { name + &id } else { format!("{MAYBE}{name}{id}") }
    });
    named.collect()
}

fn producers(part: &Part<'_>, steps: &[Step], starts: &BTreeSet<usize>) -> Vec<(usize, Verdict)> {
    let came = steps.iter().filter(|step| step.distance < 0 || starts.contains(&step.edge_from(part)));
    let from = came.filter_map(|step| Some((edge(part, step)?.from, step.verdict)));
    surest(from.filter(|(node, _)| role(part, *node) == Some(Role::Source)))
}

fn consumers(part: &Part<'_>, steps: &[Step], begins: &BTreeSet<usize>) -> Vec<(usize, Verdict)> {
    let takes = |index: usize| {
        let node = part.mesh.nodes.get(index);
        node.is_some_and(|node| {
            let is_none = node.presence.is_absent() || node.presence == Presence::NotAddressable;
            node.role == Role::Receiver && !is_none
        })
    };
    let gone = steps.iter().filter(|step| step.distance > 0);
    let to = gone.filter_map(|step| {
        let edge = edge(part, step)?;
        let delivers = !matches!(edge.relation, Relation::DeadLetter | Relation::Reply);
        (delivers && takes(edge.to)).then_some((edge.to, step.verdict))
    });
    let there = begins.iter().filter(|node| takes(**node)).map(|node| (*node, Verdict::Yes));
    surest(to.chain(there))
}

fn undelivered(part: &Part<'_>, steps: &[Step]) -> Vec<(usize, Verdict)> {
    let gone = steps.iter().filter(|step| step.distance > 0).filter_map(|step| edge(part, step));
    // that they would go there is sure, if not that they ever do
    surest(gone.filter(|edge| edge.relation == Relation::DeadLetter).map(|edge| (edge.to, Verdict::Yes)))
}

/// Where events are lost: what is not there, and what passes them on to nobody.
fn dead_ends(part: &Part<'_>, steps: &[Step], starts: &BTreeSet<usize>) -> Vec<String> {
    let gone: Vec<&Edge> =
        steps.iter().filter(|step| step.distance > 0).filter_map(|step| edge(part, step)).collect();
    let goes_on: BTreeSet<usize> =
        gone.iter().filter(|edge| edge.relation != Relation::DeadLetter).map(|edge| edge.from).collect();
    let mut reached: Vec<usize> = starts.iter().copied().collect();
    reached.extend(gone.iter().map(|edge| edge.to));
    let mut seen = BTreeSet::new();
    let ends = reached.into_iter().filter(|node| seen.insert(*node)).filter_map(|index| {
        let node = part.mesh.nodes.get(index)?;
        let name = words::node(part.mesh, index, "");
        let stuck =
            matches!(node.role, Role::Broker | Role::Channel | Role::Flow) && !goes_on.contains(&index);
        match node.presence {
            Presence::Missing | Presence::NoKind | Presence::NotAddressable => Some(name),
            _ if stuck => Some(format!("{name} passes it on to nobody")),
            _ => None,
        }
    });
    ends.collect()
}

/// Ways that lead back to where they began, each told once.
fn loops(part: &Part<'_>, steps: &[Step]) -> Vec<String> {
    let mut next: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for edge in steps.iter().filter_map(|step| edge(part, step)) {
        next.entry(edge.from).or_default().insert(edge.to);
    }
    let tries = |node: usize| next.get(&node).into_iter().flatten().copied().collect::<Vec<usize>>();
    let (mut done, mut found) = (BTreeSet::new(), Vec::new());
    for start in next.keys().copied() {
        // depth first; each node on the way with what is left to try from it
        let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        let mut enter = Some(start);
        loop {
            if let Some(node) = enter.take().filter(|node| done.insert(*node)) {
                places.insert(node, way.len());
                way.push((node, tries(node)));
            }
            let Some((node, left)) = way.last_mut() else { break };
            match left.pop() {
                None => {
                    places.remove(node);
                    way.pop();
                }
                Some(to) => match places.get(&to) {
                    Some(at) => {
                        let around = way.iter().skip(*at).map(|(node, _)| *node).chain([to]);
                        let names: Vec<String> =
                            around.map(|node| words::node(part.mesh, node, "")).collect();
                        found.push(words::few(names, NAMED).join(" → "));
                    }
                    None => enter = Some(to),
                },
            }
        }
    }
    words::few(found, NAMED)
}

fn row(part: &Part<'_>, step: &Step, edge: &Edge) -> HopRow {
    let namespace = words::home(part.mesh, edge).to_owned();
    let rank = if is_abnormal(part, edge) { 0 } else { 1 };
    HopRow {
        key: format!("{:020}\t{rank}\t{:012}", i128::from(step.distance) + i128::from(i64::MAX), step.edge),
        distance: step.distance,
        from: words::node(part.mesh, edge.from, &namespace),
        relation: relation(edge.relation),
        via: edge.via.as_ref().map(|via| words::object(via, &namespace)),
        filter: words::filter(&edge.filter),
        to: words::node(part.mesh, edge.to, &namespace),
        id: part.mesh.nodes.get(edge.to).and_then(|node| node.backstage_id.clone()),
        passes: if step.verdict == Verdict::Yes { "yes" } else { "maybe" },
        ready: words::state(words::readiness(part.mesh, edge)),
        namespace,
    }
}

/// The word for how one sends to the other.
pub(super) fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::Sink => "sink",
        Relation::Trigger => "trigger",
        Relation::Subscription => "subscription",
        Relation::Step => "step",
        Relation::Reply => "reply",
        Relation::DeadLetter => "dead-letter",
    }
}

impl Step {
    fn edge_from(&self, part: &Part<'_>) -> usize {
        edge(part, self).map_or(usize::MAX, |edge| edge.from)
    }
}
