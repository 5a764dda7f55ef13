//! Which identity holds for which cluster, and what that means.

use std::{collections::BTreeMap, sync::Arc};

use super::{super::Failure, Report};
use crate::{
    config::Config,
    kubernetes::{Cluster, Clusters, Identity, presented::header},
};

/// Clusters that a line names.
const MOST_NAMES: usize = 10;

/// How callers are shown to this cluster.
pub(super) fn mode(config: &Config, cluster: &Cluster) -> Identity {
    let by_door = if nobody(config) { Identity::Own } else { Identity::Impersonate };
    cluster.identity().unwrap_or(by_door)
}

/// Whether there is nobody but the local user.
fn nobody(config: &Config) -> bool {
    config.issuers.is_empty() && config.backstage.is_none()
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

/// Some of many.
fn listed(names: &[String]) -> String {
    match names.split_at_checked(MOST_NAMES) {
        Some((some, more @ [_, ..])) => format!("{} and {} more", some.join(", "), more.len()),
        _ => names.join(", "),
    }
}

/// One line for each identity in use.
pub(super) fn tell(config: &Config, clusters: &Clusters, report: &mut Report) -> Result<(), Failure> {
    let whose = |wanted: &dyn Fn(&Cluster) -> bool| -> Option<String> {
        let chosen: Vec<&Arc<Cluster>> = clusters.iter().filter(|cluster| wanted(cluster)).collect();
        let all = chosen.len() == clusters.iter().count();
        let names: Vec<String> = chosen.iter().map(|cluster| clusters.shown_name(cluster)).collect();
        match (chosen.is_empty(), all) {
            (true, _) => None,
            (false, true) => Some(String::new()),
            (false, false) => Some(format!(" ({})", listed(&names))),
        }
    };
    if let Some(whose) = whose(&|cluster| mode(config, cluster) == Identity::Own) {
        report.ok(&format!(
            "identity own{whose}: every call reaches a cluster with the server's own credential (the \
             context's user, the Pod's service account, the configured token), whoever calls; our permissions \
             are the only gate"
        ))?;
    }
    if let Some(whose) = whose(&|cluster| mode(config, cluster) == Identity::Impersonate) {
        report.ok(&format!(
            "identity impersonate{whose}: callers with a token reach a cluster as themselves, so its RBAC \
             decides too and its audit log names them; the server's credential needs the RBAC verb impersonate \
             on {} (examples/rbac/impersonate.yaml)",
            needed(config).join(", "),
        ))?;
    }
    if let Some(whose) = whose(&|cluster| mode(config, cluster) == Identity::Exchange) {
        report.ok(&format!(
            "identity exchange{whose}: callers reach a cluster as themselves, with a token that their issuer gives \
             for their own (RFC 8693)"
        ))?;
    }
    if let Some(whose) = whose(&|cluster| mode(config, cluster) == Identity::CallerHeader) {
        let theirs = clusters.iter().filter(|cluster| mode(config, cluster) == Identity::CallerHeader);
        let mut by_header: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for cluster in theirs {
            by_header.entry(header(cluster.provider())).or_default().push(clusters.shown_name(cluster));
        }
        let headers = by_header.iter().map(|(header, names)| format!("{}: {header}", listed(names)));
        let headers: Vec<String> = headers.collect();
        report.ok(&format!(
            "identity caller-header{whose}: callers reach a cluster as themselves, with the token that they send \
             beside their own, over HTTP alone ({})",
            headers.join(", ")
        ))?;
    }
    let exchanges = clusters.iter().any(|cluster| mode(config, cluster) == Identity::Exchange);
    let none = !config.issuers.iter().any(|issuer| issuer.exchange.is_some());
    if exchanges && none && !config.issuers.is_empty() {
        report.warn(
            "identity exchange: no issuer has `exchange`, so nobody has a token to be shown there",
            "configure `issuers[].exchange`",
        )?;
    }
    for refusing in [Identity::Impersonate, Identity::Exchange] {
        let used = clusters.iter().any(|cluster| cluster.identity() == Some(refusing));
        let refuses = nobody(config) || refusing == Identity::Exchange && config.issuers.is_empty();
        if refuses && used {
            report.warn(
                &format!(
                    "identity {}: no issuer is configured, so nobody has an identity to be shown there",
                    refusing.name()
                ),
                "configure `issuers`, or set `identity: own`",
            )?;
        }
    }
    let impersonated = clusters.iter().any(|cluster| mode(config, cluster) == Identity::Impersonate);
    if impersonated && config.backstage.as_ref().is_some_and(|backstage| backstage.impersonate.is_none()) {
        report.warn(
            "identity impersonate: users of Backstage have no names there, so their calls are refused",
            "configure `backstage.impersonate`, or set `identity: own`",
        )?;
    }
    Ok(())
}
