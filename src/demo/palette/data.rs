//! What a tenant of the simulated Palette holds, as plain data: the views make the contract's shapes of it.
//!
//! Ages are minutes before the tenant was made, uids 24 hexadecimal digits.

mod cluster;
mod fleet;
mod health;
mod pace;
mod planted;
mod profile;
mod record;

use std::{
    collections::BTreeMap,
    io,
    sync::atomic::{AtomicU64, Ordering},
};

use serde::Deserialize;
use serde_json::Value;

pub use self::{
    cluster::{Attached, Cluster, Kubeconfigs, Oidc, Pool, Virtual},
    health::{Condition, Health, HealthCondition, Metrics, Usage},
    pace::{Making, Pace},
    profile::{Manifest, Pack, Profile, Variable, Version},
    record::{Event, Notification, Repave, RepaveReason, Upgrade},
};
use super::limits::Limits;

const SAMPLE: &str = include_str!("../../../demo/palette/platform.yaml");
/// The host, in the sample, of the cluster whose Kubernetes API is served too.
const KUBERNETES: &str = "kubernetes-here";

/// A tenant: who may ask, what there is, and how the API behaves where the contract leaves it open.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Data {
    /// The organisation.
    pub name: String,
    /// Stands in `tenantUid` annotations.
    pub uid: String,
    /// The API key of the whole tenant; a new one for each `Data`.
    pub key: String,
    /// API keys of one project: key to project uid.
    pub project_keys: BTreeMap<String, String>,
    /// Those who signed in.
    pub users: Vec<User>,
    /// Projects whose uid in `ProjectUid` is forbidden, though listed; rows of the tenant scope keep them.
    pub denied: Vec<String>,
    /// The projects of the tenant.
    pub projects: Vec<Project>,
    /// Host clusters and virtual ones.
    pub clusters: Vec<Cluster>,
    /// Cluster profiles.
    pub profiles: Vec<Profile>,
    /// Groups of host clusters.
    pub groups: Vec<ClusterGroup>,
    /// Accounts with clouds.
    pub accounts: Vec<CloudAccount>,
    /// What developers may use.
    pub credit: Credit,
    /// What developers use.
    pub used_credit: Credit,
    /// How many requests are let through.
    pub limits: Limits,
    /// `metadata/search` answers with the first fifty rows only, the count telling the truth (reference 6.12a).
    pub metadata_search_cut: bool,
    /// Tenant scope lists only profiles of the tenant (reference 9).
    pub tenant_profiles_only: bool,
    /// Profile lists have one row a profile, its newest version, instead of one a version (reference 6.12c).
    pub one_row_per_profile: bool,
    /// Put into the message of every refusal, as an API that is careless with what it was sent.
    pub echo: String,
    /// How clusters that are made come up, and changes are applied.
    pub pace: Pace,
}

/// One who signed in: what the `Authorization` header holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct User {
    /// Looks like a JWT.
    pub token: String,
    /// The uids of the projects they see.
    pub projects: Vec<String>,
    /// Sees the tenant scope too, and every project.
    pub tenant: bool,
}

/// A project.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Project {
    /// 24 hexadecimal digits.
    pub uid: String,
    /// As Palette names it.
    pub name: String,
    /// What people are told of it.
    pub description: String,
    /// Tags have the value `spectro__tag`.
    pub labels: BTreeMap<String, String>,
    /// Its age.
    pub created: i64,
}

/// A group of host clusters for virtual ones.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ClusterGroup {
    /// 24 hexadecimal digits.
    pub uid: String,
    /// As Palette names it.
    pub name: String,
    /// The uid of its project; none for the tenant's.
    pub project: Option<String>,
    /// Tags have the value `spectro__tag`.
    pub labels: BTreeMap<String, String>,
    /// Uids of the host clusters.
    pub hosts: Vec<String>,
    /// Uids of profile versions.
    pub profiles: Vec<String>,
    /// `Ingress` or `LoadBalancer`.
    pub endpoint_type: String,
    /// `k3s`, `cncf_k8s` or `vcluster-generic`.
    pub distribution: String,
    /// `clustersConfig.limitConfig`.
    pub limits: Value,
    /// Helm values of the virtual clusters, YAML.
    pub values: String,
    /// Allocated and used cores.
    pub cpu: (f64, f64),
    /// Allocated and used memory.
    pub memory: (f64, f64),
    /// Whether it takes virtual clusters.
    pub active: bool,
    /// Its age.
    pub created: i64,
}

/// An account with a cloud.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct CloudAccount {
    /// 24 hexadecimal digits.
    pub uid: String,
    /// As Palette names it.
    pub name: String,
    /// The uid of its project; none for the tenant's.
    pub project: Option<String>,
    /// `aws`, `azure`, `gcp`, `vsphere`, `maas`.
    pub kind: String,
    /// The account with the provider.
    pub account_id: String,
    /// As Palette writes it.
    pub state: String,
    /// The typed spec, credentials and all.
    pub spec: Value,
    /// Beside those of the scope.
    pub annotations: BTreeMap<String, String>,
    /// Its age.
    pub created: i64,
}

/// `DeveloperCredit`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Credit {
    /// Millicores.
    pub cpu: u32,
    /// GiB of memory.
    pub memory_gib: u32,
    /// GiB of storage.
    pub storage_gib: u32,
    /// How many virtual clusters.
    pub virtual_clusters: u32,
}

impl Default for Data {
    fn default() -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        Self {
            name: "acme".into(),
            uid: uid("tenant"),
            key: format!("palette-api-key-{number}"),
            project_keys: BTreeMap::new(),
            users: Vec::new(),
            denied: Vec::new(),
            projects: Vec::new(),
            clusters: Vec::new(),
            profiles: Vec::new(),
            groups: Vec::new(),
            accounts: Vec::new(),
            credit: Credit { cpu: 16, memory_gib: 64, storage_gib: 200, virtual_clusters: 8 },
            used_credit: Credit { cpu: 6, memory_gib: 20, storage_gib: 60, virtual_clusters: 2 },
            limits: Limits::default(),
            metadata_search_cut: false,
            tenant_profiles_only: false,
            one_row_per_profile: false,
            echo: String::new(),
            pace: Pace::default(),
        }
    }
}

impl Default for ClusterGroup {
    fn default() -> Self {
        Self {
            uid: String::new(),
            name: String::new(),
            project: None,
            labels: BTreeMap::new(),
            hosts: Vec::new(),
            profiles: Vec::new(),
            endpoint_type: "Ingress".into(),
            distribution: "k3s".into(),
            limits: serde_json::json!({
                "cpuMilliCore": 4000, "memoryMiB": 8192, "storageGiB": 20, "overSubscription": 120,
            }),
            values: "sync:\n  toHost:\n    ingresses:\n      enabled: true\n".into(),
            cpu: (16.0, 4.0),
            memory: (64.0, 12.0),
            active: true,
            created: 90 * 24 * 60,
        }
    }
}

impl Project {
    /// With a uid made of the name.
    pub fn new(name: &str) -> Self {
        Self {
            uid: uid(&format!("project/{name}")),
            name: name.into(),
            created: 400 * 24 * 60,
            ..Self::default()
        }
    }
}

impl Data {
    /// The sample platform, its Kubernetes API at that host and port.
    ///
    /// # Errors
    /// The sample, which is part of the binary, cannot be read.
    pub fn sample(kubernetes: Option<(&str, u16)>) -> io::Result<Self> {
        let mut data: Self =
            serde_saphyr::from_str(SAMPLE).map_err(|error| io::Error::other(error.to_string()))?;
        for endpoint in data.clusters.iter_mut().flat_map(|cluster| &mut cluster.endpoints) {
            if endpoint.0 == KUBERNETES {
                let (host, port) = kubernetes.unwrap_or(("web.k8s.example.com", endpoint.1));
                *endpoint = (host.to_owned(), port);
            }
        }
        Ok(data)
    }

    /// The project of that uid.
    pub fn project(&self, uid: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.uid == uid)
    }

    /// The cluster of that uid.
    pub fn cluster(&self, uid: &str) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.uid == uid)
    }

    /// The profile with a version of that uid, and the version.
    pub fn version(&self, uid: &str) -> Option<(&Profile, &Version)> {
        self.profiles
            .iter()
            .flat_map(|profile| profile.versions.iter().map(move |version| (profile, version)))
            .find(|(_, version)| version.uid == uid)
    }
}

/// A uid that is always the same for the same text.
pub fn uid(text: &str) -> String {
    let hash = |basis: u64| {
        text.bytes().fold(basis, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let (high, low) = (hash(0xcbf2_9ce4_8422_2325), hash(0x9e37_79b9_7f4a_7c15));
    format!("{high:016x}{:08x}", low >> 32)
}
