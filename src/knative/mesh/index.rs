//! What lets a walk look at those edges alone that an event may take, however many there are.

use std::collections::{HashMap, HashSet};

use super::{Edge, Node, Role, events};
use crate::knative::{
    filter::{Attributes, Verdict},
    resource::{Reference, Resources},
};

#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// By reference, parts too.
    pub(super) nodes: HashMap<Reference, usize>,
    /// What is a part of a node.
    pub(super) parts: HashSet<Reference>,
    /// The node of each of [`Resources::sources`].
    pub(super) sources: Vec<usize>,
    /// Edges that leave a node, those that carry answers left out.
    pub(super) outgoing: Vec<Outgoing>,
    /// Those of them that lead on.
    pub(super) onward: Vec<Outgoing>,
    /// Edges to a node, all of them.
    pub(super) incoming: Vec<Vec<usize>>,
    /// Edges that carry what the receiver of an edge answers.
    pub(super) answered: HashMap<usize, Vec<usize>>,
    /// Whether a node passes events on.
    pub(super) passes: Vec<bool>,
    /// Who sends a type.
    pub(super) senders: HashMap<String, Vec<Sender>>,
    /// Sources (indexes) of which nobody says what they send.
    pub(super) silent: Vec<usize>,
    /// EventTypes by type.
    pub(super) event_types: HashMap<String, Vec<usize>>,
}

/// A source that sends a type.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    /// An index into [`Resources::sources`].
    pub(super) source: usize,
    /// Unknown where its kind can send several and it does not say which it does.
    pub(super) verdict: Verdict,
    /// The attribute `source` of what it sends.
    pub(super) origin: Option<String>,
}

/// Edges that leave a node, by the type that their filter asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Outgoing {
    any: Vec<usize>,
    typed: HashMap<String, Vec<usize>>,
}

impl Outgoing {
    fn add(&mut self, at: usize, edge: &Edge) {
        match edge.filter.pins().remove("type").flatten() {
            Some(wanted) => self.typed.entry(wanted).or_default().push(at),
            None => self.any.push(at),
        }
    }

    /// Those that such an event may take.
    pub(super) fn edges(&self, attributes: &Attributes) -> Vec<usize> {
        let mut edges = self.any.clone();
        match attributes.get("type").and_then(Option::as_deref) {
            Some(known) => edges.extend(self.typed.get(known).into_iter().flatten()),
            None => edges.extend(self.typed.values().flatten()),
        }
        edges.sort_unstable();
        edges
    }
}

impl Index {
    pub(super) fn of(
        resources: &Resources,
        nodes: &[Node],
        edges: &[Edge],
        references: HashMap<Reference, usize>,
        parts: HashSet<Reference>,
        sources: Vec<usize>,
    ) -> Self {
        let mut index = Self {
            nodes: references,
            parts,
            sources,
            outgoing: vec![Outgoing::default(); nodes.len()],
            onward: vec![Outgoing::default(); nodes.len()],
            incoming: vec![Vec::new(); nodes.len()],
            passes: nodes
                .iter()
                .map(|node| matches!(node.role, Role::Broker | Role::Channel | Role::Flow))
                .collect(),
            ..Self::default()
        };
        for (at, edge) in edges.iter().enumerate() {
            if let Some(incoming) = index.incoming.get_mut(edge.to) {
                incoming.push(at);
            }
            if let Some(delivery) = edge.answers {
                index.answered.entry(delivery).or_default().push(at);
            }
        }
        // what no event can pass is not taken either by those of which nothing is known
        let is_taken = |edge: &Edge| edge.answers.is_none() && edge.filter.contradiction().is_none();
        for (at, edge) in edges.iter().enumerate().filter(|(_, edge)| is_taken(edge)) {
            let leads_on = index.passes.get(edge.to) == Some(&true) || index.answered.contains_key(&at);
            if let Some(outgoing) = index.outgoing.get_mut(edge.from) {
                outgoing.add(at, edge);
            }
            if let Some(onward) = index.onward.get_mut(edge.from).filter(|_| leads_on) {
                onward.add(at, edge);
            }
        }
        index.name(resources);
        index
    }

    fn name(&mut self, resources: &Resources) {
        for (at, event_type) in resources.event_types.iter().enumerate() {
            self.event_types.entry(event_type.event_type().to_owned()).or_default().push(at);
        }
        for (at, source) in resources.sources.iter().enumerate() {
            let mut is_silent = true;
            for (attributes, verdict) in events::sent(source) {
                let take = |name: &str| attributes.get(name).cloned().flatten();
                let (Some(event_type), origin) = (take("type"), take("source")) else { continue };
                is_silent = false;
                self.senders.entry(event_type).or_default().push(Sender { source: at, verdict, origin });
            }
            if is_silent {
                self.silent.push(at);
            }
        }
    }
}
