//! The events that are known: what EventTypes say there is and what sources say that they send, and where they enter.

use std::collections::{BTreeSet, HashMap};

use super::{
    Mesh,
    index::Sender,
    walk::{Walk, Work},
};
use crate::knative::{
    filter::{Attributes, Verdict},
    resource::{Resources, Source},
};

/// Types of one source that are followed.
const SENT: usize = 200;

/// Events of one kind, and where they begin.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) attributes: Attributes,
    /// Nodes, and how sure it is that such events are there.
    pub(super) starts: Vec<(usize, Verdict)>,
    /// An index into [`Resources::event_types`].
    pub(super) event_type: Option<usize>,
}

/// What a source sends, as far as it or its kind says: where it says so itself, its kind is not asked.
pub(super) fn sent(source: &Source) -> Vec<(Attributes, Verdict)> {
    let text = |value: &str| Some(value.to_owned()).filter(|value| !value.is_empty());
    let attributes = |event_type: &str, origin: &str| {
        let named = [("type", text(event_type)), ("source", text(origin))];
        named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Attributes>()
    };
    let own: BTreeSet<_> =
        source.sends.iter().filter(|sent| !sent.event_type.is_empty()).take(SENT).collect();
    if !own.is_empty() {
        return own
            .into_iter()
            .map(|sent| (attributes(&sent.event_type, &sent.source), Verdict::Yes))
            .collect();
    }
    let announced: BTreeSet<_> =
        source.announced.iter().filter(|event_type| !event_type.is_empty()).collect();
    let verdict = if announced.len() == 1 { Verdict::Yes } else { Verdict::Unknown };
    if !announced.is_empty() {
        return announced
            .into_iter()
            .take(SENT)
            .map(|event_type| (attributes(event_type, ""), verdict))
            .collect();
    }
    vec![(Attributes::new(), Verdict::Yes)]
}

/// Whether what a source sends can be events with these attributes.
pub(super) fn agrees(sender: &Sender, attributes: &Attributes) -> bool {
    let wanted = attributes.get("source").and_then(Option::as_deref);
    wanted.is_none_or(|wanted| sender.origin.as_deref().is_none_or(|origin| origin == wanted))
}

impl Mesh {
    /// The sinks of a source.
    pub(super) fn sinks(&self, source: usize) -> impl Iterator<Item = usize> + '_ {
        let node = self.index.sources.get(source);
        let outgoing = node.and_then(|node| self.index.outgoing.get(*node));
        let edges = outgoing.map(|outgoing| outgoing.edges(&Attributes::new())).unwrap_or_default();
        edges.into_iter().filter_map(|edge| self.edges.get(edge)).map(|edge| edge.to)
    }

    /// Events of an EventType (an index) where they enter: what it refers to; where it refers to nothing, the sinks of
    /// the sources in its namespace that send such events.
    pub(super) fn event_of(&self, resources: &Resources, at: usize) -> Option<Event> {
        let event_type = resources.event_types.get(at)?;
        let attributes = event_type.attributes.clone();
        let starts = match &event_type.reference {
            Some(reference) => self.node(reference).map(|node| (node, Verdict::Yes)).into_iter().collect(),
            None => {
                let senders = self.index.senders.get(event_type.event_type()).into_iter().flatten();
                let near = senders.filter(|sender| {
                    let source = resources.sources.get(sender.source);
                    let is_here = |source: &Source| {
                        source.resource.reference.namespace == event_type.resource.reference.namespace
                    };
                    source.is_some_and(is_here) && agrees(sender, &attributes)
                });
                starts(near.flat_map(|sender| self.sinks(sender.source).map(|sink| (sink, sender.verdict))))
            }
        };
        Some(Event { attributes, starts, event_type: Some(at) })
    }

    /// What each source sends, from the source on.
    pub(super) fn events_of_sources(&self, resources: &Resources) -> Vec<Event> {
        let each = resources.sources.iter().zip(&self.index.sources);
        let events = each.flat_map(|(source, node)| {
            sent(source).into_iter().map(|(attributes, verdict)| Event {
                attributes,
                starts: vec![(*node, verdict)],
                event_type: None,
            })
        });
        events.collect()
    }

    /// The events that are known to come by, for each node that passes events on, each with how sure that is.
    pub(super) fn entering(&self, resources: &Resources, work: &mut Work) -> Entering {
        let of_types = (0..resources.event_types.len()).filter_map(|at| self.event_of(resources, at));
        let mut entering = Entering::default();
        for event in of_types.chain(self.events_of_sources(resources)) {
            let walked = Walk::onward(self).from(&event.attributes, &event.starts, work);
            for state in &walked.states {
                if self.index.passes.get(state.node) == Some(&true) {
                    let attributes = walked.attributes.get(state.attributes).cloned().unwrap_or_default();
                    let verdict =
                        entering.0.entry(state.node).or_default().entry(attributes).or_insert(state.verdict);
                    *verdict = state.verdict.max(*verdict);
                }
            }
        }
        entering
    }
}

/// The same start once, as sure as it gets.
pub(super) fn starts(starts: impl Iterator<Item = (usize, Verdict)>) -> Vec<(usize, Verdict)> {
    let mut best: std::collections::BTreeMap<usize, Verdict> = std::collections::BTreeMap::new();
    for (node, verdict) in starts {
        let known = best.entry(node).or_insert(verdict);
        *known = verdict.max(*known);
    }
    best.into_iter().collect()
}

/// Events by the node that they come by.
#[derive(Debug, Default)]
pub(super) struct Entering(HashMap<usize, std::collections::BTreeMap<Attributes, Verdict>>);

impl Entering {
    /// Those that come by a node.
    pub(super) fn at(&self, node: usize) -> impl Iterator<Item = (&Attributes, Verdict)> + '_ {
        self.0.get(&node).into_iter().flatten().map(|(attributes, verdict)| (attributes, *verdict))
    }
}
