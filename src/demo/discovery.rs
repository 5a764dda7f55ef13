//! Discovery as older clients ask for it, derived from the aggregated documents.

use serde_json::{Map, Value, json};

use super::{collection::text, recording::array, refusal::Refusal};

/// `/api`
pub(super) fn versions() -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
}

/// `/apis`
pub(super) fn groups(document: &Value) -> Value {
    let groups: Vec<Value> = array(document, "items").iter().map(group).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/{group}`
pub(super) fn one_group(document: &Value, name: &str) -> Result<Value, Refusal> {
    let entry = named(document, name).ok_or_else(Refusal::no_such_path)?;
    Ok(typed(json!({"kind": "APIGroup", "apiVersion": "v1"}), group(entry)))
}

/// `/api/v1`, `/apis/{group}/{version}`
pub(super) fn resources(document: &Value, name: &str, version: &str) -> Result<Value, Refusal> {
    let group = named(document, name).ok_or_else(Refusal::no_such_path)?;
    let entry = array(group, "versions")
        .iter()
        .find(|entry| text(entry, &["version"]) == version)
        .ok_or_else(Refusal::no_such_path)?;
    let resources: Vec<Value> = array(entry, "resources").iter().flat_map(resource).collect();
    let group_version = if name.is_empty() { version.to_owned() } else { format!("{name}/{version}") };
    Ok(json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources,
    }))
}

fn named<'a>(document: &'a Value, name: &str) -> Option<&'a Value> {
    array(document, "items").iter().find(|group| text(group, &["metadata", "name"]) == name)
}

fn group(entry: &Value) -> Value {
    let name = text(entry, &["metadata", "name"]);
    let versions: Vec<Value> = array(entry, "versions")
        .iter()
        .map(|entry| text(entry, &["version"]))
        .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    let preferred = versions.first().cloned().unwrap_or_default();
    json!({"name": name, "versions": versions, "preferredVersion": preferred})
}

/// A resource, and its subresources after it.
fn resource(entry: &Value) -> Vec<Value> {
    let name = text(entry, &["resource"]);
    let namespaced = text(entry, &["scope"]) == "Namespaced";
    let common = |name: String, entry: &Value| {
        json!({
            "name": name,
            "singularName": text(entry, &["singularResource"]),
            "namespaced": namespaced,
            "kind": text(entry, &["responseKind", "kind"]),
            "verbs": array(entry, "verbs"),
        })
    };
    let mut out = vec![common(name.to_owned(), entry)];
    if let Some(members) = out.first_mut().and_then(Value::as_object_mut) {
        for key in ["shortNames", "categories"] {
            members.extend(entry.get(key).map(|value| (key.to_owned(), value.clone())));
        }
    }
    out.extend(
        array(entry, "subresources")
            .iter()
            .map(|sub| common(format!("{name}/{}", text(sub, &["subresource"])), sub)),
    );
    out
}

fn typed(front: Value, rest: Value) -> Value {
    let members = [front, rest].into_iter().filter_map(|value| match value {
        Value::Object(members) => Some(members),
        _ => None,
    });
    Value::Object(members.flatten().collect::<Map<_, _>>())
}
