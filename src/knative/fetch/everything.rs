//! All kinds that a mesh is made of, at once.

use futures::{future::join_all, join};

use super::{Reader, kinds::Announcing, listing::Read};
use crate::{
    knative::{
        group, parse,
        resource::{Channel, Resources, Source},
    },
    kubernetes::{Kind, Object, Taking},
};

/// Kinds without which there is no mesh to speak of. The others may be left out of an installation.
const NEEDED: [(&str, &str); 4] = [
    (group::EVENTING, "Broker"),
    (group::EVENTING, "Trigger"),
    (group::EVENTING, "EventType"),
    (group::MESSAGING, "Subscription"),
];

pub(super) async fn read(reader: &Reader<'_>) -> Resources {
    let fixed = async {
        reader.await_needed().await;
        join!(
            reader.of(group::EVENTING, "Broker", parse::broker),
            reader.of(group::EVENTING, "Trigger", parse::trigger),
            reader.of(group::EVENTING, "EventType", parse::event_type),
            reader.of(group::MESSAGING, "Subscription", parse::subscription),
            reader.of(group::FLOWS, "Sequence", parse::flow),
            reader.of(group::FLOWS, "Parallel", parse::flow),
        )
    };
    let labelled = async {
        let labelled = reader.labelled().await;
        let channels = join_all(labelled.channels.iter().map(|kind| reader.channels(kind)));
        let sources = join_all(labelled.sources.iter().map(|kind| reader.sources(kind)));
        let (channels, sources) = join!(channels, sources);
        (channels, sources, labelled.unread, labelled.remarks)
    };
    let (fixed, (channels, sources, unread, remarks)) = join!(fixed, labelled);
    let (brokers, triggers, event_types, subscriptions, sequences, parallels) = fixed;
    let served =
        [brokers.is_served(), triggers.is_served(), event_types.is_served(), subscriptions.is_served()];
    let missing = NEEDED.iter().zip(served).filter(|(_, served)| !served);
    let mut resources = Resources {
        not_installed: missing.map(|((group, kind), _)| format!("{kind}.{group}")).collect(),
        only: reader.asked.namespace.map(str::to_owned),
        unread,
        remarks,
        ..Resources::default()
    };
    resources.brokers = brokers.noted(&mut resources);
    resources.triggers = triggers.noted(&mut resources);
    resources.event_types = event_types.noted(&mut resources);
    resources.subscriptions = subscriptions.noted(&mut resources);
    resources.flows = sequences.noted(&mut resources);
    let parallels = parallels.noted(&mut resources);
    resources.flows.extend(parallels);
    for read in channels {
        let channels = read.noted(&mut resources);
        resources.channels.extend(channels);
    }
    for read in sources {
        let sources = read.noted(&mut resources);
        resources.sources.extend(sources);
    }
    resources
}

impl Reader<'_> {
    /// Looks anew, once, where one of the kinds that are needed is not known: Knative may have come since.
    async fn await_needed(&self) {
        let known = self.kinds();
        if NEEDED.iter().any(|(group, kind)| known.find(group, kind).is_none()) {
            self.refresh().await;
        }
    }

    async fn of<T>(&self, group: &str, kind: &str, make: fn(&Object) -> T) -> Read<T> {
        let served = self.kinds().find(group, kind).cloned();
        match served {
            Some(kind) => self.list(&kind, None, Taking::WHOLE, |object| make(&object)).await,
            None => Read::not_served(group, kind),
        }
    }

    async fn channels(&self, kind: &Kind) -> Read<Channel> {
        self.list(kind, None, Taking::WHOLE, |object| parse::channel(&object)).await
    }

    async fn sources(&self, of: &Announcing) -> Read<Source> {
        self.list(&of.kind, None, Taking::WHOLE, |object| parse::source(&object, &of.types)).await
    }
}
