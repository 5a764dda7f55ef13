//! The rights that it takes to read an event mesh. All but [`read`] is pure.
//!
//! Whoever may write a Trigger in some namespace says what its subscriber is, and so could say which rights an
//! administrator gives away: only kinds that are made to take events are among them.

mod read;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    fetch::MOST_EACH,
    group,
    resource::{Resources, Target},
};
use crate::{
    answer::sanitise,
    kubernetes::{
        Kind, Kinds,
        rights::{GET, LIST, Rights},
    },
};

/// The label of CRDs whose objects take events (Knative's duck type Addressable).
pub const ADDRESSABLE: &str = "duck.knative.dev/addressable";
/// Kinds that are left out and named.
const MOST: usize = 20;

/// Group and plural.
pub type Resource = (String, String);

/// What reads the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// `GET /v1/getEventMesh`, which gets each subscriber.
    DropIn,
    /// `knative_event_mesh`, which lists the kinds of all that is referred to.
    Tool,
}

/// The kinds that are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InUse {
    /// What a mesh is made of.
    pub parts: BTreeSet<Resource>,
    /// What its parts refer to: for [`Reader::DropIn`] as subscribers.
    pub targets: BTreeSet<Resource>,
    /// Those of them that have so many subscribers that [`Reader::DropIn`] lists them.
    pub many: BTreeSet<Resource>,
    /// What is referred to and not among them, and why.
    pub left_out: BTreeSet<String>,
}

/// The rights that reading them takes.
pub fn rights(used: &InUse, reader: Reader) -> Rights {
    let mut rights = Rights::default();
    rights.allow(
        "Which kinds are channels and sources: by the labels of their CRDs, of which the metadata is read.",
        &[LIST],
        "apiextensions.k8s.io",
        "customresourcedefinitions",
    );
    for (group, resource) in &used.parts {
        rights.allow("What the mesh is made of.", &[LIST], group, resource);
    }
    for (group, resource) in &used.targets {
        match reader {
            Reader::DropIn => rights.allow(
                "Subscribers of triggers and subscriptions, for their label backstage.io/kubernetes-id: the kinds that \
                 are in use.",
                &[GET],
                group,
                resource,
            ),
            Reader::Tool => rights.allow(
                "What sinks, subscribers, replies and dead letter sinks refer to: the kinds that are in use.",
                &[LIST],
                group,
                resource,
            ),
        }
    }
    if reader == Reader::DropIn {
        for (group, resource) in &used.many {
            let why = "Kinds with more subscribers than are got one by one: listed instead.";
            rights.allow(why, &[LIST], group, resource);
        }
    }
    used.left_out.iter().take(MOST).for_each(|what| rights.leave_out(what.clone()));
    if used.left_out.len() > MOST {
        rights.leave_out(format!("{} more kinds that are referred to", used.left_out.len() - MOST));
    }
    rights
}

impl InUse {
    /// Of what was read. `addressable` are the CRDs with that [label](ADDRESSABLE), by `plural.group`. With the kinds
    /// that are referred to and not served.
    pub fn of(
        resources: &Resources,
        kinds: &Kinds,
        addressable: &BTreeSet<String>,
    ) -> (Self, BTreeSet<String>) {
        let (mut used, mut unserved) = (Self::default(), BTreeSet::new());
        let (mut referred, mut counts) = (BTreeSet::new(), BTreeMap::new());
        for (reference, target) in &resources.targets {
            let of = (reference.group.clone(), reference.kind.clone());
            let named = shown(&of);
            match (target, kinds.find(&of.0, &of.1)) {
                (Target::NotAddressable, _) => {
                    used.left_out
                        .insert(format!("{named}, which something names as where events go: it takes none"));
                }
                (Target::NoKind, _) | (_, None) => _ = unserved.insert(named),
                (Target::Found(_) | Target::Missing | Target::Unread, Some(kind)) => {
                    match takes_events(kind, addressable) {
                        true => *counts.entry((kind.group.clone(), kind.plural.clone())).or_insert(0) += 1,
                        false => used.leave_out(kind),
                    }
                }
            }
            referred.insert(of);
        }
        used.many = many(&counts);
        used.targets.extend(counts.into_keys());
        let read = resources.whole.iter().cloned();
        let unread = resources.unread.iter().filter_map(|unread| {
            let (kind, group) = unread.kind.split_once('.')?;
            Some((group.to_owned(), kind.to_owned()))
        });
        // what is only referred to is judged above
        let unread = unread.filter(|of| !referred.contains(of) || is_knatives(&of.0));
        let parts = read.chain(unread).filter_map(|(group, kind)| kinds.find(&group, &kind));
        used.parts.extend(parts.map(|kind| (kind.group.clone(), kind.plural.clone())));
        (used, unserved)
    }

    /// Of a Knative Eventing as it comes, and the kinds that somebody names: of groups of channels and sources those
    /// that are to be read, all others as what these refer to.
    pub fn named(resources: impl IntoIterator<Item = Resource>) -> Self {
        let mut used = Self::default();
        let all = |used: &mut BTreeSet<Resource>, of: &[(&str, &str)]| {
            used.extend(of.iter().map(|(group, plural)| ((*group).to_owned(), (*plural).to_owned())));
        };
        all(&mut used.parts, &ALWAYS);
        let (mut channels, mut sources) = (false, false);
        for resource in resources {
            let first = resource.0.split('.').next().unwrap_or_default();
            channels |= first == "messaging";
            sources |= first == "sources";
            match first {
                "messaging" | "sources" => _ = used.parts.insert(resource),
                _ => _ = used.targets.insert(resource),
            }
        }
        if !channels {
            all(&mut used.parts, &CHANNELS);
        }
        if !sources {
            all(&mut used.parts, &SOURCES);
        }
        used
    }

    fn leave_out(&mut self, kind: &Kind) {
        let named = shown(&(kind.group.clone(), kind.kind.clone()));
        self.left_out.insert(format!(
            "{named}, which something names as where events go: its CRD does not have the label {ADDRESSABLE}, so it may \
             be anything; --kinds gives it all the same"
        ));
    }
}

/// Kinds that are read wherever they are served.
const ALWAYS: [(&str, &str); 6] = [
    (group::EVENTING, "brokers"),
    (group::EVENTING, "eventtypes"),
    (group::EVENTING, "triggers"),
    (group::MESSAGING, "subscriptions"),
    (group::FLOWS, "parallels"),
    (group::FLOWS, "sequences"),
];
/// The channels that Knative Eventing brings.
const CHANNELS: [(&str, &str); 2] = [(group::MESSAGING, "channels"), (group::MESSAGING, "inmemorychannels")];
/// The sources that it brings.
const SOURCES: [(&str, &str); 5] = [
    (group::SOURCES, "apiserversources"),
    (group::SOURCES, "containersources"),
    (group::SOURCES, "integrationsources"),
    (group::SOURCES, "pingsources"),
    (group::SOURCES, "sinkbindings"),
];

/// The kinds that are listed since there are more objects than are got one by one: those with the most.
fn many(counts: &BTreeMap<Resource, usize>) -> BTreeSet<Resource> {
    let mut kinds: Vec<(&Resource, usize)> = counts.iter().map(|(kind, count)| (kind, *count)).collect();
    kinds.sort_by_key(|(_, count)| *count);
    let mut left = MOST_EACH;
    let listed = kinds.into_iter().filter(|(_, count)| match left.checked_sub(*count) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    });
    listed.map(|(kind, _)| kind.clone()).collect()
}

/// Whether a group is one of those that a mesh is made of.
fn is_knatives(group: &str) -> bool {
    [group::EVENTING, group::MESSAGING, group::FLOWS, group::SOURCES].contains(&group)
}

/// Whether objects of a kind are made to take events.
fn takes_events(kind: &Kind, addressable: &BTreeSet<String>) -> bool {
    match kind.group.as_str() {
        "" => kind.plural == "services",
        _ => may_take_events(&kind.group) && addressable.contains(&format!("{}.{}", kind.plural, kind.group)),
    }
}

/// Whether kinds of a group can take events at all: those of Kubernetes itself do not, but for Services.
pub fn may_take_events(group: &str) -> bool {
    group.contains('.') && !group.ends_with(".k8s.io") && !group.ends_with(".kubernetes.io")
}

/// A kind, as whoever wrote the reference called it.
fn shown((group, kind): &(String, String)) -> String {
    let name = if group.is_empty() { kind.clone() } else { format!("{kind}.{group}") };
    format!("{:?}", sanitise::short(&name, 100))
}
