//! Who gets the events of an EventType, and which EventTypes a source provides.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    Mesh, Reached, Role,
    events::{self, Event},
    walk::{Walk, Work},
};
use crate::knative::{
    filter::{Attributes, Verdict},
    resource::Resources,
};

/// In the order of the nodes, each once.
pub(super) fn consumers(mesh: &Mesh, resources: &Resources, event_type: usize) -> Vec<Reached> {
    let event = mesh.event_of(resources, event_type);
    event
        .map(|event| consumers_within(mesh, &event, &mut Work::share(resources.event_types.len())))
        .unwrap_or_default()
}

/// The same of an event, as far as `work` lasts.
pub(super) fn consumers_within(mesh: &Mesh, event: &Event, work: &mut Work) -> Vec<Reached> {
    let walked = Walk::without_answers(mesh).from(&event.attributes, &event.starts, work);
    let mut reached: BTreeMap<usize, Reached> = BTreeMap::new();
    for state in &walked.states {
        // what they enter by gets them where nothing passes them on
        let is_entry = state.distance == 0;
        if is_entry && mesh.nodes.get(state.node).is_none_or(|node| node.role != Role::Receiver) {
            continue;
        }
        let found = Reached { node: state.node, verdict: state.verdict, undelivered: state.undelivered };
        let known = reached.entry(state.node).or_insert(found);
        if (!known.undelivered, known.verdict) < (!found.undelivered, found.verdict) {
            *known = found;
        }
    }
    reached.into_values().collect()
}

/// In the order of the EventTypes, each once.
pub(super) fn provided(mesh: &Mesh, resources: &Resources, source: usize) -> Vec<usize> {
    let Some(known) = resources.sources.get(source) else { return Vec::new() };
    let sinks: HashSet<usize> = mesh.sinks(source).collect();
    let goes_on = sinks.iter().any(|sink| mesh.index.passes.get(*sink) == Some(&true));
    let mut work = Work::share(resources.sources.len());
    let mut passed: HashMap<Attributes, HashSet<usize>> = HashMap::new();
    let mut provided = BTreeSet::new();
    for (attributes, _) in events::sent(known) {
        let Some(name) = attributes.get("type").and_then(Option::as_deref) else { continue };
        for at in mesh.index.event_types.get(name).into_iter().flatten() {
            let Some(event_type) = resources.event_types.get(*at) else { continue };
            if !is_same(&attributes, &event_type.attributes) {
                continue;
            }
            let reaches = match &event_type.reference {
                None => event_type.resource.reference.namespace == known.resource.reference.namespace,
                Some(reference) => mesh.node(reference).is_some_and(|entry| {
                    sinks.contains(&entry)
                        || (goes_on
                            && passed
                                .entry(event_type.attributes.clone())
                                .or_insert_with_key(|attributes| sure(mesh, source, attributes, &mut work))
                                .contains(&entry))
                }),
            };
            if reaches {
                provided.insert(*at);
            }
        }
    }
    provided.into_iter().collect()
}

/// What passes events of a source on, and gets them for certain.
fn sure(mesh: &Mesh, source: usize, attributes: &Attributes, work: &mut Work) -> HashSet<usize> {
    let starts: Vec<_> =
        mesh.index.sources.get(source).map(|node| (*node, Verdict::Yes)).into_iter().collect();
    let walked = Walk::onward(mesh).from(attributes, &starts, work);
    let is_sure = |state: &&super::walk::State| state.verdict == Verdict::Yes && !state.undelivered;
    walked.states.iter().filter(is_sure).map(|state| state.node).collect()
}

/// Whether no attribute that both tell differs.
fn is_same(sent: &Attributes, wanted: &Attributes) -> bool {
    sent.iter().all(|(name, value)| match (value, wanted.get(name)) {
        (Some(value), Some(Some(wanted))) => value == wanted,
        _ => true,
    })
}
