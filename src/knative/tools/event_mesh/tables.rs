//! The small tables of an overview: sources, event types, and what passes events on. Each holds the first rows that
//! fit, what something is wrong with before the rest, and says how many there are more.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{part::Part, words};
use crate::{
    answer::Table,
    knative::{
        filter::Verdict,
        mesh::{NodeId, Presence, Relation, Role},
        resource::{Ready, Reference, Source},
    },
};

/// Names in one cell.
const NAMED: usize = 3;
/// Event types in one cell.
const TYPES: usize = 4;

/// A row of a small table.
pub(super) trait Small: Serialize {
    /// Column names of the text.
    const COLUMNS: &'static [&'static str];
    /// The cells of the text.
    fn cells(&self) -> Vec<String>;
}

/// A source.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SourceRow {
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sends: Vec<String>,
    /// What its kind can send, where it does not say what it does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    may_send: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sink: Option<String>,
    /// Absent where it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<String>,
}

/// An event type.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct EventTypeRow {
    r#type: String,
    /// The EventType, where its name is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    declared_as: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offered_by: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    consumers: Vec<String>,
}

/// A Broker, a channel, a Sequence or a Parallel.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct HubRow {
    name: String,
    /// Absent where it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<String>,
    /// Sources, answers and dead letters that come in.
    r#in: usize,
    /// Triggers, subscriptions or steps.
    out: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter: Option<String>,
}

impl Small for SourceRow {
    const COLUMNS: &'static [&'static str] = &["source", "sends", "sink", "ready"];

    fn cells(&self) -> Vec<String> {
        let sends = match self.sends.is_empty() && !self.may_send.is_empty() {
            true => format!("maybe {}", self.may_send.join(", ")),
            false => self.sends.join(", "),
        };
        vec![self.name.clone(), sends, self.sink.clone().unwrap_or_default(), ready(&self.ready)]
    }
}

impl Small for EventTypeRow {
    const COLUMNS: &'static [&'static str] =
        &["event type", "declared as", "offered by", "sources", "consumers"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.r#type.clone(),
            self.declared_as.clone().unwrap_or_default(),
            self.offered_by.clone().unwrap_or_default(),
            self.sources.join(", "),
            self.consumers.join(", "),
        ]
    }
}

impl Small for HubRow {
    const COLUMNS: &'static [&'static str] = &["broker or channel", "ready", "in", "out", "dead letter"];

    fn cells(&self) -> Vec<String> {
        let dead_letter = self.dead_letter.clone().unwrap_or_default();
        let [r#in, out] = [self.r#in, self.out].map(|count| count.to_string());
        vec![self.name.clone(), ready(&self.ready), r#in, out, dead_letter]
    }
}

fn ready(state: &Option<String>) -> String {
    state.clone().unwrap_or_else(|| "yes".to_owned())
}

/// The first rows that keep `bytes` both as text and as JSON, one at least, and their text; how many there are more.
pub(super) fn fitting<R: Small>(
    all: usize,
    rows: impl Iterator<Item = R>,
    bytes: usize,
) -> (Vec<R>, String, usize) {
    let (mut kept, mut table) = (Vec::new(), Table::new(R::COLUMNS));
    let (mut json, mut text) = (0, 0);
    for row in rows {
        let cells = row.cells();
        json += serde_json::to_string(&row).map_or(0, |row| row.len()) + 1;
        text += cells.iter().map(|cell| cell.len() + 1).sum::<usize>();
        if !kept.is_empty() && json.max(text) > bytes {
            break;
        }
        table.row(cells);
        kept.push(row);
    }
    let more = all.saturating_sub(kept.len());
    let text = if kept.is_empty() { String::new() } else { table.into_text() };
    (kept, text, more)
}

/// The sources that are asked about, those that something is wrong with first.
pub(super) fn sources<'m>(part: &Part<'m>) -> Vec<&'m Source> {
    let asked = |source: &&Source| {
        let reference = &source.resource.reference;
        let node = part.node(reference).filter(|node| part.nodes.contains(node));
        // one that another source made has the node of that one
        let id = node.and_then(|node| part.mesh.nodes.get(node)).map(|node| &node.id);
        matches!(id, Some(NodeId::Object(own)) if own == reference)
    };
    let mut sources: Vec<&Source> = part.resources.sources.iter().filter(asked).collect();
    sources.sort_by_key(|source| {
        let reference = &source.resource.reference;
        (!is_bad(part, reference, &source.resource.ready), reference)
    });
    sources
}

pub(super) fn source_row(part: &Part<'_>, source: &Source) -> SourceRow {
    let reference = &source.resource.reference;
    let mut sends: Vec<String> = source.sends.iter().map(|sent| words::short(&sent.event_type)).collect();
    sends.dedup();
    let may_send = match sends.is_empty() {
        true => words::few(source.announced.iter().map(|name| words::short(name)).collect(), TYPES),
        false => Vec::new(),
    };
    let sink = part.node(reference).and_then(|node| {
        let mut edges = part.mesh.edges.iter();
        edges.find(|edge| edge.from == node && edge.relation == Relation::Sink)
    });
    SourceRow {
        name: words::object(reference, ""),
        sends: words::few(sends, TYPES),
        may_send,
        sink: sink.map(|edge| words::node(part.mesh, edge.to, &reference.namespace)),
        ready: words::state(&source.resource.ready),
    }
}

/// Which sources provide each event type.
pub(super) type Providers<'m> = BTreeMap<usize, Vec<&'m Reference>>;

pub(super) fn providers<'m>(part: &Part<'m>) -> Providers<'m> {
    let mut providers: Providers<'_> = BTreeMap::new();
    for (source, index) in part.resources.sources.iter().zip(0..) {
        for provided in part.mesh.provided(part.resources, index) {
            providers.entry(provided).or_default().push(&source.resource.reference);
        }
    }
    providers
}

/// The event types that are asked about, those that something is wrong with first.
pub(super) fn event_types(part: &Part<'_>) -> Vec<usize> {
    let mut types = part.event_types.clone();
    types.sort_by_cached_key(|index| {
        let one = part.resources.event_types.get(*index);
        let bad = one.is_some_and(|one| is_bad(part, &one.resource.reference, &one.resource.ready));
        (!bad, one.map(|one| (one.event_type().to_owned(), one.resource.reference.clone())))
    });
    types
}

pub(super) fn event_type_row(
    part: &Part<'_>,
    providers: &Providers<'_>,
    index: usize,
) -> Option<EventTypeRow> {
    let one = part.resources.event_types.get(index)?;
    let reference = &one.resource.reference;
    let home = reference.namespace.as_str();
    let sources = providers.get(&index).into_iter().flatten();
    let mut reached = part.mesh.consumers(part.resources, index);
    reached.retain(|got| {
        !got.undelivered && part.mesh.nodes.get(got.node).is_some_and(|node| node.role == Role::Receiver)
    });
    reached.sort_by_key(|got| std::cmp::Reverse(got.verdict));
    let consumers = reached.iter().map(|got| {
        let name = words::node(part.mesh, got.node, home);
        if got.verdict == Verdict::Yes { name } else { format!("maybe {name}") }
    });
    let named = one.event_type();
    Some(EventTypeRow {
        r#type: words::short(if named.is_empty() { "(any)" } else { named }),
        declared_as: (reference.name != named).then(|| format!("{home}/{}", reference.name)),
        offered_by: one.reference.as_ref().map(|by| match part.node(by) {
            Some(node) => words::node(part.mesh, node, ""),
            None => words::object(by, ""),
        }),
        sources: words::few(sources.map(|source| words::object(source, home)).collect(), NAMED),
        consumers: words::few(consumers.collect(), NAMED),
    })
}

/// What passes events on and is asked about, what something is wrong with first, then the busiest.
pub(super) fn hubs(part: &Part<'_>) -> Vec<HubRow> {
    let (mut ins, mut outs, mut dead) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for edge in &part.mesh.edges {
        *ins.entry(edge.to).or_insert(0_usize) += 1;
        match edge.relation {
            Relation::Trigger | Relation::Subscription | Relation::Step => {
                *outs.entry(edge.from).or_insert(0_usize) += 1;
            }
            Relation::DeadLetter if edge.via.is_none() => {
                dead.insert(edge.from, edge.to);
            }
            _ => {}
        }
    }
    let mut rows: Vec<(bool, usize, HubRow)> = Vec::new();
    for index in &part.nodes {
        let Some(node) = part.mesh.nodes.get(*index) else { continue };
        if !matches!(node.role, Role::Broker | Role::Channel | Role::Flow) {
            continue;
        }
        let count = |counts: &BTreeMap<usize, usize>| counts.get(index).copied().unwrap_or_default();
        let home = words::namespace(part.mesh, *index);
        let row = HubRow {
            name: words::node(part.mesh, *index, ""),
            ready: match words::absence(node.presence) {
                Some(absent) => Some(absent.to_owned()),
                None => words::state(&node.ready),
            },
            r#in: count(&ins),
            out: count(&outs),
            dead_letter: dead.get(index).map(|to| words::node(part.mesh, *to, home)),
        };
        let bad = match &node.id {
            NodeId::Object(reference) => is_bad(part, reference, &node.ready),
            NodeId::Uri(_) => false,
        };
        rows.push((bad || node.presence != Presence::Here, row.r#in + row.out, row));
    }
    rows.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.cmp(&a.1)).then_with(|| a.2.name.cmp(&b.2.name)));
    rows.into_iter().map(|(_, _, row)| row).collect()
}

fn is_bad(part: &Part<'_>, reference: &Reference, ready: &Ready) -> bool {
    matches!(ready, Ready::No(_) | Ready::Unknown(_)) || part.is_troubled(reference)
}
