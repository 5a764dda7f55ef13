//! What the parts of a mesh refer to.

use std::collections::BTreeSet;

use crate::knative::{
    fetch::Targets,
    resource::{Destination, Flow, Reference, Resources},
};

/// What is referred to and is of no kind that was read or tried: by anything, or as a subscriber.
pub(super) fn to(resources: &Resources, targets: Targets) -> BTreeSet<Reference> {
    let tried = tried(resources);
    let is_new = |reference: &&Reference| {
        !reference.name.is_empty() && !tried.contains(&(reference.group.as_str(), reference.kind.as_str()))
    };
    match targets {
        Targets::ByKind => everywhere(resources).filter(is_new).cloned().collect(),
        Targets::Each => objects(subscribers(resources)).filter(is_new).cloned().collect(),
    }
}

/// The kinds of which a LIST was sent, whatever came of it.
fn tried(resources: &Resources) -> BTreeSet<(&str, &str)> {
    let read = resources.whole.iter().chain(&resources.whole_there);
    let read = read.map(|(group, kind)| (group.as_str(), kind.as_str()));
    let unread = resources.unread.iter().filter_map(|unread| unread.kind.split_once('.'));
    read.chain(unread.map(|(kind, group)| (group, kind))).collect()
}

/// All that is referred to.
pub(super) fn everywhere(resources: &Resources) -> impl Iterator<Item = &Reference> {
    let triggers = resources.triggers.iter();
    let named = triggers.clone().map(|trigger| &trigger.broker);
    let named = named.chain(resources.subscriptions.iter().map(|subscription| &subscription.channel));
    let named = named.chain(resources.event_types.iter().filter_map(|offered| offered.reference.as_ref()));
    let sinks = resources.sources.iter().filter_map(|source| source.sink.as_ref());
    let letters = triggers.filter_map(|trigger| trigger.dead_letter.as_ref());
    let letters = letters.chain(resources.brokers.iter().filter_map(|broker| broker.dead_letter.as_ref()));
    let letters = letters.chain(resources.channels.iter().filter_map(|channel| channel.dead_letter.as_ref()));
    let subscriptions = resources.subscriptions.iter();
    let answers =
        subscriptions.flat_map(|subscription| subscription.reply.iter().chain(&subscription.dead_letter));
    let flows = resources.flows.iter().flat_map(around);
    named.chain(objects(subscribers(resources).chain(sinks).chain(letters).chain(answers).chain(flows)))
}

/// Who gets events of triggers, subscriptions and flows.
fn subscribers(resources: &Resources) -> impl Iterator<Item = &Destination> {
    let triggers = resources.triggers.iter().map(|trigger| &trigger.subscriber);
    let subscriptions =
        resources.subscriptions.iter().filter_map(|subscription| subscription.subscriber.as_ref());
    let steps = resources.flows.iter().flat_map(|flow| flow.steps.iter().map(|step| &step.subscriber));
    triggers.chain(subscriptions).chain(steps)
}

/// What a flow refers to besides its subscribers.
fn around(flow: &Flow) -> impl Iterator<Item = &Destination> {
    let steps =
        flow.steps.iter().flat_map(|step| step.filter.iter().chain(&step.reply).chain(&step.dead_letter));
    steps.chain(&flow.reply)
}

fn objects<'r>(destinations: impl Iterator<Item = &'r Destination>) -> impl Iterator<Item = &'r Reference> {
    destinations.filter_map(|destination| destination.reference.as_ref())
}
