//! `key=value` as JSON, by the tool's schema. What does not fit stays a string: the gate then says
//! what is wanted, in the same words as to an agent.

use serde_json::{Map, Value};

/// The arguments, or what cannot be one.
pub(super) fn typed(schema: &Map<String, Value>, written: &[String]) -> Result<Map<String, Value>, String> {
    let property = |key: &str| schema.get("properties").and_then(|properties| properties.get(key));
    let mut arguments = Map::new();
    for pair in written {
        let Some((key, text)) = pair.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(format!("{pair:?} is not KEY=VALUE (or give all arguments with --json)"));
        };
        let property = property(key);
        if kind(property) == Some("array") {
            add(&mut arguments, key, property, text);
        } else if arguments.insert(key.to_owned(), one(property, text)).is_some() {
            return Err(format!("{key:?} is given twice, and takes one value"));
        }
    }
    Ok(arguments)
}

fn kind(property: Option<&Value>) -> Option<&str> {
    property?.get("type")?.as_str()
}

/// `[…]` is the list, anything else one more item of it.
fn add(arguments: &mut Map<String, Value>, key: &str, property: Option<&Value>, text: &str) {
    let list = arguments.entry(key).or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(list) = list else { return };
    match serde_json::from_str(text) {
        Ok(Value::Array(items)) => list.extend(items),
        _ => list.push(one(property.and_then(|property| property.get("items")), text)),
    }
}

fn one(property: Option<&Value>, text: &str) -> Value {
    let parsed: Option<Value> = serde_json::from_str(text).ok();
    let fits = parsed.filter(|value| match kind(property) {
        Some("integer" | "number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some("string") => false,
        _ => value.is_object() || value.is_array(),
    });
    fits.unwrap_or_else(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn arguments(written: &[&str]) -> Result<Value, String> {
        let schema = json!({"properties": {
            "name": {"type": "string"}, "limit": {"type": "integer"}, "all": {"type": "boolean"},
            "kinds": {"type": "array", "items": {"type": "string"}},
            "ports": {"type": "array", "items": {"type": "integer"}},
            "spec": {"type": "object"}
        }});
        let written: Vec<String> = written.iter().map(|&pair| pair.to_owned()).collect();
        typed(schema.as_object().expect("an object"), &written).map(Value::Object)
    }

    #[test]
    fn values_are_typed_by_the_schema() {
        for (written, expected) in [
            (&["name=5", "limit=5", "all=true"][..], json!({"name": "5", "limit": 5, "all": true})),
            (&["name=a=b", "limit=many"], json!({"name": "a=b", "limit": "many"})),
            (&["kinds=Pod", "kinds=7", "ports=80"], json!({"kinds": ["Pod", "7"], "ports": [80]})),
            (&["kinds=[\"a\", \"b\"]", "kinds=c"], json!({"kinds": ["a", "b", "c"]})),
            (&["spec={\"a\": 1}", "other=1", "name="], json!({"spec": {"a": 1}, "other": "1", "name": ""})),
        ] {
            assert_eq!(arguments(written).expect("arguments"), expected);
        }
        assert!(arguments(&["name"]).expect_err("no value").contains("KEY=VALUE"));
        assert!(arguments(&["name=a", "name=b"]).expect_err("twice").contains("twice"));
    }
}
