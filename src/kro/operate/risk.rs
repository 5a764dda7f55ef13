//! What becomes of an instance's nodes when its fields change: found in the CEL of the templates, and
//! evaluated where the instance alone decides.

mod fate;
mod target;
#[cfg(test)]
mod tests;

pub use fate::{Fate, Made, Members, Turn};
pub use target::{Clash, Target, object};

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{
    kro::{
        definition::{Definition, External, Node},
        expression::{Scope, Variable, Work, expressions, strings_of, survey},
        graph::{Identity, identities, is_tellable},
    },
    kubernetes::Object,
};

/// What a change makes of an instance's nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// Of each node that it touches, losses first.
    pub nodes: Vec<Fate>,
    /// What kro would make, where the instance alone tells the name.
    pub made: Vec<Made>,
    /// Nodes that make something of which only kro can tell the name.
    pub nameless: Vec<String>,
}

/// What becomes of the nodes when an instance turns from `before` (none where it is new) into `after`.
/// `changed` are the paths of its fields that differ, as `spec.zones[0]`.
pub fn fates(
    definition: &Definition,
    before: Option<&Object>,
    after: &Object,
    changed: &[String],
    work: &Work,
) -> Fates {
    let mut scopes = Scopes::of(before, after, work);
    let changed: Vec<Vec<String>> = changed.iter().map(|path| members(path)).collect();
    let mut turns: BTreeMap<&str, Turn> = BTreeMap::new();
    let mut fates = Fates::default();
    for node in &definition.nodes {
        let names = scopes.name(node);
        let own = scopes.turn(node, &changed, &names, &turns);
        let turn = match (own, inherited(node, &turns)) {
            (Some(Turn::Deleted), _) | (_, Some(Turn::Deleted)) => Some(Turn::Deleted),
            // what it needs was left out until now, and so was it
            (Some(_), Some(Turn::Created)) if node.template().is_some() => Some(Turn::Created),
            (Some(own), _) => Some(own),
            (None, inherited) => inherited,
        };
        let Some(turn) = turn else { continue };
        fates.make(node, &turn, names);
        fates.nodes.push(Fate { node: node.id.clone(), kind: node.kind.clone(), turn: turn.clone() });
        turns.insert(&node.id, turn);
    }
    fates.nodes.sort_by(|a, b| a.turn.cmp(&b.turn));
    fates
}

impl Fates {
    fn make(&mut self, node: &Node, turn: &Turn, names: Names) {
        let there = match turn {
            Turn::Created => Vec::new(),
            Turn::Replaced | Turn::Members(_) | Turn::Unclear => names.before.unwrap_or_default(),
            _ => return,
        };
        if node.template().is_none() {
            return;
        }
        let Some(after) = names.after else {
            self.nameless.push(node.id.clone());
            return;
        };
        let made = after.into_iter().filter(|name| !there.iter().any(|other| is_same(other, name)));
        self.made.extend(made.map(|identity| Made {
            node: node.id.clone(),
            kind: node.group_kind(),
            namespace: identity.namespace,
            name: identity.name,
            tellable: identity.tellable,
        }));
    }
}

/// Exclusion is contagious, and what is read from a node that changes may change.
fn inherited(node: &Node, turns: &BTreeMap<&str, Turn>) -> Option<Turn> {
    let needed: Vec<(&String, &Turn)> =
        node.dependencies.iter().filter_map(|id| Some((id, turns.get(id.as_str())?))).collect();
    for contagious in [Turn::Deleted, Turn::Created] {
        if needed.iter().any(|(_, turn)| **turn == contagious) {
            return Some(contagious);
        }
    }
    let (id, turn) = needed.first()?;
    Some(match turn {
        Turn::Follows(first) => Turn::Follows(first.clone()),
        _ => Turn::Follows((*id).clone()),
    })
}

/// The objects of a node before and after, where they can be told.
#[derive(Default)]
struct Names {
    before: Option<Vec<Identity>>,
    after: Option<Vec<Identity>>,
}

/// An instance, as expressions see it.
struct Side<'a> {
    schema: Scope<'a>,
    /// The same, and of each node the name and the namespace of its object.
    names: Scope<'a>,
    namespace: Option<String>,
}

impl<'a> Side<'a> {
    fn of(instance: &Object, work: &'a Work) -> Self {
        let mut schema = Scope::within(work);
        let members: Map<String, Value> =
            instance.members().iter().filter(|(name, _)| *name != "status").map(cloned).collect();
        schema.set("schema", Variable::data(Value::Object(members)));
        let namespace = instance.namespace().map(str::to_owned);
        Self { names: schema.clone(), schema, namespace }
    }

    /// The objects of a node, which others may name theirs after.
    fn name(&mut self, node: &Node) -> Option<Vec<Identity>> {
        let mut found = identities(node, &self.names).ok().flatten()?;
        let tellable = node.for_each.iter().all(|(_, list)| is_tellable(list, &self.names));
        found.iter_mut().for_each(|identity| identity.tellable &= tellable);
        if let ([identity], false) = (found.as_slice(), node.is_collection()) {
            let namespace = identity.namespace.as_ref().or(self.namespace.as_ref());
            let object = json!({"metadata": {"name": identity.name, "namespace": namespace}});
            self.names.set(&node.id, Variable::data(object));
        }
        Some(found)
    }
}

/// The instance before and after.
struct Scopes<'a> {
    before: Option<Side<'a>>,
    after: Side<'a>,
    work: &'a Work,
}

impl<'a> Scopes<'a> {
    fn of(before: Option<&Object>, after: &Object, work: &'a Work) -> Self {
        let side = |instance: &Object| Side::of(instance, work);
        Self { before: before.map(side), after: side(after), work }
    }

    fn name(&mut self, node: &Node) -> Names {
        if node.template().is_none() || !self.is_named_by_names(node) {
            return Names::default();
        }
        let before = self.before.as_mut().and_then(|before| before.name(node));
        Names { before, after: self.after.name(node) }
    }

    /// Whether its name reads no more of other nodes than their names: what is not known must not be taken
    /// for absent, as `has(…)` would.
    fn is_named_by_names(&self, node: &Node) -> bool {
        let iterated = |root: &str| node.for_each.iter().any(|(variable, _)| variable == root);
        let mut texts = identity(node);
        texts.extend(node.for_each.iter().map(|(_, list)| list.as_str()));
        texts.iter().flat_map(|text| expressions(text)).all(|source| {
            survey(source, self.work).is_ok_and(|survey| {
                survey.paths.iter().chain(&survey.tested).all(|path| {
                    let of_name = matches!(path.members(), [metadata, field]
                        if metadata == "metadata" && matches!(field.as_str(), "name" | "namespace"));
                    path.root() == "schema" || iterated(path.root()) || of_name
                })
            })
        })
    }

    fn turn(
        &self,
        node: &Node,
        changed: &[Vec<String>],
        names: &Names,
        turns: &BTreeMap<&str, Turn>,
    ) -> Option<Turn> {
        let Some(before) = &self.before else {
            return match self.included(&self.after.schema, node) {
                Some(false) => None,
                _ if node.external().is_some() => None,
                _ => Some(Turn::Created),
            };
        };
        let reads = |texts: &[&str]| self.read(texts, changed);
        let texts: Vec<&str> = node.include_when.iter().map(String::as_str).collect();
        if reads(&texts) {
            match (self.included(&before.schema, node), self.included(&self.after.schema, node)) {
                (Some(true), Some(false)) => return Some(Turn::Deleted),
                (Some(false), Some(true)) => return Some(Turn::Created),
                (Some(false), Some(false)) => return None,
                (Some(true), Some(true)) => {}
                _ => return Some(Turn::Unclear),
            }
        }
        let Some(template) = node.template() else {
            return reads(&reference(node)).then_some(Turn::Reference);
        };
        let lists: Vec<&str> = node.for_each.iter().map(|(_, list)| list.as_str()).collect();
        match (&names.before, &names.after) {
            (Some(before), Some(after)) => {
                let (goes, comes) = (without(before, after), without(after, before));
                let same = goes.is_empty() && comes.is_empty() && before.len() == after.len();
                if !same && node.is_collection() {
                    let sizes = Some((before.len(), after.len()));
                    return Some(Turn::Members(Members { sizes, goes: told(&goes), comes: told(&comes) }));
                }
                if !same {
                    return Some(Turn::Replaced);
                }
                if reads(&lists) {
                    return Some(Turn::Changed);
                }
            }
            _ if reads(&lists) => {
                let sizes = size(&before.schema, &lists).zip(size(&self.after.schema, &lists));
                return Some(Turn::Members(Members { sizes, ..Members::default() }));
            }
            _ if reads(&identity(node)) || self.follows_a_name(node, turns) => return Some(Turn::Unclear),
            _ => {}
        }
        reads(&strings_of(template)).then_some(Turn::Changed)
    }

    /// Whether its name is made of a node that may get another one.
    fn follows_a_name(&self, node: &Node, turns: &BTreeMap<&str, Turn>) -> bool {
        let moved =
            |root: &str| matches!(turns.get(root), Some(Turn::Replaced | Turn::Members(_) | Turn::Unclear));
        identity(node).iter().flat_map(|text| expressions(text)).any(|source| {
            survey(source, self.work).is_ok_and(|survey| survey.paths.iter().any(|path| moved(path.root())))
        })
    }

    /// Whether all of `includeWhen` hold; `None` where the instance alone does not tell.
    fn included(&self, scope: &Scope<'_>, node: &Node) -> Option<bool> {
        let mut all = Some(true);
        for text in &node.include_when {
            match scope.render(text).ok().and_then(|value| value.as_bool()) {
                Some(false) => return Some(false),
                Some(true) => {}
                None => all = None,
            }
        }
        all
    }

    /// Whether an expression in one of the texts reads one of the fields.
    fn read(&self, texts: &[&str], changed: &[Vec<String>]) -> bool {
        texts.iter().flat_map(|text| expressions(text)).any(|source| match survey(source, self.work) {
            Ok(survey) => survey
                .paths
                .iter()
                .chain(&survey.tested)
                .filter(|path| path.root() == "schema")
                .any(|path| changed.iter().any(|changed| overlap(changed, path.members()))),
            // what cannot be read may read anything of the instance
            Err(_) => source.contains("schema"),
        })
    }
}

fn cloned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

fn reference(node: &Node) -> Vec<&str> {
    match node.external() {
        Some(External::Named { name, namespace }) => {
            std::iter::once(name.as_str()).chain(namespace.as_deref()).collect()
        }
        Some(External::Selected { selector, namespace }) => {
            strings_of(selector).into_iter().chain(namespace.as_deref()).collect()
        }
        None => Vec::new(),
    }
}

fn size(scope: &Scope<'_>, lists: &[&str]) -> Option<usize> {
    lists.iter().map(|list| Some(scope.render(list).ok()?.as_array()?.len())).product()
}

/// What the name of its objects is made of.
fn identity(node: &Node) -> Vec<&str> {
    let metadata = node.template().and_then(|template| template.get("metadata"));
    ["name", "namespace"].into_iter().filter_map(|field| metadata?.get(field)?.as_str()).collect()
}

fn is_same(a: &Identity, b: &Identity) -> bool {
    (&a.name, &a.namespace) == (&b.name, &b.namespace)
}

fn without<'i>(these: &'i [Identity], others: &[Identity]) -> Vec<&'i Identity> {
    let others: BTreeSet<_> = others.iter().map(|other| (&other.name, &other.namespace)).collect();
    these.iter().filter(|identity| !others.contains(&(&identity.name, &identity.namespace))).collect()
}

fn told(identities: &[&Identity]) -> Vec<String> {
    identities.iter().filter(|identity| identity.tellable).map(|identity| identity.name.clone()).collect()
}

/// `spec.zones[0].name` → `spec`, `zones`: CEL follows no further than a list.
fn members(path: &str) -> Vec<String> {
    let plain = path.split('[').next().unwrap_or_default();
    plain.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Whether one of them is in the other.
fn overlap(a: &[String], b: &[String]) -> bool {
    a.iter().zip(b).all(|(a, b)| a == b)
}
