//! Two templates that write the same object. kro takes the RGD, and then stops at every instance: "resourceID:
//! a conflicts with resourceID: b".

use std::collections::BTreeMap;

use serde_json::Value;

use super::findings::{Findings, Place};
use super::nodes::Node;
use super::problem::Rule;

/// Looks for templates that name the same object; those that are there only sometimes may be alternatives.
pub(super) fn check(nodes: &[Node<'_>], findings: &mut Findings) {
    let mut seen: BTreeMap<[&str; 4], &str> = BTreeMap::new();
    for node in
        nodes.iter().filter(|node| !node.external && !node.is_collection() && node.include_when.is_empty())
    {
        let metadata = node.object.get("metadata");
        let text = |key: &str| metadata.and_then(|metadata| metadata.get(key)).and_then(Value::as_str);
        let (Some(api_version), Some(kind), Some(name)) =
            (node.text("apiVersion"), node.text("kind"), text("name"))
        else {
            continue;
        };
        if let Some(other) =
            seen.insert([api_version, kind, name, text("namespace").unwrap_or_default()], &node.id)
        {
            let message = format!("it writes the same {kind} as {other}: kro would apply neither");
            findings.doubt(Rule::Resource, Place::node(&node.id, "template.metadata.name"), &message);
        }
    }
}
