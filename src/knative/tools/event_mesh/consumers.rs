//! [`ConsumerRow`]: who gets what from whom, a row for each Trigger, Subscription and step.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{part::Part, words};
use crate::{
    answer::Row,
    knative::{
        mesh::{Edge, Presence, Relation, Role},
        resource::{Ready, Reference},
    },
};

/// Who gets what from whom. Names without a namespace are of the row's.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct ConsumerRow {
    #[serde(skip_serializing_if = "String::is_empty")]
    namespace: String,
    from: String,
    /// The Trigger or Subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<String>,
    /// Absent where all events pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    to: String,
    /// The label backstage.io/kubernetes-id.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Absent where it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter: Option<String>,
    /// Where answers go.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<String>,
    #[serde(skip)]
    key: String,
}

impl Row for ConsumerRow {
    const COLUMNS: &'static [&'static str] =
        &["namespace", "from", "via", "filter", "to", "backstage id", "ready", "dead letter"];

    fn cells(&self) -> Vec<String> {
        let or_none = |cell: &Option<String>| cell.clone().unwrap_or_default();
        let to = match &self.reply {
            Some(reply) => format!("{}, answers to {reply}", self.to),
            None => self.to.clone(),
        };
        vec![
            self.namespace.clone(),
            self.from.clone(),
            or_none(&self.via),
            or_none(&self.filter),
            to,
            or_none(&self.id),
            self.ready.clone().unwrap_or_else(|| "yes".to_owned()),
            or_none(&self.dead_letter),
        ]
    }

    fn key(&self) -> String {
        self.key.clone()
    }
}

/// Who hands on: a Trigger or Subscription, or a node together with the step before.
type By<'m> = Result<&'m Reference, (usize, Option<usize>)>;

/// Where goes what could not be delivered, and what was answered to a delivery.
#[derive(Default)]
struct Asides<'m> {
    undelivered: BTreeMap<By<'m>, Vec<usize>>,
    answers: BTreeMap<usize, Vec<usize>>,
}

impl<'m> Asides<'m> {
    fn of(part: &Part<'m>) -> Self {
        let mut asides = Self::default();
        for edge in &part.mesh.edges {
            match (edge.relation, edge.answers) {
                (Relation::DeadLetter, _) => asides.undelivered.entry(by(edge)).or_default().push(edge.to),
                (Relation::Reply, Some(delivery)) => {
                    asides.answers.entry(delivery).or_default().push(edge.to);
                }
                _ => {}
            }
        }
        asides
    }

    /// What a broker or channel has for all is for who has none of their own.
    fn undelivered(&self, edge: &'m Edge) -> Option<&Vec<usize>> {
        let of_all = || self.undelivered.get(&Err((edge.from, None)));
        self.undelivered.get(&by(edge)).or_else(|| edge.via.as_ref().and_then(|_| of_all()))
    }
}

fn by(edge: &Edge) -> By<'_> {
    edge.via.as_ref().ok_or((edge.from, edge.answers))
}

/// Who gets what, in no order.
pub(super) fn rows(part: &Part<'_>) -> Vec<ConsumerRow> {
    let asides = Asides::of(part);
    let mut ordinals: BTreeMap<(Relation, usize, Option<&Reference>), usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for (index, edge) in part.edges().filter(|(_, edge)| is_delivery(part, edge)) {
        let ordinal = ordinals.entry((edge.relation, edge.from, edge.via.as_ref())).or_default();
        *ordinal += 1;
        rows.push(row(part, (index, edge), &asides, *ordinal));
    }
    rows
}

/// Whether somebody gets events by it. A source that sends to a Service needs no Trigger.
fn is_delivery(part: &Part<'_>, edge: &Edge) -> bool {
    match edge.relation {
        Relation::Trigger | Relation::Subscription | Relation::Step => true,
        Relation::Sink => part.mesh.nodes.get(edge.to).is_some_and(|node| node.role == Role::Receiver),
        Relation::Reply | Relation::DeadLetter => false,
    }
}

/// Whether a delivery is not as it should be.
pub(super) fn is_abnormal(part: &Part<'_>, edge: &Edge) -> bool {
    let ends = [edge.from, edge.to].into_iter().filter_map(|end| part.mesh.nodes.get(end));
    let absent =
        |presence| matches!(presence, Presence::Missing | Presence::NoKind | Presence::NotAddressable);
    matches!(words::readiness(part.mesh, edge), Ready::No(_) | Ready::Unknown(_))
        || edge.via.as_ref().is_some_and(|via| part.is_troubled(via))
        || ends.into_iter().any(|node| absent(node.presence))
}

fn row<'m>(
    part: &Part<'m>,
    (index, edge): (usize, &'m Edge),
    asides: &Asides<'m>,
    ordinal: usize,
) -> ConsumerRow {
    let namespace = words::home(part.mesh, edge).to_owned();
    let named = |all: &Vec<usize>| {
        let names = all.iter().map(|to| words::node(part.mesh, *to, &namespace)).collect();
        words::few(names, 3).join(", ")
    };
    let rank = if is_abnormal(part, edge) { 0 } else { 1 };
    let from = words::node(part.mesh, edge.from, &namespace);
    let via = edge.via.as_ref().map(|via| words::object(via, &namespace));
    ConsumerRow {
        key: format!("{rank}\t{namespace}\t{}\t{from}\t{ordinal:06}", via.as_deref().unwrap_or_default()),
        filter: words::filter(&edge.filter),
        to: words::node(part.mesh, edge.to, &namespace),
        id: part.mesh.nodes.get(edge.to).and_then(|node| node.backstage_id.clone()),
        ready: words::state(words::readiness(part.mesh, edge)),
        dead_letter: asides.undelivered(edge).map(named),
        reply: asides.answers.get(&index).map(named),
        namespace,
        from,
        via,
    }
}
