//! EventTypes that nobody sends or gets, and what passes nothing on.

use std::collections::{HashMap, HashSet};

use super::is_whole_but_for;
use crate::{
    answer::sanitise,
    knative::{
        filter::{Attributes, Verdict},
        group,
        mesh::{
            Finding, Mesh, Node, NodeId, Presence, Relation, Role, reach,
            walk::{Walk, Work},
        },
        resource::{EventType, Resources},
    },
};

/// Characters of a type.
const TYPE: usize = 120;

pub(super) fn of(mesh: &Mesh, resources: &Resources, work: &mut Work) -> Vec<Finding> {
    let mut found = without_source(mesh, resources, work);
    found.extend(without_consumer(mesh, resources, work));
    found.extend(dead_ends(mesh, resources));
    found
}

fn without_source(mesh: &Mesh, resources: &Resources, work: &mut Work) -> Vec<Finding> {
    if !is_whole_but_for(resources, &[group::EVENTING, group::MESSAGING, group::FLOWS]) {
        return Vec::new();
    }
    let provided: HashSet<usize> =
        (0..resources.sources.len()).flat_map(|source| mesh.provided(resources, source)).collect();
    let silent = silent(mesh, work);
    let without = resources.event_types.iter().enumerate().filter(|(at, _)| !provided.contains(at));
    let finding = |event_type: &EventType| {
        let entry = event_type.reference.as_ref().and_then(|reference| mesh.node(reference));
        let may =
            entry.and_then(|entry| silent.get(&entry)).and_then(|source| resources.sources.get(*source));
        let next = match may {
            Some(source) => format!("{} may: it does not say what it sends", source.resource.reference),
            None => "whoever sends it is outside the mesh, or there is nobody".to_owned(),
        };
        let what = format!("no source is known to send {}; {next}", name(event_type));
        Finding { code: "event-type-without-source", about: event_type.resource.reference.clone(), what }
    };
    without.map(|(_, event_type)| finding(event_type)).collect()
}

/// Where events of sources come by that do not say what they send, with one of these sources.
fn silent(mesh: &Mesh, work: &mut Work) -> HashMap<usize, usize> {
    let mut reached = HashMap::new();
    for source in &mesh.index.silent {
        let Some(node) = mesh.index.sources.get(*source) else { continue };
        for sink in mesh.sinks(*source) {
            reached.entry(sink).or_insert(*source);
        }
        let walked = Walk::onward(mesh).from(&Attributes::new(), &[(*node, Verdict::Yes)], work);
        for state in &walked.states {
            reached.entry(state.node).or_insert(*source);
        }
    }
    reached
}

fn without_consumer(mesh: &Mesh, resources: &Resources, work: &mut Work) -> Vec<Finding> {
    if !is_whole_but_for(resources, &[group::SOURCES]) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, event_type) in resources.event_types.iter().enumerate() {
        let Some(event) = mesh.event_of(resources, at) else { continue };
        let is_here = |node: usize| mesh.nodes.get(node).is_some_and(|node| node.presence == Presence::Here);
        let enters = !event.starts.is_empty() && event.starts.iter().all(|(node, _)| is_here(*node));
        if !enters || !reach::consumers_within(mesh, &event, work).is_empty() {
            continue;
        }
        if work.ran_out() {
            break;
        }
        let what = format!("nobody gets {}: no trigger or subscription passes it on", name(event_type));
        let about = event_type.resource.reference.clone();
        found.push(Finding { code: "event-type-without-consumer", about, what });
    }
    found
}

fn dead_ends(mesh: &Mesh, resources: &Resources) -> Vec<Finding> {
    let is_read = |group: &str, kind: &str| resources.whole.contains(&(group.to_owned(), kind.to_owned()));
    let (triggers, subscriptions) =
        (is_read(group::EVENTING, "Trigger"), is_read(group::MESSAGING, "Subscription"));
    let left: HashSet<usize> = mesh
        .edges
        .iter()
        .filter(|edge| edge.relation != Relation::DeadLetter)
        .map(|edge| edge.from)
        .collect();
    let finding = |(at, node): (usize, &Node)| {
        let what = match node.role {
            Role::Broker if triggers => "it has no triggers: what it gets is dropped",
            Role::Channel if subscriptions => "it has no subscriptions: what it gets is dropped",
            _ => return None,
        };
        let NodeId::Object(about) = &node.id else { return None };
        let is_end = node.presence == Presence::Here && !left.contains(&at);
        is_end.then(|| Finding { code: "dead-end", about: about.clone(), what: what.to_owned() })
    };
    mesh.nodes.iter().enumerate().filter_map(finding).collect()
}

fn name(event_type: &EventType) -> String {
    match event_type.event_type() {
        "" => "events without a type".to_owned(),
        name => sanitise::short(name, TYPE),
    }
}
