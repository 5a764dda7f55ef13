//! A tool's whole contract as JSON: what the golden files hold.

use serde_json::{Map, Value, json};

use crate::{
    permission::Requirement,
    toolbox::{Effect, Entry},
};

pub(super) fn tool(entry: &Entry) -> Value {
    let contract = &entry.contract;
    let front = &contract.front;
    let mut tool = Map::new();
    let mut add = |key: &str, value: Value| tool.insert(key.to_owned(), value);
    add("name", contract.name.as_str().into());
    add("title", front.title.as_str().into());
    add("description", contract.description.as_str().into());
    add("toolset", contract.toolset.as_str().into());
    add("permission", permission(&front.permission));
    add("effect", front.effect.name().into());
    add("sensitive", front.sensitive.name().into());
    add("budget", json!({"rows": front.budget.rows, "bytes": front.budget.bytes}));
    add(
        "annotations",
        json!({
            "readOnlyHint": front.effect == Effect::Read,
            "destructiveHint": front.effect == Effect::Destroy,
            "idempotentHint": front.idempotent,
            "openWorldHint": front.open_world,
        }),
    );
    add("inputSchema", Value::Object((*entry.input_schema).clone()));
    add("outputSchema", Value::Object((*entry.output_schema).clone()));
    Value::Object(tool)
}

/// In the forms of the contract files.
fn permission(requirement: &Requirement) -> Value {
    let names: Vec<&str> = requirement.permissions().iter().map(|permission| permission.name()).collect();
    match (requirement, names.as_slice()) {
        (Requirement::Nothing, _) => "none".into(),
        (_, [one]) => (*one).into(),
        (Requirement::Any(_), names) => json!({"any": names}),
        (Requirement::All(_), names) => json!({"all": names}),
    }
}
