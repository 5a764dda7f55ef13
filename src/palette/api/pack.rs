//! Packs and manifests. Values and contents are untrusted text with secrets in it: `Debug` does not tell them.

use serde::Deserialize;

use super::{ObjectMeta, lenient, lenient_list, lenient_rows};

/// A text that may hold secrets.
#[derive(Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Text(pub String);

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// `v1PackRef`: a pack of a profile.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PackRef {
    /// Which pack.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// `kernel`, `os`, `k8s`, `cni`, `csi`, `addon`
    #[serde(deserialize_with = "lenient")]
    pub layer: String,
    /// `spectro`, `helm`, `manifest`, `oci`
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    /// The version people chose: `1.27.x` goes with its newest.
    #[serde(deserialize_with = "lenient")]
    pub tag: String,
    /// The version it came down to.
    #[serde(deserialize_with = "lenient")]
    pub version: String,
    /// Of this version of it.
    #[serde(deserialize_with = "lenient")]
    pub pack_uid: String,
    /// YAML.
    #[serde(deserialize_with = "lenient")]
    pub values: Text,
    /// Without contents.
    #[serde(deserialize_with = "lenient_list")]
    pub manifests: Vec<ManifestSummary>,
    /// Whether the registry still has it.
    #[serde(deserialize_with = "lenient")]
    pub is_invalid: bool,
    /// Why not.
    #[serde(rename = "inValidReason", deserialize_with = "lenient")]
    pub invalid_reason: String,
}

/// `v1ClusterProfilePacksEntities`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PackEntities {
    /// The packs.
    #[serde(deserialize_with = "lenient_rows")]
    pub items: Vec<PackEntity>,
}

/// `v1ClusterProfilePacksEntity` and `v1ClusterProfilePackManifests`: a pack with what its registry says of it.
/// The latter has contents in its manifests.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PackEntity {
    /// The uid is the pack version's.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// What it is.
    #[serde(deserialize_with = "lenient")]
    pub spec: PackSpec,
}

/// `v1PackSummarySpec`, `v1PackManifestsSpec`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PackSpec {
    /// Which pack.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// `kernel`, `os`, `k8s`, `cni`, `csi`, `addon`
    #[serde(deserialize_with = "lenient")]
    pub layer: String,
    /// `spectro`, `helm`, `manifest`, `oci`
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    /// The version it came down to.
    #[serde(deserialize_with = "lenient")]
    pub version: String,
    /// YAML.
    #[serde(deserialize_with = "lenient")]
    pub values: Text,
    /// End of life, `yyyy-MM-dd`.
    #[serde(deserialize_with = "lenient")]
    pub eol: String,
    /// With contents where the endpoint gives them.
    #[serde(deserialize_with = "lenient_list")]
    pub manifests: Vec<ManifestSummary>,
}

/// `v1ManifestSummary`, or `v1ObjectReference` without content.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ManifestSummary {
    /// What people call it.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// 24 hexadecimal characters.
    #[serde(deserialize_with = "lenient")]
    pub uid: String,
    /// Of the content.
    #[serde(deserialize_with = "lenient")]
    pub digest: String,
    /// YAML, perhaps of several objects; nothing where it is not told.
    #[serde(deserialize_with = "lenient")]
    pub content: Option<Text>,
}

/// `v1ClusterProfilePacksManifests`: packs with values and contents of manifests.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProfilePacks {
    /// Of the profile's version.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// Its packs.
    #[serde(deserialize_with = "lenient")]
    pub spec: ProfilePacksSpec,
}

/// The member `spec` of `v1ClusterProfilePacksManifests` and `v1SpectroClusterProfile`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProfilePacksSpec {
    /// `cluster`, `infra`, `add-on`, `system`; not told with contents.
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    /// `aws`, `vsphere`, `all`, …; not told with contents.
    #[serde(deserialize_with = "lenient")]
    pub cloud_type: String,
    /// The packs.
    #[serde(deserialize_with = "lenient_list")]
    pub packs: Vec<PackEntity>,
}

/// `v1SpectroClusterProfileList` and `v1SpectroClusterProfilesPacksManifests`: what is attached to a cluster.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AttachedProfiles {
    /// Each in the version that is attached.
    #[serde(deserialize_with = "lenient_rows")]
    pub profiles: Vec<ProfilePacks>,
}

/// `v1Manifest`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// Name and uid.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// Its content.
    #[serde(deserialize_with = "lenient")]
    pub spec: ManifestSpec,
}

/// `v1ManifestPublishedSpec`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ManifestSpec {
    /// What is in force.
    #[serde(deserialize_with = "lenient")]
    pub published: ManifestData,
}

/// `v1ManifestData`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ManifestData {
    /// YAML, perhaps of several objects.
    #[serde(deserialize_with = "lenient")]
    pub content: Text,
}

/// `v1SpectroCluster`, as far as it tells of its profiles' versions and of what changed them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClusterHistory {
    /// What it should be.
    #[serde(deserialize_with = "lenient")]
    pub spec: ClusterTemplates,
    /// What became of it.
    #[serde(deserialize_with = "lenient")]
    pub status: Upgrades,
}

/// Of `v1SpectroClusterSpec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterTemplates {
    /// What is attached.
    #[serde(deserialize_with = "lenient_list")]
    pub cluster_profile_templates: Vec<super::profile::Template>,
}

/// Of `v1SpectroClusterStatus`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Upgrades {
    /// Each change of a pack or of the nodes.
    #[serde(deserialize_with = "lenient_list")]
    pub upgrades: Vec<Upgrade>,
}

/// `v1Upgrades`: what Palette changed on a cluster, in words.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Upgrade {
    /// Names a field, and its value before and after.
    #[serde(deserialize_with = "lenient_list")]
    pub reason: Vec<String>,
    /// RFC 3339.
    #[serde(deserialize_with = "lenient")]
    pub timestamp: String,
}
