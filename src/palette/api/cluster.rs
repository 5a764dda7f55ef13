//! Clusters, as the two small listings tell them.

use serde::Deserialize;

use super::{ListMeta, Listing, ObjectMeta, lenient, lenient_list, lenient_rows};

/// `V1SpectroClustersMeta`, of `/v1/dashboard/spectroclusters/meta`: a bare array of all at once, virtual clusters
/// among them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct ClustersMeta {
    /// The clusters.
    #[serde(deserialize_with = "lenient_rows")]
    pub items: Vec<ClusterMeta>,
}

/// `V1SpectroClusterMeta`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClusterMeta {
    /// Name, uid and scope.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// What it is.
    #[serde(deserialize_with = "lenient")]
    pub spec: ClusterMetaSpec,
    /// How far it is.
    #[serde(deserialize_with = "lenient")]
    pub status: ClusterMetaStatus,
}

/// What a cluster is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterMetaSpec {
    /// `aws`, `eks`, `vsphere`, `nested` (a virtual cluster), …
    #[serde(deserialize_with = "lenient")]
    pub cloud_type: String,
    /// `tag` or `key:value`.
    #[serde(deserialize_with = "lenient_list")]
    pub tags: Vec<String>,
}

/// How far a cluster is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClusterMetaStatus {
    /// `Running`, `Pending`, `Error`, …
    #[serde(deserialize_with = "lenient")]
    pub state: String,
}

/// `V1SpectroClustersMetadataSearch`, of `/v1/dashboard/spectroclusters/metadata/search`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MetadataSearch {
    /// The clusters.
    #[serde(deserialize_with = "lenient_rows")]
    pub items: Vec<ClusterMetaSummary>,
    /// How many there are: the contract has no parameter to ask for the rest.
    #[serde(deserialize_with = "lenient")]
    pub listmeta: ListMeta,
}

impl Listing for MetadataSearch {
    type Row = ClusterMetaSummary;

    fn meta(&self) -> &ListMeta {
        &self.listmeta
    }

    fn rows(self) -> Vec<ClusterMetaSummary> {
        self.items
    }

    fn uid(row: &ClusterMetaSummary) -> &str {
        &row.metadata.uid
    }
}

/// `V1SpectroClusterMetaSummary`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterMetaSummary {
    /// Name, uid and scope.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// What it is.
    #[serde(deserialize_with = "lenient")]
    pub spec_summary: MetaSpecSummary,
    /// How it is.
    #[serde(deserialize_with = "lenient")]
    pub status: MetaSummaryStatus,
}

/// What a cluster is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MetaSpecSummary {
    /// As in [`ClusterMetaSpec::cloud_type`].
    #[serde(deserialize_with = "lenient")]
    pub cloud_type: String,
    /// Its project.
    #[serde(deserialize_with = "lenient")]
    pub project_meta: Named,
    /// `tag` or `key:value`.
    #[serde(deserialize_with = "lenient_list")]
    pub tags: Vec<String>,
}

/// How a cluster is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MetaSummaryStatus {
    /// `Running`, `Pending`, `Error`, …
    #[serde(deserialize_with = "lenient")]
    pub state: String,
    /// Whether it is well, which its state does not tell.
    #[serde(deserialize_with = "lenient")]
    pub health: MetaHealth,
    /// What waits to be applied.
    #[serde(deserialize_with = "lenient")]
    pub updates: MetaUpdates,
}

/// `V1ClusterMetaStatusHealth`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MetaHealth {
    /// `Healthy`, `UnHealthy`, `Unhealthy`, …
    #[serde(deserialize_with = "lenient")]
    pub state: String,
    /// The agent has not been heard of for ten minutes.
    #[serde(deserialize_with = "lenient")]
    pub is_heart_beat_failed: bool,
}

/// `V1ClusterMetaStatusUpdates`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MetaUpdates {
    /// A change of an attached profile has not been applied yet.
    #[serde(deserialize_with = "lenient")]
    pub is_updates_pending: bool,
}

/// Something by name and uid (`V1ProjectMeta`, `V1ObjectReference`, `V1ObjectResReference`).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Named {
    /// What people call it.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// 24 hexadecimal characters.
    #[serde(deserialize_with = "lenient")]
    pub uid: String,
    /// Its project, where references tell it.
    #[serde(deserialize_with = "lenient")]
    pub project_uid: String,
}

impl Named {
    /// Nothing, where it names nothing.
    pub fn filled(self) -> Option<Self> {
        (!self.uid.is_empty() || !self.name.is_empty()).then_some(self)
    }
}
