//! Clusters, as the large listing tells them: the only one with templates, metrics and repaves.

use serde::Deserialize;

use super::{ListMeta, Listing, ObjectMeta, cluster::Named, lenient, lenient_list, lenient_rows};

/// `V1SpectroClustersSummary`, of `/v1/dashboard/spectroclusters/search` and `…/repaveStatus`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClusterSearch {
    /// The clusters of this page.
    #[serde(deserialize_with = "lenient_rows")]
    pub items: Vec<ClusterSummary>,
    /// How the list goes on.
    #[serde(deserialize_with = "lenient")]
    pub listmeta: ListMeta,
}

impl Listing for ClusterSearch {
    type Row = ClusterSummary;

    fn meta(&self) -> &ListMeta {
        &self.listmeta
    }

    fn rows(self) -> Vec<ClusterSummary> {
        self.items
    }

    fn uid(row: &ClusterSummary) -> &str {
        &row.metadata.uid
    }
}

/// `V1SpectroClusterSummary`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterSummary {
    /// Name, uid and scope.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// What it is.
    #[serde(deserialize_with = "lenient")]
    pub spec_summary: SpecSummary,
    /// How it is.
    #[serde(deserialize_with = "lenient")]
    pub status: SummaryStatus,
}

/// What a cluster is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SpecSummary {
    /// Where its machines are configured.
    #[serde(deserialize_with = "lenient")]
    pub cloud_config: CloudConfigMeta,
    /// What a virtual cluster runs on.
    #[serde(deserialize_with = "lenient")]
    pub cluster_config: ClusterConfig,
    /// The one of older versions of Palette.
    #[serde(deserialize_with = "lenient")]
    pub cluster_profile_template: Option<TemplateMeta>,
    /// The profiles attached to it.
    #[serde(deserialize_with = "lenient_list")]
    pub cluster_profile_templates: Vec<TemplateMeta>,
    /// Its project.
    #[serde(deserialize_with = "lenient")]
    pub project_meta: Named,
}

/// `V1CloudConfigMeta`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CloudConfigMeta {
    /// `aws`, `eks`, `vsphere`, `nested`, …
    #[serde(deserialize_with = "lenient")]
    pub cloud_type: String,
    /// For `/v1/cloudconfigs`.
    #[serde(deserialize_with = "lenient")]
    pub uid: String,
}

/// `V1ClusterConfigResponse`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterConfig {
    /// What a virtual cluster runs on.
    #[serde(deserialize_with = "lenient")]
    pub host_cluster_config: HostClusterConfig,
}

/// `V1HostClusterConfigResponse`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HostClusterConfig {
    /// The group it was made in.
    #[serde(deserialize_with = "lenient")]
    pub cluster_group: Named,
}

/// `V1ClusterProfileTemplateMeta`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateMeta {
    /// Of the version of the profile.
    #[serde(deserialize_with = "lenient")]
    pub uid: String,
    /// The profile's.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// `system`, `tenant` or `project`.
    #[serde(deserialize_with = "lenient")]
    pub scope: String,
    /// `infra`, `add-on`, `cluster`, `system`
    #[serde(deserialize_with = "lenient", rename = "type")]
    pub kind: String,
    /// `all` for add-ons.
    #[serde(deserialize_with = "lenient")]
    pub cloud_type: String,
    /// Its packs, without values.
    #[serde(deserialize_with = "lenient_list")]
    pub packs: Vec<PackMeta>,
}

/// `V1PackRef`, without what is never read of a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PackMeta {
    /// `kubernetes`, `cni-calico`, …
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// `os`, `k8s`, `cni`, `csi`, `addon`, `kernel`
    #[serde(deserialize_with = "lenient")]
    pub layer: String,
    /// The version of what it installs.
    #[serde(deserialize_with = "lenient")]
    pub tag: String,
    /// The number of the pack itself, or the same as the tag.
    #[serde(deserialize_with = "lenient")]
    pub version: String,
}

/// How a cluster is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SummaryStatus {
    /// `Running`, `Pending`, `Error`, …
    #[serde(deserialize_with = "lenient")]
    pub state: String,
    /// Whether it is well, which its state does not tell.
    #[serde(deserialize_with = "lenient")]
    pub health: HealthStatus,
    /// Use and limits.
    #[serde(deserialize_with = "lenient")]
    pub metrics: Metrics,
    /// What waits to be applied.
    #[serde(deserialize_with = "lenient")]
    pub notifications: NotificationStatus,
    /// Whether machines wait to be replaced.
    #[serde(deserialize_with = "lenient")]
    pub repave: RepaveStatus,
    /// Of virtual clusters and those that host some.
    #[serde(deserialize_with = "lenient", rename = "virtual")]
    pub virtual_: VirtualStatus,
}

/// `V1SpectroClusterHealthStatus`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthStatus {
    /// `Healthy`, `UnHealthy`, `Unhealthy`, …
    #[serde(deserialize_with = "lenient")]
    pub state: String,
    /// RFC 3339; the year 1 stands for never.
    #[serde(deserialize_with = "lenient")]
    pub last_heart_beat_timestamp: String,
}

/// `V1SpectroClusterMetrics`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Metrics {
    /// In `MilliCore`.
    #[serde(deserialize_with = "lenient")]
    pub cpu: ComputeMetrics,
    /// In `KiB`.
    #[serde(deserialize_with = "lenient")]
    pub memory: ComputeMetrics,
}

/// `V1ComputeMetrics`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ComputeMetrics {
    /// What it may use at most.
    #[serde(deserialize_with = "lenient")]
    pub limit: Option<f64>,
    /// What its workloads have asked for.
    #[serde(deserialize_with = "lenient")]
    pub request: Option<f64>,
    /// What there is.
    #[serde(deserialize_with = "lenient")]
    pub total: Option<f64>,
    /// What is used.
    #[serde(deserialize_with = "lenient")]
    pub usage: Option<f64>,
    /// Of the numbers.
    #[serde(deserialize_with = "lenient")]
    pub unit: String,
}

/// `V1ClusterNotificationStatus`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NotificationStatus {
    /// A change of an attached profile has not been applied yet.
    #[serde(deserialize_with = "lenient")]
    pub is_available: bool,
}

/// `V1ClusterRepaveStatus`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RepaveStatus {
    /// `Pending`, `Approved`, `Reverted`
    #[serde(deserialize_with = "lenient")]
    pub state: String,
}

/// `V1Virtual`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualStatus {
    /// The group it was made in.
    #[serde(deserialize_with = "lenient")]
    pub cluster_group: Named,
    /// The cluster it runs on.
    #[serde(deserialize_with = "lenient")]
    pub host_cluster: Named,
    /// Whether it is paused.
    #[serde(deserialize_with = "lenient")]
    pub lifecycle_status: LifecycleStatus,
}

/// `V1LifecycleStatus`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LifecycleStatus {
    /// `Pausing`, `Paused`, `Resuming`, `Running`, `Error`
    #[serde(deserialize_with = "lenient")]
    pub status: String,
    /// Why.
    #[serde(deserialize_with = "lenient")]
    pub msg: String,
}
