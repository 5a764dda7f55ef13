//! One instance's own nodes: each claimed, judged, and put into the scope of those after it.

use super::claims::{Claims, is_copy};
use super::collected::{Collected, Observed};
use super::desired::{self, Identity};
use super::home::Home;
use super::{Node, ROOT, SHOWN_MEMBERS, Why, absent, collection, present, root};
use crate::kro::applyset::GroupKind;
use crate::kro::definition::{self, Definition};
use crate::kro::expression::{Scope, Unresolved, Variable, Work};
use crate::kro::health::Health;
use crate::kro::instance::{self, Complaint, Standing, Trouble};
use crate::kro::labels;
use crate::kro::state::State;
use crate::kubernetes::Object;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// An instance judged: itself, what is below it, and what is to be said about it.
pub(super) struct Branch {
    pub(super) root: Node,
    pub(super) nodes: Vec<Node>,
    pub(super) gaps: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// The state of one node while its dependents are judged.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) state: State,
    /// Whether kro lets dependents go ahead: it exists, and its `readyWhen` hold.
    pub(super) settled: bool,
}

/// One instance's level while it is being judged.
pub(super) struct Level<'a> {
    pub(super) collected: &'a Collected,
    pub(super) definition: &'a Definition,
    pub(super) standing: Standing,
    pub(super) scope: Scope<'a>,
    pub(super) claims: Claims<'a>,
    pub(super) judged: BTreeMap<&'a str, Judged>,
    pub(super) nested: BTreeMap<&'a str, Branch>,
    pub(super) home: Home<'a>,
    /// Members of a collection that become nodes.
    pub(super) shown_members: usize,
    withheld: HashMap<(GroupKind, Option<&'a str>), usize>,
}

impl<'a> Level<'a> {
    pub(super) fn new(collected: &'a Collected, definition: &'a Definition, work: &Work) -> Self {
        let mut scope = Scope::within(work);
        let home = Home::of(&collected.instance);
        scope.set("schema", Variable::data(schema(&collected.instance)));
        Self {
            collected,
            definition,
            standing: Standing::read(&collected.instance),
            scope,
            withheld: withheld_by_node(collected, definition, &home),
            claims: Claims::new(home.clone(), definition, &collected.children),
            home,
            shown_members: SHOWN_MEMBERS,
            judged: BTreeMap::new(),
            nested: BTreeMap::new(),
        }
    }

    /// The scope after every node has been claimed, without any judgement.
    pub(super) fn into_scope(mut self) -> Scope<'a> {
        for node in &self.definition.nodes {
            if self.scope.work().is_over() {
                break;
            }
            self.observe(node);
        }
        self.scope
    }

    /// Takes the objects of a node and gives its name their values.
    pub(super) fn observe(&mut self, node: &'a definition::Node) -> (Vec<&'a Object>, Wanted) {
        if node.external().is_some() {
            let objects: Vec<&'a Object> = match self.collected.externals.get(&node.id) {
                Some(Observed::One(object)) => vec![object],
                Some(Observed::Many(objects)) => objects.iter().collect(),
                _ => Vec::new(),
            };
            let seen = matches!(self.collected.externals.get(&node.id), Some(Observed::Many(_)));
            self.set(node, &objects, seen);
            return (objects, Wanted::default());
        }
        let wanted = Wanted::of(node, &self.scope, self.collected.instance.deletion().is_some());
        let objects = self.claims.take(node, wanted.identities.as_deref());
        self.set(node, &objects, wanted.size == Some(0));
        (objects, wanted)
    }

    fn set(&mut self, node: &definition::Node, objects: &[&'a Object], even_if_empty: bool) {
        let variable = match (node.is_collection(), objects) {
            (true, objects) if even_if_empty || !objects.is_empty() => Variable::Many(objects.to_vec()),
            (false, [object, ..]) => Variable::One(object),
            _ => return,
        };
        self.scope.set(&node.id, variable);
    }

    /// Judges an object: through the nesting where it is an instance, else from itself.
    pub(super) fn health(&self, object: &Object) -> Health {
        if let Some(branch) = self.nested.get(object.uid()) {
            return Health { state: branch.root.state, reason: branch.root.reason.clone() };
        }
        if labels::is_instance(object) {
            let standing = Standing::read(object);
            return Health { state: standing.state, reason: standing.reason };
        }
        crate::kro::health::of(object)
    }

    /// What kro complains of about a node, where its message can be matched to it: by id, or by the
    /// kind and name of the object in an error of the API server.
    pub(super) fn complaint(&self, node: &definition::Node, names: &[&str]) -> Option<&Complaint> {
        let by_id = |complaint: &&Complaint| complaint.node.as_deref() == Some(&node.id);
        let kind = node.group_kind();
        let plural = self.collected.plurals.get(&kind);
        let alike = self.definition.nodes.iter().filter(|other| other.group_kind() == kind);
        let alone = alike.count() == 1 && !node.is_collection();
        let by_object = |complaint: &&Complaint| {
            complaint.node.is_none()
                && complaint.is_error()
                && names_object(complaint, &kind, plural.map(String::as_str), names, alone)
        };
        let complaints = || self.standing.complaints.iter();
        complaints().find(by_id).or_else(|| complaints().find(by_object))
    }

    /// kro saw everything ready, and what it saw is the present spec.
    pub(super) fn kro_is_content(&self) -> bool {
        self.standing.state == State::Ready
    }

    /// An empty node of this level.
    pub(super) fn blank(&self, node: &definition::Node) -> Node {
        Node {
            id: node.id.clone(),
            parent: Some(ROOT.to_owned()),
            kind: node.kind.clone(),
            group: node.group_kind().group,
            name: None,
            namespace: None,
            state: State::Unknown,
            reason: None,
            why: Why::Itself,
            needs: node.dependencies.clone(),
            external: node.external().is_some(),
            members: None,
            created: None,
            rgd: None,
            kro_state: None,
        }
    }
}

/// What a node wants, as far as it could be evaluated.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) identities: Option<Vec<Identity>>,
    pub(super) size: Option<usize>,
    pub(super) unresolved: Option<Unresolved>,
}

impl Wanted {
    /// An instance that is being deleted wants nothing: what is there belongs to its node.
    fn of(node: &definition::Node, scope: &Scope<'_>, deleting: bool) -> Self {
        if deleting {
            return Self::default();
        }
        let size = if node.for_each.is_empty() { Ok(1) } else { desired::size(node, scope) };
        match (desired::identities(node, scope), size) {
            (Ok(identities), Ok(size)) => Self { identities, size: Some(size), unresolved: None },
            (Err(why), size) => Self { identities: None, size: size.ok(), unresolved: Some(why) },
            (Ok(_), Err(why)) => Self { identities: None, size: None, unresolved: Some(why) },
        }
    }

    /// The name of the one object wanted.
    pub(super) fn only(&self) -> Option<&Identity> {
        match self.identities.as_deref() {
            Some([identity]) => Some(identity),
            _ => None,
        }
    }
}

/// Judges an instance and everything below it; of a collection so many members become nodes.
pub(super) fn branch(collected: &Collected, work: &Work, members: usize) -> Branch {
    let inner = collected.nested.iter();
    let nested: BTreeMap<&str, Branch> =
        inner.map(|(uid, inner)| (uid.as_str(), branch(inner, work, members))).collect();
    let Some(definition) = collected.rgd.definition() else {
        return root::without_definition(collected, &nested);
    };
    let mut level = Level::new(collected, definition, work);
    level.nested = nested;
    level.shown_members = members;
    let mut nodes = Vec::new();
    for node in &definition.nodes {
        if work.is_over() {
            nodes.push(Node { reason: Some("out of time".into()), ..level.blank(node) });
            continue;
        }
        let (objects, wanted) = level.observe(node);
        let made = judge(&level, node, &objects, &wanted);
        level.judged.insert(&node.id, made.judged);
        nodes.extend(made.nodes);
    }
    root::finish(level, nodes)
}

/// What judging a node gave: itself, with its members and what is nested in it.
pub(super) struct Made {
    pub(super) judged: Judged,
    pub(super) nodes: Vec<Node>,
}

fn judge(level: &Level<'_>, node: &definition::Node, objects: &[&Object], wanted: &Wanted) -> Made {
    if node.is_collection() {
        return collection::judge(level, node, objects, wanted);
    }
    match objects.first() {
        Some(object) => present::judge(level, node, object),
        None => absent::judge(level, node, wanted),
    }
}

/// Moves a nested instance's nodes below the node that it is.
pub(super) fn graft(below: &str, branch: &Branch) -> Vec<Node> {
    let inner = |id: &str| if id == ROOT { below.to_owned() } else { format!("{below}/{id}") };
    branch
        .nodes
        .iter()
        .map(|node| Node {
            id: inner(&node.id),
            parent: node.parent.as_deref().map(inner),
            needs: node.needs.iter().map(|id| inner(id)).collect(),
            why: node.why.below(inner),
            ..node.clone()
        })
        .collect()
}

/// `schema` as expressions see it: the instance without its status (kro v0.9.4
/// `pkg/runtime/node_context.go`, `withStatusOmitted`).
fn schema(instance: &Object) -> Value {
    let members: Map<String, Value> = instance
        .members()
        .iter()
        .filter(|(key, _)| *key != "status")
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Value::Object(members)
}

/// `alone`: whether no other node of the RGD has that kind.
fn names_object(
    complaint: &Complaint,
    kind: &GroupKind,
    plural: Option<&str>,
    names: &[&str],
    alone: bool,
) -> bool {
    if let Trouble::Forbidden { resource, name } = &complaint.trouble {
        let (of, group) = resource.split_once('.').unwrap_or((resource, ""));
        return plural == Some(of)
            && group == kind.group
            && (names.is_empty() || names.contains(&name.as_str()));
    }
    let text = &complaint.text;
    if let Some((of, group, name)) = refused_object(text) {
        let is_kind = (of == kind.kind || plural == Some(of)) && group == kind.group;
        return is_kind && (names.contains(&name) || names.is_empty() && alone);
    }
    let says_kind = text.contains(&kind.kind) || plural.is_some_and(|plural| text.contains(plural));
    let says_name = names.iter().any(|name| {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.')).any(|word| word == *name)
    });
    says_kind && says_name
}

/// Kind, group and name in `Deployment.apps "web" is invalid: …`. The name is what the template gave, which
/// need not be one that Kubernetes allows.
fn refused_object(text: &str) -> Option<(&str, &str, &str)> {
    let (before, _) = text.split_once("\" is invalid: ")?;
    let (kind, name) = before.split_once(" \"")?;
    let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
    kind.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some((kind, group, name))
}

/// Withheld objects that are children of a node, not copies of its labels.
pub(super) fn withheld(level: &Level<'_>, node: &definition::Node) -> usize {
    let (kind, of) = (node.group_kind(), |key| level.withheld.get(&key).copied().unwrap_or_default());
    of((kind.clone(), Some(node.id.as_str()))) + of((kind, None))
}

/// They come without their namespace. Where all children are in the instance's, which the caller may
/// see, an object withheld for its namespace is none of them.
fn withheld_by_node<'a>(
    collected: &'a Collected,
    definition: &Definition,
    home: &Home<'_>,
) -> HashMap<(GroupKind, Option<&'a str>), usize> {
    let mut counts = HashMap::new();
    for object in &collected.withheld {
        let kind = GroupKind::of(object);
        let elsewhere = home.is_single() && collected.namespaced.contains(&kind);
        if !elsewhere && !is_copy(object, definition) {
            *counts.entry((kind, labels::node_id(object))).or_default() += 1;
        }
    }
    counts
}

/// Whether kro has been at the instance at all, and at its present spec.
pub(super) fn not_attended(level: &Level<'_>) -> Option<String> {
    let instance = &level.collected.instance;
    if instance::is_suspended(instance) {
        return Some("its instance is suspended, kro does not make it".into());
    }
    if !instance::is_observed(instance) {
        return Some("kro has not looked at the instance yet".into());
    }
    level.standing.frozen.map(|frozen| frozen.to_string())
}
