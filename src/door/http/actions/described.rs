//! A tool as Backstage lists it. Every field that it knows is there, always: where one is missing, Backstage's
//! `tools/list` fails for every plugin's tools, or names them wrongly.

use serde_json::{Map, Value, json};

use crate::toolbox::{Effect, Entry};

const DIALECT: &str = "http://json-schema.org/draft-07/schema#";

/// The item of a tool.
pub(in crate::door) fn item(plugin: &str, entry: &Entry) -> Value {
    let front = &entry.contract.front;
    let name = &entry.contract.name;
    json!({
        "id": format!("{plugin}:{name}"),
        "name": name,
        "title": front.title,
        "description": entry.contract.description,
        "pluginId": plugin,
        // compared strictly by Backstage's filters: all three, always
        "attributes": {
            "readOnly": front.effect == Effect::Read,
            "destructive": front.effect == Effect::Destroy,
            "idempotent": front.idempotent,
        },
        "examples": [],
        "schema": {"input": schema(&entry.input_schema), "output": schema(&entry.output_schema)},
    })
}

fn schema(schema: &Map<String, Value>) -> Value {
    let mut whole = Map::new();
    whole.insert("$schema".to_owned(), DIALECT.into());
    whole.extend(schema.iter().map(|(key, value)| (key.clone(), value.clone())));
    Value::Object(whole)
}
