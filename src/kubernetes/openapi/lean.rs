//! Reading one document: of its megabytes, the kinds asked for and what they refer to, without words.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{
    super::{
        access::{Access, parse},
        fault::Fault,
        raw,
    },
    Found, Schema, Wanted, path,
};

/// Keywords of a schema that say what may be written, or how it is reached.
const KEPT: [&str; 17] = [
    "$ref",
    "type",
    "format",
    "properties",
    "items",
    "additionalProperties",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "required",
    "nullable",
    "enum",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-int-or-string",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-list-type",
];
/// What the components of one kind may weigh; those of a Pod weigh 0.3 MB.
const HEAVIEST: usize = 4 << 20;

#[derive(Deserialize)]
struct Document<'d> {
    #[serde(borrow, default)]
    components: Components<'d>,
}

#[derive(Default, Deserialize)]
struct Components<'d> {
    #[serde(borrow, default)]
    schemas: HashMap<String, &'d RawValue>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "x-kubernetes-group-version-kind", default)]
    kinds: Vec<GroupVersionKind>,
}

#[derive(Deserialize)]
struct GroupVersionKind {
    #[serde(default)]
    group: String,
    version: String,
    kind: String,
}

impl GroupVersionKind {
    fn is(&self, wanted: &Wanted) -> bool {
        let (group, version) = wanted.api_version.split_once('/').unwrap_or(("", &wanted.api_version));
        self.group == group && self.version == version && self.kind == wanted.kind
    }
}

/// The kinds of a document; `None` for those that it has not.
pub(super) async fn read(access: &Access, document: &str, wanted: &[Wanted]) -> Result<Vec<Found>, Fault> {
    let body = access.get_body(&path(document)?, &[], "application/json").await?;
    kinds(&body, wanted, |weight| access.keep(weight))
}

/// The same of a document that was read; what it expands to is told to `keep` first.
pub(super) fn kinds(
    body: &[u8],
    wanted: &[Wanted],
    keep: impl Fn(usize) -> Result<(), Fault>,
) -> Result<Vec<Found>, Fault> {
    let document: Document<'_> = parse(body)?;
    let schemas = document.components.schemas;
    let mut found = Vec::new();
    for wanted in wanted {
        let schema = match name_of(&schemas, wanted) {
            Some(name) => Some(Arc::new(reduced(&keep, &schemas, name)?)),
            None => None,
        };
        found.push((wanted.clone(), schema));
    }
    Ok(found)
}

fn name_of<'d>(schemas: &'d HashMap<String, &RawValue>, wanted: &Wanted) -> Option<&'d str> {
    let quoted = format!("{:?}", wanted.kind);
    let candidates = schemas.iter().filter(|(_, raw)| {
        raw.get().contains("x-kubernetes-group-version-kind") && raw.get().contains(&quoted)
    });
    let mut named = candidates.filter(|(_, raw)| {
        let named: Option<Named> = serde_json::from_str(raw.get()).ok();
        named.is_some_and(|named| named.kinds.iter().any(|kind| kind.is(wanted)))
    });
    named.next().map(|(name, _)| name.as_str())
}

/// A component with all that it refers to.
fn reduced(
    keep: impl Fn(usize) -> Result<(), Fault>,
    schemas: &HashMap<String, &RawValue>,
    name: &str,
) -> Result<Schema, Fault> {
    let mut components = BTreeMap::new();
    let mut open = vec![name.to_owned()];
    let mut seen: BTreeSet<String> = open.iter().cloned().collect();
    let mut weight = 0;
    while let Some(name) = open.pop() {
        let Some(raw) = schemas.get(&name) else { continue };
        let heavy = raw::weight(raw.get().as_bytes());
        weight += heavy;
        if weight > 8 * HEAVIEST {
            return Err(Fault::TooLarge(HEAVIEST));
        }
        keep(heavy)?;
        let schema = lean(parse(raw.get().as_bytes())?);
        let mut found = Vec::new();
        references(&schema, &mut found);
        open.extend(found.into_iter().filter(|name| seen.insert(name.clone())));
        components.insert(name, schema);
    }
    Ok(Schema::new(name.to_owned(), components))
}

fn lean(schema: Value) -> Value {
    let Value::Object(members) = schema else { return schema };
    let mut kept = Map::new();
    for (key, value) in members {
        if !KEPT.contains(&key.as_str()) {
            continue;
        }
        let value = match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                Value::Object(properties.into_iter().map(|(name, schema)| (name, lean(schema))).collect())
            }
            ("allOf" | "oneOf" | "anyOf", Value::Array(schemas)) => schemas.into_iter().map(lean).collect(),
            ("items" | "additionalProperties" | "not", schema) => lean(schema),
            (_, value) => value,
        };
        kept.insert(key, value);
    }
    Value::Object(kept)
}

/// The names of the components that a schema refers to.
fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str).and_then(component);
            found.extend(name.map(str::to_owned));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// The component that a `$ref` means.
pub(super) fn component(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/components/schemas/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_are_left_out_and_fields_of_their_names_stay() {
        let schema = json!({"type": "object", "description": "d", "properties": {
            "description": {"type": "string", "description": "d", "default": "x"},
            "list": {"type": "array", "items": {"$ref": "#/components/schemas/A", "description": "d"}}}});
        let kept = lean(schema);
        assert_eq!(
            kept,
            json!({"type": "object", "properties": {
                "description": {"type": "string"},
                "list": {"type": "array", "items": {"$ref": "#/components/schemas/A"}}}})
        );
        let mut found = Vec::new();
        references(&kept, &mut found);
        assert_eq!(found, ["A"]);
    }
}
