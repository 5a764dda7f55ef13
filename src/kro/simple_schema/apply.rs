//! What markers make of a schema (kro v0.9.4 `pkg/simpleschema/markers.go`, `applyMarker`).
//!
//! Two of the problems are not kro's: a default that is no JSON, or not of the field's type, is found
//! by the API server only when kro creates the CRD.

use serde_json::{Map, Value, json};

use super::{markers::Marker, require};

/// Applies the markers of the field `name`; answers with what is wrong.
pub(super) fn apply(
    schema: &mut Value,
    markers: &[Marker],
    name: &str,
    parent: &mut Map<String, Value>,
) -> Vec<String> {
    let Some(schema) = schema.as_object_mut() else { return Vec::new() };
    let mut problems: Vec<String> = Vec::new();
    for marker in markers {
        problems.extend(one(schema, marker, name, parent).err());
    }
    if schema.contains_key("x-kubernetes-list-map-keys")
        && schema.get("x-kubernetes-list-type").and_then(Value::as_str) != Some("map")
    {
        problems.push("has listMapKey, which needs listType=map".to_owned());
    }
    problems.extend(unfit_default(schema));
    problems
}

fn one(
    schema: &mut Map<String, Value>,
    marker: &Marker,
    name: &str,
    parent: &mut Map<String, Value>,
) -> Result<(), String> {
    let Marker { key, value } = marker;
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    // a field that could not be read takes any marker: it was complained about
    let only = |wanted: &str| match kind.as_str() {
        kind if kind == wanted || kind.is_empty() => Ok(()),
        kind => Err(format!("has {key}, which is for {}, not for {}", words(wanted), words(kind))),
    };
    match *key {
        "required" if boolean(marker)? => require(parent, name),
        "default" => {
            schema.insert("default".into(), default(&kind, value)?);
        }
        "description" => {
            schema.insert("description".into(), json!(value));
        }
        "minimum" | "maximum" => {
            let number = value.parse().ok().filter(|number: &f64| number.is_finite());
            let number = number.ok_or_else(|| format!("has {key}={value:?}, which is no number"))?;
            schema.insert((*key).into(), number_of(number));
        }
        "validation" => {
            if value.trim().is_empty() {
                return Err("has an empty validation".to_owned());
            }
            rule(schema, value, "validation failed");
        }
        "immutable" if boolean(marker)? => rule(schema, "self == oldSelf", "field is immutable"),
        "enum" => {
            schema.insert("enum".into(), members(&kind, value)?);
        }
        "minLength" | "maxLength" => {
            only("string")?;
            schema.insert((*key).into(), integer(marker)?.into());
        }
        "pattern" => {
            if value.is_empty() {
                return Err("has an empty pattern".to_owned());
            }
            only("string")?;
            schema.insert("pattern".into(), json!(value));
        }
        "uniqueItems" => {
            let unique = boolean(marker)?;
            only("array")?;
            if unique {
                list_type(schema, "set")?;
            }
        }
        "minItems" | "maxItems" => {
            only("array")?;
            schema.insert((*key).into(), integer(marker)?.into());
        }
        "listType" => {
            only("array")?;
            if !["atomic", "set", "map"].contains(&value.as_str()) {
                return Err(format!("has listType={value:?}: there are atomic, set, map"));
            }
            list_type(schema, value)?;
        }
        "listMapKey" => {
            only("array")?;
            let keys = schema.entry("x-kubernetes-list-map-keys").or_insert_with(|| json!([]));
            if let Some(keys) = keys.as_array_mut() {
                if keys.iter().any(|known| known == value) {
                    return Err(format!("has listMapKey={value:?} twice"));
                }
                keys.push(json!(value));
            }
        }
        _ => {}
    }
    Ok(())
}

/// Go's `strconv.ParseBool`.
fn boolean(marker: &Marker) -> Result<bool, String> {
    match marker.value.as_str() {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        other => Err(format!("has {}={other:?}: write true or false", marker.key)),
    }
}

fn integer(marker: &Marker) -> Result<i64, String> {
    let Marker { key, value } = marker;
    value.parse().map_err(|_| format!("has {key}={value:?}, which is no integer"))
}

fn number_of(number: f64) -> Value {
    let whole = number as i64;
    if number.fract() == 0.0 && number.abs() < 9e15 { whole.into() } else { json!(number) }
}

fn default(kind: &str, text: &str) -> Result<Value, String> {
    // kro puts the text between quotes as it stands
    let written = if kind == "string" { format!("\"{text}\"") } else { text.to_owned() };
    let wrong = || match kind {
        "string" => format!("has a default that is no JSON text between quotes: {text:?}"),
        "integer" | "number" | "boolean" => {
            format!("has default={text:?}, which is no {kind} as JSON writes it")
        }
        _ => format!("has default={text:?}, which is no JSON"),
    };
    let value: Value = serde_json::from_str(&written).map_err(|_| wrong())?;
    let fits = match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    if fits {
        Ok(value)
    } else {
        Err(format!("has default={text:?}, which is not of its type, {}", words(kind)))
    }
}

fn members(kind: &str, text: &str) -> Result<Value, String> {
    let members = text.split(',').map(str::trim).map(|member| {
        if member.is_empty() {
            return Err("has an empty value in its enum".to_owned());
        }
        match kind {
            "string" => Ok(json!(member)),
            "integer" => member
                .parse::<i64>()
                .map(Value::from)
                .map_err(|_| format!("has {member:?} in its enum, which is no integer")),
            "" => Ok(json!(member)),
            kind => Err(format!("has an enum, which is for string and integer, not for {}", words(kind))),
        }
    });
    members.collect()
}

fn rule(schema: &mut Map<String, Value>, rule: &str, message: &str) {
    let rules = schema.entry("x-kubernetes-validations").or_insert_with(|| json!([]));
    if let Some(rules) = rules.as_array_mut() {
        rules.push(json!({"rule": rule, "message": message}));
    }
}

fn list_type(schema: &mut Map<String, Value>, wanted: &str) -> Result<(), String> {
    match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
        Some(other) if other != wanted => Err(format!("is a list of type {other} and {wanted} at once")),
        _ => {
            schema.insert("x-kubernetes-list-type".into(), json!(wanted));
            Ok(())
        }
    }
}

/// A default that the API server will not take.
fn unfit_default(schema: &Map<String, Value>) -> Option<String> {
    let default = schema.get("default")?;
    if let Some(members) = schema.get("enum").and_then(Value::as_array)
        && !members.contains(default)
    {
        return Some(format!("has the default {default}, which is not in its enum"));
    }
    let number = default.as_f64()?;
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    if bound("minimum").is_some_and(|least| number < least)
        || bound("maximum").is_some_and(|most| number > most)
    {
        return Some(format!("has the default {default}, which is not within its minimum and maximum"));
    }
    None
}

fn words(kind: &str) -> &str {
    match kind {
        "array" => "lists",
        "number" => "float",
        kind => kind,
    }
}
