//! JSON Schemas of tools: lean, self-contained, readable by draft-07 and 2020-12 alike.

use std::sync::Arc;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// A schema as MCP carries it: an object.
pub type Schema = Arc<Map<String, Value>>;

/// The schema of a tool's arguments.
pub fn input<T: JsonSchema>() -> Schema {
    let mut schema = generate::<T>(SchemaSettings::draft07().for_deserialize());
    schema.insert("additionalProperties".to_owned(), false.into());
    schema.entry("properties").or_insert_with(|| json!({}));
    Arc::new(schema)
}

/// The schema of a tool's structure, with the facts that every answer may carry.
pub fn output<T: JsonSchema>(changes: bool) -> Schema {
    let mut schema = generate::<T>(SchemaSettings::draft07().for_serialize());
    drop_key(&mut schema, "description");
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if let Value::Object(properties) = properties {
        properties.insert("partial".to_owned(), json!({"type": "boolean"}));
        properties.insert("gaps".to_owned(), json!({"type": "array", "items": {"type": "string"}}));
        properties.insert("truncated".to_owned(), json!({"type": "string"}));
        properties.insert("next_cursor".to_owned(), json!({"type": "string"}));
        if changes {
            let words = json!({"type": "string", "enum": ["planned", "refused", "unneeded", "made"]});
            properties.insert("change".to_owned(), words);
            properties.insert("plan".to_owned(), json!({"type": "string"}));
        }
    }
    Arc::new(schema)
}

fn generate<T: JsonSchema>(settings: SchemaSettings) -> Map<String, Value> {
    let generator = settings.with(|settings| settings.inline_subschemas = true).into_generator();
    let mut schema = match generator.into_root_schema_for::<T>().to_value() {
        Value::Object(schema) => schema,
        _ => Map::new(),
    };
    schema.remove("description");
    schema.entry("type").or_insert("object".into());
    lean(&mut schema);
    schema
}

/// Takes out what costs tokens and tells nothing: dialect, titles, integer formats, and `null` beside
/// the type of an optional member (absent and null mean the same here).
fn lean(schema: &mut Map<String, Value>) {
    for key in ["$schema", "title", "format", "definitions", "default"] {
        if !(key == "default" && schema.get(key).is_some_and(|default| !default.is_null())) {
            schema.remove(key);
        }
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    unwrap_nullable(schema);
    for (key, value) in schema.iter_mut() {
        match value {
            Value::Object(members) if matches!(key.as_str(), "properties" | "patternProperties") => {
                members.values_mut().for_each(as_object);
                members.values_mut().filter_map(Value::as_object_mut).for_each(lean);
            }
            Value::Object(inner) => lean(inner),
            Value::Array(items) => items.iter_mut().filter_map(Value::as_object_mut).for_each(lean),
            _ => {}
        }
    }
}

/// Clients before 2026-07-28 take schemas of properties that are objects alone (TypeScript SDK 1: `true` breaks
/// the whole list of tools).
fn as_object(schema: &mut Value) {
    if *schema == Value::Bool(true) {
        *schema = json!({});
    }
}

/// `anyOf: [X, null]` is how an optional inlined type is written; X is what matters.
fn unwrap_nullable(schema: &mut Map<String, Value>) {
    let Some(Value::Array(options)) = schema.get_mut("anyOf") else { return };
    options.retain(|option| option.get("type") != Some(&Value::from("null")));
    if let [Value::Object(only)] = options.as_slice() {
        let only = only.clone();
        schema.remove("anyOf");
        for (key, value) in only {
            schema.entry(key).or_insert(value);
        }
    }
}

fn drop_key(schema: &mut Map<String, Value>, key: &str) {
    schema.remove(key);
    for (name, value) in schema.iter_mut() {
        match value {
            Value::Object(members) if name == "properties" => {
                members
                    .values_mut()
                    .filter_map(Value::as_object_mut)
                    .for_each(|member| drop_key(member, key));
            }
            Value::Object(inner) => drop_key(inner, key),
            Value::Array(items) => {
                items.iter_mut().filter_map(Value::as_object_mut).for_each(|item| drop_key(item, key));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Input {
        /// Which one.
        name: String,
        limit: Option<u32>,
        format: Option<Format>,
    }

    #[derive(serde::Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    #[allow(dead_code)]
    enum Format {
        Tree,
        Dot,
    }

    #[derive(serde::Serialize, JsonSchema)]
    struct Output {
        anything: Value,
    }

    #[test]
    fn every_property_has_a_schema_that_is_an_object() {
        assert_eq!(
            output::<Output>(false).get("properties").map(|all| all["anything"].clone()),
            Some(json!({}))
        );
    }

    #[test]
    fn schemas_are_lean_and_closed() {
        assert_eq!(
            Value::Object((*input::<Input>()).clone()),
            json!({
                "type": "object",
                "properties": {
                    "name": {"type": "string", "description": "Which one."},
                    "limit": {"type": "integer", "minimum": 0},
                    "format": {"type": "string", "enum": ["tree", "dot"]}
                },
                "required": ["name"],
                "additionalProperties": false
            })
        );
    }
}
