//! What the schema of a generated kind asks for: its fields, an example, what changes between two of
//! them, and which instances a change would break.
//!
//! Schemas are OpenAPI v3 as CRDs carry them (`JSONSchemaProps`): from the cluster, or translated from
//! the SimpleSchema of an RGD. Whoever may write an RGD wrote them, so depth and number are bounded
//! here, and what stands under a secret-looking key is not told.
//!
//! For a change of an RGD: [`Described::of_rgd`] of both, [`changes`] between them, and [`impact`] on
//! the instances there are.

mod change;
mod compare;
mod described;
mod example;
mod field;
mod impact;
mod needed;
mod sample;
mod validate;

pub use change::{Change, Effect};
pub use compare::changes;
pub use described::{Described, From};
pub use example::example;
pub use field::{Field, Fields, fields};
pub use impact::{Broken, Impact, impact};
pub use needed::{needed, read_by_nodes};
pub use validate::{Validator, Violation};

use serde_json::{Map, Value};

use crate::answer::{redact::is_secret_key, sanitise};

/// Levels of a schema or a value that are looked at.
const DEEPEST: usize = 32;
/// Characters of a value of a schema that are told.
const LONGEST: usize = 160;

/// A member of a schema that is a text; empty where it is absent.
fn text<'s>(schema: &'s Value, key: &str) -> &'s str {
    schema.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'s>(schema: &'s Value, key: &str) -> &'s [Value] {
    schema.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn is_set(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool).unwrap_or_default()
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

/// The schema of an object's other members: of a map, its values.
fn values_of(schema: &Value) -> Option<&Value> {
    schema.get("additionalProperties").filter(|values| values.is_object())
}

/// Whether an object may have members that its schema does not name.
fn is_open(schema: &Value) -> bool {
    let others = schema.get("additionalProperties");
    is_set(schema, "x-kubernetes-preserve-unknown-fields")
        || is_set(schema, "x-kubernetes-embedded-resource")
        || others.is_some_and(|others| others.is_object() || others == &Value::Bool(true))
}

fn requires(schema: &Value, property: &str) -> bool {
    list(schema, "required").iter().any(|name| name.as_str() == Some(property))
}

/// `spec.a`, or `spec["a.b/c"]` where the name is not a plain one.
fn below(path: &str, name: &str) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    match (path.is_empty(), plain && !name.is_empty()) {
        (true, true) => name.to_owned(),
        (false, true) => format!("{path}.{name}"),
        (_, false) => format!("{path}[{:?}]", sanitise::short(name, 80)),
    }
}

/// A value of a schema in a few characters, as JSON; not told under a secret-looking name.
fn told(value: &Value, secret: bool) -> String {
    if secret { "<redacted>".to_owned() } else { sanitise::short(&value.to_string(), LONGEST) }
}

/// Whether what stands under that name is a secret, by the name.
fn hides(secret: bool, name: &str) -> bool {
    secret || is_secret_key(name)
}
