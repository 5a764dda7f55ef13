//! A row of the list: an object, or a node that has none yet.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    answer::{Row, sanitise},
    kro::{
        applyset::GroupKind,
        graph::{Graph, Node},
        inventory::age::age,
        state::State,
    },
};

/// One object. The ids of a nested instance's nodes begin with its own: `app/deployment`; a collection's
/// member stands in brackets: `workers[a]`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ResourceRow {
    id: String,
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// Absent where it is not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    pub(super) state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Read by kro, not made.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    external: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    age: String,
}

impl ResourceRow {
    pub(super) fn group_kind(&self) -> String {
        GroupKind::new(&self.group, &self.kind).to_string()
    }

    /// Whether it is of a kind in lower case, with its group or without.
    pub(super) fn is_of(&self, wanted: &str) -> bool {
        self.kind.to_lowercase() == wanted || self.group_kind().to_lowercase() == wanted
    }

    fn of(node: &Node, now: Timestamp) -> Self {
        let created = node.created.as_deref().and_then(|created| created.parse().ok());
        Self {
            id: node.id.clone(),
            kind: node.kind.clone(),
            group: node.group.clone(),
            namespace: node.namespace.clone(),
            name: node.name.clone(),
            state: node.state,
            reason: node.reason.clone(),
            external: node.external,
            age: age(created, now),
        }
    }
}

/// The objects of a graph, and the nodes without any. A collection is its members; that there are more which
/// the caller may not see is told, and not how many.
pub(super) fn rows(graph: &Graph, now: Timestamp) -> Vec<ResourceRow> {
    let below = graph.nodes.iter().skip(1);
    below
        .filter_map(|node| {
            let mut row = ResourceRow::of(node, now);
            match &node.members {
                // all of it is to be pruned: the members do not say so
                Some(_) if node.state == State::Orphaned => Some(row),
                Some(members) if members.contains_key(&State::Withheld) => {
                    row.state = State::Withheld;
                    row.reason = Some("has members in namespaces that you may not see".to_owned());
                    Some(row)
                }
                Some(members) if !members.is_empty() => None,
                _ => Some(row),
            }
        })
        .collect()
}

/// One line: the instance, the verdict, and how many there are of each state.
pub(super) fn summary(graph: &Graph, cluster: &str, rows: &[ResourceRow]) -> String {
    let Some(root) = graph.root() else { return "nothing".to_owned() };
    let place = root.namespace.as_deref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    let mut line = format!("{}{place} ({cluster}): {}", root.object(), root.state);
    if let Some(reason) = root.reason.as_deref() {
        line.push_str(&format!(", {reason}"));
    }
    let mut counts: BTreeMap<State, usize> = BTreeMap::new();
    rows.iter().for_each(|row| *counts.entry(row.state).or_default() += 1);
    let counts: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
    line.push_str(&format!(". {} resources: {counts}", rows.len()));
    sanitise::line(&line).into_owned()
}

impl Row for ResourceRow {
    const COLUMNS: &'static [&'static str] = &["state", "id", "kind", "namespace", "name", "reason", "age"];

    fn cells(&self) -> Vec<String> {
        let external = if self.external { " (external)" } else { "" };
        vec![
            self.state.to_string(),
            format!("{}{external}", self.id),
            self.kind.clone(),
            self.namespace.clone().unwrap_or_default(),
            self.name.clone().unwrap_or_default(),
            self.reason.clone().unwrap_or_default(),
            self.age.clone(),
        ]
    }

    fn key(&self) -> String {
        let order = u8::from(!self.state.is_abnormal());
        let place = self.namespace.as_deref().unwrap_or_default();
        let name = self.name.as_deref().unwrap_or_default();
        format!("{order} {:02} {} {} {} {place} {name}", self.state as u8, self.id, self.kind, self.group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kro::graph::Why;

    fn node(id: &str, state: State, members: Option<&[(State, usize)]>) -> Node {
        Node {
            id: id.to_owned(),
            parent: None,
            kind: "ConfigMap".to_owned(),
            group: String::new(),
            name: members.is_none().then(|| id.to_owned()),
            namespace: None,
            state,
            reason: Some("3 of 5 ready".to_owned()),
            why: Why::Itself,
            needs: Vec::new(),
            external: false,
            created: None,
            members: members.map(|members| members.iter().copied().collect::<BTreeMap<_, _>>()),
            rgd: None,
            kro_state: None,
        }
    }

    #[test]
    fn a_collection_is_its_members_and_never_tells_how_many_are_withheld() {
        let nodes = vec![
            node("instance", State::Ready, None),
            node("all", State::Ready, Some(&[(State::Ready, 1)])),
            node("all[a]", State::Ready, None),
            node("some", State::Withheld, Some(&[(State::Ready, 3), (State::Withheld, 2)])),
            node("none", State::Pending, None),
            node("empty", State::Ready, Some(&[])),
            node("out", State::Orphaned, Some(&[(State::Ready, 2)])),
        ];
        let graph = Graph { nodes, gaps: Vec::new(), notes: Vec::new() };
        let rows = rows(&graph, Timestamp::UNIX_EPOCH);
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, ["all[a]", "some", "none", "empty", "out"]);
        assert_eq!(rows[1].state, State::Withheld);
        assert!(!serde_json::to_string(&rows[1]).expect("JSON").contains('5'));
    }
}
