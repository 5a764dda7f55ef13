//! Checking arguments: each mistake is named, with what is allowed.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Error, nearest};

/// Bytes of a text whose schema sets no `maxLength`: names and cursors are shorter.
const LONGEST_TEXT: u64 = 2_000;

/// Arguments as the client sent them, as the tool's typed input.
///
/// # Errors
/// [`crate::ErrorKind::InvalidInput`] that names the argument and what it may be.
pub(super) fn parse<T: DeserializeOwned>(
    schema: &Map<String, Value>,
    mut arguments: Map<String, Value>,
) -> Result<T, Error> {
    // an argument that is null was not given
    arguments.retain(|_, value| !value.is_null());
    let nothing = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&nothing);
    for (name, value) in &mut arguments {
        if let Some(usual) = properties.get(name).and_then(|property| in_its_case(property, value)) {
            *value = usual;
        }
    }
    for (name, value) in &arguments {
        match properties.get(name) {
            Some(property) => check(name, property, value)?,
            None => return Err(unknown(name, properties)),
        }
    }
    let required = schema.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if let Some(missing) =
        required.iter().filter_map(Value::as_str).find(|name| !arguments.contains_key(*name))
    {
        let about = properties.get(missing).and_then(|property| property.get("description")?.as_str());
        let about = about.map_or(String::new(), |about| format!(": {about}"));
        return Err(Error::invalid_input(format!("the argument {missing:?} is missing{about}")));
    }
    serde_json::from_value(Value::Object(arguments)).map_err(|error| Error::invalid_input(error.to_string()))
}

fn unknown(name: &str, properties: &Map<String, Value>) -> Error {
    let known = || properties.keys().map(String::as_str);
    let name = crate::answer::sanitise::short(name, 60);
    if properties.is_empty() {
        return Error::invalid_input(format!("there is no argument {name:?}: this tool takes none"));
    }
    let hint =
        nearest::name(&name, known()).map_or(String::new(), |near| format!("; did you mean {near:?}?"));
    Error::invalid_input(format!("there is no argument {name:?}{hint}")).candidates(known())
}

/// The choice that was written in another case.
fn in_its_case(property: &Value, value: &Value) -> Option<Value> {
    let (choices, written) = (property.get("enum")?.as_array()?, value.as_str()?.trim());
    let fits = |choice: &&Value| choice.as_str().is_some_and(|choice| choice.eq_ignore_ascii_case(written));
    let mut fitting = choices.iter().filter(fits);
    let only = fitting.next().cloned();
    only.filter(|_| fitting.next().is_none())
}

fn check(name: &str, property: &Value, value: &Value) -> Result<(), Error> {
    let wrong = |allowed: &str| Err(Error::invalid_input(format!("the argument {name:?} must be {allowed}")));
    if let Some(choices) = property.get("enum").and_then(Value::as_array)
        && !choices.contains(value)
    {
        let choices = || choices.iter().filter_map(Value::as_str);
        return Err(Error::invalid_input(format!("the argument {name:?} must be one of its values"))
            .candidates(choices()));
    }
    let fits = match property.get("type").and_then(Value::as_str) {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    if !fits {
        let kind = property.get("type").and_then(Value::as_str).unwrap_or_default();
        let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        return wrong(&format!("{article} {kind}"));
    }
    let (least, most) = (bound(property, "minimum"), bound(property, "maximum"));
    let number = value.as_f64();
    if number.is_some_and(|number| {
        least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most)
    }) {
        let most = most.map_or(String::new(), |most| format!(" and at most {most}"));
        return wrong(&format!("at least {}{most}", least.unwrap_or_default()));
    }
    let longest = property.get("maxLength").and_then(Value::as_u64).unwrap_or(LONGEST_TEXT);
    if value.as_str().is_some_and(|text| text.len() as u64 > longest) {
        return wrong(&format!("at most {longest} bytes long"));
    }
    let empty = value.as_str().is_some_and(|text| text.trim().is_empty());
    if empty { wrong("a text that is not empty (leave it out instead)") } else { Ok(()) }
}

fn bound(property: &Value, key: &str) -> Option<f64> {
    property.get(key).and_then(Value::as_f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
    #[allow(dead_code)]
    struct Input {
        /// Name of the instance.
        name: String,
        #[schemars(range(min = 1, max = 1000))]
        limit: Option<u32>,
        format: Option<Format>,
    }

    #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Format {
        Tree,
        Dot,
    }

    fn parse(arguments: &Value) -> Result<Input, Error> {
        let schema = super::super::schema::input::<Input>();
        super::parse(&schema, arguments.as_object().cloned().expect("an object"))
    }

    #[test]
    fn each_mistake_is_named_with_what_is_allowed() {
        for (arguments, said) in [
            (json!({}), "\"name\" is missing: Name of the instance"),
            (json!({"name": 5}), "\"name\" must be a string"),
            (json!({"name": ""}), "\"name\" must be a text that is not empty"),
            (
                json!({"name": "x", "nmae": "y"}),
                "no argument \"nmae\"; did you mean \"name\"? Possible: name, limit",
            ),
            (json!({"name": "x", "limit": "9"}), "\"limit\" must be an integer"),
            (json!({"name": "x".repeat(3_000)}), "\"name\" must be at most 2000 bytes long"),
            (json!({"name": "x", "limit": 0}), "at least 1 and at most 1000"),
            (json!({"name": "x", "limit": 1.5}), "\"limit\" must be an integer"),
            (json!({"name": "x", "format": "svg"}), "Possible: tree, dot"),
        ] {
            let error = parse(&arguments).expect_err(said).text();
            assert!(error.contains(said), "{arguments}: {error}");
        }
        assert!(parse(&json!({"name": "x", "format": "TREE"})).is_ok(), "a choice has no case");
        assert!(parse(&json!({"name": "x", "limit": null})).is_ok(), "null is absent");
    }
}
