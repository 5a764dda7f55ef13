//! [`Validator`]: whether a value keeps a schema, as the API server judges it: defaults are filled in
//! first, what no schema names is dropped, rules in CEL are left to the API server.

use std::collections::HashMap;

use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{DEEPEST, below, is_open, is_set, list, properties, text, values_of};
use crate::nearest;

/// Violations of one value that are told.
const MOST: usize = 50;
/// Patterns of one schema that are judged, and their size when compiled.
const PATTERNS: usize = 200;
const LARGEST_PATTERN: usize = 1 << 18;

/// One field that does not keep its schema. Values are not told, only what they should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Violation {
    /// `spec.ports[0].port`
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
    /// Whether the API server takes the object without the field, instead of refusing it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dropped: bool,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.path, self.problem)
    }
}

/// Judges values by a schema.
#[derive(Debug)]
pub struct Validator<'s> {
    schema: &'s Value,
    patterns: HashMap<&'s str, Option<Regex>>,
    rules: usize,
}

impl<'s> Validator<'s> {
    /// For a schema. Its patterns are compiled once.
    pub fn new(schema: &'s Value) -> Self {
        let mut validator = Self { schema, patterns: HashMap::new(), rules: 0 };
        validator.prepare(schema, 0);
        validator
    }

    /// Rules of the schema that are not judged here: those in CEL, and patterns that no regular
    /// expression of ours can be.
    pub fn unjudged(&self) -> usize {
        self.rules + self.patterns.values().filter(|pattern| pattern.is_none()).count()
    }

    /// What does not keep the schema, in the order of the paths. `path` is what `value` is: `spec`.
    pub fn violations(&self, path: &str, value: &Value) -> Vec<Violation> {
        let mut found = Vec::new();
        self.check(path, self.schema, value, 0, &mut found);
        found.sort();
        found
    }

    fn prepare(&mut self, schema: &'s Value, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        self.rules += list(schema, "x-kubernetes-validations").len();
        let pattern = text(schema, "pattern");
        if !pattern.is_empty() && (self.patterns.len() < PATTERNS || self.patterns.contains_key(pattern)) {
            self.patterns.entry(pattern).or_insert_with(|| compiled(pattern));
        }
        let inner = properties(schema).into_iter().flat_map(serde_json::Map::values);
        for schema in inner.chain(schema.get("items")).chain(values_of(schema)) {
            self.prepare(schema, depth + 1);
        }
    }

    fn check(&self, path: &str, schema: &Value, value: &Value, depth: usize, found: &mut Vec<Violation>) {
        if depth > DEEPEST || found.len() >= MOST {
            return;
        }
        let mut wrong = |problem: String| found.push(violation(path, problem));
        if value.is_null() && is_set(schema, "nullable") {
            return;
        }
        if !is_of_type(schema, value) {
            return wrong(format!("must be {}", with_article(&super::compare::type_of(schema))));
        }
        let values = list(schema, "enum");
        if !values.is_empty() && !values.contains(value) {
            // the values of a schema under a secret-looking name are not told
            let secret = crate::answer::redact::is_secret_key(path);
            wrong(format!("must be one of {}", super::compare::choices(values, secret)));
        }
        self.bounds(schema, value, &mut wrong);
        match value {
            Value::Array(items) => {
                if text(schema, "x-kubernetes-list-type") == "set" && has_twins(items) {
                    wrong("must not hold an item twice".to_owned());
                }
                let inner = schema.get("items").unwrap_or(&Value::Null);
                for (at, item) in items.iter().enumerate() {
                    self.check(&format!("{path}[{at}]"), inner, item, depth + 1, found);
                }
            }
            Value::Object(_) => self.members(path, schema, value, depth, found),
            _ => {}
        }
    }

    fn members(&self, path: &str, schema: &Value, value: &Value, depth: usize, found: &mut Vec<Violation>) {
        let known = properties(schema);
        let (others, open) = (values_of(schema), is_open(schema));
        let given = value.as_object();
        for (name, value) in given.into_iter().flatten() {
            let here = below(path, name);
            match known.and_then(|known| known.get(name)).or(others) {
                // the API server takes a null for a field that is not given
                Some(inner) if value.is_null() && !is_set(inner, "nullable") => {}
                Some(inner) => self.check(&here, inner, value, depth + 1, found),
                None if open || schema.is_null() => {}
                None if found.len() < MOST => {
                    let names = known.into_iter().flat_map(|known| known.keys().map(String::as_str));
                    let near = nearest::name(name, names);
                    let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
                    let problem = format!("is not in the schema and would be dropped{near}");
                    found.push(Violation { path: here, problem, dropped: true });
                }
                None => {}
            }
        }
        for name in list(schema, "required").iter().filter_map(Value::as_str) {
            let inner = known.and_then(|known| known.get(name));
            let is_given = given.and_then(|given| given.get(name)).is_some_and(|value| {
                !value.is_null() || inner.is_some_and(|inner| is_set(inner, "nullable"))
            });
            let defaulted = inner.is_some_and(|inner| inner.get("default").is_some());
            if !is_given && !defaulted && found.len() < MOST {
                found.push(violation(&below(path, name), "is required".to_owned()));
            }
        }
        // a default is a value like any other: its own fields are filled in and judged
        for (name, inner) in known.into_iter().flatten() {
            let given = given.and_then(|given| given.get(name)).filter(|value| !value.is_null());
            if let (None, Some(default)) = (given, inner.get("default").filter(|default| default.is_object()))
            {
                self.check(&below(path, name), inner, default, depth + 1, found);
            }
        }
    }

    fn bounds(&self, schema: &Value, value: &Value, wrong: &mut impl FnMut(String)) {
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        let size = match value {
            Value::Number(number) => number.as_f64().map(|size| (size, "minimum", "maximum", "")),
            Value::String(text) => {
                Some((count(text.chars().count()), "minLength", "maxLength", " characters"))
            }
            Value::Array(items) => Some((count(items.len()), "minItems", "maxItems", " items")),
            _ => None,
        };
        if let Some((size, least, most, what)) = size {
            match (bound(least), bound(most)) {
                (Some(least), _) if size < least => wrong(format!("must be at least {least}{what}")),
                (_, Some(most)) if size > most => wrong(format!("must be at most {most}{what}")),
                _ => {}
            }
        }
        let pattern = text(schema, "pattern");
        if let (Value::String(text), Some(Some(regex))) = (value, self.patterns.get(pattern))
            && !regex.is_match(text)
        {
            wrong(format!("must match {}", crate::answer::sanitise::short(pattern, super::LONGEST)));
        }
    }
}

pub(super) fn compiled(pattern: &str) -> Option<Regex> {
    // Go's and Rust's syntax are RE2's both
    RegexBuilder::new(pattern).size_limit(LARGEST_PATTERN).dfa_size_limit(LARGEST_PATTERN).build().ok()
}

fn violation(path: &str, problem: String) -> Violation {
    Violation { path: path.to_owned(), problem, dropped: false }
}

fn count(size: usize) -> f64 {
    size as f64
}

fn is_of_type(schema: &Value, value: &Value) -> bool {
    if is_set(schema, "x-kubernetes-int-or-string") {
        return value.is_string() || is_integer(value);
    }
    match text(schema, "type") {
        "string" => value.is_string(),
        "integer" => is_integer(value),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

fn has_twins(items: &[Value]) -> bool {
    let mut seen = std::collections::HashSet::new();
    !items.iter().all(|item| seen.insert(item.to_string()))
}

fn with_article(kind: &str) -> String {
    match kind {
        kind if kind.starts_with("[]") => format!("a list ({kind})"),
        kind if kind.starts_with("map[") => format!("a map ({kind})"),
        kind if kind.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {kind}"),
        kind => format!("a {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(schema: &Value, value: &Value) -> Vec<String> {
        Validator::new(schema).violations("spec", value).iter().map(ToString::to_string).collect()
    }

    fn schema() -> Value {
        json!({"type": "object", "required": ["name", "size"], "properties": {
            "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
            "size": {"type": "string", "enum": ["s", "m"], "default": "s"},
            "replicas": {"type": "integer", "minimum": 1, "maximum": 5},
            "ratio": {"type": "number"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "zones": {"type": "array", "items": {"type": "string"}, "minItems": 1, "x-kubernetes-list-type": "set"},
            "extra": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "port": {"x-kubernetes-int-or-string": true},
            "nested": {"type": "object", "default": {}, "required": ["must"], "properties": {
                "must": {"type": "string", "default": "x"}}},
        }})
    }

    #[test]
    fn what_the_api_server_takes_is_taken() {
        for value in [
            json!({"name": "abc"}),
            json!({"name": "abc", "size": "m", "replicas": 5, "ratio": 1, "labels": {"a": "b"}, "zones": ["x"]}),
            json!({"name": "abc", "extra": {"any": [1, {"thing": null}]}, "port": "http", "replicas": null}),
            json!({"name": "abc", "replicas": 2.0, "nested": {}}),
        ] {
            assert!(found(&schema(), &value).is_empty(), "{value}: {:?}", found(&schema(), &value));
        }
    }

    #[test]
    fn each_violation_is_named_by_its_path_and_no_value_is_told() {
        let value = json!({"name": "Hunter2!", "size": "xl", "replicas": 9, "ratio": "much", "labels": {"a": 1},
            "zones": ["x", "x"], "port": 1.5, "replica": 3, "nested": []});
        let found = found(&schema(), &value);
        assert_eq!(
            found,
            [
                "spec.labels.a: must be a string",
                "spec.name: must be at most 5 characters",
                "spec.name: must match ^[a-z]+$",
                "spec.nested: must be an object",
                "spec.port: must be an integer or string",
                "spec.ratio: must be a number",
                "spec.replica: is not in the schema and would be dropped; did you mean replicas?",
                "spec.replicas: must be at most 5",
                "spec.size: must be one of s, m",
                "spec.zones: must not hold an item twice",
            ]
        );
        assert_eq!(self::found(&schema(), &json!({"zones": []})).len(), 2);
        assert_eq!(self::found(&schema(), &json!([1])), ["spec: must be an object"]);
    }

    #[test]
    fn what_cannot_be_judged_is_counted_and_nothing_runs_away() {
        let schema = json!({"type": "object", "properties": {
            "a": {"type": "string", "pattern": "(?!x)", "x-kubernetes-validations": [{"rule": "self != ''"}]},
            "b": {"type": "string", "pattern": "(((a{100}){100}){100}){100}"}}});
        let validator = Validator::new(&schema);
        assert_eq!(validator.unjudged(), 3);
        assert!(validator.violations("spec", &json!({"a": "x", "b": "x"})).is_empty());
        let closed = json!({"type": "object", "properties": {"n": {"type": "object"}}});
        let many: serde_json::Map<String, Value> = (0..500).map(|n| (format!("f{n}"), json!(1))).collect();
        assert_eq!(found(&closed, &Value::Object(many)).len(), MOST);
        let deep = (0..500).fold(json!(1), |inner, _| json!({"n": inner}));
        let endless = (0..100).fold(
            json!({"type": "string"}),
            |inner, _| json!({"type": "object", "properties": {"n": inner}}),
        );
        assert!(found(&endless, &deep).is_empty());
    }
}
