//! The nodes of an RGD as rows: what each is and what it needs, never its template.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    answer::sanitise,
    kro::{
        definition::{Definition, Node, instance_kind},
        expression::strings_of,
    },
    kubernetes::Object,
};

/// Characters of an expression.
const LONGEST: usize = 160;
/// Expressions of one node and one sort that are told.
const MOST: usize = 10;

/// A node.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct NodeRow {
    pub(super) id: String,
    /// `Kind.group`
    pub(super) kind: String,
    pub(super) role: Role,
    /// The RGD that generates its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rgd: Option<String>,
    /// Nodes that come before it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) needs: Vec<String>,
    /// It exists only where all are true.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) include_when: Vec<String>,
    /// It is ready when all are true; without any, as soon as it exists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ready_when: Vec<String>,
    /// One for each: `zone in ${schema.spec.zones}`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) for_each: Vec<String>,
}

/// What a node is to kro.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Role {
    Template,
    Collection,
    NestedInstance,
    External,
    ExternalCollection,
}

impl Role {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Collection => "collection",
            Self::NestedInstance => "nested instance",
            Self::External => "external",
            Self::ExternalCollection => "external collection",
        }
    }
}

/// In the order in which kro processes them. `others` are the RGDs that may generate their kinds.
pub(super) fn nodes(definition: &Definition, others: &[Object]) -> Vec<NodeRow> {
    let row = |node: &Node| {
        let kind = node.group_kind();
        let of = others.iter().find(|rgd| instance_kind(rgd) == kind);
        let role = match (node.external().is_some(), node.is_collection()) {
            (true, true) => Role::ExternalCollection,
            (true, false) => Role::External,
            (false, true) => Role::Collection,
            (false, false) if of.is_some() => Role::NestedInstance,
            (false, false) => Role::Template,
        };
        let told =
            |list: &[String]| list.iter().take(MOST).map(|text| sanitise::short(text, LONGEST)).collect();
        let for_each = node.for_each.iter().take(MOST);
        NodeRow {
            id: node.id.clone(),
            kind: kind.to_string(),
            role,
            rgd: of.map(|rgd| rgd.name().to_owned()),
            needs: node.dependencies.clone(),
            include_when: told(&node.include_when),
            ready_when: told(&node.ready_when),
            for_each: for_each
                .map(|(name, list)| sanitise::short(&format!("{name} in {list}"), LONGEST))
                .collect(),
        }
    };
    definition.nodes.iter().map(row).collect()
}

/// A node of another RGD whose template is of this RGD's kind.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Nesting {
    pub(super) rgd: String,
    pub(super) node: String,
}

/// Where other RGDs use the kind.
pub(super) fn used_in(rgd: &Object, others: &[Object]) -> Vec<Nesting> {
    let wanted = instance_kind(rgd);
    let of = |other: &Object| -> Vec<Nesting> {
        let nodes = other.items(&["spec", "resources"]).iter().filter_map(Node::parse);
        let mine = nodes.filter(|node| node.group_kind() == wanted);
        mine.map(|node| Nesting { rgd: other.name().to_owned(), node: node.id }).collect()
    };
    others.iter().flat_map(of).collect()
}

/// A field of the status that the author defined.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct StatusField {
    pub(super) path: String,
    /// Where the CRD could be read.
    #[serde(rename = "type")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<String>,
    /// Nodes that it is read from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) from: Vec<String>,
}

/// The fields of the status without kro's own two, each with the nodes whose ids stand in its expression.
pub(super) fn status_fields(
    rgd: &Object,
    fields: Vec<crate::kro::schema::Field>,
    ids: &[NodeRow],
) -> Vec<StatusField> {
    let written = rgd.at(&["spec", "schema", "status"]);
    let is_kros = |path: &str| {
        let name = path.strip_prefix("status.").unwrap_or_default();
        let name = name.split(['.', '[']).next().unwrap_or_default();
        matches!(name, "state" | "conditions") && written.is_none_or(|status| status.get(name).is_none())
    };
    let from = |path: &str| -> Vec<String> {
        let steps = path.split('.').skip(1);
        let found = steps.fold(written, |value, step| value.and_then(|value| value.get(step)));
        let texts = found.map(strings_of).unwrap_or_default();
        let is_in = |id: &str| texts.iter().any(|text| mentions(text, id));
        ids.iter().filter(|node| is_in(&node.id)).map(|node| node.id.clone()).collect()
    };
    // what a condition is made of is the same everywhere
    let is_known = |path: &str| path.starts_with("status.conditions[]");
    let rows = fields
        .into_iter()
        .filter(|field| !is_kros(&field.path) && !is_known(&field.path) && field.kind != "object");
    rows.map(|field| StatusField {
        from: from(&field.path),
        kind: (field.kind != "any").then_some(field.kind),
        path: field.path,
    })
    .collect()
}

/// Whether an id stands in a text as a word of its own.
fn mentions(text: &str, id: &str) -> bool {
    text.match_indices(id).any(|(at, _)| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text.get(at + id.len()..).and_then(|rest| rest.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nodes_nesting_and_status_tell_of_each_other() {
        let rgd = |name: &str, kind: &str, resources: serde_json::Value| {
            Object::from_value(json!({"metadata": {"name": name}, "spec": {
                "schema": {"kind": kind, "status": {"url": "${web.status.url}", "at": {"n": "${size(pods)}"}}},
                "resources": resources}, "status": {"state": "Active"}}))
            .expect("an object")
        };
        let db = rgd("db", "Database", json!([]));
        let app = rgd(
            "app",
            "App",
            json!([
                {"id": "db", "template": {"apiVersion": "kro.run/v1alpha1", "kind": "Database"}},
                {"id": "web", "includeWhen": ["${schema.spec.on}"], "template": {"apiVersion": "apps/v1", "kind": "Deployment",
                    "spec": {"x": "${db.metadata.name}"}}},
                {"id": "pods", "externalRef": {"apiVersion": "v1", "kind": "Pod", "metadata": {"selector": {}}}},
                {"id": "each", "forEach": [{"z": "${schema.spec.zones}"}], "template": {"apiVersion": "v1", "kind": "Service"}},
            ]),
        );
        let definition = Definition::read_within(&app, &[], &crate::kro::expression::Work::default());
        let rows = nodes(&definition, std::slice::from_ref(&db));
        let told: Vec<String> = rows
            .iter()
            .map(|row| format!("{} {} {} <{}>", row.id, row.kind, row.role.word(), row.needs.join(",")))
            .collect();
        assert_eq!(
            told,
            [
                "db Database.kro.run nested instance <>",
                "web Deployment.apps template <db>",
                "pods Pod external collection <>",
                "each Service collection <>",
            ]
        );
        assert_eq!(rows[3].for_each, ["z in ${schema.spec.zones}"]);
        assert_eq!(
            used_in(&db, std::slice::from_ref(&app)),
            [Nesting { rgd: "app".to_owned(), node: "db".to_owned() }]
        );
        let described = crate::kro::schema::Described::of_rgd(&app);
        let status = status_fields(&app, crate::kro::schema::fields("status", &described.status).rows, &rows);
        let told: Vec<String> =
            status.iter().map(|row| format!("{} <{}>", row.path, row.from.join(","))).collect();
        assert_eq!(told, ["status.at.n <pods>", "status.url <web>"]);
    }
}
