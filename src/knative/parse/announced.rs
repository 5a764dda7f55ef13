//! The event types that the CRD of a source announces (eventing, annotation `registry.knative.dev/eventTypes`).

use serde_json::Value;

/// Its `type`s, each once and in their order. Entries without one are left out, as the Go backend does.
///
/// # Errors
/// It is not a JSON list; in words.
pub fn announced(annotation: &str) -> Result<Vec<String>, &'static str> {
    let value: Value = serde_json::from_str(annotation).map_err(|_| "is not JSON")?;
    let entries = value.as_array().ok_or("is not a list")?;
    let types =
        entries.iter().filter_map(|entry| entry.get("type")?.as_str()).filter(|name| !name.is_empty());
    let mut seen = std::collections::HashSet::new();
    Ok(types.filter(|name| seen.insert(*name)).map(str::to_owned).collect())
}
