//! An instance as small as the API server takes it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Described, Validator, needed::requiring, sample::sample};

/// A manifest of an instance: what is required and what kro needs besides, and nothing that has a
/// default. `None` where such a field asks for what could not be found.
pub fn example(described: &Described, needed: &BTreeSet<String>) -> Option<Value> {
    let spec = sample(&requiring(&described.spec, needed))?;
    if !Validator::new(&described.spec).violations("spec", &spec).is_empty() {
        return None;
    }
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), "example".into());
    if described.namespaced {
        metadata.insert("namespace".to_owned(), "default".into());
    }
    Some(json!({
        "apiVersion": described.api_version(),
        "kind": described.kind,
        "metadata": metadata,
        "spec": spec,
    }))
}
