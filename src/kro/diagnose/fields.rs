//! Whose fields are whose: `metadata.managedFields` of an object against what a template sets.

use crate::kro::labels;
use crate::kubernetes::Object;
use serde_json::{Map, Value};

/// Fields that are told of one rival.
const MOST_FIELDS: usize = 3;
/// How deep templates and managed fields are compared.
const DEEPEST: usize = 12;

/// Another manager that writes to an object of kro's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rival<'o> {
    /// Its name.
    pub(super) manager: &'o str,
    /// When it last wrote, RFC 3339.
    pub(super) time: &'o str,
    /// Fields that it holds and the template sets.
    pub(super) fields: Vec<String>,
}

/// The managers besides kro that changed something else than the status, the latest first.
pub(super) fn rivals<'o>(object: &'o Object, template: Option<&Value>) -> Vec<Rival<'o>> {
    let mut rivals: Vec<Rival<'o>> = object
        .items(&["metadata", "managedFields"])
        .iter()
        .filter_map(|entry| {
            let text = |name: &str| entry.get(name).and_then(Value::as_str);
            let manager = text("manager").filter(|name| !is_kro(name))?;
            let held = entry.get("fieldsV1")?.as_object()?;
            if held.keys().all(|key| key == "f:status") {
                return None;
            }
            let mut fields = Vec::new();
            if let Some(template) = template {
                contested(template, held, &mut Vec::new(), &mut fields);
            }
            Some(Rival { manager, time: text("time").unwrap_or_default(), fields })
        })
        .collect();
    rivals.sort_by(|one, other| (other.fields.len(), other.time).cmp(&(one.fields.len(), one.time)));
    rivals
}

/// When anybody but kro last changed something else than the status.
pub(super) fn last_change(object: &Object) -> Option<&str> {
    let entries = object.items(&["metadata", "managedFields"]).iter();
    let times = entries.filter_map(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let status = text("subresource") == Some("status");
        (!status && !is_kro(text("manager").unwrap_or_default())).then(|| text("time")).flatten()
    });
    times.chain(object.created()).chain(object.deletion()).max()
}

/// When kro last changed it.
pub(super) fn last_by_kro(object: &Object) -> Option<&str> {
    let entries = object.items(&["metadata", "managedFields"]).iter();
    let text = |entry: &'_ Value, name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let own = entries.filter(|entry| text(entry, "manager").is_some_and(|manager| is_kro(&manager)));
    own.filter_map(|entry| entry.get("time")?.as_str()).max()
}

fn is_kro(manager: &str) -> bool {
    manager == labels::CHILD_MANAGER || manager == "kro" || manager.starts_with("kro.run/")
}

/// The leaves of `template` that are among the `held` fields. Lists are passed over: their items are held
/// by keys.
fn contested<'t>(
    template: &'t Value,
    held: &Map<String, Value>,
    path: &mut Vec<&'t str>,
    found: &mut Vec<String>,
) {
    let Some(members) = template.as_object().filter(|_| path.len() < DEEPEST) else { return };
    for (name, value) in members {
        let Some(inner) = held.get(&format!("f:{name}")) else { continue };
        if found.len() >= MOST_FIELDS {
            return;
        }
        path.push(name);
        match inner.as_object().filter(|inner| !inner.is_empty()) {
            Some(inner) => contested(value, inner, path, found),
            None => found.push(path.join(".")),
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_field_that_two_managers_want_is_found() {
        let object = Object::from_value(json!({"metadata": {"managedFields": [
            {"manager": "kro.run/applyset", "time": "2026-01-01T00:00:02Z", "fieldsV1": {"f:spec": {}}},
            {"manager": "hpa", "time": "2026-01-01T00:00:01Z",
             "fieldsV1": {"f:metadata": {"f:annotations": {".": {}, "f:rev": {}}}, "f:spec": {"f:replicas": {}}}},
            {"manager": "kubelet", "time": "2026-01-01T00:00:03Z", "subresource": "status",
             "fieldsV1": {"f:status": {"f:x": {}}}}]}}))
        .expect("an object");
        let template =
            json!({"metadata": {"annotations": {"rev": "1", "mine": "2"}}, "spec": {"paused": false}});
        let rivals = rivals(&object, Some(&template));
        assert_eq!(rivals.len(), 1);
        assert_eq!(
            (rivals[0].manager, rivals[0].fields.as_slice()),
            ("hpa", &["metadata.annotations.rev".to_owned()][..])
        );
        assert_eq!(last_change(&object), Some("2026-01-01T00:00:01Z"));
    }
}
