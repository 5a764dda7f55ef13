//! Fields that no schema requires and that kro waits for all the same: a template reads them.
//!
//! kro takes an expression that reads an absent field for data that is still to come, so an instance
//! without it stays IN_PROGRESS for ever (kro v0.9.4 `pkg/runtime`, "data pending").

use std::collections::BTreeSet;

use serde_json::Value;

use super::{below, properties, requires};
use crate::kro::{
    definition::{External, Node, Role},
    expression::{Path, Work, deep, expressions, strings_of, survey},
};

/// The paths below `schema` that the nodes read in any case, such as `spec.image`.
pub fn read_by_nodes(nodes: &[Node], work: &Work) -> BTreeSet<Vec<String>> {
    let read = || nodes.iter().flat_map(|node| read_by(node, work)).collect();
    deep(read).unwrap_or_default()
}

fn read_by(node: &Node, work: &Work) -> BTreeSet<Vec<String>> {
    let mut texts = match &node.role {
        Role::Template(template) => strings_of(template),
        Role::External(External::Named { name, namespace }) => {
            std::iter::once(name.as_str()).chain(namespace.as_deref()).collect()
        }
        Role::External(External::Selected { selector, .. }) => strings_of(selector),
    };
    texts.extend(node.for_each.iter().map(|(_, list)| list.as_str()));
    texts.extend(node.include_when.iter().map(String::as_str));
    let (mut read, mut tested) = (BTreeSet::new(), BTreeSet::new());
    for source in texts.iter().flat_map(|text| expressions(text)) {
        if work.is_over() {
            break;
        }
        let Ok(survey) = survey(source, work) else { continue };
        let of = |paths: &[Path]| -> Vec<Vec<String>> {
            paths.iter().filter(|path| path.root() == "schema").map(|path| path.members().to_vec()).collect()
        };
        read.extend(of(&survey.paths));
        tested.extend(of(&survey.tested));
    }
    // what a node asks for first it can do without
    read.retain(|path: &Vec<String>| !tested.iter().any(|tested: &Vec<String>| path.starts_with(tested)));
    read
}

/// Of the paths that are read, those that neither the schema requires nor a default fills in.
pub fn needed(spec: &Value, read: &BTreeSet<Vec<String>>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in read {
        let Some((root, members)) = path.split_first() else { continue };
        if root != "spec" {
            continue;
        }
        let (mut schema, mut here) = (spec, "spec".to_owned());
        for name in members {
            let Some(property) = properties(schema).and_then(|properties| properties.get(name)) else {
                break;
            };
            here = below(&here, name);
            if !requires(schema, name) && property.get("default").is_none() {
                found.insert(here.clone());
            }
            schema = property;
        }
    }
    found
}

/// The schema with those fields required.
pub(super) fn requiring(spec: &Value, needed: &BTreeSet<String>) -> Value {
    fn extend(schema: &mut Value, path: &str, needed: &BTreeSet<String>, depth: usize) {
        let Some(members) = schema.as_object_mut().filter(|_| depth < super::DEEPEST) else { return };
        let mut required: Vec<Value> =
            members.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(properties) = members.get_mut("properties").and_then(Value::as_object_mut) {
            for (name, property) in properties {
                let here = below(path, name);
                if needed.contains(&here) {
                    required.push(name.clone().into());
                }
                extend(property, &here, needed, depth + 1);
            }
        }
        members.insert("required".to_owned(), required.into());
    }
    let mut spec = spec.clone();
    if !needed.is_empty() {
        extend(&mut spec, "spec", needed, 0);
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_templates_read_without_asking_is_needed() {
        let nodes: Vec<Node> = [
            json!({"id": "a", "template": {"kind": "A", "x": "${schema.spec.name}-x", "y": "${schema.spec.deep.inner}",
                "z": "${schema.spec.?maybe.orValue(1)}", "v": "${has(schema.spec.asked) ? schema.spec.asked : 'x'}",
                "w": "${schema.spec.given}", "d": "${schema.spec.filled}", "m": "${schema.metadata.name}"}}),
            json!({"id": "b", "includeWhen": ["${has(schema.spec.only)}"], "template": {"kind": "B", "x": "${schema.spec.only}"}}),
            json!({"id": "c", "forEach": [{"z": "${schema.spec.zones}"}], "template": {"kind": "C"}}),
        ]
        .iter()
        .filter_map(Node::parse)
        .collect();
        let schema = json!({"type": "object", "required": ["given"], "properties": {
            "name": {"type": "string"}, "maybe": {"type": "string"}, "asked": {"type": "string"},
            "given": {"type": "string"}, "filled": {"type": "string", "default": "x"}, "only": {"type": "string"},
            "zones": {"type": "array", "items": {"type": "string"}}, "unread": {"type": "string"},
            "deep": {"type": "object", "properties": {"inner": {"type": "string"}, "other": {"type": "string"}}}}});
        let read = read_by_nodes(&nodes, &Work::default());
        let found = needed(&schema, &read);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, ["spec.deep", "spec.deep.inner", "spec.name", "spec.zones"]);
        let found = found.into_iter().map(str::to_owned).collect();
        assert_eq!(
            super::super::sample::sample(&requiring(&schema, &found)),
            Some(
                json!({"deep": {"inner": "example"}, "given": "example", "name": "example", "zones": ["example"]})
            )
        );
    }
}
