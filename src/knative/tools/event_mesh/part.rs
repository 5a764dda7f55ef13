//! [`Part`]: what of a mesh the arguments ask about.

use std::collections::BTreeSet;

use super::{anchor::Named, words};
use crate::knative::{
    mesh::{Anchor, Direction, Edge, Finding, Mesh, NodeId},
    resource::{EventType, Reference, Resources},
};

/// What of a mesh is asked about.
#[derive(Debug)]
pub(super) struct Part<'m> {
    pub(super) mesh: &'m Mesh,
    pub(super) resources: &'m Resources,
    pub(super) namespace: Option<&'m str>,
    is_anchored: bool,
    pub(super) nodes: BTreeSet<usize>,
    pub(super) edges: BTreeSet<usize>,
    /// Indexes into [`Resources::event_types`].
    pub(super) event_types: Vec<usize>,
    /// What something is wrong with.
    troubled: BTreeSet<&'m Reference>,
}

impl<'m> Part<'m> {
    /// What events that have to do with each of these pass; all, without any.
    pub(super) fn of(
        mesh: &'m Mesh,
        resources: &'m Resources,
        namespace: Option<&'m str>,
        anchors: &[Named],
    ) -> Self {
        let Passed { mut nodes, mut edges, event_types } = match anchors {
            [] => Passed {
                nodes: (0..mesh.nodes.len()).collect(),
                edges: (0..mesh.edges.len()).collect(),
                event_types: (0..resources.event_types.len()).collect(),
            },
            _ => passed(mesh, resources, anchors),
        };
        if let Some(home) = namespace {
            edges.retain(|edge| mesh.edges.get(*edge).is_some_and(|edge| touches(mesh, edge, home)));
            let ends = ends(mesh, &edges);
            nodes.retain(|node| words::namespace(mesh, *node) == home || ends.contains(node));
        }
        let troubled = mesh.findings.iter().map(|finding| &finding.about).collect();
        let here = |index: &usize| {
            let one = resources.event_types.get(*index);
            one.is_some_and(|one| namespace.is_none_or(|home| is_of(one, home)))
        };
        Self {
            mesh,
            resources,
            namespace,
            is_anchored: !anchors.is_empty(),
            nodes,
            edges,
            event_types: event_types.into_iter().filter(here).collect(),
            troubled,
        }
    }

    /// The node that stands for an object.
    pub(super) fn node(&self, reference: &Reference) -> Option<usize> {
        self.mesh.node(reference)
    }

    /// Whether something is wrong with it.
    pub(super) fn is_troubled(&self, reference: &Reference) -> bool {
        self.troubled.contains(reference)
    }

    /// The edges that are asked about.
    pub(super) fn edges(&self) -> impl Iterator<Item = (usize, &'m Edge)> {
        self.edges.iter().filter_map(|index| Some((*index, self.mesh.edges.get(*index)?)))
    }

    /// What is wrong with what is asked about, the worst first.
    pub(super) fn findings(&self) -> Vec<&'m Finding> {
        let types = self.event_types.iter().filter_map(|index| self.resources.event_types.get(*index));
        let mut about: BTreeSet<&Reference> = types.map(|one| &one.resource.reference).collect();
        about.extend(self.edges().filter_map(|(_, edge)| edge.via.as_ref()));
        let ids = self.nodes.iter().filter_map(|index| self.mesh.nodes.get(*index));
        about.extend(ids.filter_map(|node| match &node.id {
            NodeId::Object(reference) => Some(reference),
            NodeId::Uri(_) => None,
        }));
        let beside = |finding: &Finding| {
            !self.is_anchored && self.namespace.is_none_or(|home| finding.about.namespace == home)
        };
        let all = self.mesh.findings.iter();
        all.filter(|finding| about.contains(&finding.about) || beside(finding)).collect()
    }
}

struct Passed {
    nodes: BTreeSet<usize>,
    edges: BTreeSet<usize>,
    event_types: BTreeSet<usize>,
}

/// What is on the way of each.
fn passed(mesh: &Mesh, resources: &Resources, anchors: &[Named]) -> Passed {
    let (mut edges, mut event_types): (Option<BTreeSet<usize>>, Option<BTreeSet<usize>>) = (None, None);
    let mut nodes = BTreeSet::new();
    for named in anchors {
        let traces: Vec<_> =
            named.iter().map(|anchor| mesh.trace(resources, anchor, Direction::Path)).collect();
        if anchors.len() == 1 {
            nodes.extend(traces.iter().flat_map(|trace| trace.starts.iter().copied()));
        }
        nodes.extend(nodes_of(named));
        let at: BTreeSet<usize> = nodes_of(named).collect();
        // what no event can pass is beside every way, and may be what is wrong
        let beside = mesh
            .edges
            .iter()
            .enumerate()
            .filter(|(_, edge)| at.contains(&edge.from) || at.contains(&edge.to));
        let on_the_way = traces.iter().flat_map(|trace| trace.hops.iter().map(|hop| hop.edge));
        narrow(&mut edges, on_the_way.chain(beside.map(|(index, _)| index)));
        narrow(&mut event_types, traces.iter().flat_map(|trace| trace.event_types.iter().copied()));
    }
    let edges = edges.unwrap_or_default();
    nodes.extend(ends(mesh, &edges));
    Passed { nodes, edges, event_types: event_types.unwrap_or_default() }
}

fn nodes_of(named: &Named) -> impl Iterator<Item = usize> {
    named.iter().filter_map(|anchor| match anchor {
        Anchor::Node(node) => Some(*node),
        Anchor::EventType { .. } => None,
    })
}

/// What is in both; all of it where there was nothing yet.
fn narrow(before: &mut Option<BTreeSet<usize>>, found: impl Iterator<Item = usize>) {
    let found: BTreeSet<usize> = found.collect();
    *before = Some(match before.take() {
        Some(before) => before.intersection(&found).copied().collect(),
        None => found,
    });
}

/// Whether it is declared in a namespace, or offered by something there.
fn is_of(event_type: &EventType, home: &str) -> bool {
    event_type.resource.reference.namespace == home
        || event_type.reference.as_ref().is_some_and(|by| by.namespace == home)
}

fn ends(mesh: &Mesh, edges: &BTreeSet<usize>) -> BTreeSet<usize> {
    edges.iter().filter_map(|index| mesh.edges.get(*index)).flat_map(|edge| [edge.from, edge.to]).collect()
}

fn touches(mesh: &Mesh, edge: &Edge, home: &str) -> bool {
    edge.via.as_ref().is_some_and(|via| via.namespace == home)
        || [edge.from, edge.to].into_iter().any(|end| words::namespace(mesh, end) == home)
}
