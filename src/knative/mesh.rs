//! [`Mesh`]: what was read, joined to a graph: who sends to whom, by which Trigger or Subscription, under which filter.
//! Pure.

use super::{
    filter::Filter,
    resource::{Ready, Reference, Resources},
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

impl Mesh {
    /// Joins what was read.
    pub fn build(_resources: &Resources) -> Self {
        Self::default()
    }
}
