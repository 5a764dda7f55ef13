//! Packs and manifests, of a profile and of a cluster.

use serde_json::{Value, json};

use super::{Meta, View};
use crate::demo::palette::data::{Attached, Cluster, Manifest, Pack, Profile, Version};

impl View<'_> {
    fn pack_metadata(&self, pack: &Pack) -> Value {
        let (uid, annotations) = (pack.uid(), Some(&pack.annotations));
        self.metadata(&Meta {
            uid: &uid,
            name: &pack.name,
            project: None,
            labels: None,
            annotations,
            created: 300 * 24 * 60,
            modified: 300 * 24 * 60,
        })
    }

    /// `ClusterProfilePacksEntity`
    pub(in super::super) fn pack(&self, pack: &Pack, values: &str) -> Value {
        let manifests: Vec<Value> = pack
            .manifests
            .iter()
            .map(|manifest| json!({"kind": "manifest", "name": manifest.name, "uid": manifest.uid}))
            .collect();
        self.pack_with(pack, values, &manifests)
    }

    /// `ClusterProfilePackManifests`: with the contents of the manifests.
    fn pack_with_manifests(&self, pack: &Pack, attached: Option<&Attached>) -> Value {
        let manifests: Vec<Value> = pack
            .manifests
            .iter()
            .map(|manifest| {
                let content = attached.and_then(|of| of.manifests.get(&manifest.name));
                let content = content.unwrap_or(&manifest.content);
                json!({
                    "name": manifest.name, "uid": manifest.uid, "content": content, "digest": digest(content),
                })
            })
            .collect();
        let values = attached.and_then(|of| of.values.get(&pack.name)).unwrap_or(&pack.values);
        self.pack_with(pack, values, &manifests)
    }

    fn pack_with(&self, pack: &Pack, values: &str, manifests: &[Value]) -> Value {
        json!({
            "metadata": self.pack_metadata(pack),
            "spec": {
                "name": pack.name,
                "displayName": pack.name,
                // Here it is the version of what the pack installs.
                "version": pack.tag,
                "layer": pack.layer,
                "type": pack.kind,
                "values": values,
                "manifests": manifests,
                "registryUid": crate::demo::palette::data::uid("registry"),
                "digest": digest(values),
                "eol": pack.eol,
                "group": "",
                "addonType": "",
                "cloudTypes": ["all"],
                "annotations": pack.annotations,
                "presets": [],
                "schema": [],
            },
            "status": {},
        })
    }

    /// `ClusterProfilePacksManifests`: with the contents of the manifests, as they are on a cluster.
    pub(in super::super) fn profile_manifests(
        &self,
        profile: &Profile,
        version: &Version,
        attached: Option<&Attached>,
    ) -> Value {
        let packs: Vec<Value> =
            version.packs.iter().map(|pack| self.pack_with_manifests(pack, attached)).collect();
        json!({"metadata": self.version_metadata(profile, version), "spec": {"packs": packs}})
    }

    /// `ManifestEntity`
    pub(in super::super) fn manifest(&self, manifest: &Manifest, content: &str) -> Value {
        let metadata = self.metadata(&Meta {
            uid: &manifest.uid,
            name: &manifest.name,
            project: None,
            labels: None,
            annotations: None,
            created: 300 * 24 * 60,
            modified: 300 * 24 * 60,
        });
        json!({
            "metadata": metadata,
            "spec": {"published": {"content": content, "digest": digest(content)}},
        })
    }

    /// `SpectroClusterProfile`
    pub(in super::super) fn attached(&self, attached: &Attached) -> Option<Value> {
        let (profile, version) = self.data.version(&attached.version)?;
        let packs: Vec<Value> = version
            .packs
            .iter()
            .map(|pack| self.pack(pack, attached.values.get(&pack.name).unwrap_or(&pack.values)))
            .collect();
        Some(json!({
            "metadata": self.version_metadata(profile, version),
            "spec": {"cloudType": profile.cloud_type, "type": profile.kind, "version": 1, "packs": packs},
        }))
    }

    /// `PackConfig`: what the cluster made of the pack.
    pub(in super::super) fn pack_config(&self, cluster: &Cluster, attached: &Attached, pack: &Pack) -> Value {
        let overridden = attached.values.get(&pack.name);
        let manifests: Vec<Value> = pack
            .manifests
            .iter()
            .map(|manifest| {
                let other = attached.manifests.get(&manifest.name);
                json!({
                    "name": manifest.name,
                    "uid": manifest.uid,
                    "parentUid": attached.version,
                    "digest": digest(other.unwrap_or(&manifest.content)),
                    "isOverridden": other.is_some(),
                })
            })
            .collect();
        json!({"spec": {
            "associatedObject": format!("spectrocluster:{}", cluster.uid),
            "isValuesOverridden": overridden.is_some(),
            "manifests": manifests,
            "name": pack.name,
            "packUid": pack.uid(),
            "scope": if overridden.is_some() { "cluster" } else { "clusterprofile" },
            "tag": pack.tag,
            "type": pack.kind,
            "values": overridden.unwrap_or(&pack.values),
            "version": "1",
        }})
    }
}

/// Tells contents apart, as a digest does.
fn digest(text: &str) -> String {
    crate::demo::palette::data::uid(text)
}
