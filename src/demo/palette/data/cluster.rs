//! A cluster and all that hangs on it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    health::{Condition, Health, Metrics},
    pace::Making,
    record::{Event, Notification, Repave, Upgrade},
    uid,
};

/// A cluster, host or virtual.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Cluster {
    /// 24 hexadecimal digits.
    pub uid: String,
    /// As Palette names it.
    pub name: String,
    /// The uid of its project; none for the tenant's.
    pub project: Option<String>,
    /// The cloud type; `nested` for virtual ones.
    pub environment: String,
    /// As Palette writes it.
    pub state: String,
    /// What the agent says.
    pub health: Health,
    /// Without a leading `v`.
    pub kubernetes_version: String,
    /// Tags have the value `spectro__tag`.
    pub labels: BTreeMap<String, String>,
    /// Beside those of the scope.
    pub annotations: BTreeMap<String, String>,
    /// Its age.
    pub created: i64,
    /// The age of its last change.
    pub modified: i64,
    /// Listed only where `isDeleted` is asked for.
    pub deleted: bool,
    /// In the order of the API.
    pub conditions: Vec<Condition>,
    /// Profiles attached to it.
    pub profiles: Vec<Attached>,
    /// Conditions of packs by name; those that are not here are installed.
    pub pack_conditions: BTreeMap<String, Condition>,
    /// Nodes to be replaced.
    pub repave: Option<Repave>,
    /// Uids of the profile versions that wait to be applied.
    pub updates: Vec<String>,
    /// What `validate/repave` answers.
    pub update_repaves: bool,
    /// What is to be done about it.
    pub notifications: Vec<Notification>,
    /// What happened.
    pub events: Vec<Event>,
    /// What was changed.
    pub upgrades: Vec<Upgrade>,
    /// Host and port.
    pub endpoints: Vec<(String, u16)>,
    /// Services of add-ons: name and address.
    pub services: Vec<(String, String)>,
    /// Where an imported cluster gets its agent from; empty for others.
    pub import_link: String,
    /// What it uses.
    pub metrics: Option<Metrics>,
    /// What makes it a virtual one.
    pub virtual_cluster: Option<Virtual>,
    /// None: made of the endpoint and the OIDC configuration.
    pub kubeconfigs: Option<Kubeconfigs>,
    /// Kubeconfigs come base64-encoded.
    pub base64: bool,
    /// How people log in to it.
    pub oidc: Option<Oidc>,
    /// The uid of the cloud account.
    pub account: Option<String>,
    /// Its machines.
    pub pools: Vec<Pool>,
    /// Of the cloud.
    pub region: String,
    /// What is on its way.
    pub making: Option<Making>,
}

/// A version of a profile on a cluster, and what the cluster overrides.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Attached {
    /// The uid of the profile version.
    pub version: String,
    /// Values by pack name.
    pub values: BTreeMap<String, String>,
    /// Contents by manifest name.
    pub manifests: BTreeMap<String, String>,
    /// Values of variables by name.
    pub variables: BTreeMap<String, String>,
}

/// What makes a cluster a virtual one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Virtual {
    /// The uid of the host cluster.
    pub host: String,
    /// The uid of the cluster group.
    pub group: Option<String>,
    /// `Running`, `Paused`, …; empty is running.
    pub lifecycle: String,
    /// For people.
    pub message: String,
    /// Helm values, YAML.
    pub values: String,
    /// The most that it may have: cores, MiB, GiB.
    pub size: (u32, u32, u32),
}

/// The kubeconfigs of a cluster, as stored; one that is missing is not found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Kubeconfigs {
    /// `kubeconfig`
    pub user: Option<String>,
    /// `kubeconfigclient`
    pub client: Option<String>,
    /// `frpKubeconfig`
    pub frp: Option<String>,
    /// `adminKubeconfig`
    pub admin: Option<String>,
}

/// `SpectroClusterOidcSpec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Oidc {
    /// The client of the login.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Who issues the tokens.
    pub issuer_url: String,
    /// What is asked for.
    pub scopes: Vec<String>,
}

/// `MachinePoolMeta`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Pool {
    /// Not workers.
    pub control_plane: bool,
    /// How many machines.
    pub size: u32,
    /// How many of them are well.
    pub healthy: u32,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            uid: String::new(),
            name: String::new(),
            project: None,
            environment: "vsphere".into(),
            state: "Running".into(),
            health: Health::default(),
            kubernetes_version: "1.31.4".into(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            created: 60 * 24 * 60,
            modified: 30,
            deleted: false,
            conditions: [
                "CloudInfrastructureReady",
                "ControlPlaneNodeAdditionDone",
                "WorkerNodeAdditionDone",
            ]
            .map(Condition::met)
            .to_vec(),
            profiles: Vec::new(),
            pack_conditions: BTreeMap::new(),
            repave: None,
            updates: Vec::new(),
            update_repaves: false,
            notifications: Vec::new(),
            events: Vec::new(),
            upgrades: Vec::new(),
            endpoints: Vec::new(),
            services: Vec::new(),
            import_link: String::new(),
            metrics: None,
            virtual_cluster: None,
            kubeconfigs: None,
            base64: false,
            oidc: None,
            account: None,
            pools: vec![
                Pool { control_plane: true, size: 3, healthy: 3 },
                Pool { control_plane: false, size: 3, healthy: 3 },
            ],
            region: String::new(),
            making: None,
        }
    }
}

impl Cluster {
    /// A healthy one in the project of that uid (or the tenant's), with a uid made of both.
    pub fn new(name: &str, project: Option<&str>) -> Self {
        let scope = project.unwrap_or("tenant");
        let uid = uid(&format!("cluster/{scope}/{name}"));
        Self {
            endpoints: vec![(format!("{name}-{}.k8s.example.com", uid.get(..4).unwrap_or_default()), 6443)],
            uid,
            name: name.into(),
            project: project.map(Into::into),
            ..Self::default()
        }
    }

    /// Whether it ever had a control plane to connect to.
    pub(in crate::demo::palette) fn connectable(&self) -> bool {
        !matches!(self.state.as_str(), "Pending" | "Provisioning" | "Importing")
    }
}

impl Attached {
    /// That version of a profile, nothing overridden.
    pub fn new(version: &str) -> Self {
        Self { version: version.into(), ..Self::default() }
    }
}
