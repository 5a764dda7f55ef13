//! An older revision of an RGD, as the manifest that brings it back.

use serde_json::{Map, Value, json};

use crate::{
    Error, ErrorKind,
    kro::{
        applyset::GroupKind,
        fetch::Reader,
        labels,
        operate::MANAGER,
        revision::{Revision, Verdict},
        schema::{self, Described},
    },
    kubernetes::{Fault, Object, Selector},
};

/// The spec of that revision.
///
/// # Errors
/// There is none of that number (with those there are), or revisions may not be read.
pub(super) async fn spec(reader: &Reader, rgd: &str, wanted: i64) -> Result<Value, Error> {
    let kind = reader.kind(&GroupKind::new(labels::INTERNAL_GROUP, "GraphRevision")).await;
    let kind = kind.ok_or_else(|| {
        Error::not_found("the cluster's kro keeps no revisions: GraphRevisions came with v0.9.0")
    })?;
    let selector = Selector::all().field("spec.snapshot.name", rgd);
    let listed = reader.access().list(&kind, None, &selector).await.map_err(|fault| match fault {
        Fault::Forbidden(why) => {
            let message = format!("GraphRevisions may not be read, so there is nothing to roll back to: {why}");
            Error::new(ErrorKind::NotAllowed, message)
                .refused_by(crate::RefusedBy::Cluster)
                .next("ask whoever administers that cluster's RBAC for get and list on graphrevisions in internal.kro.run, or apply the manifest")
        }
        fault => fault.into(),
    })?;
    let number = |revision: &Object| revision.integer(&["spec", "revision"]).unwrap_or_default();
    let found = listed.items.iter().find(|revision| number(revision) == wanted);
    let snapshot = found.and_then(|revision| revision.at(&["spec", "snapshot", "spec"]));
    match snapshot {
        Some(spec) => Ok(spec.clone()),
        None => {
            let mut numbers: Vec<i64> = listed.items.iter().map(number).collect();
            numbers.sort_unstable();
            let rgd = crate::answer::sanitise::short(rgd, 80);
            let message = format!("the argument \"rollback_to\": RGD {rgd:?} has no revision {wanted}");
            Err(Error::not_found(message).candidates(numbers.iter().map(ToString::to_string)))
        }
    }
}

/// The newest revision whose schema the CRD has, and which is none of those that kro refused.
pub(super) fn taken_up(revisions: &[Revision], crd: &Described, refused: &[Option<Value>]) -> Option<i64> {
    let is_it = |revision: &&Revision| {
        let rgd = revision.as_rgd();
        revision.verdict == Verdict::Verified
            && !refused.contains(&rgd.member("spec").cloned())
            && schema::changes("spec", &crd.spec, &Described::of_rgd(&rgd).spec).is_empty()
    };
    revisions.iter().find(is_it).map(|revision| revision.number)
}

/// The manifest: that spec, and the labels and annotations that we gave it, which would go otherwise.
pub(super) fn manifest(api_version: &str, name: &str, spec: &Value, live: Option<&Object>) -> Object {
    let mut metadata = Map::from_iter([("name".to_owned(), json!(name))]);
    for map in ["labels", "annotations"] {
        let kept: Map<String, Value> = live.map(|live| ours(live, map)).unwrap_or_default();
        if !kept.is_empty() {
            metadata.insert(map.to_owned(), kept.into());
        }
    }
    let manifest = json!({"apiVersion": api_version, "kind": "ResourceGraphDefinition",
        "metadata": metadata, "spec": spec});
    Object::from_value(manifest).unwrap_or_default()
}

/// Of a map in the metadata, what the object's `managedFields` call ours.
fn ours(live: &Object, map: &str) -> Map<String, Value> {
    let entries = live.items(&["metadata", "managedFields"]).iter();
    let of_us = entries.filter(|entry| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        text("manager") == Some(MANAGER) && text("operation") == Some("Apply")
    });
    of_us
        .filter_map(|entry| entry.get("fieldsV1")?.get("f:metadata")?.get(format!("f:{map}"))?.as_object())
        .flat_map(Map::keys)
        .filter_map(|field| field.strip_prefix("f:"))
        .filter_map(|key| Some((key.to_owned(), live.at(&["metadata", map, key])?.clone())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_noted_on_it_stays_and_what_others_did_is_left_to_them() {
        let fields = |names: &[&str]| {
            let fields: Map<String, Value> =
                names.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
            json!({"f:metadata": {"f:labels": fields}})
        };
        let live = Object::from_value(json!({"metadata": {"name": "app", "labels": {"a": "1", "b": "2"},
            "managedFields": [
                {"manager": "platform-mcp", "operation": "Apply", "fieldsV1": fields(&["f:a", "f:gone"])},
                {"manager": "kubectl", "operation": "Update", "fieldsV1": fields(&["f:b"])}]}}))
        .expect("an object");
        let manifest = manifest("kro.run/v1alpha1", "app", &json!({"x": 1}), Some(&live));
        assert_eq!(manifest.at(&["metadata"]), Some(&json!({"name": "app", "labels": {"a": "1"}})));
        assert_eq!(manifest.at(&["spec"]), Some(&json!({"x": 1})));
    }

    #[test]
    fn the_way_back_is_the_newest_revision_that_the_crd_is_of() {
        let spec =
            |field: &str| json!({"schema": {"kind": "App", "spec": {"width": field}}, "resources": []});
        let revision = |number: i64, field: &str, verified: &str| {
            Object::from_value(
                json!({"spec": {"revision": number, "snapshot": {"name": "a", "spec": spec(field)}},
                "status": {"conditions": [{"type": "GraphVerified", "status": verified}]}}),
            )
            .expect("an object")
        };
        let all = Revision::read(vec![
            revision(1, "integer", "True"),
            revision(2, "integer", "True"),
            revision(3, "integer", "False"),
            revision(4, "string", "True"),
        ]);
        let rgd = Object::from_value(json!({"spec": spec("integer")})).expect("an object");
        let crd = Described::of_rgd(&rgd);
        assert_eq!(taken_up(&all, &crd, &[Some(spec("string"))]), Some(2));
        assert_eq!(taken_up(&all, &crd, &[Some(spec("integer"))]), None);
    }
}
