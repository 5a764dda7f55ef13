//! Whose fields a change takes: `metadata.managedFields` before it and after.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{answer::sanitise, kubernetes::Object};

/// Fields of one manager that are looked at.
const MOST_FIELDS: usize = 5_000;
/// How deep they go.
const DEEPEST: usize = 40;
/// Fields of one manager that are told.
const MOST_TOLD: usize = 8;

/// The fields of each manager. A manager that applies and updates has them of both.
pub fn managed(object: &Object) -> BTreeMap<String, BTreeSet<String>> {
    let mut managed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in object.items(&["metadata", "managedFields"]) {
        let Some(manager) = entry.get("manager").and_then(Value::as_str) else { continue };
        let fields = managed.entry(manager.to_owned()).or_default();
        if let Some(set) = entry.get("fieldsV1") {
            collect("", set, 0, fields);
        }
    }
    managed
}

/// Who wrote an object last, and when (RFC 3339), as far as the API server noted it.
pub fn last_written(object: &Object) -> Option<(String, String)> {
    let entries = object.items(&["metadata", "managedFields"]).iter();
    // all of one zone and one length: the last in the order of texts is the last in time
    let (time, manager) = entries
        .filter_map(|entry| Some((entry.get("time")?.as_str()?, entry.get("manager")?.as_str()?)))
        .max()?;
    Some((sanitise::short(manager, 80), sanitise::short(time, 40)))
}

/// Lines on the fields that others managed before and do not after, `ours` left out.
pub fn taken(before: &Object, after: &Object, ours: &str) -> Vec<String> {
    let after = managed(after);
    let lost =
        managed(before).into_iter().filter(|(manager, _)| manager != ours).filter_map(|(manager, had)| {
            let has = after.get(&manager);
            let lost: Vec<String> =
                had.into_iter().filter(|field| !has.is_some_and(|has| has.contains(field))).collect();
            let more = lost.len().saturating_sub(MOST_TOLD);
            let told: Vec<&str> = lost.iter().take(MOST_TOLD).map(String::as_str).collect();
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            let manager = sanitise::short(&manager, 80);
            (!lost.is_empty())
                .then(|| format!("{manager} manages {}{rest}, and no more afterwards", told.join(", ")))
        });
    lost.collect()
}

/// `{"f:spec": {"f:replicas": {}}}` → `spec.replicas` (structured-merge-diff `fieldpath/serialize.go`).
fn collect(at: &str, set: &Value, depth: usize, found: &mut BTreeSet<String>) {
    let Some(members) = set.as_object().filter(|_| depth < DEEPEST) else { return };
    if members.is_empty() && !at.is_empty() && found.len() < MOST_FIELDS {
        found.insert(at.to_owned());
    }
    for (key, below) in members {
        let at = match key.split_once(':') {
            Some(("f", name)) if at.is_empty() => name.to_owned(),
            Some(("f", name)) => format!("{at}.{name}"),
            Some(("k", keys)) => format!("{at}[{}]", named(keys)),
            Some((_, value)) => format!("{at}[{value}]"),
            // the field itself, beside those in it
            None => continue,
        };
        collect(&at, below, depth + 1, found);
    }
}

/// `{"containerPort":80,"protocol":"TCP"}` → `80,TCP`
fn named(keys: &str) -> String {
    let Ok(Value::Object(keys)) = serde_json::from_str(keys) else { return keys.to_owned() };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    keys.values().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(managers: &Value) -> Object {
        Object::from_value(json!({"metadata": {"managedFields": managers}})).expect("an object")
    }

    #[test]
    fn fields_that_change_hands_are_told_with_whose_they_were() {
        let gitops = |fields: &Value| json!({"manager": "argocd", "operation": "Apply", "fieldsV1": fields});
        let ours = json!({"manager": "platform-mcp", "fieldsV1": {"f:spec": {"f:old": {}}}});
        let before = object(&json!([
            gitops(&json!({"f:spec": {"f:replicas": {}, "f:template": {"f:containers":
                {"k:{\"name\":\"web\"}": {".": {}, "f:image": {}}}}}})),
            ours
        ]));
        let after = object(&json!([gitops(&json!({"f:spec": {"f:template": {"f:containers":
            {"k:{\"name\":\"web\"}": {".": {}}}}}}))]));
        let taken = taken(&before, &after, "platform-mcp");
        assert_eq!(
            taken,
            ["argocd manages spec.replicas, spec.template.containers[web].image, and no more afterwards"]
        );
        assert!(super::taken(&before, &before, "platform-mcp").is_empty());
    }
}
