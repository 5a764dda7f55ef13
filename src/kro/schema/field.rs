//! [`Field`]: the fields of a schema as rows.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    DEEPEST, below,
    compare::{choices, type_of},
    hides, is_set, list, properties, requires, text, told, values_of,
};
use crate::answer::sanitise;

/// Fields of one schema that are told.
const MOST: usize = 2_000;
/// Characters of a description or a rule.
const LONGEST: usize = 240;
/// A default of more bytes is told in part.
const LARGEST_DEFAULT: usize = 400;

/// One field.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Field {
    /// `spec.ports[].port`; `{}` is any key of a map.
    pub path: String,
    /// As SimpleSchema writes it: `string`, `[]string`, `map[string]integer`, `object`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether the author of an instance must give it: where what it stands in is given, and nothing
    /// gives it a default.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Whether kro waits for it although no schema requires it: a template reads it, and nothing gives
    /// it a default.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub needed: bool,
    /// What it is where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What its values must keep, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// The author's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The fields of a schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    /// In the order of their paths.
    pub rows: Vec<Field>,
    /// How many more there are than are told.
    pub left_out: usize,
}

/// The fields of a schema. `path` is what it is of: `spec`.
pub fn fields(path: &str, schema: &Value) -> Fields {
    let mut found = Fields::default();
    walk(path, schema, 0, false, &mut found);
    found
}

fn walk(path: &str, schema: &Value, depth: usize, secret: bool, found: &mut Fields) {
    if depth > DEEPEST {
        found.left_out += 1;
        return;
    }
    let mut names: Vec<(&String, &Value)> = properties(schema).into_iter().flatten().collect();
    names.sort_by_key(|(name, _)| *name);
    for (name, property) in names {
        let here = below(path, name);
        let secret = hides(secret, name);
        if found.rows.len() < MOST {
            found.rows.push(field(&here, property, requires(schema, name), secret));
        } else {
            found.left_out += 1;
        }
        let (mut inner, mut path) = (property, here);
        let mut levels = depth + 1;
        // what lists and maps hold has a row for each of its own fields
        while let Some((next, mark)) =
            inner.get("items").map(|items| (items, "[]")).or_else(|| values_of(inner).map(|map| (map, "{}")))
        {
            levels += 1;
            if levels > DEEPEST {
                break;
            }
            inner = next;
            path.push_str(mark);
        }
        walk(&path, inner, levels, secret, found);
    }
}

fn field(path: &str, schema: &Value, required: bool, secret: bool) -> Field {
    let default = schema.get("default").map(|default| match default {
        _ if secret => "<redacted>".into(),
        large if large.to_string().len() > LARGEST_DEFAULT => told(large, false).into(),
        default => default.clone(),
    });
    let description = text(schema, "description");
    Field {
        path: path.to_owned(),
        kind: type_of(schema),
        required: required && default.is_none(),
        needed: false,
        rules: rules(schema, secret),
        description: (!description.is_empty()).then(|| sanitise::short(description, LONGEST)),
        default,
    }
}

/// What the values of a field must keep, and what those of a list's or a map's members must.
fn rules(schema: &Value, secret: bool) -> Vec<String> {
    let mut rules = own_rules(schema, secret);
    if let Some(items) = schema.get("items") {
        rules.extend(own_rules(items, secret).into_iter().map(|rule| format!("each {rule}")));
    }
    if let Some(values) = values_of(schema) {
        rules.extend(own_rules(values, secret).into_iter().map(|rule| format!("each {rule}")));
    }
    rules
}

fn own_rules(schema: &Value, secret: bool) -> Vec<String> {
    let mut rules = Vec::new();
    let values = list(schema, "enum");
    if !values.is_empty() {
        rules.push(format!("one of {}", choices(values, secret)));
    }
    let bound = |key: &str| schema.get(key).filter(|bound| bound.is_number()).map(Value::to_string);
    for (least, most, what) in [
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ] {
        match (bound(least), bound(most)) {
            (Some(least), Some(most)) if least == most => rules.push(format!("exactly {least}{what}")),
            (Some(least), Some(most)) => rules.push(format!("{least} to {most}{what}")),
            (Some(least), None) => rules.push(format!("at least {least}{what}")),
            (None, Some(most)) => rules.push(format!("at most {most}{what}")),
            (None, None) => {}
        }
    }
    let pattern = text(schema, "pattern");
    if !pattern.is_empty() {
        rules.push(format!("matches {}", sanitise::short(pattern, LONGEST)));
    }
    match text(schema, "x-kubernetes-list-type") {
        "set" => rules.push("no item twice".to_owned()),
        "map" => {
            let keys: Vec<&str> =
                list(schema, "x-kubernetes-list-map-keys").iter().filter_map(Value::as_str).collect();
            rules.push(format!("no two items with the same {}", keys.join(" and ")));
        }
        _ => {}
    }
    if is_set(schema, "x-kubernetes-preserve-unknown-fields") {
        rules.push("any members".to_owned());
    }
    for rule in list(schema, "x-kubernetes-validations") {
        let (rule, message) = (text(rule, "rule"), text(rule, "message"));
        rules.push(match (rule, message) {
            ("self == oldSelf", _) => "cannot be changed later".to_owned(),
            (rule, "") => sanitise::short(rule, LONGEST),
            (rule, message) => sanitise::short(&format!("{rule} ({message})"), LONGEST),
        });
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(schema: &Value) -> Vec<String> {
        let line = |field: &Field| {
            let default = field.default.as_ref().map_or(String::new(), |default| format!(" = {default}"));
            let required = if field.required { "!" } else { "" };
            format!("{}: {}{required}{default} [{}]", field.path, field.kind, field.rules.join("; "))
        };
        fields("spec", schema).rows.iter().map(line).collect()
    }

    #[test]
    fn fields_are_rows_with_all_that_an_author_must_know() {
        let schema = json!({"type": "object", "required": ["name", "size"], "properties": {
            "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 20, "description": "Its name."},
            "size": {"type": "string", "enum": ["s", "m"], "default": "s"},
            "replicas": {"type": "integer", "minimum": 1, "maximum": 5, "default": 1},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "zones": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1,
                      "x-kubernetes-list-type": "set"},
            "extra": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "id": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "no"}]},
            "ports": {"type": "array", "items": {"type": "object", "required": ["port"],
                      "properties": {"port": {"type": "integer"}, "name": {"type": "string"}}}},
            "by": {"type": "object", "additionalProperties":
                   {"type": "object", "properties": {"x": {"type": "number"}}}},
        }});
        assert_eq!(
            lines(&schema),
            [
                "spec.by: map[string]object []",
                "spec.by{}.x: number []",
                "spec.extra: object [any members]",
                "spec.id: string [cannot be changed later]",
                "spec.labels: map[string]string []",
                "spec.name: string! [at most 20 characters; matches ^[a-z]+$]",
                "spec.ports: []object []",
                "spec.ports[].name: string []",
                "spec.ports[].port: integer! []",
                "spec.replicas: integer = 1 [1 to 5]",
                "spec.size: string = \"s\" [one of s, m]",
                "spec.zones: []string [at least 1 items; no item twice; each at least 1 characters]",
            ]
        );
    }

    #[test]
    fn defaults_under_secret_names_are_not_told() {
        let schema = json!({"properties": {"adminPassword": {"type": "string", "default": "hunter2"}}});
        assert_eq!(lines(&schema), ["spec.adminPassword: string = \"<redacted>\" []"]);
    }

    #[test]
    fn odd_schemas_are_read_to_a_bound() {
        assert!(lines(&json!(null)).is_empty());
        assert!(lines(&json!({"properties": [1], "required": "x"})).is_empty());
        assert_eq!(lines(&json!({"properties": {"a\u{202e}b": 7}})), ["spec[\"ab\"]: any []"]);
        let wide: serde_json::Map<String, Value> = (0..3_000).map(|n| (format!("f{n}"), json!({}))).collect();
        assert_eq!(fields("spec", &json!({"properties": wide})).left_out, 1_000);
    }
}
