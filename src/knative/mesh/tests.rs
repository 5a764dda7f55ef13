//! A mesh is planted as it is read, and followed.

mod consumers;
mod findings;
mod joins;
mod many;
mod traces;

use serde_json::{Value, json};

use super::{Mesh, NodeId};
use crate::knative::{
    filter::{Filter, Verdict},
    resource::{
        Broker, Channel, Destination, EventType, Flow, Reference, Resource, Resources, Sent, Source, Step,
        Subscription, Target, Trigger,
    },
};

const GROUPS: [(&str, &str); 13] = [
    ("Broker", "eventing.knative.dev"),
    ("Trigger", "eventing.knative.dev"),
    ("EventType", "eventing.knative.dev"),
    ("Channel", "messaging.knative.dev"),
    ("InMemoryChannel", "messaging.knative.dev"),
    ("Subscription", "messaging.knative.dev"),
    ("Sequence", "flows.knative.dev"),
    ("Parallel", "flows.knative.dev"),
    ("PingSource", "sources.knative.dev"),
    ("ApiServerSource", "sources.knative.dev"),
    ("ContainerSource", "sources.knative.dev"),
    ("JobSink", "sinks.knative.dev"),
    ("Deployment", "apps"),
];

/// `Kind name` in the namespace `shop`, or `Kind namespace/name`.
fn reference(text: &str) -> Reference {
    let (kind, name) = text.split_once(' ').expect("a kind and a name");
    let (namespace, name) = name.split_once('/').unwrap_or(("shop", name));
    let group = GROUPS.iter().find(|(of, _)| *of == kind).map_or("", |(_, group)| group);
    let [group, kind, namespace, name] = [group, kind, namespace, name].map(str::to_owned);
    Reference { group, kind, namespace, name }
}

fn resource(text: &str) -> Resource {
    Resource { reference: reference(text), uid: text.to_owned(), ..Resource::default() }
}

/// To an object, or to a URI.
fn to(text: &str) -> Destination {
    if text.contains("://") {
        return Destination { reference: None, uri: Some(text.to_owned()) };
    }
    Destination { reference: Some(reference(text)), uri: None }
}

#[derive(Default)]
struct Scene(Resources);

impl Scene {
    /// All kinds were read to their end.
    fn whole() -> Self {
        let kinds = GROUPS.iter().map(|(kind, group)| ((*group).to_owned(), (*kind).to_owned())).collect();
        Self(Resources { whole: kinds, ..Resources::default() })
    }

    fn broker(&mut self, name: &str) -> &mut Broker {
        let resource = resource(&format!("Broker {name}"));
        self.0.brokers.push(Broker { resource, ..Broker::default() });
        self.0.brokers.last_mut().expect("just pushed")
    }

    fn channel(&mut self, text: &str) -> &mut Channel {
        self.0.channels.push(Channel { resource: resource(text), dead_letter: None });
        self.0.channels.last_mut().expect("just pushed")
    }

    /// With `filters` as in the spec.
    fn trigger(&mut self, name: &str, broker: &str, filters: &Value, subscriber: &str) -> &mut Trigger {
        self.0.triggers.push(Trigger {
            resource: resource(&format!("Trigger {name}")),
            broker: reference(&format!("Broker {broker}")),
            filter: Filter::of(&json!({ "filters": filters })),
            subscriber: to(subscriber),
            ..Trigger::default()
        });
        self.0.triggers.last_mut().expect("just pushed")
    }

    fn subscription(&mut self, name: &str, channel: &str, subscriber: &str) -> &mut Subscription {
        self.0.subscriptions.push(Subscription {
            resource: resource(&format!("Subscription {name}")),
            channel: reference(channel),
            subscriber: Some(subscriber).filter(|to| !to.is_empty()).map(to),
            ..Subscription::default()
        });
        self.0.subscriptions.last_mut().expect("just pushed")
    }

    fn flow(&mut self, text: &str, steps: &[&str], reply: Option<&str>) -> &mut Flow {
        let step = |step: &&str| Step { subscriber: to(step), ..Step::default() };
        let steps = steps.iter().map(step).collect();
        self.0.flows.push(Flow { resource: resource(text), steps, reply: reply.map(to) });
        self.0.flows.last_mut().expect("just pushed")
    }

    fn source(&mut self, text: &str, sink: &str, sends: &[&str]) -> &mut Source {
        let sent = |name: &&str| Sent { event_type: (*name).to_owned(), source: String::new() };
        self.0.sources.push(Source {
            resource: resource(text),
            sink: Some(to(sink)),
            sends: sends.iter().map(sent).collect(),
            ..Source::default()
        });
        self.0.sources.last_mut().expect("just pushed")
    }

    fn event_type(&mut self, name: &str, event_type: &str, offered_by: &str) -> &mut EventType {
        self.0.event_types.push(EventType {
            resource: resource(&format!("EventType {name}")),
            attributes: [("type".to_owned(), Some(event_type.to_owned()))].into(),
            reference: (!offered_by.is_empty()).then(|| reference(offered_by)),
            ..EventType::default()
        });
        self.0.event_types.last_mut().expect("just pushed")
    }

    /// These are there, and nothing else that is referred to.
    fn there(&mut self, targets: &[&str]) {
        for target in targets {
            self.0.targets.insert(reference(target), Target::Found(Box::new(resource(target))));
        }
    }

    fn mesh(&self) -> Mesh {
        Mesh::build(&self.0)
    }

    /// The consumers of the first EventType.
    fn consumers(&self) -> Vec<(String, Verdict)> {
        let mesh = self.mesh();
        let reached = mesh.consumers(&self.0, 0);
        reached.iter().map(|reached| (name(&mesh, reached.node), reached.verdict)).collect()
    }

    /// Codes and what they are about.
    fn findings(&self) -> Vec<String> {
        self.mesh().findings.iter().map(|finding| format!("{} {}", finding.code, finding.about)).collect()
    }
}

fn name(mesh: &Mesh, node: usize) -> String {
    match &mesh.nodes[node].id {
        NodeId::Object(reference) => reference.to_string(),
        NodeId::Uri(uri) => uri.clone(),
    }
}

fn of_type(name: &str) -> Value {
    json!([{"exact": {"type": name}}])
}
