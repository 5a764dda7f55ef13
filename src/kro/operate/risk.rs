//! What becomes of an instance's nodes when its fields change: found in the CEL of the templates, and
//! evaluated where the instance alone decides.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    kro::{
        definition::{Definition, External, Node},
        expression::{Scope, Variable, Work, expressions, strings_of, survey},
    },
    kubernetes::Object,
};

/// What becomes of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Its id in the RGD.
    pub node: String,
    /// The kind of what it makes or refers to.
    pub kind: String,
    /// What becomes of it.
    pub turn: Turn,
}

/// What a change makes of a node. Those that lose something come first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// It is pruned: `includeWhen` turns false, or something that it needs is pruned.
    Deleted,
    /// Its name changes: kro makes a new object and prunes the old one.
    Replaced,
    /// A collection gets fewer or other members; those that go are pruned.
    Members(Option<(usize, usize)>),
    /// It may be left out or replaced: only the cluster can tell.
    Unclear,
    /// Another object is referred to.
    Reference,
    /// It is made.
    Created,
    /// Its template reads fields that change.
    Changed,
    /// It needs a node that changes.
    Follows(String),
}

impl Fate {
    /// In words.
    pub fn told(&self) -> String {
        let what = match &self.turn {
            Turn::Deleted => "is deleted (left out from now on)".to_owned(),
            Turn::Replaced => {
                "gets another name: a new object is made and the old one deleted, with what it holds"
                    .to_owned()
            }
            Turn::Members(Some((before, after))) => {
                format!("goes from {before} to {after} members; those that go are deleted")
            }
            Turn::Members(None) => "may lose members, which are deleted".to_owned(),
            Turn::Unclear => "may be left out, or made under another name: only kro can tell".to_owned(),
            Turn::Reference => "refers to another object, which must exist".to_owned(),
            Turn::Created => "is made".to_owned(),
            Turn::Changed => "changes".to_owned(),
            Turn::Follows(node) => format!("may change with {node}"),
        };
        format!("{} ({}) {what}", self.node, self.kind)
    }
}

/// What becomes of the nodes when an instance turns from `before` (none where it is new) into `after`.
/// `changed` are the paths of its fields that differ, as `spec.zones[0]`.
pub fn fates(
    definition: &Definition,
    before: Option<&Object>,
    after: &Object,
    changed: &[String],
    work: &Work,
) -> Vec<Fate> {
    let scopes = Scopes::of(before, after, work);
    let changed: Vec<Vec<String>> = changed.iter().map(|path| members(path)).collect();
    let mut turns: BTreeMap<&str, Turn> = BTreeMap::new();
    for node in &definition.nodes {
        let own = scopes.turn(node, &changed);
        let turn = match (own, inherited(node, &turns)) {
            (Some(Turn::Deleted), _) | (_, Some(Turn::Deleted)) => Some(Turn::Deleted),
            (Some(own), _) => Some(own),
            (None, inherited) => inherited,
        };
        turns.extend(turn.map(|turn| (node.id.as_str(), turn)));
    }
    let fate = |node: &Node| {
        let turn = turns.get(node.id.as_str())?.clone();
        Some(Fate { node: node.id.clone(), kind: node.kind.clone(), turn })
    };
    let mut fates: Vec<Fate> = definition.nodes.iter().filter_map(fate).collect();
    fates.sort_by(|a, b| a.turn.cmp(&b.turn));
    fates
}

/// Exclusion is contagious, and what is read from a node that changes may change.
fn inherited(node: &Node, turns: &BTreeMap<&str, Turn>) -> Option<Turn> {
    let needed: Vec<(&String, &Turn)> =
        node.dependencies.iter().filter_map(|id| Some((id, turns.get(id.as_str())?))).collect();
    if needed.iter().any(|(_, turn)| **turn == Turn::Deleted) {
        return Some(Turn::Deleted);
    }
    let (id, turn) = needed.first()?;
    Some(match turn {
        Turn::Created => Turn::Created,
        Turn::Follows(first) => Turn::Follows(first.clone()),
        _ => Turn::Follows((*id).clone()),
    })
}

/// The instance before and after, as expressions see it.
struct Scopes<'a> {
    before: Option<Scope<'a>>,
    after: Scope<'a>,
    work: &'a Work,
}

impl<'a> Scopes<'a> {
    fn of(before: Option<&Object>, after: &Object, work: &'a Work) -> Self {
        let scope = |instance: &Object| {
            let mut scope = Scope::within(work);
            let members: Map<String, Value> =
                instance.members().iter().filter(|(name, _)| *name != "status").map(cloned).collect();
            scope.set("schema", Variable::data(Value::Object(members)));
            scope
        };
        Self { before: before.map(scope), after: scope(after), work }
    }

    fn turn(&self, node: &Node, changed: &[Vec<String>]) -> Option<Turn> {
        let Some(before) = &self.before else {
            return match self.included(&self.after, node) {
                Some(false) => None,
                _ if node.external().is_some() => None,
                _ => Some(Turn::Created),
            };
        };
        let reads = |texts: &[&str]| self.read(texts, changed);
        let texts: Vec<&str> = node.include_when.iter().map(String::as_str).collect();
        if reads(&texts) {
            match (self.included(before, node), self.included(&self.after, node)) {
                (Some(true), Some(false)) => return Some(Turn::Deleted),
                (Some(false), Some(true)) => return Some(Turn::Created),
                (Some(false), Some(false)) => return None,
                (Some(true), Some(true)) => {}
                _ => return Some(Turn::Unclear),
            }
        }
        let lists: Vec<&str> = node.for_each.iter().map(|(_, list)| list.as_str()).collect();
        if reads(&lists) {
            let sizes = (size(before, &lists), size(&self.after, &lists));
            return Some(Turn::Members(sizes.0.zip(sizes.1)));
        }
        let Some(template) = node.template() else {
            return reads(&reference(node)).then_some(Turn::Reference);
        };
        let identity: Vec<&str> = ["name", "namespace"]
            .into_iter()
            .filter_map(|field| template.get("metadata")?.get(field)?.as_str())
            .collect();
        if reads(&identity) {
            let rendered = |scope: &Scope<'_>| {
                identity.iter().map(|text| scope.render(text).ok()).collect::<Option<Vec<_>>>()
            };
            match (rendered(before), rendered(&self.after)) {
                (Some(before), Some(after)) if before == after => {}
                (Some(_), Some(_)) => return Some(Turn::Replaced),
                _ => return Some(Turn::Unclear),
            }
        }
        reads(&strings_of(template)).then_some(Turn::Changed)
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

/// `spec.zones[0].name` → `spec`, `zones`: CEL follows no further than a list.
fn members(path: &str) -> Vec<String> {
    let plain = path.split('[').next().unwrap_or_default();
    plain.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Whether one of them is in the other.
fn overlap(a: &[String], b: &[String]) -> bool {
    a.iter().zip(b).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn definition() -> Definition {
        let template = |name: &str, data: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"x": data}});
        let rgd = json!({"metadata": {"name": "r"}, "spec": {"resources": [
            {"id": "ref", "externalRef": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "${schema.spec.secret}"}}},
            {"id": "extra", "includeWhen": ["${schema.spec.extra}"], "template": template("${schema.metadata.name}-e", "y")},
            {"id": "after", "template": template("a", "${extra.data.x}")},
            {"id": "named", "template": template("${schema.spec.host}", "y")},
            {"id": "zone", "forEach": [{"z": "${schema.spec.zones}"}], "template": template("${z}", "y")},
            {"id": "reads", "template": template("r", "${schema.spec.colour + schema.spec.secret}")},
            {"id": "late", "template": template("l", "${reads.data.x}")},
            {"id": "still", "template": template("s", "${schema.metadata.name}")},
        ]}});
        Definition::read_within(&Object::from_value(rgd).expect("an object"), &[], &Work::default())
    }

    fn instance(spec: &Value) -> Object {
        Object::from_value(json!({"metadata": {"name": "i"}, "spec": spec})).expect("an object")
    }

    fn told(before: Option<&Value>, after: &Value, changed: &[&str]) -> Vec<String> {
        let changed: Vec<String> = changed.iter().map(|path| (*path).to_owned()).collect();
        let before = before.map(instance);
        let fates = fates(&definition(), before.as_ref(), &instance(after), &changed, &Work::default());
        fates.iter().map(Fate::told).collect()
    }

    #[test]
    fn what_is_lost_comes_first_and_what_does_not_read_the_fields_does_not_come() {
        let before = json!({"extra": true, "host": "a", "zones": ["x", "y"], "colour": "red", "secret": "s"});
        let after = json!({"extra": false, "host": "b", "zones": ["x"], "colour": "blue", "secret": "s"});
        let told = told(Some(&before), &after, &["spec.extra", "spec.host", "spec.zones[1]", "spec.colour"]);
        let starts = [
            "extra (ConfigMap) is deleted",
            "after (ConfigMap) is deleted",
            "named (ConfigMap) gets another name",
            "zone (ConfigMap) goes from 2 to 1 members",
            "reads (ConfigMap) changes",
            "late (ConfigMap) may change with reads",
        ];
        assert_eq!(told.len(), starts.len(), "{told:#?}");
        assert!(told.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{told:#?}");
        let mut other = before.clone();
        other["secret"] = json!("t");
        let told = self::told(Some(&before), &other, &["spec.secret"]);
        assert_eq!(told.len(), 3, "{told:#?}");
        assert!(told[0].starts_with("ref (Secret) refers to another object"), "{told:#?}");
    }

    #[test]
    fn a_new_instance_makes_its_nodes() {
        let told = told(None, &json!({"extra": false, "host": "a", "zones": []}), &[]);
        let made = ["named", "zone", "reads", "late", "still", "after"];
        assert!(made.iter().all(|node| told.iter().any(|line| line.starts_with(node))), "{told:#?}");
        assert!(!told.iter().any(|line| line.starts_with("extra") || line.starts_with("ref")), "{told:#?}");
    }
}
