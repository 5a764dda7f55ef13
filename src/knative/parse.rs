//! Objects of Knative Eventing as our own types. Pure, and forgiving: what is not of the expected shape reads as
//! absent, for a cluster may hold objects that its present CRDs would not take.

mod announced;
mod event_type;
mod ready;
mod reference;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    filter::Filter,
    group,
    resource::{
        Broker, Channel, Destination, Flow, Reference, Resource, Sent, Source, Step, Subscription, Trigger,
    },
};
use crate::{answer::sanitise, kubernetes::Object};

pub use announced::announced;
pub use event_type::event_type;
use reference::{destination, reference};

/// Characters of an annotation's value that are kept.
const LONGEST_ANNOTATION: usize = 4_000;
/// The implementation of a broker (eventing, `pkg/apis/eventing/register.go`).
const BROKER_CLASS: &str = "eventing.knative.dev/broker.class";

/// What all have.
pub fn resource(object: &Object) -> Resource {
    let address = object.text(&["status", "address", "url"]);
    Resource {
        reference: Reference {
            group: object.group().to_owned(),
            kind: object.kind().to_owned(),
            namespace: namespace(object).to_owned(),
            name: object.name().to_owned(),
        },
        uid: object.uid().to_owned(),
        labels: texts(object, "labels", str::to_owned),
        annotations: texts(object, "annotations", |value| sanitise::cut(value, LONGEST_ANNOTATION)),
        owner: owner(object),
        ready: ready::of(object),
        address: address.map(str::to_owned),
    }
}

/// A Broker.
pub fn broker(object: &Object) -> Broker {
    Broker {
        resource: resource(object),
        class: object.annotation(BROKER_CLASS).map(str::to_owned),
        dead_letter: dead_letter(object.member("spec"), namespace(object)),
    }
}

/// A Trigger.
pub fn trigger(object: &Object) -> Trigger {
    let spec = object.member("spec").unwrap_or(&Value::Null);
    let own = namespace(object);
    let elsewhere = spec.get("brokerRef").and_then(|broker| reference(broker, own));
    Trigger {
        resource: resource(object),
        broker: elsewhere.unwrap_or_else(|| Reference {
            group: group::EVENTING.to_owned(),
            kind: "Broker".to_owned(),
            namespace: own.to_owned(),
            name: text(spec, "broker").unwrap_or_default(),
        }),
        filter: Filter::of(spec),
        subscriber: destination(spec.get("subscriber"), own).unwrap_or_default(),
        resolved: object.text(&["status", "subscriberUri"]).map(str::to_owned),
        dead_letter: dead_letter(Some(spec), own),
    }
}

/// A channel of any kind.
pub fn channel(object: &Object) -> Channel {
    Channel { resource: resource(object), dead_letter: dead_letter(object.member("spec"), namespace(object)) }
}

/// A Subscription.
pub fn subscription(object: &Object) -> Subscription {
    let spec = object.member("spec").unwrap_or(&Value::Null);
    let own = namespace(object);
    let channel = spec.get("channel").and_then(|channel| reference(channel, own));
    Subscription {
        resource: resource(object),
        channel: channel.unwrap_or_default(),
        subscriber: destination(spec.get("subscriber"), own),
        resolved: object.text(&["status", "physicalSubscription", "subscriberUri"]).map(str::to_owned),
        reply: destination(spec.get("reply"), own),
        dead_letter: dead_letter(Some(spec), own),
    }
}

/// A Sequence or a Parallel.
pub fn flow(object: &Object) -> Flow {
    let own = namespace(object);
    let steps = object.items(&["spec", "steps"]).iter().map(|step| Step {
        // the destination of a step is the step itself
        subscriber: destination(Some(step), own).unwrap_or_default(),
        dead_letter: dead_letter(Some(step), own),
        ..Step::default()
    });
    let branches = object.items(&["spec", "branches"]).iter().map(|branch| Step {
        filter: destination(branch.get("filter"), own),
        subscriber: destination(branch.get("subscriber"), own).unwrap_or_default(),
        reply: destination(branch.get("reply"), own),
        dead_letter: dead_letter(Some(branch), own),
    });
    Flow {
        resource: resource(object),
        steps: steps.chain(branches).collect(),
        reply: destination(object.at(&["spec", "reply"]), own),
    }
}

/// A source of any kind; `announced` is what its kind can send.
pub fn source(object: &Object, announced: &[String]) -> Source {
    let own = namespace(object);
    let sent = object.items(&["status", "ceAttributes"]).iter().filter_map(|sent| {
        Some(Sent { event_type: text(sent, "type")?, source: text(sent, "source").unwrap_or_default() })
    });
    Source {
        resource: resource(object),
        sink: destination(object.at(&["spec", "sink"]), own),
        resolved: object.text(&["status", "sinkUri"]).map(str::to_owned),
        announced: announced.to_vec(),
        sends: sent.collect(),
        subject: object.at(&["spec", "subject"]).and_then(|subject| reference::subject(subject, own)),
    }
}

fn dead_letter(holder: Option<&Value>, own: &str) -> Option<Destination> {
    destination(holder?.get("delivery")?.get("deadLetterSink"), own)
}

fn owner(object: &Object) -> Option<Reference> {
    let owners = object.items(&["metadata", "ownerReferences"]);
    let controller = owners.iter().find(|owner| owner.get("controller") == Some(&Value::Bool(true)))?;
    reference(controller, namespace(object))
}

fn namespace(object: &Object) -> &str {
    object.namespace().unwrap_or_default()
}

/// A text that says something.
fn text(value: &Value, member: &str) -> Option<String> {
    value.get(member)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The labels or annotations, without kubectl's copy of the manifest.
fn texts(object: &Object, which: &str, kept: impl Fn(&str) -> String) -> BTreeMap<String, String> {
    let entries = object.at(&["metadata", which]).and_then(Value::as_object);
    let texts =
        entries.into_iter().flatten().filter(|(name, _)| !name.ends_with("/last-applied-configuration"));
    texts.filter_map(|(name, value)| Some((name.clone(), kept(value.as_str()?)))).collect()
}

#[cfg(test)]
#[path = "parse/tests.rs"]
mod tests;
