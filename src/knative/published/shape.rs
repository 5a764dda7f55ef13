//! [`Published`]: the fields of the backend's answer, by the names that the plugin reads
//! (`@knative-extensions/plugin-knative-event-mesh-backend` 1.21.0, `buildEntities`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::{
    super::{
        mesh::Mesh,
        resource::{self, Channel, Reference, Resource, Resources, Source},
    },
    shown, sinks,
};

/// The whole answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    event_types: Vec<EventType>,
    brokers: Vec<Broker>,
    subscribables: Vec<Subscribable>,
    sources: Vec<SourceShown>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EventType {
    namespace: String,
    name: String,
    r#type: String,
    uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "schemaURL")]
    schema_url: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Place>,
    consumed_by: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Broker {
    #[serde(flatten)]
    object: Object,
    provided_event_types: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Subscribable {
    #[serde(flatten)]
    object: Object,
    group: String,
    kind: String,
    provided_event_types: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SourceShown {
    #[serde(flatten)]
    object: Object,
    group: String,
    kind: String,
    provided_event_type_types: Vec<String>,
    provided_event_types: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sink: Option<Place>,
}

/// What all but event types have. Without labels or annotations there is `null`, as Go writes an empty map.
#[derive(Debug, Serialize)]
struct Object {
    namespace: String,
    name: String,
    uid: String,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

/// A `GroupKindNamespacedName`.
#[derive(Debug, Serialize)]
struct Place {
    group: String,
    kind: String,
    namespace: String,
    name: String,
}

impl From<&Reference> for Place {
    fn from(reference: &Reference) -> Self {
        let Reference { group, kind, namespace, name } = reference.clone();
        Self { group, kind, namespace, name }
    }
}

impl From<&Resource> for Object {
    fn from(resource: &Resource) -> Self {
        Self {
            namespace: resource.reference.namespace.clone(),
            name: resource.reference.name.clone(),
            uid: resource.uid.clone(),
            labels: shown::labels(&resource.labels),
            annotations: shown::annotations(&resource.annotations),
        }
    }
}

impl Published {
    /// What was read. `consumers` are by the index of the event type.
    pub(super) fn of(resources: &Resources, mesh: &Mesh, consumers: Vec<Vec<String>>) -> Self {
        let offered = Offered::of(&resources.event_types);
        let sinks = sinks(mesh, resources);
        let event_types = resources.event_types.iter().zip(consumers);
        let sources = resources.sources.iter().zip(sinks).enumerate();
        Self {
            event_types: in_order(event_types.map(|(one, consumed_by)| EventType::of(one, consumed_by))),
            brokers: in_order(resources.brokers.iter().map(|broker| Broker {
                object: Object::from(&broker.resource),
                provided_event_types: offered.by(&broker.resource.reference),
            })),
            subscribables: in_order(
                resources.channels.iter().map(|channel| Subscribable::of(channel, &offered)),
            ),
            sources: in_order(sources.map(|(index, (source, sink))| {
                let provided = mesh.provided(resources, index).into_iter();
                let provided = provided.filter_map(|index| resources.event_types.get(index)).map(full_name);
                SourceShown::of(source, sorted(provided), sink.as_ref())
            })),
        }
    }
}

impl EventType {
    fn of(event_type: &resource::EventType, consumed_by: Vec<String>) -> Self {
        let Object { namespace, name, uid, labels, annotations } = Object::from(&event_type.resource);
        Self {
            namespace,
            name,
            r#type: event_type.event_type().to_owned(),
            uid,
            description: event_type.description.as_deref().map(shown::text),
            schema_data: event_type.schema_data.clone(),
            schema_url: event_type.schema.clone().filter(|url| shown::is_link(url)),
            labels,
            annotations,
            reference: event_type.reference.as_ref().map(Place::from),
            consumed_by,
        }
    }
}

impl Subscribable {
    fn of(channel: &Channel, offered: &Offered) -> Self {
        let reference = &channel.resource.reference;
        Self {
            object: Object::from(&channel.resource),
            group: reference.group.clone(),
            kind: reference.kind.clone(),
            provided_event_types: offered.by(reference),
        }
    }
}

impl SourceShown {
    fn of(source: &Source, provided_event_types: Vec<String>, sink: Option<&Reference>) -> Self {
        let reference = &source.resource.reference;
        let sent = source.sends.iter().map(|sent| sent.event_type.clone());
        Self {
            object: Object::from(&source.resource),
            group: reference.group.clone(),
            kind: reference.kind.clone(),
            provided_event_type_types: sorted(source.announced.iter().cloned().chain(sent)),
            provided_event_types,
            sink: sink.map(Place::from),
        }
    }
}

/// The event types that brokers and channels offer, each by what it refers to.
struct Offered(HashMap<Reference, Vec<String>>);

impl Offered {
    fn of(event_types: &[resource::EventType]) -> Self {
        let mut by = HashMap::<_, Vec<String>>::new();
        for event_type in event_types {
            if let Some(reference) = &event_type.reference {
                by.entry(reference.clone()).or_default().push(full_name(event_type));
            }
        }
        Self(by.into_iter().map(|(reference, names)| (reference, sorted(names))).collect())
    }

    fn by(&self, reference: &Reference) -> Vec<String> {
        self.0.get(reference).cloned().unwrap_or_default()
    }
}

/// `namespace/name`
fn full_name(event_type: &resource::EventType) -> String {
    let Reference { namespace, name, .. } = &event_type.resource.reference;
    format!("{namespace}/{name}")
}

/// Each once.
fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let names: BTreeSet<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
    names.into_iter().collect()
}

/// By namespace, name and kind: the API server's own order is by kind first, and differs with each page.
fn in_order<T: Named>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_by(|one, other| one.order().cmp(&other.order()));
    all
}

trait Named {
    fn order(&self) -> [&str; 4];
}

impl Named for EventType {
    fn order(&self) -> [&str; 4] {
        [&self.namespace, &self.name, "", ""]
    }
}

impl Named for Broker {
    fn order(&self) -> [&str; 4] {
        [&self.object.namespace, &self.object.name, "", ""]
    }
}

impl Named for Subscribable {
    fn order(&self) -> [&str; 4] {
        [&self.object.namespace, &self.object.name, &self.group, &self.kind]
    }
}

impl Named for SourceShown {
    fn order(&self) -> [&str; 4] {
        [&self.object.namespace, &self.object.name, &self.group, &self.kind]
    }
}
