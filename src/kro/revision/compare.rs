//! [`Comparison`]: what differs between two states of an RGD.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    kro::{
        definition::{Definition, needs_revision},
        expression::Work,
        schema::{self, Change, Described, Effect},
    },
    kubernetes::{
        Object,
        difference::{Difference, differences},
    },
};

/// Fields of one node that are told.
const MOST_FIELDS: usize = 60;
/// What the API server lets nobody change.
const IMMUTABLE: [&str; 4] = ["kind", "apiVersion", "group", "scope"];

/// What happened to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is different.
    Changed,
}

impl How {
    /// The mark before its line.
    pub fn mark(self) -> char {
        match self {
            Self::Added => '+',
            Self::Removed => '-',
            Self::Changed => '~',
        }
    }
}

/// A node that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeChange {
    /// Added, removed or changed.
    pub how: How,
    /// Its id.
    pub id: String,
    /// `Kind.group` of what it makes or refers to, as it is after.
    pub kind: String,
    /// Of a changed one, what of it differs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Difference>,
    /// How many more fields differ than are told.
    #[serde(skip_serializing_if = "is_zero")]
    pub more: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A dependency that is new or gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct EdgeChange {
    /// Added or removed.
    pub how: How,
    /// What is needed.
    pub from: String,
    /// What needs it.
    pub to: String,
}

/// What differs between two states of an RGD.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// By id.
    pub nodes: Vec<NodeChange>,
    /// By what they lead from and to.
    pub edges: Vec<EdgeChange>,
    /// Of the generated kind: `spec`, and what fields `status` has.
    pub schema: Vec<Change>,
    /// Everything else in the RGD's `spec`.
    pub other: Vec<Difference>,
    /// Fields of `spec.schema` that the API server lets nobody change, and that differ.
    pub immutable: Vec<&'static str>,
    /// What kro would not take of the schema after, a line each.
    pub problems: Vec<String>,
    /// The schema of `spec` before and after.
    pub specs: (Value, Value),
    /// What was too much to be read, a line each.
    pub cut: Vec<String>,
}

impl Comparison {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.edges.is_empty() && self.schema.is_empty() && self.other.is_empty()
    }

    /// How many changes of the schema have that effect.
    pub fn count(&self, effect: Effect) -> usize {
        self.schema.iter().filter(|change| change.effect == effect).count()
    }
}

/// Compares two states of an RGD, each with a `spec` and, where kro has accepted it, a `status`. Edges
/// are found with CEL where one of them has none, which draws on `work`.
pub fn compare(before: &Object, after: &Object, work: &Work) -> Comparison {
    let described = [before, after].map(Described::of_rgd);
    let [old, new] = &described;
    let mut schema = schema::changes("spec", &old.spec, &new.spec);
    schema.extend(schema::changes("status", &old.status, &new.status).into_iter().map(untyped));
    schema.sort_by_key(|change| change.effect);
    let (edges, cut) = edges(before, after, work);
    Comparison {
        nodes: nodes(before, after),
        edges,
        schema,
        other: other(before, after),
        immutable: immutable(before, after),
        problems: new.problems.iter().map(|(path, why)| format!("{path}: {why}")).collect(),
        specs: (old.spec.clone(), new.spec.clone()),
        cut,
    }
}

/// The types of a status are kro's to infer.
fn untyped(change: Change) -> Change {
    let known = |side: Option<String>| side.filter(|kind| kind != "any");
    Change { before: known(change.before), after: known(change.after), ..change }
}

fn nodes(before: &Object, after: &Object) -> Vec<NodeChange> {
    let (old, new) = (by_id(before), by_id(after));
    let ids: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let change = |how: How, id: &str, of: &Value| NodeChange {
        how,
        id: id.to_owned(),
        kind: kind_of(of),
        fields: Vec::new(),
        more: 0,
    };
    let mut changes: Vec<NodeChange> = ids
        .into_iter()
        .filter_map(|id| match (old.get(id), new.get(id)) {
            (None, Some(new)) => Some(change(How::Added, id, new)),
            (Some(old), None) => Some(change(How::Removed, id, old)),
            (Some(old), Some(new)) if old != new => {
                let mut fields = differences(old, new);
                let more = fields.len().saturating_sub(MOST_FIELDS);
                fields.truncate(MOST_FIELDS);
                Some(NodeChange { fields, more, ..change(How::Changed, id, new) })
            }
            _ => None,
        })
        .collect();
    changes.sort_by_key(|change| change.how);
    changes
}

fn by_id(rgd: &Object) -> BTreeMap<&str, &Value> {
    let resources = rgd.items(&["spec", "resources"]).iter();
    resources.filter_map(|resource| Some((resource.get("id")?.as_str()?, resource))).collect()
}

fn kind_of(resource: &Value) -> String {
    crate::kro::definition::Node::parse(resource)
        .map_or_else(String::new, |node| node.group_kind().to_string())
}

fn edges(before: &Object, after: &Object, work: &Work) -> (Vec<EdgeChange>, Vec<String>) {
    // Both from the same source: what kro wrote where it did for both, else the CEL of both.
    let written = !needs_revision(before) && !needs_revision(after);
    let definitions = [before, after].map(|rgd| {
        let mut rgd = rgd.clone();
        if !written {
            rgd.members_mut().shift_remove("status");
        }
        Definition::read_within(&rgd, &[], work)
    });
    let edges = |definition: &Definition| -> BTreeSet<(String, String)> {
        let needs = definition.nodes.iter().map(|node| (&node.id, &node.dependencies));
        needs.flat_map(|(id, all)| all.iter().map(|from| (from.clone(), id.clone()))).collect()
    };
    let [old, new] = &definitions;
    let (old_edges, new_edges) = (edges(old), edges(new));
    let change = |how: How| {
        move |(from, to): &(String, String)| EdgeChange { how, from: from.clone(), to: to.clone() }
    };
    let mut changes: Vec<EdgeChange> = new_edges.difference(&old_edges).map(change(How::Added)).collect();
    changes.extend(old_edges.difference(&new_edges).map(change(How::Removed)));
    let mut cut: Vec<String> = old.cut.iter().chain(&new.cut).cloned().collect();
    if work.is_over() && !written {
        cut.push("the dependencies of the nodes: there was no time to find all of them".to_owned());
    }
    (changes, cut)
}

/// What is neither a node nor the schema of the spec, which are compared by what they mean.
fn other(before: &Object, after: &Object) -> Vec<Difference> {
    let rest = |rgd: &Object| {
        let mut spec = rgd.member("spec").cloned().unwrap_or_default();
        if let Some(members) = spec.as_object_mut() {
            members.shift_remove("resources");
            if let Some(schema) = members.get_mut("schema").and_then(Value::as_object_mut) {
                schema.shift_remove("spec");
                schema.shift_remove("types");
                // what the API server fills in where the author left it out
                schema.entry("group").or_insert(crate::kro::labels::GROUP.into());
                schema.entry("scope").or_insert("Namespaced".into());
            }
        }
        spec
    };
    // a status field that is new or gone is a change of the schema
    let is_status = |difference: &Difference| {
        difference.path.starts_with("schema.status")
            && (difference.before.is_none() || difference.after.is_none())
    };
    let found = differences(&rest(before), &rest(after)).into_iter();
    found.filter(|difference| !is_status(difference)).collect()
}

fn immutable(before: &Object, after: &Object) -> Vec<&'static str> {
    let of = |rgd: &Object, key: &str| {
        let default = match key {
            "group" => crate::kro::labels::GROUP,
            "scope" => "Namespaced",
            _ => "",
        };
        rgd.text(&["spec", "schema", key]).filter(|text| !text.is_empty()).unwrap_or(default).to_owned()
    };
    IMMUTABLE.into_iter().filter(|key| of(before, key) != of(after, key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rgd(schema: Value, resources: &Value) -> Object {
        let mut schema = schema;
        schema["kind"] = json!("App");
        Object::from_value(
            json!({"metadata": {"name": "app"}, "spec": {"schema": schema, "resources": resources}}),
        )
        .expect("an object")
    }

    fn node(id: &str, kind: &str, data: &str) -> Value {
        json!({"id": id, "template": {"apiVersion": "v1", "kind": kind, "metadata": {"name": id}, "data": {"x": data}}})
    }

    #[test]
    fn nodes_edges_schema_and_the_rest_are_compared_by_what_they_are() {
        let before = rgd(
            json!({"spec": {"size": "string", "gone": "string"}, "status": {"a": "${one.data.x}", "b": "${one.data.x}"}}),
            &json!([
                node("one", "ConfigMap", "1"),
                node("two", "ConfigMap", "${one.data.x}"),
                node("old", "Secret", "")
            ]),
        );
        let after = rgd(
            json!({"spec": {"size": "integer"}, "status": {"a": "${two.data.x}"}, "group": "kro.run"}),
            &json!([
                node("new", "ConfigMap", "${one.data.x}"),
                node("two", "ConfigMap", "2"),
                node("one", "ConfigMap", "1")
            ]),
        );
        let found = compare(&before, &after, &Work::default());
        let nodes: Vec<String> =
            found.nodes.iter().map(|node| format!("{}{} {}", node.how.mark(), node.id, node.kind)).collect();
        assert_eq!(nodes, ["+new ConfigMap", "-old Secret", "~two ConfigMap"]);
        let fields: Vec<String> = found.nodes[2].fields.iter().map(ToString::to_string).collect();
        assert_eq!(fields, ["~ template.data.x: ${one.data.x} → 2"]);
        let edges: Vec<String> =
            found.edges.iter().map(|edge| format!("{}{}→{}", edge.how.mark(), edge.from, edge.to)).collect();
        assert_eq!(edges, ["+one→new", "-one→two"]);
        let other: Vec<String> = found.other.iter().map(ToString::to_string).collect();
        assert_eq!(other, ["~ schema.status.a: ${one.data.x} → ${two.data.x}"]);
        let schema: Vec<String> =
            found.schema.iter().map(|change| format!("{} {change}", change.effect.word())).collect();
        assert_eq!(
            schema,
            [
                "breaking spec.gone removed: was string",
                "breaking spec.size type: string → integer",
                "breaking status.b removed",
            ]
        );
        assert!(found.immutable.is_empty());
        assert!(compare(&before, &before, &Work::default()).is_empty());
    }

    #[test]
    fn what_cannot_be_changed_is_named() {
        let before = rgd(json!({"apiVersion": "v1"}), &json!([]));
        let after =
            rgd(json!({"apiVersion": "v2", "group": "other.example", "scope": "Namespaced"}), &json!([]));
        assert_eq!(compare(&before, &after, &Work::default()).immutable, ["apiVersion", "group"]);
    }
}
