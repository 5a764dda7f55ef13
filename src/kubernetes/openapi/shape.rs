//! [`Schema`]: one kind's schema; [`Shape`]: a place in it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{is_type, lean::component};

/// References that are followed at one place: more are a circle.
const FOLLOWED: usize = 16;

/// A schema with the components that it refers to.
#[derive(Debug, Default)]
pub struct Schema {
    root: String,
    components: BTreeMap<String, Value>,
    weight: usize,
}

/// A place in a schema, references followed.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'s> {
    schema: &'s Schema,
    at: &'s Value,
}

impl Schema {
    pub(super) fn new(root: String, components: BTreeMap<String, Value>) -> Self {
        let weight = components.values().map(values).sum::<usize>() * 64;
        Self { root, components, weight }
    }

    /// A schema that refers to nothing.
    pub fn plain(schema: Value) -> Self {
        Self::new(String::new(), BTreeMap::from([(String::new(), schema)]))
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// Its root.
    pub fn shape(&self) -> Shape<'_> {
        let at = self.components.get(&self.root).unwrap_or(&Value::Null);
        Shape { schema: self, at }.followed()
    }
}

impl<'s> Shape<'s> {
    fn followed(mut self) -> Self {
        for _ in 0..FOLLOWED {
            let Some(name) = reference(self.at) else { return self };
            self.at = self.schema.components.get(name).unwrap_or(&Value::Null);
        }
        Self { at: &Value::Null, ..self }
    }

    fn child(self, at: &'s Value) -> Self {
        Self { at, ..self }.followed()
    }

    /// A keyword of the schema here.
    pub fn keyword(self, name: &str) -> Option<&'s Value> {
        self.at.get(name)
    }

    /// Whether its type is this.
    pub fn is(self, kind: &str) -> bool {
        is_type(self.at, kind)
    }

    /// Its type; empty where it has none.
    pub fn kind(self) -> &'s str {
        self.keyword("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether an extension such as `x-kubernetes-int-or-string` is on.
    pub fn has(self, extension: &str) -> bool {
        self.keyword(extension).and_then(Value::as_bool) == Some(true)
    }

    /// Whether it takes fields that it does not name.
    pub fn preserves_unknown(self) -> bool {
        self.has("x-kubernetes-preserve-unknown-fields")
    }

    /// The names of its fields.
    pub fn fields(self) -> impl Iterator<Item = &'s str> {
        let fields = self.keyword("properties").and_then(Value::as_object);
        fields.into_iter().flat_map(Map::keys).map(String::as_str)
    }

    /// A field that it names.
    pub fn field(self, name: &str) -> Option<Self> {
        self.keyword("properties")?.get(name).map(|at| self.child(at))
    }

    /// What its other values are; `Some(None)` where they may be anything.
    pub fn additional(self) -> Option<Option<Self>> {
        match self.keyword("additionalProperties")? {
            Value::Bool(false) => None,
            Value::Object(schema) if !schema.is_empty() => {
                Some(self.keyword("additionalProperties").map(|at| self.child(at)))
            }
            _ => Some(None),
        }
    }

    /// What its items are.
    pub fn items(self) -> Option<Self> {
        self.keyword("items").map(|at| self.child(at))
    }

    /// The schemas under `oneOf` or `anyOf`.
    pub fn alternatives(self, keyword: &str) -> impl Iterator<Item = Self> {
        let found = self.keyword(keyword).and_then(Value::as_array);
        found.into_iter().flatten().map(move |at| self.child(at))
    }
}

/// A reference may be wrapped in `allOf`, for its description to be another.
fn reference(schema: &Value) -> Option<&str> {
    let direct = |schema: &Value| schema.get("$ref").is_some();
    let wrapped = || schema.get("allOf")?.as_array()?.iter().find(|part| direct(part));
    let holder = if direct(schema) { Some(schema) } else { wrapped() };
    holder?.get("$ref")?.as_str().and_then(component)
}

fn values(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(values).sum::<usize>(),
        Value::Array(items) => 1 + items.iter().map(values).sum::<usize>(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_followed_and_circles_end() {
        let components = [
            (
                "A",
                json!({"type": "object", "properties": {
                "b": {"allOf": [{"$ref": "#/components/schemas/B"}]},
                "loop": {"$ref": "#/components/schemas/Loop"},
                "gone": {"$ref": "#/components/schemas/Gone"}}}),
            ),
            ("B", json!({"type": "array", "items": {"$ref": "#/components/schemas/A"}})),
            ("Loop", json!({"$ref": "#/components/schemas/Loop"})),
        ];
        let components = components.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
        let schema = Schema::new("A".to_owned(), components);
        let b = schema.shape().field("b").expect("b");
        assert!(b.is("array") && b.items().expect("items").field("b").expect("b").is("array"));
        for name in ["loop", "gone"] {
            assert_eq!(schema.shape().field(name).expect(name).kind(), "");
        }
    }
}
