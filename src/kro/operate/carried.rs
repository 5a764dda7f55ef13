//! What a manifest carries that is not the caller's to say.

use serde_json::Value;

use super::observed::is_of_kro;
use crate::{
    Error,
    kro::labels,
    kubernetes::{Kind, Object, written},
};

/// Faults that are told at once.
const MOST: usize = 12;

/// What is wrong with a manifest before any cluster is asked, each with its path; nothing where it may be
/// sent.
pub fn faults(manifest: &Object) -> Vec<String> {
    let mut faults = Vec::new();
    let mut wrong = |path: &str, why: &str| faults.push(format!("{path} ({why})"));
    if manifest.member("status").is_some() {
        wrong("status", "kro writes it");
    }
    for (name, why) in [
        ("managedFields", "the API server writes it"),
        ("deletionTimestamp", "the API server writes it"),
        ("ownerReferences", "an owner that is not there has the object deleted"),
        ("finalizers", "they hold up its deletion"),
        ("generateName", "it must have one name, so that it can be planned"),
    ] {
        if manifest.at(&["metadata", name]).is_some() {
            wrong(&format!("metadata.{name}"), why);
        }
    }
    for map in ["labels", "annotations"] {
        let texts = manifest.at(&["metadata", map]).and_then(Value::as_object);
        for key in texts.into_iter().flat_map(serde_json::Map::keys) {
            let reconcile = key.split_once('/').is_some_and(|(_, name)| name == labels::RECONCILE);
            if reconcile && (key.starts_with("kro.run/") || key.starts_with("internal.kro.run/")) {
                wrong(&format!("metadata.{map}[{key:?}]"), "kro_reconcile suspends and resumes");
            } else if is_of_kro(key) {
                wrong(&format!("metadata.{map}[{key:?}]"), "kro writes it");
            } else if key.ends_with("/last-applied-configuration") {
                wrong(&format!("metadata.{map}[{key:?}]"), "kubectl writes it");
            }
        }
    }
    for path in written::redacted(&Value::Object(manifest.members().clone())) {
        wrong(&path, "it holds <redacted> in place of a value, which would be written; leave the field out");
    }
    faults.truncate(MOST);
    faults
}

/// Checks what only the kind can tell: the version and the namespace.
///
/// # Errors
/// What is missing or does not fit, with what would.
pub fn fits(argument: &str, manifest: &Object, kind: &Kind) -> Result<(), Error> {
    let wrong = |what: String| Err(Error::invalid_input(format!("the argument {argument:?}: {what}")));
    if manifest.api_version() != kind.api_version() {
        let (written, served) = (manifest.api_version(), kind.api_version());
        return wrong(format!("its apiVersion is {written:?}, and the cluster serves {served}"));
    }
    match (kind.namespaced, manifest.namespace()) {
        (true, None) => wrong("it has no metadata.namespace, and this kind lives in namespaces".to_owned()),
        (false, Some(_)) => wrong("it has a metadata.namespace, and this kind lives in none".to_owned()),
        _ => Ok(()),
    }
}

/// Checks that the object meant is the one there is.
///
/// # Errors
/// The manifest carries the uid of another object, or a resourceVersion that is not the present one.
pub fn means(argument: &str, manifest: &Object, live: Option<&Object>) -> Result<(), Error> {
    let carries = |name| manifest.text(&["metadata", name]).filter(|text| !text.is_empty());
    let is = |name| live.and_then(|live| live.text(&["metadata", name]));
    if let Some(uid) = carries("uid").filter(|uid| is("uid") != Some(uid)) {
        let there =
            if live.is_some() { "the object there is another one" } else { "there is no such object" };
        let uid = crate::answer::sanitise::short(uid, 60);
        return Err(Error::new(
            crate::ErrorKind::Conflict,
            format!("the argument {argument:?} has metadata.uid {uid:?}, and {there}: it may come from another cluster, or the object was made anew"),
        )
        .next("leave metadata.uid out to mean whatever has that name"));
    }
    if carries("resourceVersion").is_some_and(|version| is("resourceVersion") != Some(version)) {
        return Err(Error::new(
            crate::ErrorKind::Conflict,
            format!("the argument {argument:?} has a metadata.resourceVersion that is not the present one: the object has changed since it was read"),
        )
        .next("read it again with kro_yaml, or leave metadata.resourceVersion out"));
    }
    Ok(())
}

/// What is sent of a manifest: without what only describes the object there is, and with the object and the
/// state that are meant.
pub fn sent(manifest: &Object, live: Option<&Object>) -> Object {
    let mut sent = manifest.clone();
    if let Some(Value::Object(metadata)) = sent.members_mut().get_mut("metadata") {
        for name in ["creationTimestamp", "generation", "selfLink", "uid", "resourceVersion"] {
            metadata.remove(name);
        }
        for name in ["uid", "resourceVersion"] {
            let value = live.and_then(|live| live.at(&["metadata", name]));
            metadata.extend(value.map(|value| (name.to_owned(), value.clone())));
        }
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Object {
        Object::from_value(value).expect("an object")
    }

    #[test]
    fn everything_that_is_not_the_callers_is_named_at_once() {
        let manifest = object(json!({
            "metadata": {"name": "a", "generateName": "a-", "managedFields": [],
                "labels": {"kro.run/owned": "true", "team": "x"},
                "annotations": {"kro.run/reconcile": "suspended", "kro.run/allow-breaking-changes": "true"},
                "finalizers": ["kro.run/finalizer"]},
            "spec": {"env": [{"name": "A", "value": "<redacted:5 bytes>"}]}, "status": {}}));
        let faults = faults(&manifest).join("\n");
        for said in [
            "status (kro writes it)",
            "metadata.generateName",
            "metadata.managedFields",
            "metadata.labels[\"kro.run/owned\"] (kro writes it)",
            "metadata.annotations[\"kro.run/reconcile\"] (kro_reconcile",
            "metadata.finalizers",
            "spec.env[A].value (it holds <redacted>",
        ] {
            assert!(faults.contains(said), "{said}: {faults}");
        }
        assert_eq!(faults.lines().count(), 7, "{faults}");
    }

    #[test]
    fn the_object_meant_is_the_one_there_is() {
        let live = object(json!({"metadata": {"name": "a", "uid": "1", "resourceVersion": "5"}}));
        let manifest = |metadata| object(json!({"metadata": metadata}));
        assert!(
            means("manifest", &manifest(json!({"uid": "1", "resourceVersion": "5"})), Some(&live)).is_ok()
        );
        for (metadata, live) in [
            (json!({"uid": "2"}), Some(&live)),
            (json!({"uid": "1"}), None),
            (json!({"resourceVersion": "4"}), Some(&live)),
            (json!({"resourceVersion": "4"}), None),
        ] {
            assert!(means("manifest", &manifest(metadata), live).is_err());
        }
        let sent = sent(&manifest(json!({"name": "a", "generation": 3})), Some(&live));
        assert_eq!(sent.at(&["metadata"]), Some(&json!({"name": "a", "uid": "1", "resourceVersion": "5"})));
    }
}
