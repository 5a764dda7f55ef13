//! The nodes of a mesh, found by reference and by address. What a Sequence, a Channel or a Broker made for itself is
//! that node.

use std::collections::{HashMap, HashSet};

use super::{Node, NodeId, Presence, Role, address};
use crate::knative::{
    BACKSTAGE_ID, group,
    resource::{Destination, Ready, Reference, Resource, Resources, Target},
};

/// Owners of owners.
const DEEPEST: usize = 8;

pub(super) struct Nodes<'a> {
    resources: &'a Resources,
    pub(super) nodes: Vec<Node>,
    pub(super) by_reference: HashMap<Reference, usize>,
    by_uri: HashMap<String, usize>,
    addresses: HashMap<String, Reference>,
    owners: HashMap<&'a Reference, &'a Reference>,
    known: HashSet<&'a Reference>,
    channel_kinds: HashSet<(&'a str, &'a str)>,
    pub(super) parts: HashSet<Reference>,
}

impl<'a> Nodes<'a> {
    /// The nodes that were read; what these refer to is added as it is asked for.
    pub(super) fn of(resources: &'a Resources) -> Self {
        let mut nodes = Self {
            resources,
            nodes: Vec::new(),
            by_reference: HashMap::new(),
            by_uri: HashMap::new(),
            addresses: HashMap::new(),
            owners: HashMap::new(),
            known: HashSet::new(),
            channel_kinds: HashSet::new(),
            parts: HashSet::new(),
        };
        nodes.channel_kinds.insert((group::MESSAGING, "Channel"));
        for channel in &resources.channels {
            let reference = &channel.resource.reference;
            nodes.channel_kinds.insert((&reference.group, &reference.kind));
        }
        let read: Vec<(&Resource, Role)> = read(resources).collect();
        for (resource, _) in &read {
            nodes.known.insert(&resource.reference);
            if let Some(owner) = &resource.owner {
                nodes.owners.insert(&resource.reference, owner);
            }
        }
        // those that are nobody's first: the others are parts of these
        let (whole, parts): (Vec<_>, Vec<_>) =
            read.iter().partition(|(resource, _)| nodes.top(&resource.reference) == &resource.reference);
        for (resource, role) in whole {
            nodes.add(resource, role);
        }
        for (resource, _) in parts {
            let top = nodes.top(&resource.reference);
            if let Some(at) = nodes.by_reference.get(top).copied() {
                nodes.by_reference.insert(resource.reference.clone(), at);
                nodes.parts.insert(resource.reference.clone());
                nodes.addressed(resource, top);
            }
        }
        for target in resources.targets.values() {
            if let Target::Found(resource) = target {
                nodes.addressed(resource, &resource.reference);
            }
        }
        nodes
    }

    fn add(&mut self, resource: &Resource, role: Role) {
        if self.by_reference.contains_key(&resource.reference) {
            return;
        }
        self.addressed(resource, &resource.reference);
        self.push(Node {
            id: NodeId::Object(resource.reference.clone()),
            role,
            ready: resource.ready.clone(),
            presence: Presence::Here,
            backstage_id: backstage_id(resource),
        });
    }

    fn push(&mut self, node: Node) -> usize {
        let at = self.nodes.len();
        match &node.id {
            NodeId::Object(reference) => self.by_reference.insert(reference.clone(), at),
            NodeId::Uri(uri) => self.by_uri.insert(uri.clone(), at),
        };
        self.nodes.push(node);
        at
    }

    fn addressed(&mut self, resource: &Resource, as_what: &Reference) {
        if let Some(key) = resource.address.as_deref().and_then(address::key) {
            self.addresses.entry(key).or_insert_with(|| as_what.clone());
        }
    }

    /// What made an object, and what made that, as far as it was read.
    fn top<'r>(&self, reference: &'r Reference) -> &'r Reference
    where
        'a: 'r,
    {
        let mut top = reference;
        for _ in 0..DEEPEST {
            match self.owners.get(top) {
                Some(owner) if *owner == reference => return reference,
                Some(owner) if self.known.contains(*owner) => top = *owner,
                _ => return top,
            }
        }
        reference
    }

    /// Whether a Subscription or Trigger was made by one of the nodes, or by a Trigger for itself.
    pub(super) fn is_made(&self, resource: &Resource, triggers: &HashSet<&Reference>) -> bool {
        resource.owner.as_ref().is_some_and(|owner| self.known.contains(owner) || triggers.contains(owner))
    }

    /// The node of an object, which is added where it has none.
    pub(super) fn object(&mut self, reference: &Reference) -> usize {
        if let Some(at) = self.by_reference.get(reference) {
            return *at;
        }
        let (presence, ready, backstage_id) = match self.resources.targets.get(reference) {
            Some(Target::Found(resource)) => (Presence::Here, resource.ready.clone(), backstage_id(resource)),
            Some(Target::Missing) => (Presence::Missing, Ready::Untold, None),
            Some(Target::NoKind) => (Presence::NoKind, Ready::Untold, None),
            Some(Target::NotAddressable) => (Presence::NotAddressable, Ready::Untold, None),
            Some(Target::Unread) => (Presence::Unread, Ready::Untold, None),
            None => (self.unseen(reference), Ready::Untold, None),
        };
        let id = NodeId::Object(reference.clone());
        self.push(Node { id, role: self.role(reference), ready, presence, backstage_id })
    }

    /// The node of a destination; `None` where it names nothing.
    pub(super) fn destination(&mut self, destination: &Destination, resolved: Option<&str>) -> Option<usize> {
        if let Some(reference) = &destination.reference {
            return Some(self.object(reference));
        }
        let uri = destination.uri.as_deref()?;
        let known = self.addressee(uri).or_else(|| resolved.and_then(|uri| self.addressee(uri)));
        if let Some(reference) = known {
            return Some(self.object(&reference));
        }
        let shown = address::shown(uri);
        if let Some(at) = self.by_uri.get(&shown) {
            return Some(*at);
        }
        Some(self.push(Node {
            id: NodeId::Uri(shown),
            role: Role::Receiver,
            ready: Ready::Untold,
            presence: Presence::Unread,
            backstage_id: None,
        }))
    }

    /// Who is known to be at an address, or at the root of it.
    fn addressee(&self, uri: &str) -> Option<Reference> {
        let known = |key: Option<String>| self.addresses.get(&key?).cloned();
        known(address::key(uri)).or_else(|| known(address::host(uri))).or_else(|| {
            let (name, namespace) = address::service(uri)?;
            let service = Reference { group: String::new(), kind: "Service".to_owned(), namespace, name };
            matches!(self.resources.targets.get(&service)?, Target::Found(_)).then_some(service)
        })
    }

    fn unseen(&self, reference: &Reference) -> Presence {
        let not_served = format!("{}.{}", reference.kind, reference.group);
        if self.resources.not_installed.contains(&not_served) {
            Presence::NoKind
        } else if self.resources.covers(reference) {
            Presence::Missing
        } else {
            Presence::Unread
        }
    }

    fn role(&self, reference: &Reference) -> Role {
        match (reference.group.as_str(), reference.kind.as_str()) {
            (group::EVENTING, "Broker") => Role::Broker,
            (group::FLOWS, "Sequence" | "Parallel") => Role::Flow,
            kind if self.channel_kinds.contains(&kind) => Role::Channel,
            _ => Role::Receiver,
        }
    }
}

fn read(resources: &Resources) -> impl Iterator<Item = (&Resource, Role)> {
    let brokers = resources.brokers.iter().map(|broker| (&broker.resource, Role::Broker));
    let flows = resources.flows.iter().map(|flow| (&flow.resource, Role::Flow));
    let channels = resources.channels.iter().map(|channel| (&channel.resource, Role::Channel));
    let sources = resources.sources.iter().map(|source| (&source.resource, Role::Source));
    brokers.chain(flows).chain(channels).chain(sources)
}

fn backstage_id(resource: &Resource) -> Option<String> {
    resource.labels.get(BACKSTAGE_ID).filter(|id| !id.is_empty()).cloned()
}
