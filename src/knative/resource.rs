//! What a mesh is made of, each in one shape whatever version it was served in.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::filter::Filter;

/// An object by kind and name. The version is left out: it names the same object in each.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Empty for the core group.
    pub group: String,
    /// The name in `kind:`.
    pub kind: String,
    /// Where it is; of what stands in a spec, that of the object that refers where the spec names none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// Where events are sent (`duckv1.Destination`): an object, a URI, or a URI relative to that of the object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// `ref`
    pub reference: Option<Reference>,
    /// `uri`
    pub uri: Option<String>,
}

/// What an object's `Ready` condition says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ready {
    /// It is `True`.
    Yes,
    /// It is `False`: reason and message, and those of the conditions that make it so.
    No(String),
    /// It is `Unknown`: the same.
    Unknown(String),
    /// It has none: no controller has looked at it, or it is of a kind that has no conditions.
    #[default]
    Untold,
}

/// What all of them have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// Kind and name.
    pub reference: Reference,
    /// `metadata.uid`
    pub uid: String,
    /// `metadata.labels`
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`, never with kubectl's copy of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// The object that made it (`metadata.ownerReferences` with `controller: true`): a Sequence its channels, a Channel
    /// the channel that it stands for.
    pub owner: Option<Reference>,
    /// Whether it works.
    pub ready: Ready,
    /// `status.address.url`, where it takes events.
    pub address: Option<String>,
}

/// A Broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broker {
    /// What all have.
    pub resource: Resource,
    /// Annotation `eventing.knative.dev/broker.class`.
    pub class: Option<String>,
    /// `spec.delivery.deadLetterSink`, for triggers that have none.
    pub dead_letter: Option<Destination>,
}

/// A Trigger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trigger {
    /// What all have.
    pub resource: Resource,
    /// `spec.broker`, or `spec.brokerRef` of another namespace.
    pub broker: Reference,
    /// `spec.filters`, where there are any; else `spec.filter`.
    pub filter: Filter,
    /// `spec.subscriber`
    pub subscriber: Destination,
    /// `status.subscriberUri`: where the controller found it.
    pub resolved: Option<String>,
    /// `spec.delivery.deadLetterSink`
    pub dead_letter: Option<Destination>,
}

/// An EventType of v1beta1, v1beta2 or v1beta3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventType {
    /// What all have.
    pub resource: Resource,
    /// The CloudEvents attributes that such an event has, `type` among them; `None` for one whose value is not said
    /// or is a template.
    pub attributes: BTreeMap<String, Option<String>>,
    /// `spec.description`
    pub description: Option<String>,
    /// `spec.schema`: a URL.
    pub schema: Option<String>,
    /// `spec.schemaData`
    pub schema_data: Option<String>,
    /// `spec.reference`, or the deprecated `spec.broker`: what offers such events.
    pub reference: Option<Reference>,
}

impl EventType {
    /// The attribute `type`; empty where it has none.
    pub fn event_type(&self) -> &str {
        self.attributes.get("type").and_then(Option::as_deref).unwrap_or_default()
    }
}

/// A channel: of a kind whose CRD is labelled `messaging.knative.dev/subscribable`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channel {
    /// What all have.
    pub resource: Resource,
    /// `spec.delivery.deadLetterSink`, for subscriptions that have none.
    pub dead_letter: Option<Destination>,
}

/// A Subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// What all have.
    pub resource: Resource,
    /// `spec.channel`, in its own namespace.
    pub channel: Reference,
    /// `spec.subscriber`; without one, events go to `reply` as they are.
    pub subscriber: Option<Destination>,
    /// `status.physicalSubscription.subscriberUri`
    pub resolved: Option<String>,
    /// `spec.reply`: where what the subscriber answers goes.
    pub reply: Option<Destination>,
    /// `spec.delivery.deadLetterSink`
    pub dead_letter: Option<Destination>,
}

/// A Sequence or a Parallel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// What all have; its kind tells which it is.
    pub resource: Resource,
    /// `spec.steps` of a Sequence, `spec.branches` of a Parallel, in their order.
    pub steps: Vec<Step>,
    /// `spec.reply`
    pub reply: Option<Destination>,
}

/// A step of a Sequence, or a branch of a Parallel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Of a branch: who decides whether its subscriber gets the event.
    pub filter: Option<Destination>,
    /// Who gets the event, or what the step before made of it.
    pub subscriber: Destination,
    /// Of a branch: where what its subscriber answers goes.
    pub reply: Option<Destination>,
    /// `delivery.deadLetterSink`
    pub dead_letter: Option<Destination>,
}

/// A source: of a kind whose CRD is labelled `duck.knative.dev/source`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// What all have.
    pub resource: Resource,
    /// `spec.sink`
    pub sink: Option<Destination>,
    /// `status.sinkUri`: where the controller found it.
    pub resolved: Option<String>,
    /// What its kind can send: `type` of each entry of the CRD annotation `registry.knative.dev/eventTypes`.
    pub announced: Vec<String>,
    /// What this one sends, where it knows: `type` and `source` of each of `status.ceAttributes`.
    pub sends: Vec<Sent>,
    /// Of a SinkBinding: `spec.subject`, whose Pods send.
    pub subject: Option<Reference>,
}

/// One of `status.ceAttributes`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    /// `type`
    pub event_type: String,
    /// `source`; empty where it is not said.
    pub source: String,
}

/// What something refers to that is none of the above: a Service, a Knative Service, a JobSink, …
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// It is there.
    Found(Box<Resource>),
    /// It is not there.
    Missing,
    /// The cluster serves no such kind.
    NoKind,
    /// Of a kind that takes no events (a Deployment, a ConfigMap, a Secret): not looked at.
    NotAddressable,
    /// Whether it is there could not be read.
    Unread,
}

/// All that was read of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    /// Brokers.
    pub brokers: Vec<Broker>,
    /// Triggers.
    pub triggers: Vec<Trigger>,
    /// Event types.
    pub event_types: Vec<EventType>,
    /// Channels of all kinds.
    pub channels: Vec<Channel>,
    /// Subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// Sequences and Parallels.
    pub flows: Vec<Flow>,
    /// Sources of all kinds.
    pub sources: Vec<Source>,
    /// What these refer to besides each other.
    pub targets: BTreeMap<Reference, Target>,
    /// What could not be read: without it this is a part.
    pub unread: Vec<Unread>,
    /// What is odd about the cluster and takes nothing from the rest, in words: an annotation that is not JSON.
    pub remarks: Vec<String>,
    /// Kinds that were read to their end, as `(group, kind)`: what is not among them may be there all the same. Ask
    /// [`Self::covers`].
    pub whole: BTreeSet<(String, String)>,
    /// Kinds of which [`Self::only`] alone was read to its end.
    pub whole_there: BTreeSet<(String, String)>,
    /// The namespace that was read of kinds of which the caller may not read all.
    pub only: Option<String>,
    /// Namespaces that something refers to and that are not shown to the caller.
    pub hidden: BTreeSet<String>,
    /// Of Broker, Trigger, EventType, Subscription: those that the cluster does not serve, as `Kind.group`.
    pub not_installed: Vec<String>,
}

impl Resources {
    /// Whether an object would be among what was read if it were there: one that is not is missing.
    pub fn covers(&self, reference: &Reference) -> bool {
        let kind = (reference.group.clone(), reference.kind.clone());
        let there = self.only.as_deref() == Some(reference.namespace.as_str());
        let read = self.whole.contains(&kind) || (there && self.whole_there.contains(&kind));
        read && !self.hidden.contains(&reference.namespace)
    }
}

/// A kind that could not be read, or not to its end.
#[derive(Clone, Debug)]
pub struct Unread {
    /// As `Kind.group`, or `CustomResourceDefinition`.
    pub kind: String,
    /// In words.
    pub why: String,
    /// What happened, where nothing of it could be read.
    pub fault: Option<crate::kubernetes::Fault>,
}
