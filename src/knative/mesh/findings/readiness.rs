//! What does not work, by its own conditions.

use crate::{
    answer::sanitise,
    knative::{
        mesh::{Finding, Mesh, NodeId},
        resource::{Ready, Resource, Resources, Target},
    },
};

/// Characters of a reason.
const REASON: usize = 240;

pub(super) fn of<'a>(mesh: &'a Mesh, resources: &'a Resources) -> impl Iterator<Item = Finding> + 'a {
    let brokers = resources.brokers.iter().map(|broker| &broker.resource);
    let triggers = resources.triggers.iter().map(|trigger| &trigger.resource);
    let event_types = resources.event_types.iter().map(|event_type| &event_type.resource);
    let channels = resources.channels.iter().map(|channel| &channel.resource);
    let subscriptions = resources.subscriptions.iter().map(|subscription| &subscription.resource);
    let flows = resources.flows.iter().map(|flow| &flow.resource);
    let sources = resources.sources.iter().map(|source| &source.resource);
    let own = brokers.chain(triggers).chain(event_types).chain(channels).chain(subscriptions).chain(flows);
    let own = own.chain(sources).filter(|resource| !mesh.is_part(resource));
    own.chain(targets(mesh, resources)).filter_map(finding)
}

/// What events are sent to.
fn targets<'a>(mesh: &'a Mesh, resources: &'a Resources) -> impl Iterator<Item = &'a Resource> {
    mesh.nodes.iter().filter_map(|node| match &node.id {
        NodeId::Object(reference) => match resources.targets.get(reference) {
            Some(Target::Found(resource)) => Some(&**resource),
            _ => None,
        },
        NodeId::Uri(_) => None,
    })
}

fn finding(resource: &Resource) -> Option<Finding> {
    let (word, why) = match &resource.ready {
        Ready::No(why) => ("is not ready", why),
        Ready::Unknown(why) => ("is not ready yet", why),
        Ready::Yes | Ready::Untold => return None,
    };
    let why = if why.is_empty() { "no reason is given" } else { why };
    let what = format!("it {word}: {}", sanitise::short(why, REASON));
    Some(Finding { code: "not-ready", about: resource.reference.clone(), what })
}
