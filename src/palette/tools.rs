//! The tools: typed input and output, the requirement, and glue.

mod cloud_accounts;
mod cluster_groups;
mod clusters;
mod fleet;
pub mod names;
mod pack_exposure;
mod projects;
mod upgrades;
mod virtual_clusters;

pub use cloud_accounts::ListCloudAccounts;
pub use cluster_groups::ListClusterGroups;
pub use clusters::ListClusters;
pub use fleet::ShowFleet;
pub use pack_exposure::ShowExposure;
pub use projects::ListProjects;
pub use upgrades::ListUpgrades;
pub use virtual_clusters::ListVirtualClusters;

use crate::toolbox::Reach;

/// What a tool reaches whose arguments are these.
fn reach(environment: Option<&String>, project: Option<&String>) -> Reach {
    Reach::Environments { environment: environment.cloned(), project: project.cloned() }
}
