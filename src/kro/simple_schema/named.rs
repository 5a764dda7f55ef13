//! [`Named`]: the custom types of `spec.schema.types`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{member, types::Type};

/// Custom types, translated.
#[derive(Default)]
pub(super) struct Named {
    types: BTreeMap<String, (Value, bool)>,
}

impl Named {
    pub(super) fn add(&mut self, name: &str, schema: Value, required: bool) {
        self.types.insert(name.to_owned(), (schema, required));
    }

    /// Whether a field of that type is required because the type says so.
    pub(super) fn is_required(&self, name: &str) -> bool {
        self.types.get(name).is_some_and(|(_, required)| *required)
    }

    /// The schema of a type.
    ///
    /// # Errors
    /// It names a custom type that there is not.
    pub(super) fn schema(&self, kind: &Type) -> Result<Value, String> {
        Ok(match kind {
            Type::Atomic(name) => json!({"type": name}),
            Type::Object => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
            Type::List(item) => json!({"type": "array", "items": self.schema(item)?}),
            Type::Map(value) => json!({"type": "object", "additionalProperties": self.schema(value)?}),
            Type::Custom(name) => match self.types.get(name) {
                Some((schema, _)) => schema.clone(),
                None => return Err(self.unknown(name)),
            },
        })
    }

    fn unknown(&self, name: &str) -> String {
        let known = ["string", "integer", "boolean", "float", "object", "[]T", "map[string]T"];
        let custom: Vec<&str> = self.types.keys().map(String::as_str).take(20).collect();
        let custom =
            if custom.is_empty() { String::new() } else { format!(", and its own {}", custom.join(", ")) };
        format!("has the unknown type {name:?}: there are {}{custom}", known.join(", "))
    }
}

/// The names of custom types, those first that others are made of, and what is wrong with them. A
/// type in a circle is left out.
pub(super) fn order(types: &Map<String, Value>) -> (Vec<&str>, Vec<(String, String)>) {
    let mut problems = Vec::new();
    let mut needs: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (name, written) in types {
        needs.insert(name, custom_types(written));
    }
    let mut order = Vec::new();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    loop {
        let next: Vec<&str> = needs
            .iter()
            .filter(|(name, _)| !done.contains(*name))
            .filter(|(_, needs)| {
                needs.iter().all(|need| done.contains(need.as_str()) || !types.contains_key(need))
            })
            .map(|(name, _)| *name)
            .collect();
        if next.is_empty() {
            break;
        }
        done.extend(&next);
        order.extend(next);
    }
    for name in needs.keys().filter(|name| !done.contains(**name)) {
        problems.push((member("types", name), "is made of itself, in a circle".to_owned()));
    }
    (order, problems)
}

fn custom_types(written: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![written];
    while let Some(written) = open.pop() {
        match written {
            Value::String(text) => {
                let kind = text.split('|').next().unwrap_or_default();
                let kind = Type::parse(kind).ok();
                found.extend(kind.as_ref().and_then(Type::custom).map(str::to_owned));
            }
            Value::Object(fields) => open.extend(fields.values()),
            _ => {}
        }
    }
    found
}
