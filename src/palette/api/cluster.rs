//! Clusters, as lists tell them.

use serde::Deserialize;

use super::{ObjectMeta, lenient};

/// `V1SpectroClusterMeta`, of `/v1/dashboard/spectroclusters/meta`: all at once, virtual clusters among them.
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
}

/// How far a cluster is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClusterMetaStatus {
    /// `Running`, `Pending`, `Error`, …
    #[serde(deserialize_with = "lenient")]
    pub state: String,
}
