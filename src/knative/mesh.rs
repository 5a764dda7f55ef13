//! [`Mesh`]: what was read, joined to a graph: who sends to whom, by which Trigger or Subscription, under which filter.
//! Pure.

mod address;
mod build;
mod events;
mod findings;
mod index;
mod nodes;
mod reach;
mod trace;
mod walk;

use self::index::Index;
use super::{
    filter::{Filter, Verdict},
    resource::{Ready, Reference, Resource, Resources},
};

/// A graph of who sends to whom.
#[derive(Clone, Debug, Default)]
pub struct Mesh {
    /// What sends, passes on, or receives.
    pub nodes: Vec<Node>,
    /// Who sends to whom.
    pub edges: Vec<Edge>,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
    index: Index,
}

/// What sends, passes on, or receives.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub id: NodeId,
    /// What it does.
    pub role: Role,
    /// Whether it works.
    pub ready: Ready,
    /// Whether it is known to be there.
    pub presence: Presence,
    /// By what Backstage knows it.
    pub backstage_id: Option<String>,
}

/// An object or a URI.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeId {
    /// An object.
    Object(Reference),
    /// What is named by its URI alone.
    Uri(String),
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends.
    Source,
    /// Passes on by triggers.
    Broker,
    /// Passes on by subscriptions.
    Channel,
    /// A Sequence or a Parallel.
    Flow,
    /// Whatever else receives.
    Receiver,
}

/// Whether a node is known to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It was read.
    Here,
    /// It is not there.
    Missing,
    /// The cluster serves no such kind.
    NoKind,
    /// It is of a kind that takes no events.
    NotAddressable,
    /// It could not be read, or was not.
    Unread,
}

impl Presence {
    /// Whether it is known that nothing can come there, nor from there.
    pub fn is_absent(self) -> bool {
        matches!(self, Self::Missing | Self::NoKind)
    }
}

/// One sends to the other.
#[derive(Clone, Debug)]
pub struct Edge {
    /// An index into [`Mesh::nodes`].
    pub from: usize,
    /// An index into [`Mesh::nodes`].
    pub to: usize,
    /// How.
    pub relation: Relation,
    /// The Trigger or Subscription.
    pub via: Option<Reference>,
    /// Which events.
    pub filter: Filter,
    /// Whether the Trigger or Subscription works.
    pub ready: Ready,
    /// The edge (an index into [`Mesh::edges`]) whose receiver made the events that this one carries: of a reply the
    /// edge to the subscriber, of a step of a Sequence that to the step before. Nothing is known of such events. What
    /// the subscriber of a Trigger answers goes back to its broker; that is so of each, and has no edge.
    pub answers: Option<usize>,
}

/// How one sends to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// A source to its sink.
    Sink,
    /// A broker to the subscriber of a trigger.
    Trigger,
    /// A channel to a subscriber.
    Subscription,
    /// A flow to the subscriber of a step or branch.
    Step,
    /// What a subscriber answered.
    Reply,
    /// What could not be delivered.
    DeadLetter,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A stable word, as `broker-missing`.
    pub code: &'static str,
    /// What it is about.
    pub about: Reference,
    /// In words.
    pub what: String,
}

/// Where a trace begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Events of a type, by the EventTypes of that name, or by the sources that send it.
    EventType {
        /// The CloudEvents attribute `type`.
        name: String,
        /// Where the EventTypes are; everywhere without one.
        namespace: Option<String>,
    },
    /// An index into [`Mesh::nodes`].
    Node(usize),
}

/// Which way a trace goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Against the events: where they come from.
    Producers,
    /// With the events: who gets them.
    Consumers,
    /// Both, through the anchor.
    Path,
}

/// What a trace found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Each edge once, in order of distance.
    pub hops: Vec<Hop>,
    /// Indexes into [`Mesh::nodes`]: where it began.
    pub starts: Vec<usize>,
    /// Indexes into [`Resources::event_types`]: of the events that were followed, those that got there.
    pub event_types: Vec<usize>,
    /// Whether something on the way may not be so: an attribute that is not known, a filter that is not evaluated, an
    /// answer whose type nobody says, a kind that could not be read.
    pub unsure: bool,
    /// Whether there was too much to follow: there may be more hops.
    pub cut: bool,
}

/// An edge that events take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Edges from the anchor, from 1.
    pub distance: usize,
    /// An index into [`Mesh::edges`].
    pub edge: usize,
    /// Whether they do: the least sure on the way.
    pub verdict: Verdict,
}

/// A node that gets events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// An index into [`Mesh::nodes`].
    pub node: usize,
    /// Whether it does: the least sure on the way.
    pub verdict: Verdict,
    /// Whether it gets those alone that somebody else could not be given.
    pub undelivered: bool,
}

impl Edge {
    /// Whether events take it as they are, and to where they are meant to go.
    fn delivers(&self) -> bool {
        self.answers.is_none() && self.relation != Relation::DeadLetter
    }
}

impl Mesh {
    /// Joins what was read, and judges it.
    pub fn build(resources: &Resources) -> Self {
        let mut mesh = Self::joined(resources);
        mesh.findings = findings::of(&mesh, resources);
        mesh
    }

    /// Joins what was read, without the findings: a catalog has no use for them.
    pub fn joined(resources: &Resources) -> Self {
        build::mesh(resources)
    }

    /// The node that an object is or is a part of.
    pub fn node(&self, reference: &Reference) -> Option<usize> {
        self.index.nodes.get(reference).copied()
    }

    /// Whether an object is shown as a part of another: a channel of a Sequence, the Subscription of a Trigger.
    pub fn is_part(&self, resource: &Resource) -> bool {
        self.index.parts.contains(&resource.reference)
    }

    /// Who gets events of this EventType (an index into [`Resources::event_types`]): over hops, but not what somebody
    /// answers to one.
    pub fn consumers(&self, resources: &Resources, event_type: usize) -> Vec<Reached> {
        reach::consumers(self, resources, event_type)
    }

    /// The EventTypes (indexes into [`Resources::event_types`]) that a source (an index into [`Resources::sources`])
    /// provides.
    pub fn provided(&self, resources: &Resources, source: usize) -> Vec<usize> {
        reach::provided(self, resources, source)
    }

    /// Follows events from or to an anchor, over hops, each edge once.
    pub fn trace(&self, resources: &Resources, anchor: &Anchor, direction: Direction) -> Trace {
        trace::trace(self, resources, anchor, direction)
    }
}

#[cfg(test)]
mod tests;
