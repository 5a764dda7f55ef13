//! Which cluster of the registry a Palette cluster is, and the other way round: by where the API server is, and never
//! by a name alone.

mod known;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt as _, future::join_all, stream};
use tokio::time::timeout;

pub use known::Endpoints;

use super::{
    Access,
    api::summary::ClusterSummary,
    fleet::{self, ClusterRow, Detail},
    summary,
};
use crate::{
    kubernetes::{Endpoint, Source},
    palette::Ask,
    permission::{Extent, Permission, Requirement, Scope},
    remote::is_loopback,
    toolbox::Call,
};

/// Clusters whose endpoint is asked for in one call; in a fleet that is no larger, whatever they are called.
const MOST_ASKED: usize = 16;
/// Asked at once.
const PARALLEL: usize = 4;
/// What a list of clusters waits for it.
const PATIENCE: Duration = Duration::from_secs(3);

/// The clusters of the registry that were found as `name` (`environment/project/name`) or are at these endpoints, as
/// far as the caller may see them: by the names that tools take.
pub fn in_registry(call: &Call, access: &Access, name: &str, endpoints: &[Endpoint]) -> Option<String> {
    let known = call.toolbox().clusters();
    let permissions = call.caller().permissions();
    let same = known.iter().filter(|cluster| {
        let there = cluster.endpoint().is_some_and(|at| endpoints.contains(at) && tells(access, at))
            || (cluster.source() == Source::Palette && cluster.name() == name);
        let scope = Scope::cluster(Extent::Named(cluster.names()), Extent::Anywhere);
        there && permissions.allows(Permission::KubernetesClustersRead, &scope)
    });
    let names: Vec<String> = same.map(|cluster| known.shown_name(cluster)).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Whether two that are there are one: what is on `localhost` is so on every machine, unless Palette is on this one.
fn tells(access: &Access, endpoint: &Endpoint) -> bool {
    !endpoint.is_local() || is_loopback(&access.environment().settings().url)
}

/// What [`in_palette`] found.
#[derive(Debug, Default)]
pub struct Twins {
    /// `environment/project/name` by the endpoint of an API server.
    pub by_endpoint: BTreeMap<Endpoint, String>,
    /// What could not be asked, a line each.
    pub gaps: Vec<String>,
}

/// The Palette clusters behind API servers of the registry, each with the name it has there, as far as the caller may
/// see them. Nothing is asked where no environment is configured; else the index, and the endpoints of a few clusters
/// that are not known yet: those whose names stand in those of the registry, and all of a small fleet.
pub async fn in_palette(call: &Call, wanted: &[(String, Endpoint)]) -> Twins {
    let accesses = call.environments_for(&Requirement::one(Permission::SpectrocloudClusterViewInfo));
    if wanted.is_empty() || accesses.is_empty() {
        return Twins::default();
    }
    let found = join_all(accesses.iter().map(|access| async move {
        let environment = access.environment().name();
        let late = || {
            vec![format!(
                "environment {environment}: it did not answer in time to tell which of them are its clusters"
            )]
        };
        timeout(PATIENCE, in_environment(access, wanted)).await.unwrap_or_else(|_| (Vec::new(), late()))
    }));
    let mut twins = Twins::default();
    for (same, gaps) in found.await {
        twins.gaps.extend(gaps);
        for (endpoint, name) in same {
            let told = twins.by_endpoint.entry(endpoint).or_default();
            if !told.is_empty() {
                told.push_str(", ");
            }
            told.push_str(&name);
        }
    }
    twins
}

async fn in_environment(
    access: &Access,
    wanted: &[(String, Endpoint)],
) -> (Vec<(Endpoint, String)>, Vec<String>) {
    let wanted: Vec<&(String, Endpoint)> = wanted.iter().filter(|(_, at)| tells(access, at)).collect();
    if wanted.is_empty() {
        return Default::default();
    }
    let seen = match fleet::rows(std::slice::from_ref(access), Detail::Names, fleet::Wanted::default()).await
    {
        Ok(seen) => seen,
        Err(error) => return (Vec::new(), vec![error.message]),
    };
    let known = access.environment().endpoints();
    let mut asked = candidates(&wanted, &seen.rows, known);
    let more = asked.len() > MOST_ASKED;
    asked.truncate(MOST_ASKED);
    let answers: Vec<Option<String>> =
        stream::iter(asked).map(|row| learn(access.clone(), row)).buffer_unordered(PARALLEL).collect().await;
    let mut gaps: Vec<String> = answers.into_iter().flatten().collect();
    gaps.truncate(1);
    if more {
        let environment = access.environment().name();
        gaps.push(format!(
            "environment {environment}: not all clusters of like names were compared; the next call goes on"
        ));
    }
    let same = wanted.iter().flat_map(|(_, endpoint)| {
        let there = seen.rows.iter().filter(|row| known.of(&row.uid).is_some_and(|at| at.contains(endpoint)));
        there.map(|row| (endpoint.clone(), row.qualified()))
    });
    (same.collect(), gaps)
}

/// The clusters worth asking for their endpoints: of a name that stands in one of the registry, and not known yet.
fn candidates(
    wanted: &[&(String, Endpoint)],
    rows: &[Arc<ClusterRow>],
    known: &Endpoints,
) -> Vec<Arc<ClusterRow>> {
    let found = |endpoint: &Endpoint| {
        rows.iter().any(|row| known.of(&row.uid).is_some_and(|at| at.contains(endpoint)))
    };
    let open: Vec<&str> = wanted.iter().filter(|(_, at)| !found(at)).map(|(name, _)| name.as_str()).collect();
    let small = rows.len() <= MOST_ASKED && !open.is_empty();
    let mut asked: Vec<(bool, &Arc<ClusterRow>)> = rows
        .iter()
        .filter(|row| known.of(&row.uid).is_none())
        .filter(|row| small || open.iter().any(|name| stands_in(&row.name, name)))
        .map(|row| (!open.contains(&row.name.as_str()), row))
        .collect();
    asked.sort_by_key(|(other, _)| *other);
    asked.into_iter().map(|(_, row)| Arc::clone(row)).collect()
}

/// Whether a name is a part of another one, between characters that are in no word: `prod` of `admin@prod`.
fn stands_in(name: &str, longer: &str) -> bool {
    let (name, longer) = (name.to_lowercase(), longer.to_lowercase());
    let in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !name.is_empty()
        && longer.match_indices(&name).any(|(at, found)| {
            let (before, after) = (longer.get(..at), longer.get(at + found.len()..));
            !in_word(before.and_then(|text| text.chars().next_back()))
                && !in_word(after.and_then(|text| text.chars().next()))
        })
}

/// Asks where a cluster is; what went wrong, in words.
async fn learn(access: Access, row: Arc<ClusterRow>) -> Option<String> {
    let ask = Ask::get(&["dashboard", "spectroclusters", &row.uid]);
    match access.ask::<ClusterSummary>(&row.place, ask).await {
        Ok(told) => {
            access.environment().endpoints().remember(&row.uid, summary::endpoints(&told));
            None
        }
        Err(fault) => {
            let environment = access.environment().name();
            Some(format!("environment {environment}: cluster {}: {fault}", row.name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::stands_in;

    #[test]
    fn a_name_stands_in_another_between_what_is_no_word() {
        for (name, longer) in [
            ("prod", "prod"),
            ("prod", "admin@prod"),
            ("Prod-1", "arn:aws:eks:eu:1:cluster/prod-1"),
            ("prod", "team-prod-admin"),
        ] {
            assert!(stands_in(name, longer), "{name} {longer}");
        }
        for (name, longer) in
            [("prod", "production"), ("prod", "nonprod"), ("", "x"), ("a", "b"), ("prod", "pr")]
        {
            assert!(!stands_in(name, longer), "{name} {longer}");
        }
    }
}
