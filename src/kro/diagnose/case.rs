//! [`Case`]: everything that was read, as the families of findings look at it.

use crate::kro::applyset::GroupKind;
use crate::kro::definition::{self, Definition};
use crate::kro::graph::{Collected, Graph, Node, ROOT};
use crate::kro::instance::Standing;
use crate::kubernetes::{Event, Object};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// An instance to be diagnosed.
#[derive(Debug)]
pub struct Case<'a> {
    /// What belongs to it.
    pub collected: &'a Collected,
    /// The same, judged.
    pub graph: &'a Graph,
    /// What was looked at besides.
    pub looked: &'a Looked,
    /// Whether the caller may hear of RGDs other than its own.
    pub names_rgds: bool,
    /// The time of the diagnosis.
    pub now: Timestamp,
}

/// What was looked at besides the instance and what belongs to it.
#[derive(Debug, Default)]
pub struct Looked {
    /// Warning events.
    pub warnings: Vec<Event>,
    /// Pods.
    pub pods: Vec<Object>,
    /// Whom objects belong to that kro may not take, by kind, namespace and name.
    pub owners: BTreeMap<(GroupKind, Option<String>, String), Owner>,
    /// kro's own Deployments; none where they were not looked for or may not be seen.
    pub controllers: Vec<Object>,
    /// Other instances of the kind.
    pub siblings: Option<Vec<Object>>,
    /// What was looked at, in a word each.
    pub checked: Vec<String>,
    /// What was not, a line each.
    pub gaps: Vec<String>,
}

/// Whom an object belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This instance.
    Instance {
        /// Its kind.
        kind: String,
        /// Its namespace.
        namespace: Option<String>,
        /// Its name.
        name: String,
    },
    /// One that the caller may not see.
    Hidden,
    /// An ApplySet that is not kro's, or whose labels say nothing that fits.
    Stranger,
}

/// One instance of the case: the one asked about, or one nested in it.
#[derive(Debug)]
pub(super) struct Level<'a> {
    /// The node that a nested instance is; none for the one asked about.
    pub(super) nested: Option<&'a str>,
    pub(super) collected: &'a Collected,
    /// Its own nodes, without those of what is nested in it.
    pub(super) nodes: Vec<&'a Node>,
    pub(super) standing: Standing,
}

impl<'a> Case<'a> {
    /// The instance and all that are nested in it, the outer ones first.
    pub(super) fn levels(&self) -> Vec<Level<'a>> {
        let mut found = Vec::new();
        self.level(self.collected, None, &mut found);
        found
    }

    fn level(&self, collected: &'a Collected, nested: Option<&'a str>, found: &mut Vec<Level<'a>>) {
        let own = nested.unwrap_or(ROOT);
        let inner: Vec<(&'a Collected, &'a Node)> = collected
            .nested
            .values()
            .filter_map(|inner| Some((inner, self.node_of(&inner.instance, own)?)))
            .collect();
        let below: BTreeSet<&str> = inner.iter().map(|(_, node)| node.id.as_str()).collect();
        let collections: BTreeSet<&str> = self
            .graph
            .nodes
            .iter()
            .filter(|node| node.parent.as_deref() == Some(own))
            .filter(|node| !below.contains(node.id.as_str()))
            .map(|node| node.id.as_str())
            .collect();
        let direct = |node: &&'a Node| {
            let parent = node.parent.as_deref();
            parent == Some(own) || parent.is_some_and(|parent| collections.contains(parent))
        };
        let nodes = self.graph.nodes.iter().filter(direct).collect();
        let standing = Standing::read(&collected.instance);
        found.push(Level { nested, collected, nodes, standing });
        for (inner, node) in inner {
            self.level(inner, Some(&node.id), found);
        }
    }

    /// The node that an object is, in the instance whose node is `own`.
    fn node_of(&self, object: &Object, own: &str) -> Option<&'a Node> {
        let within = |node: &Node| match own {
            ROOT => true,
            own => node.id.strip_prefix(own).is_some_and(|rest| rest.starts_with('/')),
        };
        self.graph.nodes.iter().skip(1).find(|node| within(node) && is(node, object))
    }

    /// Seconds since a time in RFC 3339.
    pub(super) fn seconds_since(&self, time: &str) -> Option<i64> {
        let then: Timestamp = time.parse().ok()?;
        Some(self.now.duration_since(then).as_secs())
    }

    /// ` (12 min ago)`
    pub(super) fn ago(&self, time: &str) -> String {
        self.seconds_since(time).map(|seconds| format!(" ({} ago)", span(seconds))).unwrap_or_default()
    }
}

impl<'a> Level<'a> {
    pub(super) fn instance(&self) -> &'a Object {
        &self.collected.instance
    }

    pub(super) fn definition(&self) -> Option<&'a Definition> {
        self.collected.rgd.definition()
    }

    /// What the RGD says of a node.
    pub(super) fn defined(&self, node: &Node) -> Option<&'a definition::Node> {
        let id = match self.nested {
            Some(nested) => node.id.strip_prefix(nested)?.strip_prefix('/')?,
            None => node.id.as_str(),
        };
        self.definition()?.node(id.split('[').next().unwrap_or_default())
    }

    /// The object that a node is.
    pub(super) fn object(&self, node: &Node) -> Option<&'a Object> {
        self.collected.children.iter().find(|child| is(node, child))
    }

    /// `Kind/name`
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.instance().kind(), self.instance().name())
    }
}

fn is(node: &Node, object: &Object) -> bool {
    !node.external
        && node.kind == object.kind()
        && node.group == object.group()
        && node.name.as_deref() == Some(object.name())
        && node.namespace.as_deref() == object.namespace()
}

/// `45 s`, `12 min`, `5 h`, `3 d`
pub(super) fn span(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}
