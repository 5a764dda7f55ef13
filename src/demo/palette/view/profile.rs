//! A version of a cluster profile: as a row, and in full.

use serde_json::{Value, json};

use super::{View, pack_ref, pack_server_secret};
use crate::demo::palette::data::{Cluster, Profile, Variable, Version};

impl View<'_> {
    /// `ClusterProfileMetadata`
    pub(in super::super) fn profile_meta(profile: &Profile, version: &Version) -> Value {
        json!({
            "metadata": {"name": profile.name, "uid": version.uid},
            "spec": {"cloudType": profile.cloud_type, "version": version.version},
        })
    }

    /// `ClusterProfileSummary`
    pub(in super::super) fn profile_summary(&self, profile: &Profile, version: &Version) -> Value {
        let packs: Vec<Value> = version
            .packs
            .iter()
            .map(|pack| {
                json!({
                    "name": pack.name, "displayName": pack.name, "layer": pack.layer, "type": pack.kind,
                    "tag": pack.tag, "version": "1", "packUid": pack.uid(), "logoUrl": "", "addonType": "",
                    "annotations": {},
                })
            })
            .collect();
        let template = json!({"cloudType": profile.cloud_type, "type": profile.kind, "packs": packs});
        let mut spec = json!({"version": version.version, "versions": versions(profile)});
        put(&mut spec, if version.draft { "draft" } else { "published" }, template);
        let clusters: Vec<&Cluster> = self.users(&version.uid).collect();
        let deprecated = version.packs.iter().filter(|pack| pack.deprecated).count();
        json!({
            "metadata": self.version_metadata(profile, version),
            "specSummary": spec,
            "status": {
                "isPublished": !version.draft,
                // Without a project: only the full profile has it.
                "inUseClusters": clusters
                    .iter()
                    .map(|cluster| json!({"name": cluster.name, "uid": cluster.uid}))
                    .collect::<Vec<_>>(),
                "inUseClusterUids": clusters.iter().map(|cluster| &cluster.uid).collect::<Vec<_>>(),
                "inUseClusterTemplates": [],
                "pack": {"deleted": 0, "deprecated": deprecated, "disabled": 0},
                "fips": {"mode": "none"},
            },
        })
    }

    /// `ClusterProfile`
    pub(in super::super) fn profile(&self, profile: &Profile, version: &Version) -> Value {
        let packs: Vec<Value> = version.packs.iter().map(|pack| pack_ref(pack, Some(&pack.values))).collect();
        let template = json!({
            "uid": version.uid,
            "name": profile.name,
            "cloudType": profile.cloud_type,
            "type": profile.kind,
            "profileVersion": version.version,
            "version": 1,
            "packs": packs,
            "packServerRefs": [],
            "packServerSecret": pack_server_secret(profile),
        });
        let mut spec = json!({"version": version.version, "versions": versions(profile)});
        put(&mut spec, if version.draft { "draft" } else { "published" }, template);
        let clusters: Vec<&Cluster> = self.users(&version.uid).collect();
        json!({
            "apiVersion": "cluster.spectrocloud.com/v1",
            "kind": "ClusterProfile",
            "metadata": self.version_metadata(profile, version),
            "spec": spec,
            "status": {
                "isPublished": !version.draft,
                "hasUserMacros": false,
                "inUseClusters": clusters.iter().map(|cluster| self.reference(cluster)).collect::<Vec<_>>(),
                "inUseClusterUids": clusters.iter().map(|cluster| &cluster.uid).collect::<Vec<_>>(),
                "inUseClusterTemplates": [],
            },
        })
    }

    /// `Variable`; that of a cluster has a `value` too.
    pub(in super::super) fn variable(variable: &Variable, value: Option<&str>) -> Value {
        let options: Vec<Value> = variable
            .options
            .iter()
            .map(|option| {
                json!({
                    "value": option, "label": option, "description": "",
                    "default": *option == variable.default_value,
                })
            })
            .collect();
        json!({
            "name": variable.name,
            "displayName": variable.name,
            "description": variable.description,
            "defaultValue": variable.default_value,
            "format": if variable.format.is_empty() { "string" } else { &variable.format },
            "inputType": if variable.options.is_empty() { "text" } else { "dropdown" },
            "options": options,
            "regex": variable.regex,
            "required": variable.required,
            "immutable": variable.immutable,
            "hidden": variable.hidden,
            "isSensitive": variable.sensitive,
            "value": value,
        })
    }
}

fn versions(profile: &Profile) -> Vec<Value> {
    let versions = profile.versions.iter();
    versions.map(|version| json!({"uid": version.uid, "version": version.version})).collect()
}

fn put(object: &mut Value, name: &str, member: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.into(), member);
    }
}
