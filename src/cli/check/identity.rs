//! Which identity holds for which cluster, and what that means.

use std::sync::Arc;

use super::{super::Failure, Report};
use crate::{
    config::Config,
    kubernetes::{Cluster, Clusters, Identity},
};

/// Whether requests to this cluster may be made as a caller.
pub(super) fn impersonates(config: &Config, cluster: &Cluster) -> bool {
    cluster.identity().map_or(!config.issuers.is_empty(), |identity| identity == Identity::Impersonate)
}

/// What the server must be allowed to impersonate for these issuers, as RBAC names it.
pub(super) fn needed(config: &Config) -> Vec<String> {
    let mut needed = vec!["users".to_owned(), "groups".to_owned()];
    if config.issuers.iter().any(|issuer| issuer.uid) {
        needed.push("uids".to_owned());
    }
    let extras = config.issuers.iter().flat_map(|issuer| issuer.extra.keys());
    needed.extend(extras.map(|name| format!("userextras/{}", name.to_lowercase())));
    needed.sort_unstable();
    needed.dedup();
    needed
}

/// One line for each identity in use.
pub(super) fn tell(config: &Config, clusters: &Clusters, report: &mut Report) -> Result<(), Failure> {
    let whose = |wanted: &dyn Fn(&Cluster) -> bool| -> Option<String> {
        let chosen: Vec<&Arc<Cluster>> = clusters.iter().filter(|cluster| wanted(cluster)).collect();
        let all = chosen.len() == clusters.iter().count();
        let names = chosen.iter().map(|cluster| clusters.shown_name(cluster)).collect::<Vec<_>>();
        match (chosen.is_empty(), all) {
            (true, _) => None,
            (false, true) => Some(String::new()),
            (false, false) => Some(format!(" ({})", names.join(", "))),
        }
    };
    let fixed = |cluster: &Cluster| cluster.identity() == Some(Identity::Own);
    let by_door = |cluster: &Cluster| cluster.identity().is_none() && config.issuers.is_empty();
    if let Some(whose) = whose(&|cluster| fixed(cluster) || by_door(cluster)) {
        report.ok(&format!(
            "identity own{whose}: every call reaches a cluster with the server's own credential (the \
             context's user, the Pod's service account, the configured token), whoever calls; our permissions \
             are the only gate"
        ))?;
    }
    if let Some(whose) = whose(&|cluster| impersonates(config, cluster)) {
        report.ok(&format!(
            "identity impersonate{whose}: callers with a token reach a cluster as themselves, so its RBAC \
             decides too and its audit log names them; the server's credential needs the RBAC verb impersonate \
             on {} (examples/rbac/impersonate.yaml)",
            needed(config).join(", "),
        ))?;
    }
    let refusing = |cluster: &Cluster| cluster.identity() == Some(Identity::Impersonate);
    if config.issuers.is_empty() && clusters.iter().any(|cluster| refusing(cluster)) {
        report.warn(
            "identity impersonate: no issuer is configured, so nobody has an identity to be shown there",
            "configure `issuers`, or set `identity: own`",
        )?;
    }
    Ok(())
}
