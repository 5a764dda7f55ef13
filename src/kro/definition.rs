//! [`Definition`]: what an RGD says an instance consists of.
//!
//! Nodes come from the spec, their order and their edges from the status. An invalid update empties
//! the status while instances keep running on the last good revision (kro v0.9.4
//! `pkg/controller/resourcegraphdefinition`), so the same reading applies to a GraphRevision's
//! snapshot, and where that may not be read the edges are derived from the CEL in the templates.

mod edges;
mod limits;
mod node;

pub use node::{External, Node, Role};

use crate::kro::applyset::GroupKind;
use crate::kro::expression::Work;
use crate::kubernetes::Object;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// Where nodes and edges were taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The RGD's own status.
    Status,
    /// A verified GraphRevision: its number.
    Revision(i64),
    /// The CEL references in the RGD's spec.
    Derived,
}

impl Source {
    /// The revision's number, where that is the source.
    pub fn revision(&self) -> Option<i64> {
        match self {
            Self::Revision(number) => Some(*number),
            Self::Status | Self::Derived => None,
        }
    }
}

/// What an instance consists of.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The RGD's name.
    pub rgd: String,
    /// Where nodes and edges were taken from.
    pub source: Source,
    /// The nodes, in the order kro processes them.
    pub nodes: Vec<Node>,
    /// What keeps the RGD from being in order: its false conditions, in words.
    pub trouble: Option<String>,
    /// The newest revision issued, where the RGD says so (kro ≥ 0.9).
    pub last_revision: Option<i64>,
    /// What was too much of it to be read, a line each.
    pub cut: Vec<String>,
    /// The RGD as it was read; of its spec only group and kind of what it generates.
    pub head: Object,
}

impl Definition {
    /// Reads an RGD without any CEL: it has no edges where those would have to be found so.
    pub fn read(rgd: &Object, revisions: &[Object]) -> Self {
        let work = Work::default();
        work.stop();
        Self::read_within(rgd, revisions, &work)
    }

    /// Reads an RGD. `revisions` are its GraphRevisions; they are looked at only when
    /// [`needs_revision`] says so, and may be empty; then the edges may have to be found with CEL,
    /// which draws on `work`.
    pub fn read_within(rgd: &Object, revisions: &[Object], work: &Work) -> Self {
        let mut definition = Self {
            rgd: rgd.name().to_owned(),
            source: Source::Status,
            nodes: Vec::new(),
            trouble: trouble(rgd),
            last_revision: rgd.integer(&["status", "lastIssuedRevision"]),
            cut: Vec::new(),
            head: head(rgd),
        };
        let verified = || revisions.iter().filter(|revision| is_verified(revision)).max_by_key(number);
        let written = if !needs_revision(rgd) {
            let resources = rgd.items(&["spec", "resources"]);
            definition.nodes = nodes(resources, rgd);
            resources.len()
        } else if let Some(revision) = verified() {
            let resources = revision.items(&["spec", "snapshot", "spec", "resources"]);
            definition.source = Source::Revision(number(&revision));
            definition.nodes = nodes(resources, revision);
            resources.len()
        } else {
            let resources = rgd.items(&["spec", "resources"]);
            definition.source = Source::Derived;
            definition.nodes = edges::derive(parse(resources), work);
            resources.len()
        };
        definition.limit(written);
        definition
    }

    /// The node of that id.
    pub fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// The kinds that children may have: the templates'.
    pub fn child_kinds(&self) -> Vec<GroupKind> {
        let kinds: BTreeSet<_> =
            self.nodes.iter().filter(|node| node.template().is_some()).map(Node::group_kind).collect();
        kinds.into_iter().collect()
    }
}

/// Whether the RGD's status does not describe what instances run on.
pub fn needs_revision(rgd: &Object) -> bool {
    let described = !rgd.items(&["status", "topologicalOrder"]).is_empty();
    let empty = rgd.items(&["spec", "resources"]).is_empty();
    let refused = ["GraphAccepted", "ResourceGraphAccepted", "GraphVerified"]
        .iter()
        .any(|kind| rgd.condition(kind).is_some_and(|condition| condition.is_false()));
    refused || (!described && !empty)
}

/// The group and kind of the instances that an RGD generates.
pub fn instance_kind(rgd: &Object) -> GroupKind {
    let group = rgd.text(&["spec", "schema", "group"]).filter(|group| !group.is_empty());
    GroupKind::new(
        group.unwrap_or(crate::kro::labels::GROUP),
        rgd.text(&["spec", "schema", "kind"]).unwrap_or_default(),
    )
}

/// Nodes in the status's order; ids that only the spec has (kro has not got to them) come last.
fn nodes(resources: &[Value], described: &Object) -> Vec<Node> {
    let mut parsed = parse(resources);
    let order = described.strings(&["status", "topologicalOrder"]);
    let places: HashMap<&str, usize> = order.iter().copied().zip(0..).collect();
    let described = described.items(&["status", "resources"]).iter();
    let mut dependencies: HashMap<&str, &Value> = described
        .filter_map(|resource| Some((resource.get("id")?.as_str()?, resource.get("dependencies")?)))
        .collect();
    for node in &mut parsed {
        let listed = dependencies.remove(node.id.as_str()).and_then(Value::as_array);
        node.dependencies = listed
            .into_iter()
            .flatten()
            .filter_map(|dependency| dependency.get("id")?.as_str())
            .filter(|dependency| places.contains_key(dependency) && *dependency != node.id)
            .map(str::to_owned)
            .collect();
        // kro writes them in the order of a Go map: another each time.
        node.dependencies.sort_by_key(|id| places.get(id.as_str()).copied());
    }
    parsed.sort_by_key(|node| places.get(node.id.as_str()).copied().unwrap_or(usize::MAX));
    parsed
}

fn parse(resources: &[Value]) -> Vec<Node> {
    let mut seen = BTreeSet::new();
    let resources = resources.iter().take(limits::NODES);
    resources.filter_map(Node::parse).filter(|node| seen.insert(node.id.clone())).collect()
}

fn number(revision: &&Object) -> i64 {
    revision.integer(&["spec", "revision"]).unwrap_or_default()
}

/// An RGD without its spec, but for the names of what it generates.
fn head(rgd: &Object) -> Object {
    let generated = instance_kind(rgd);
    let names = ["apiVersion", "kind", "metadata", "status"];
    let members = names.into_iter().filter_map(|name| Some((name.to_owned(), rgd.member(name)?.clone())));
    let mut head = Object::default();
    head.members_mut().extend(members);
    let schema = serde_json::json!({"schema": {"group": generated.group, "kind": generated.kind}});
    head.members_mut().insert("spec".to_owned(), schema);
    head
}

fn is_verified(revision: &Object) -> bool {
    revision.condition("GraphVerified").is_some_and(|condition| condition.is_true())
}

/// What keeps an RGD from being in order: its false conditions (`Ready` only repeats one of the
/// others).
pub fn trouble(rgd: &Object) -> Option<String> {
    let conditions = rgd.conditions();
    let false_ones: Vec<String> = conditions
        .iter()
        .filter(|condition| condition.is_false() && condition.kind != "Ready")
        .map(|condition| format!("{} is False: {}", condition.kind, condition.message))
        .collect();
    if !false_ones.is_empty() {
        return Some(false_ones.join("; "));
    }
    let state = rgd.text(&["status", "state"]);
    match state {
        Some("Active") => None,
        Some(state) => Some(format!("its state is {state}")),
        None => Some("kro has not looked at it yet".into()),
    }
}

#[cfg(test)]
#[path = "definition/tests.rs"]
mod tests;
