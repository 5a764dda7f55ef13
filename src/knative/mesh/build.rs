//! Who sends to whom, from what the specs say.

use std::collections::HashSet;

use super::{Edge, Index, Mesh, Relation, nodes::Nodes};
use crate::knative::{
    filter::Filter,
    resource::{Destination, Flow, Ready, Reference, Resources, Subscription, Trigger},
};

pub(super) fn mesh(resources: &Resources) -> Mesh {
    let mut build = Build { nodes: Nodes::of(resources), edges: Vec::new() };
    let sources = build.sources(resources);
    build.brokers(resources);
    build.channels(resources);
    for flow in &resources.flows {
        build.flow(flow);
    }
    for event_type in &resources.event_types {
        if let Some(reference) = &event_type.reference {
            build.nodes.object(reference);
        }
    }
    let Build { nodes, edges } = build;
    let index = Index::of(resources, &nodes.nodes, &edges, nodes.by_reference, nodes.parts, sources);
    Mesh { nodes: nodes.nodes, edges, findings: Vec::new(), index }
}

struct Build<'a> {
    nodes: Nodes<'a>,
    edges: Vec<Edge>,
}

impl Build<'_> {
    /// The node of each source, whose own is that of the source that made it.
    fn sources(&mut self, resources: &Resources) -> Vec<usize> {
        let mut nodes = Vec::with_capacity(resources.sources.len());
        for source in &resources.sources {
            let from = self.nodes.object(&source.resource.reference);
            nodes.push(from);
            if self.nodes.parts.contains(&source.resource.reference) {
                continue;
            }
            let to =
                source.sink.as_ref().and_then(|to| self.nodes.destination(to, source.resolved.as_deref()));
            if let Some(to) = to {
                self.edge(Edge::plain(from, to, Relation::Sink));
            }
        }
        nodes
    }

    fn brokers(&mut self, resources: &Resources) {
        let mut without = Leftovers::default();
        for trigger in &resources.triggers {
            if self.nodes.is_made(&trigger.resource, &HashSet::new()) {
                self.nodes.parts.insert(trigger.resource.reference.clone());
                continue;
            }
            let from = self.nodes.object(&trigger.broker);
            self.trigger(trigger, from);
            if trigger.dead_letter.is_none() {
                without.add(from, trigger.filter.clone());
            }
        }
        for broker in &resources.brokers {
            let from = self.nodes.object(&broker.resource.reference);
            self.dead_letter_of(from, broker.dead_letter.as_ref(), &mut without);
        }
    }

    fn trigger(&mut self, trigger: &Trigger, from: usize) {
        let via = |edge| Edge {
            via: Some(trigger.resource.reference.clone()),
            filter: trigger.filter.clone(),
            ready: trigger.resource.ready.clone(),
            ..edge
        };
        if let Some(to) = self.nodes.destination(&trigger.subscriber, trigger.resolved.as_deref()) {
            self.edge(via(Edge::plain(from, to, Relation::Trigger)));
        }
        let dead = trigger.dead_letter.as_ref().and_then(|dead| self.nodes.destination(dead, None));
        if let Some(to) = dead {
            self.edge(via(Edge::plain(from, to, Relation::DeadLetter)));
        }
    }

    fn channels(&mut self, resources: &Resources) {
        let triggers: HashSet<&Reference> =
            resources.triggers.iter().map(|trigger| &trigger.resource.reference).collect();
        let mut without = Leftovers::default();
        for subscription in &resources.subscriptions {
            if self.nodes.is_made(&subscription.resource, &triggers) {
                self.nodes.parts.insert(subscription.resource.reference.clone());
                continue;
            }
            let from = self.nodes.object(&subscription.channel);
            self.subscription(subscription, from);
            if subscription.dead_letter.is_none() {
                without.add(from, Filter::Everything);
            }
        }
        for channel in &resources.channels {
            if self.nodes.parts.contains(&channel.resource.reference) {
                continue;
            }
            let from = self.nodes.object(&channel.resource.reference);
            self.dead_letter_of(from, channel.dead_letter.as_ref(), &mut without);
        }
    }

    fn subscription(&mut self, subscription: &Subscription, from: usize) {
        let via = |edge| Edge {
            via: Some(subscription.resource.reference.clone()),
            ready: subscription.resource.ready.clone(),
            ..edge
        };
        let to = subscription
            .subscriber
            .as_ref()
            .and_then(|to| self.nodes.destination(to, subscription.resolved.as_deref()));
        let reply = subscription.reply.as_ref().and_then(|reply| self.nodes.destination(reply, None));
        match (to, reply) {
            (Some(to), reply) => {
                let delivery = self.edge(via(Edge::plain(from, to, Relation::Subscription)));
                if let Some(reply) = reply {
                    let answer = Edge::plain(to, reply, Relation::Reply);
                    self.edge(via(Edge { answers: Some(delivery), ..answer }));
                }
            }
            // events go to the reply as they are
            (None, Some(reply)) => {
                self.edge(via(Edge::plain(from, reply, Relation::Subscription)));
            }
            (None, None) => {}
        }
        let dead = subscription.dead_letter.as_ref().and_then(|dead| self.nodes.destination(dead, None));
        if let Some(to) = dead {
            self.edge(via(Edge::plain(from, to, Relation::DeadLetter)));
        }
    }

    /// The dead letter sink of a broker or channel gets what the triggers or subscriptions that have none of their own
    /// could not deliver.
    fn dead_letter_of(&mut self, from: usize, dead: Option<&Destination>, without: &mut Leftovers) {
        if let Some(to) = dead.and_then(|dead| self.nodes.destination(dead, None)) {
            let filter = without.take(from);
            self.edge(Edge { filter, ..Edge::plain(from, to, Relation::DeadLetter) });
        }
    }

    fn flow(&mut self, flow: &Flow) {
        let from = self.nodes.object(&flow.resource.reference);
        if flow.resource.reference.kind == "Parallel" {
            self.parallel(flow, from);
        } else {
            self.sequence(flow, from);
        }
    }

    /// Each step gets what the step before made of the event.
    fn sequence(&mut self, flow: &Flow, from: usize) {
        let mut before = None;
        for step in &flow.steps {
            let delivery = self.step(from, &step.subscriber, before);
            self.step_dead_letter(from, step.dead_letter.as_ref(), before);
            before = delivery.or(before);
        }
        self.answer(before, flow.reply.as_ref());
    }

    /// Each branch gets the event, or what its filter made of it.
    fn parallel(&mut self, flow: &Flow, from: usize) {
        for branch in &flow.steps {
            let filter = branch.filter.as_ref().and_then(|filter| self.step(from, filter, None));
            let delivery = self.step(from, &branch.subscriber, filter);
            self.step_dead_letter(from, branch.dead_letter.as_ref(), filter);
            self.answer(delivery, branch.reply.as_ref().or(flow.reply.as_ref()));
        }
    }

    fn step(&mut self, from: usize, to: &Destination, answers: Option<usize>) -> Option<usize> {
        let to = self.nodes.destination(to, None)?;
        Some(self.edge(Edge { answers, ..Edge::plain(from, to, Relation::Step) }))
    }

    fn step_dead_letter(&mut self, from: usize, dead: Option<&Destination>, answers: Option<usize>) {
        if let Some(to) = dead.and_then(|dead| self.nodes.destination(dead, None)) {
            self.edge(Edge { answers, ..Edge::plain(from, to, Relation::DeadLetter) });
        }
    }

    fn answer(&mut self, delivery: Option<usize>, reply: Option<&Destination>) {
        let Some((delivery, reply)) = delivery.zip(reply) else { return };
        let Some(from) = self.edges.get(delivery).map(|edge| edge.to) else { return };
        if let Some(to) = self.nodes.destination(reply, None) {
            self.edge(Edge { answers: Some(delivery), ..Edge::plain(from, to, Relation::Reply) });
        }
    }

    fn edge(&mut self, edge: Edge) -> usize {
        self.edges.push(edge);
        self.edges.len() - 1
    }
}

impl Edge {
    pub(in crate::knative) fn plain(from: usize, to: usize, relation: Relation) -> Self {
        Self {
            from,
            to,
            relation,
            via: None,
            filter: Filter::Everything,
            ready: Ready::Untold,
            answers: None,
        }
    }
}

/// The filters of triggers and subscriptions without a dead letter sink of their own, by what they are of.
#[derive(Default)]
struct Leftovers(std::collections::HashMap<usize, Vec<Filter>>);

impl Leftovers {
    fn add(&mut self, of: usize, filter: Filter) {
        let filters = self.0.entry(of).or_default();
        if filters.first() == Some(&Filter::Everything) {
            return;
        }
        if filter == Filter::Everything {
            filters.clear();
        }
        filters.push(filter);
    }

    fn take(&mut self, of: usize) -> Filter {
        let mut filters = self.0.remove(&of).unwrap_or_default();
        if filters.len() == 1 { filters.pop().unwrap_or_default() } else { Filter::Any(filters) }
    }
}
