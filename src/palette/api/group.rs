//! Cluster groups, and how a virtual cluster is configured.

use serde::Deserialize;

use super::{ObjectMeta, cluster::Named, lenient, lenient_list, lenient_rows, search::TemplateMeta};

/// `V1ClusterGroupsHostClusterSummary`, of `/v1/clustergroups/hostCluster`: all at once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct GroupSummaries {
    /// The groups.
    #[serde(deserialize_with = "lenient_rows")]
    pub summaries: Vec<GroupSummary>,
}

/// `V1ClusterGroupSummary`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct GroupSummary {
    /// Name, uid and scope.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// What it is.
    #[serde(deserialize_with = "lenient")]
    pub spec: GroupSummarySpec,
}

/// `V1ClusterGroupSummarySpec`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupSummarySpec {
    /// `Ingress`, `LoadBalancer`
    #[serde(deserialize_with = "lenient")]
    pub endpoint_type: String,
    /// `k3s`, `cncf_k8s`, `vcluster-generic`
    #[serde(deserialize_with = "lenient")]
    pub kubernetes_distro_type: String,
    /// In cores.
    #[serde(deserialize_with = "lenient")]
    pub cpu: GroupResource,
    /// In GiB.
    #[serde(deserialize_with = "lenient")]
    pub memory: GroupResource,
    /// Perhaps of projects that a caller does not see.
    #[serde(deserialize_with = "lenient_list")]
    pub host_clusters: Vec<Named>,
    /// The profiles its virtual clusters get.
    #[serde(deserialize_with = "lenient_list")]
    pub cluster_profile_templates: Vec<TemplateMeta>,
    /// All of them.
    #[serde(deserialize_with = "lenient")]
    pub virtual_clusters_count: Option<u64>,
}

/// `V1ClusterGroupResource`
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct GroupResource {
    /// What its virtual clusters may take.
    #[serde(deserialize_with = "lenient")]
    pub allocated: Option<f64>,
    /// What they take.
    #[serde(deserialize_with = "lenient")]
    pub used: Option<f64>,
}

/// `V1ClusterGroup`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClusterGroup {
    /// Name, uid and scope.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// What it is.
    #[serde(deserialize_with = "lenient")]
    pub spec: ClusterGroupSpec,
    /// Whether it takes virtual clusters.
    #[serde(deserialize_with = "lenient")]
    pub status: ClusterGroupStatus,
}

/// `V1ClusterGroupSpec`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterGroupSpec {
    /// The host clusters.
    #[serde(deserialize_with = "lenient_list")]
    pub cluster_refs: Vec<ClusterRef>,
    /// The profiles its virtual clusters get; without packs here.
    #[serde(deserialize_with = "lenient_list")]
    pub cluster_profile_templates: Vec<Named>,
    /// What its virtual clusters are like.
    #[serde(deserialize_with = "lenient")]
    pub clusters_config: ClustersConfig,
}

/// `V1ClusterGroupClusterRef`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterRef {
    /// What people call it.
    #[serde(deserialize_with = "lenient")]
    pub cluster_name: String,
    /// 24 hexadecimal characters.
    #[serde(deserialize_with = "lenient")]
    pub cluster_uid: String,
}

/// `V1ClusterGroupClustersConfig`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClustersConfig {
    /// `Ingress`, `LoadBalancer`
    #[serde(deserialize_with = "lenient")]
    pub endpoint_type: String,
    /// `k3s`, `cncf_k8s`, `vcluster-generic`
    #[serde(deserialize_with = "lenient")]
    pub kubernetes_distro_type: String,
    /// What one virtual cluster may take.
    #[serde(deserialize_with = "lenient")]
    pub limit_config: LimitConfig,
    /// Helm values of vCluster: YAML, as a rule.
    #[serde(deserialize_with = "lenient")]
    pub values: String,
}

/// `V1ClusterGroupLimitConfig`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LimitConfig {
    /// Cores.
    #[serde(deserialize_with = "lenient")]
    pub cpu: Option<u64>,
    /// Instead of cores.
    #[serde(deserialize_with = "lenient")]
    pub cpu_milli_core: Option<u64>,
    /// MiB, older spelling.
    #[serde(deserialize_with = "lenient")]
    pub memory: Option<u64>,
    /// MiB
    #[serde(deserialize_with = "lenient", rename = "memoryMiB")]
    pub memory_mib: Option<u64>,
    /// Percent; more than 100 lets virtual clusters have more together than there is.
    #[serde(deserialize_with = "lenient")]
    pub over_subscription: Option<u64>,
    /// GiB
    #[serde(deserialize_with = "lenient", rename = "storageGiB")]
    pub storage_gib: Option<u64>,
}

/// `V1ClusterGroupStatus`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterGroupStatus {
    /// Whether it takes virtual clusters.
    #[serde(deserialize_with = "lenient")]
    pub is_active: Option<bool>,
}

/// `V1VirtualCloudConfig`, of `/v1/cloudconfigs/virtual/{uid}`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct VirtualCloudConfig {
    /// What it is.
    #[serde(deserialize_with = "lenient")]
    pub spec: VirtualCloudConfigSpec,
}

/// `V1VirtualCloudConfigSpec`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualCloudConfigSpec {
    /// Its version.
    #[serde(deserialize_with = "lenient")]
    pub cluster_config: VirtualClusterConfig,
    /// Its only one.
    #[serde(deserialize_with = "lenient_list")]
    pub machine_pool_config: Vec<VirtualMachinePool>,
}

/// `V1VirtualClusterConfig`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualClusterConfig {
    /// As `1.29.1`.
    #[serde(deserialize_with = "lenient")]
    pub kubernetes_version: String,
}

/// `V1VirtualMachinePoolConfig`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualMachinePool {
    /// How large it is.
    #[serde(deserialize_with = "lenient")]
    pub instance_type: VirtualInstanceType,
}

/// `V1VirtualInstanceType`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct VirtualInstanceType {
    /// Cores.
    #[serde(deserialize_with = "lenient", rename = "maxCPU")]
    pub max_cpu: Option<u64>,
    /// MiB
    #[serde(deserialize_with = "lenient", rename = "maxMemInMiB")]
    pub max_memory: Option<u64>,
    /// GiB
    #[serde(deserialize_with = "lenient", rename = "maxStorageGiB")]
    pub max_storage: Option<u64>,
}
