//! What is referred to and not there, or takes no events.

use crate::knative::{
    mesh::{Finding, Mesh, Presence},
    resource::{Destination, Flow, Reference, Resource, Resources},
};

pub(super) fn of(mesh: &Mesh, resources: &Resources) -> Vec<Finding> {
    let mut look = Look { mesh, found: Vec::new() };
    for trigger in &resources.triggers {
        let of = look.of(&trigger.resource);
        look.object(of, "broker-missing", "broker", &trigger.broker);
        if trigger.subscriber == Destination::default() {
            look.found(of, "target-missing", "it names no subscriber: set spec.subscriber".to_owned());
        }
        look.destination(of, "subscriber", Some(&trigger.subscriber));
        look.destination(of, "dead letter sink", trigger.dead_letter.as_ref());
    }
    for subscription in &resources.subscriptions {
        let of = look.of(&subscription.resource);
        look.object(of, "channel-missing", "channel", &subscription.channel);
        if subscription.subscriber.is_none() && subscription.reply.is_none() {
            let what = "it names neither subscriber nor reply: set spec.subscriber";
            look.found(of, "target-missing", what.to_owned());
        }
        look.destination(of, "subscriber", subscription.subscriber.as_ref());
        look.destination(of, "reply", subscription.reply.as_ref());
        look.destination(of, "dead letter sink", subscription.dead_letter.as_ref());
    }
    for source in &resources.sources {
        let of = look.of(&source.resource);
        match &source.sink {
            Some(sink) => look.destination(of, "sink", Some(sink)),
            None => look.found(of, "source-without-sink", "it sends nowhere: set spec.sink".to_owned()),
        }
    }
    for broker in &resources.brokers {
        let of = look.of(&broker.resource);
        look.destination(of, "dead letter sink", broker.dead_letter.as_ref());
    }
    for channel in &resources.channels {
        let of = look.of(&channel.resource);
        look.destination(of, "dead letter sink", channel.dead_letter.as_ref());
    }
    for flow in &resources.flows {
        look.flow(flow);
    }
    for event_type in &resources.event_types {
        let of = look.of(&event_type.resource);
        if let Some(reference) = &event_type.reference {
            look.object(of, "target-missing", "reference", reference);
        }
    }
    look.found
}

struct Look<'a> {
    mesh: &'a Mesh,
    found: Vec<Finding>,
}

impl Look<'_> {
    /// `None` for a part: what is wrong with it is told of what made it.
    fn of<'r>(&self, resource: &'r Resource) -> Option<&'r Reference> {
        (!self.mesh.is_part(resource)).then_some(&resource.reference)
    }

    fn flow(&mut self, flow: &Flow) {
        let of = self.of(&flow.resource);
        let step_name = if flow.resource.reference.kind == "Parallel" { "branch" } else { "step" };
        for (at, step) in flow.steps.iter().enumerate() {
            let named = |what: &str| format!("{what} of {step_name} {}", at + 1);
            if step.subscriber == Destination::default() {
                self.found(
                    of,
                    "target-missing",
                    format!("{step_name} {} names no subscriber: set it", at + 1),
                );
            }
            self.destination(of, &named("filter"), step.filter.as_ref());
            self.destination(of, &named("subscriber"), Some(&step.subscriber));
            self.destination(of, &named("reply"), step.reply.as_ref());
            self.destination(of, &named("dead letter sink"), step.dead_letter.as_ref());
        }
        self.destination(of, "reply", flow.reply.as_ref());
    }

    fn destination(&mut self, of: Option<&Reference>, used: &str, destination: Option<&Destination>) {
        if let Some(reference) = destination.and_then(|destination| destination.reference.as_ref()) {
            self.object(of, "target-missing", used, reference);
        }
    }

    fn object(&mut self, of: Option<&Reference>, missing: &'static str, used: &str, reference: &Reference) {
        let node = self.mesh.node(reference).and_then(|node| self.mesh.nodes.get(node));
        let Some(presence) = node.map(|node| node.presence) else { return };
        let (code, what) = match presence {
            Presence::Here | Presence::Unread => return,
            Presence::Missing => (
                missing,
                format!("its {used} {reference} does not exist: create it, or correct the reference"),
            ),
            Presence::NoKind => {
                let group = if reference.group.is_empty() { "core" } else { &reference.group };
                let kind = format!("{} of {group}", reference.kind);
                (
                    "no-such-kind",
                    format!(
                        "its {used} {reference} is of a kind that the cluster does not serve, {kind}: install it, or correct apiVersion and kind"
                    ),
                )
            }
            Presence::NotAddressable => (
                "not-addressable",
                format!("its {used} {reference} takes no events: refer to a Service before it"),
            ),
        };
        self.found(of, code, what);
    }

    fn found(&mut self, of: Option<&Reference>, code: &'static str, what: String) {
        if let Some(about) = of {
            self.found.push(Finding { code, about: about.clone(), what });
        }
    }
}
