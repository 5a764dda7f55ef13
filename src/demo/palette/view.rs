//! The contract's shapes of what a tenant holds.

mod cluster;
mod group;
mod kubeconfig;
mod pack;
mod profile;
mod project;
mod record;
mod status;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

pub(super) use self::kubeconfig::Which;
use super::data::{Cluster, Data, Pack, Profile, Version};

/// How the API writes that there is no such time.
const ZERO_TIME: &str = "0001-01-01T00:00:00.000Z";

/// A tenant as it is looked at.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) data: &'a Data,
    /// What ages are counted from.
    pub(super) made: Timestamp,
}

/// What stands in `metadata`.
struct Meta<'a> {
    uid: &'a str,
    name: &'a str,
    project: Option<&'a str>,
    labels: Option<&'a BTreeMap<String, String>>,
    annotations: Option<&'a BTreeMap<String, String>>,
    created: i64,
    modified: i64,
}

impl View<'_> {
    /// The time that many minutes ago.
    fn time(&self, minutes: i64) -> String {
        let time = self.made.saturating_sub(SignedDuration::from_mins(minutes));
        time.map_or_else(|_| ZERO_TIME.to_owned(), |time| format!("{time:.3}"))
    }

    /// `ObjectMeta`.
    fn metadata(&self, meta: &Meta<'_>) -> Value {
        let mut annotations = Map::new();
        annotations.insert("scope".into(), if meta.project.is_some() { "project" } else { "tenant" }.into());
        annotations.insert("projectUid".into(), meta.project.unwrap_or_default().into());
        annotations.insert("tenantUid".into(), self.data.uid.as_str().into());
        for (key, value) in meta.annotations.into_iter().flatten() {
            annotations.insert(key.clone(), value.as_str().into());
        }
        json!({
            "name": meta.name,
            "uid": meta.uid,
            "annotations": annotations,
            "labels": meta.labels.cloned().unwrap_or_default(),
            "creationTimestamp": self.time(meta.created),
            "lastModifiedTimestamp": self.time(meta.modified),
            "deletionTimestamp": ZERO_TIME,
        })
    }

    /// `metadata` of a version of a profile.
    fn version_metadata(&self, profile: &Profile, version: &Version) -> Value {
        self.metadata(&Meta {
            uid: &version.uid,
            name: &profile.name,
            project: profile.project.as_deref(),
            labels: Some(&profile.labels),
            annotations: Some(&profile.annotations),
            created: profile.created,
            modified: profile.created / 2,
        })
    }

    /// `ObjectResReference` to a cluster.
    fn reference(&self, cluster: &Cluster) -> Value {
        json!({
            "kind": "spectrocluster",
            "name": cluster.name,
            "uid": cluster.uid,
            "projectUid": cluster.project.as_deref().unwrap_or_default(),
            "tenantUid": self.data.uid,
        })
    }

    /// The clusters that a version of a profile is attached to, and those of groups that have it.
    fn users<'s>(&'s self, version: &'s str) -> impl Iterator<Item = &'s Cluster> {
        self.data
            .clusters
            .iter()
            .filter(move |cluster| cluster.profiles.iter().any(|attached| attached.version == version))
    }
}

/// `packServerSecret` of a template, where there is one.
fn pack_server_secret(profile: &Profile) -> Option<&str> {
    Some(profile.pack_server_secret.as_str()).filter(|secret| !secret.is_empty())
}

/// `PackRef`, as it stands in templates; lists of clusters have no values.
fn pack_ref(pack: &Pack, values: Option<&str>) -> Value {
    let manifests: Vec<Value> = pack
        .manifests
        .iter()
        .map(|manifest| json!({"kind": "manifest", "name": manifest.name, "uid": manifest.uid}))
        .collect();
    let mut reference = json!({
        "name": pack.name,
        "layer": pack.layer,
        "type": pack.kind,
        "tag": pack.tag,
        // The number of the pack itself, which is not the version of what it installs.
        "version": "1",
        "packUid": pack.uid(),
        "registryUid": super::data::uid("registry"),
        "digest": "",
        "logo": "",
        "server": "",
        "isInvalid": false,
        "inValidReason": "",
        "manifests": manifests,
    });
    if let (Some(values), Some(reference)) = (values, reference.as_object_mut()) {
        reference.insert("values".into(), values.into());
        reference.insert("annotations".into(), json!(pack.annotations));
    }
    reference
}

/// Without the members that are null: the contract has no such thing.
pub(super) fn lean(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(lean).collect(),
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(name, member)| (name, lean(member)))
            .collect::<Map<_, _>>()
            .into(),
        value => value,
    }
}
