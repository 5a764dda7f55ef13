//! The list of tools: one line each, which joins a contract file to a handler. A line without its
//! file or its handler does not compile; a file without its line fails the test below.

use std::sync::Arc;

use super::{contract::ContractProblem, entry::Entry};

macro_rules! tools {
    ($($path:literal => $handler:ty),+ $(,)?) => {
        /// Every tool, in the order of the documentation.
        ///
        /// # Errors
        /// What is wrong with a contract file.
        pub fn all() -> Result<Vec<Arc<Entry>>, ContractProblem> {
            Ok(vec![$(
                Arc::new(Entry::new::<$handler>(
                    $path,
                    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tools/", $path, ".md")),
                )?)
            ),+])
        }

        #[cfg(test)]
        const PATHS: &[&str] = &[$($path),+];
    };
}

tools! {
    "kro/apply_instance" => crate::kro::tools::ApplyInstance,
    "kro/apply_rgd" => crate::kro::tools::ApplyRgd,
    "kro/delete_instance" => crate::kro::tools::DeleteInstance,
    "kro/diagnose" => crate::kro::tools::Diagnose,
    "kro/events" => crate::kro::tools::ListEvents,
    "kro/graph" => crate::kro::tools::ShowGraph,
    "kro/instances" => crate::kro::tools::ListInstances,
    "kro/overview" => crate::kro::tools::ShowOverview,
    "kro/reconcile" => crate::kro::tools::Reconcile,
    "kro/resources" => crate::kro::tools::ListResources,
    "kro/revision_diff" => crate::kro::tools::CompareRevisions,
    "kro/rgd" => crate::kro::tools::ShowRgd,
    "kro/rgds" => crate::kro::tools::ListRgds,
    "kro/watch" => crate::kro::tools::WatchInstance,
    "kro/yaml" => crate::kro::tools::ShowManifest,
    "knative/event_mesh" => crate::knative::tools::ShowEventMesh,
    "kubernetes/access" => crate::kubernetes::tools::ShowAccess,
    "kubernetes/clusters" => crate::kubernetes::tools::ListClusters,
    "kubernetes/events" => crate::kubernetes::tools::ListEvents,
    "kubernetes/proxy" => crate::kubernetes::tools::Proxy,
    "kubernetes/proxy_write" => crate::kubernetes::tools::ProxyWrite,
    "palette/acknowledge" => crate::palette::tools::Acknowledge,
    "palette/apply_updates" => crate::palette::tools::ApplyUpdates,
    "palette/cloud_accounts" => crate::palette::tools::ListCloudAccounts,
    "palette/cluster" => crate::palette::tools::ShowCluster,
    "palette/cluster_events" => crate::palette::tools::ListEvents,
    "palette/cluster_groups" => crate::palette::tools::ListClusterGroups,
    "palette/cluster_health" => crate::palette::tools::DiagnoseCluster,
    "palette/cluster_profiles" => crate::palette::tools::ListClusterProfiles,
    "palette/clusters" => crate::palette::tools::ListClusters,
    "palette/create_cluster" => crate::palette::tools::CreateCluster,
    "palette/drift" => crate::palette::tools::ShowDrift,
    "palette/fleet" => crate::palette::tools::ShowFleet,
    "palette/kubeconfig" => crate::palette::tools::MakeKubeconfig,
    "palette/pack_exposure" => crate::palette::tools::ShowExposure,
    "palette/pack_manifest" => crate::palette::tools::ShowPackManifest,
    "palette/profile_clusters" => crate::palette::tools::ListProfileClusters,
    "palette/profile_diff" => crate::palette::tools::CompareProfiles,
    "palette/profile_packs" => crate::palette::tools::ListProfilePacks,
    "palette/profile_variables" => crate::palette::tools::ListProfileVariables,
    "palette/profiles" => crate::palette::tools::ListProfiles,
    "palette/projects" => crate::palette::tools::ListProjects,
    "palette/repave" => crate::palette::tools::DecideRepave,
    "palette/upgrades" => crate::palette::tools::ListUpgrades,
    "palette/virtual_clusters" => crate::palette::tools::ListVirtualClusters,
    "platform/whoami" => crate::platform::whoami::Whoami,
}

/// What doors ask on a caller's behalf, through the same gate. No caller can name it.
///
/// # Errors
/// What is wrong with a contract.
pub(super) fn unlisted() -> Result<Vec<Arc<Entry>>, ContractProblem> {
    use crate::{
        catalog::export,
        knative::published,
        kro::tools::names,
        kubernetes::tools::{investigate, pass},
        palette::tools::names as palette_names,
    };
    Ok(vec![
        Arc::new(Entry::new::<export::Export>("catalog/entities", export::CONTRACT)?),
        Arc::new(Entry::new::<published::PublishMesh>("knative/published", published::CONTRACT)?),
        Arc::new(Entry::new::<names::ListNames>("kro/names", names::CONTRACT)?),
        Arc::new(Entry::new::<investigate::Investigate>("kubernetes/investigate", investigate::CONTRACT)?),
        Arc::new(Entry::new::<pass::PassRequest>("kubernetes/pass", pass::CONTRACT)?),
        Arc::new(Entry::new::<palette_names::ListNames>("palette/names", palette_names::CONTRACT)?),
    ])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_contract_file_is_joined_to_a_handler() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools");
        let mut files = Vec::new();
        for folder in std::fs::read_dir(&root).expect("tools/").flatten() {
            for file in std::fs::read_dir(folder.path()).expect("a toolset").flatten() {
                let path = file.path().with_extension("");
                files.push(path.strip_prefix(&root).expect("below").to_string_lossy().into_owned());
            }
        }
        files.sort();
        let mut named = PATHS.to_vec();
        named.sort_unstable();
        assert_eq!(files, named, "files in tools/ against lines in src/toolbox/list.rs");
        all().expect("every contract is valid");
    }

    #[test]
    fn every_handler_has_its_line() {
        fn handlers(folder: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    handlers(&path, found);
                } else if !path.ends_with("tests.rs") {
                    let text = std::fs::read_to_string(&path).expect("a source file");
                    let lines = text.lines().filter_map(|line| line.strip_prefix("impl Tool for "));
                    found.extend(lines.map(|line| line.trim_end_matches(" {").to_owned()));
                }
            }
        }
        let mut found = Vec::new();
        handlers(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        let joined = PATHS.len() + unlisted().expect("valid").len();
        assert_eq!(found.len(), joined, "handlers {found:?} against lines in src/toolbox/list.rs");
    }

    #[test]
    fn what_a_model_reads_of_a_tool_is_small() {
        let tools = all().expect("valid");
        let bytes: usize = tools
            .iter()
            .map(|tool| {
                let schema = serde_json::to_string(&tool.input_schema).expect("JSON").len();
                tool.contract.name.len() + tool.contract.description.len() + schema
            })
            .sum();
        assert!(bytes / tools.len() <= 650, "{} bytes a tool on average", bytes / tools.len());
    }
}
