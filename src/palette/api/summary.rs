//! One cluster, virtual or not, as the dashboard tells it: the smallest answer that holds its conditions, health
//! and packs.

use serde::Deserialize;

use super::{
    ObjectMeta, lenient, lenient_list,
    search::{LifecycleStatus, Metrics},
};

/// `v1SpectroClusterUidSummary`, of `/v1/dashboard/spectroclusters/{uid}`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClusterSummary {
    /// Name, uid, scope and tags.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// What it is made of.
    #[serde(deserialize_with = "lenient")]
    pub spec: Spec,
    /// How it is.
    #[serde(deserialize_with = "lenient")]
    pub status: Status,
}

/// What a cluster is made of.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// `amd64`, `arm64`
    #[serde(deserialize_with = "lenient_list")]
    pub arch_types: Vec<String>,
    /// Its machines.
    #[serde(deserialize_with = "lenient")]
    pub cloud_config: CloudConfig,
    /// The account that it was made with; no secret of it.
    #[serde(rename = "cloudaccount", deserialize_with = "lenient")]
    pub cloud_account: Named,
    /// The profiles that are attached: each with the uid of one version.
    #[serde(deserialize_with = "lenient_list")]
    pub cluster_profile_templates: Vec<Template>,
}

/// `v1CloudConfigMeta`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CloudConfig {
    /// `aws`, `vsphere`, `nested` (a virtual cluster), …
    #[serde(deserialize_with = "lenient")]
    pub cloud_type: String,
    /// Groups of like machines.
    #[serde(deserialize_with = "lenient_list")]
    pub machine_pools: Vec<MachinePool>,
}

/// `v1MachinePoolMeta`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MachinePool {
    /// Machines that are healthy.
    #[serde(deserialize_with = "lenient")]
    pub healthy: Option<u64>,
    /// Machines that there should be.
    #[serde(deserialize_with = "lenient")]
    pub size: u64,
    /// Machines under maintenance.
    #[serde(deserialize_with = "lenient")]
    pub maintenance_mode: u64,
    /// Whether the control plane runs there.
    #[serde(deserialize_with = "lenient")]
    pub is_control_plane: bool,
}

/// A reference by name and uid.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Named {
    /// What it is, where that is told.
    #[serde(deserialize_with = "lenient")]
    pub kind: String,
    /// What people call it.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// Its uid.
    #[serde(deserialize_with = "lenient")]
    pub uid: String,
}

/// `v1ClusterProfileTemplateMeta`: without the packs, whose values can be large.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Template {
    /// Of the version that is attached.
    #[serde(deserialize_with = "lenient")]
    pub uid: String,
    /// Of the profile.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// `system`, `tenant`, `project`
    #[serde(deserialize_with = "lenient")]
    pub scope: String,
    /// `cluster`, `infra`, `add-on`, `system`
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
}

/// How a cluster is: `v1SpectroClusterUidStatusSummary`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// `Running`, `Pending`, `Error`, …: how far it is, which says nothing of its health.
    #[serde(deserialize_with = "lenient")]
    pub state: String,
    /// Steps of its making.
    #[serde(deserialize_with = "lenient_list")]
    pub conditions: Vec<Condition>,
    /// What its agent reports.
    #[serde(deserialize_with = "lenient")]
    pub health: Health,
    /// Its packs.
    #[serde(deserialize_with = "lenient_list")]
    pub packs: Vec<PackStatus>,
    /// Where its API server is.
    #[serde(deserialize_with = "lenient_list")]
    pub api_endpoints: Vec<ApiEndpoint>,
    /// What packs offer.
    #[serde(deserialize_with = "lenient_list")]
    pub add_on_services: Vec<AddOnService>,
    /// Load balancers.
    #[serde(deserialize_with = "lenient_list")]
    pub services: Vec<Service>,
    /// How it was imported, where it was.
    #[serde(deserialize_with = "lenient")]
    pub cluster_import: Import,
    /// What its kubeconfigs are.
    #[serde(deserialize_with = "lenient")]
    pub kube_meta: KubeMeta,
    /// What it uses, of a virtual cluster: of its quota.
    #[serde(deserialize_with = "lenient")]
    pub metrics: Metrics,
    /// Whether something is waiting to be done.
    #[serde(deserialize_with = "lenient")]
    pub notifications: Pending,
    /// Whether changes wait to be applied.
    #[serde(deserialize_with = "lenient")]
    pub spc_apply: Apply,
    /// What was changed in it, and when.
    #[serde(deserialize_with = "lenient_list")]
    pub upgrades: Vec<Upgrade>,
    /// Of a virtual cluster, or of a host of some.
    #[serde(rename = "virtual", deserialize_with = "lenient")]
    pub virtualised: Virtual,
}

/// `v1ClusterCondition`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// What it is about, as `BootstrappingDone`.
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    /// `True`, `False`, `Unknown`
    #[serde(deserialize_with = "lenient")]
    pub status: String,
    /// A word for why.
    #[serde(deserialize_with = "lenient")]
    pub reason: String,
    /// In words.
    #[serde(deserialize_with = "lenient")]
    pub message: String,
    /// RFC 3339.
    #[serde(deserialize_with = "lenient")]
    pub last_transition_time: String,
}

/// `v1SpectroClusterHealthStatus`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Health {
    /// `Healthy`, `UnHealthy`, `Unhealthy`: in any case.
    #[serde(deserialize_with = "lenient")]
    pub state: String,
    /// Of the agent.
    #[serde(deserialize_with = "lenient")]
    pub agent_version: String,
    /// RFC 3339.
    #[serde(deserialize_with = "lenient")]
    pub last_heart_beat_timestamp: String,
    /// What is wrong.
    #[serde(deserialize_with = "lenient_list")]
    pub conditions: Vec<HealthCondition>,
}

/// `v1SpectroClusterHealthCondition`: it has no status, and is there while something is wrong.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthCondition {
    /// What is wrong.
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    /// In words.
    #[serde(deserialize_with = "lenient")]
    pub message: String,
    /// With what.
    #[serde(deserialize_with = "lenient")]
    pub related_object: Named,
}

/// `v1ClusterPackStatus`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PackStatus {
    /// Of the pack.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// The version that is deployed.
    #[serde(deserialize_with = "lenient")]
    pub version: String,
    /// The version of the profile that brought it.
    #[serde(deserialize_with = "lenient")]
    pub profile_uid: String,
    /// Absent until the agent has reported.
    #[serde(deserialize_with = "lenient")]
    pub condition: Option<Condition>,
    /// What it deploys beside its chart.
    #[serde(deserialize_with = "lenient_list")]
    pub manifests: Vec<ManifestStatus>,
}

/// `v1ClusterPackManifestStatus`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ManifestStatus {
    /// Of the manifest.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// Its uid, as `palette_pack_manifest` takes it.
    #[serde(deserialize_with = "lenient")]
    pub uid: String,
    /// Absent until the agent has reported.
    #[serde(deserialize_with = "lenient")]
    pub condition: Option<Condition>,
}

/// `v1APIEndpoint`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ApiEndpoint {
    /// A name or an address.
    #[serde(deserialize_with = "lenient")]
    pub host: String,
    /// TCP.
    #[serde(deserialize_with = "lenient")]
    pub port: u16,
}

/// `v1SpectroClusterAddOnServiceSummary`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AddOnService {
    /// Of the service.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// Where it is.
    #[serde(deserialize_with = "lenient")]
    pub endpoint: String,
}

/// `v1LoadBalancerService`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Service {
    /// Of the service.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// A name or an address.
    #[serde(deserialize_with = "lenient")]
    pub host: String,
    /// What it listens on.
    #[serde(deserialize_with = "lenient_list")]
    pub ports: Vec<ServicePort>,
}

/// `v1ServicePort`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServicePort {
    /// A number.
    #[serde(deserialize_with = "lenient")]
    pub port: u16,
}

/// `v1ClusterImport`; its link installs an agent with a token in it, and is not read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Import {
    /// How far the import is.
    #[serde(deserialize_with = "lenient")]
    pub state: String,
    /// Whether it was there before Palette.
    #[serde(deserialize_with = "lenient")]
    pub is_brownfield: bool,
}

/// `v1KubeMeta`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KubeMeta {
    /// Of Kubernetes.
    #[serde(deserialize_with = "lenient")]
    pub kubernetes_version: String,
    /// Whether there is a kubeconfig for users.
    #[serde(deserialize_with = "lenient")]
    pub has_kube_config: bool,
    /// Whether there is one with OIDC.
    #[serde(deserialize_with = "lenient")]
    pub has_kube_config_client: bool,
}

/// `v1ClusterNotificationStatus`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Pending {
    /// Whether there is something to be done: profile updates.
    #[serde(deserialize_with = "lenient")]
    pub is_available: bool,
    /// Whether a variable of a profile has no value.
    #[serde(deserialize_with = "lenient")]
    pub is_template_variable_resolution_pending: bool,
}

/// `v1SpcApply`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Apply {
    /// `DownloadAndInstall`, `DownloadAndInstallLater`
    #[serde(deserialize_with = "lenient")]
    pub action_type: String,
    /// Whether the agent may apply them.
    #[serde(deserialize_with = "lenient")]
    pub can_be_applied: bool,
}

/// `v1Upgrades`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Upgrade {
    /// What was changed, in words: a field with its old and its new value.
    #[serde(deserialize_with = "lenient_list")]
    pub reason: Vec<String>,
    /// RFC 3339.
    #[serde(deserialize_with = "lenient")]
    pub timestamp: String,
}

/// `v1Virtual`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Virtual {
    /// The group it was made in.
    #[serde(deserialize_with = "lenient")]
    pub cluster_group: Owned,
    /// The cluster it runs in, perhaps of another project.
    #[serde(deserialize_with = "lenient")]
    pub host_cluster: Owned,
    /// Those that run in it, perhaps of other projects.
    #[serde(deserialize_with = "lenient_list")]
    pub virtual_clusters: Vec<Owned>,
    /// Whether it is paused.
    #[serde(deserialize_with = "lenient")]
    pub lifecycle_status: LifecycleStatus,
}

/// `v1ObjectResReference`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Owned {
    /// What people call it.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// Its uid.
    #[serde(deserialize_with = "lenient")]
    pub uid: String,
    /// Of the project it is in; empty in the tenant.
    #[serde(deserialize_with = "lenient")]
    pub project_uid: String,
}

/// Names of tags: labels of this value are no key and value.
const TAG: &str = "spectro__tag";

impl ClusterSummary {
    /// Its tags: `name`, or `name:value`.
    pub fn tags(&self) -> Vec<String> {
        let shown = |(key, value): (&String, &String)| match value.as_str() {
            TAG | "" => key.clone(),
            value => format!("{key}:{value}"),
        };
        self.metadata.labels.iter().map(shown).collect()
    }

    /// Whether it is a virtual cluster.
    pub fn is_virtual(&self) -> bool {
        is_virtual(&self.spec.cloud_config.cloud_type)
    }
}

/// Whether this is what clusters inside others are called.
pub fn is_virtual(cloud_type: &str) -> bool {
    ["nested", "virtual"].iter().any(|known| cloud_type.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_null_or_odd_costs_itself_and_nothing_else() {
        let summary: ClusterSummary = serde_json::from_value(json!({
            "metadata": {"name": "a", "uid": "u", "labels": {"team": "x", "gpu": "spectro__tag"}},
            "spec": null,
            "status": {
                "state": "Running", "health": null, "virtual": null, "kubeMeta": [], "notifications": 7,
                "conditions": [null, "odd", {"type": "A", "status": "False", "message": null}],
                "packs": [{"name": "p", "condition": null, "manifests": null}, {"name": "q", "condition": {}}],
                "apiEndpoints": [{"host": "h", "port": 6443}, {"host": "i", "port": 70000}],
            }
        }))
        .expect("lenient");
        assert_eq!(summary.status.conditions.len(), 1);
        assert_eq!(summary.status.packs.len(), 2);
        assert!(summary.status.packs[0].condition.is_none());
        assert_eq!(summary.status.api_endpoints[1].port, 0);
        assert_eq!(summary.tags(), ["gpu", "team:x"]);
    }
}
