//! SimpleSchema: kro's short form of a schema, as the OpenAPI v3 schema that kro makes of it
//! (kro v0.9.4 `pkg/simpleschema`).
//!
//! kro stops at the first thing that it would not take; here all of them are found, and what could
//! still be read is translated. What stands in the place of a field that could not be read takes
//! anything, so that one mistake does not become many.

mod apply;
mod markers;
mod named;
mod types;

use serde_json::{Map, Value, json};

use apply::apply;
use named::Named;
use types::Type;

/// Fields of one schema, with those that its custom types bring: types that use each other twice
/// double with each level.
const MOST_FIELDS: usize = 5_000;
/// How deep fields may nest.
const DEEPEST: usize = 32;

/// A SimpleSchema, translated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Translated {
    /// The OpenAPI v3 schema (`JSONSchemaProps`) of an instance's `spec`.
    pub schema: Value,
    /// What kro would not take: the path of the field, and why.
    pub problems: Vec<(String, String)>,
}

/// Translates `spec.schema.spec` of an RGD, which may use the custom `types` of `spec.schema.types`.
pub fn translate(spec: &Value, types: &Value) -> Translated {
    let mut reading = Reading { left: MOST_FIELDS, ..Reading::default() };
    reading.load(types);
    let schema = match spec {
        Value::Null => reading.object(&Map::new(), "spec", 0),
        Value::Object(fields) => reading.object(fields, "spec", 0),
        other => {
            reading.problem("spec", format!("must be a map of fields, not {}", what(other)));
            anything()
        }
    };
    Translated { schema, problems: reading.problems }
}

#[derive(Default)]
struct Reading {
    types: Named,
    problems: Vec<(String, String)>,
    /// Fields that may still be made.
    left: usize,
    /// Whether it was said that there are too many.
    full: bool,
}

impl Reading {
    fn problem(&mut self, path: &str, why: impl Into<String>) {
        self.problems.push((path.to_owned(), why.into()));
    }

    /// Custom types, those first that others are made of.
    fn load(&mut self, types: &Value) {
        let types = match types {
            Value::Null => return,
            Value::Object(types) => types,
            other => return self.problem("types", format!("must be a map of types, not {}", what(other))),
        };
        let (order, problems) = named::order(types);
        self.problems.extend(problems);
        for name in order {
            let Some(written) = types.get(name) else { continue };
            let path = format!("types.{name}");
            let mut parent = Map::new();
            let schema = self.field(name, written, &path, &mut parent, 0);
            self.types.add(name, schema, !parent.is_empty());
        }
    }

    fn object(&mut self, fields: &Map<String, Value>, path: &str, depth: usize) -> Value {
        let mut schema = Map::new();
        let mut properties = Map::new();
        schema.insert("type".into(), "object".into());
        for (name, written) in fields {
            let field = self.field(name, written, &member(path, name), &mut schema, depth + 1);
            properties.insert(name.clone(), field);
        }
        let with_default = properties.values().any(|field| field.get("default").is_some());
        schema.insert("properties".into(), Value::Object(properties));
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            required.dedup();
        } else if with_default {
            schema.insert("default".into(), json!({}));
        }
        Value::Object(schema)
    }

    /// The schema of a field; that it is required is written into `parent`.
    fn field(
        &mut self,
        name: &str,
        written: &Value,
        path: &str,
        parent: &mut Map<String, Value>,
        depth: usize,
    ) -> Value {
        if self.left == 0 || depth > DEEPEST {
            if !std::mem::replace(&mut self.full, true) {
                self.problem(
                    path,
                    format!("more than {MOST_FIELDS} fields, or nested deeper than {DEEPEST}"),
                );
            }
            return anything();
        }
        self.left -= 1;
        match written {
            Value::String(text) => self.text(name, text, path, parent),
            Value::Object(fields) => self.object(fields, path, depth),
            other => {
                let what = what(other);
                self.problem(path, format!("must be a type in words or a map of fields, not {what}"));
                anything()
            }
        }
    }

    fn text(&mut self, name: &str, text: &str, path: &str, parent: &mut Map<String, Value>) -> Value {
        let (kind, marked) = match text.split_once('|') {
            Some((kind, marked)) => (kind, Some(marked)),
            None => (text, None),
        };
        let schema = Type::parse(kind).and_then(|kind| {
            if matches!(&kind, Type::Custom(custom) if self.types.is_required(custom)) {
                require(parent, name);
            }
            let schema = self.types.schema(&kind)?;
            self.left = self.left.saturating_sub(size(&schema));
            Ok(schema)
        });
        let mut schema = match schema {
            Ok(schema) => schema,
            Err(why) => {
                self.problem(path, why);
                anything()
            }
        };
        match marked.map_or(Ok(Vec::new()), markers::parse) {
            Ok(markers) => {
                let problems = apply(&mut schema, &markers, name, parent);
                self.problems.extend(problems.into_iter().map(|why| (path.to_owned(), why)));
            }
            Err(why) => self.problem(path, why),
        }
        Value::Object(schema.as_object().cloned().unwrap_or_default())
    }
}

/// What stands for a field that could not be read.
fn anything() -> Value {
    json!({"x-kubernetes-preserve-unknown-fields": true})
}

fn require(parent: &mut Map<String, Value>, name: &str) {
    let required = parent.entry("required").or_insert_with(|| json!([]));
    if let Some(required) = required.as_array_mut() {
        required.push(name.into());
    }
}

fn size(schema: &Value) -> usize {
    let mut open = vec![schema];
    let mut size = 0;
    while let Some(schema) = open.pop() {
        size += 1;
        open.extend(schema.get("items"));
        open.extend(schema.get("additionalProperties"));
        open.extend(schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::values));
    }
    size
}

fn member(path: &str, name: &str) -> String {
    if name.is_empty() || name.contains('.') { format!("{path}[{name:?}]") } else { format!("{path}.{name}") }
}

fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests;
