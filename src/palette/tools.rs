//! The tools: typed input and output, the requirement, and glue.

mod acknowledge;
mod apply_updates;
mod attached;
mod change_row;
mod cloud_accounts;
mod cluster;
mod cluster_events;
mod cluster_groups;
mod cluster_health;
mod cluster_profiles;
mod clusters;
mod create_cluster;
mod drift;
mod fleet;
mod kubeconfig;
pub mod names;
mod pack_exposure;
mod pack_manifest;
mod pack_row;
mod profile_clusters;
mod profile_diff;
mod profile_packs;
mod profile_variables;
mod profiles;
mod projects;
mod repave;
mod share;
mod upgrades;
mod virtual_clusters;

pub use acknowledge::Acknowledge;
pub use apply_updates::ApplyUpdates;
pub use cloud_accounts::ListCloudAccounts;
pub use cluster::ShowCluster;
pub use cluster_events::ListEvents;
pub use cluster_groups::ListClusterGroups;
pub use cluster_health::DiagnoseCluster;
pub use cluster_profiles::ListClusterProfiles;
pub use clusters::ListClusters;
pub use create_cluster::CreateCluster;
pub use drift::ShowDrift;
pub use fleet::ShowFleet;
pub use kubeconfig::MakeKubeconfig;
pub use pack_exposure::ShowExposure;
pub use pack_manifest::ShowPackManifest;
pub use profile_clusters::ListProfileClusters;
pub use profile_diff::CompareProfiles;
pub use profile_packs::ListProfilePacks;
pub use profile_variables::ListProfileVariables;
pub use profiles::ListProfiles;
pub use projects::ListProjects;
pub use repave::DecideRepave;
pub use upgrades::ListUpgrades;
pub use virtual_clusters::ListVirtualClusters;

use crate::toolbox::Reach;

/// What a tool reaches whose arguments are these.
fn reach(environment: Option<&String>, project: Option<&String>) -> Reach {
    Reach::Environments { environment: environment.cloned(), project: project.cloned() }
}
