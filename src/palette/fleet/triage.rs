//! [`Problem`]: what is wrong with a cluster, as far as a listing tells it, the worst first.

use std::collections::BTreeMap;

use super::{
    health::{Health, Stage},
    row::ClusterRow,
};

/// What may be wrong with a cluster, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// Its state is an error.
    Failed,
    /// Its agent is not heard of.
    HeartbeatFailed,
    /// It says that it is not well, whatever its state.
    Unhealthy,
    /// It is not there yet.
    NotProvisioned,
    /// It is being deleted.
    Deleting,
    /// Its state is a word that nobody knows.
    UnknownState,
    /// Machines wait to be replaced until somebody agrees.
    RepavePending,
    /// A change of a profile waits to be applied.
    UpdatesPending,
}

impl Problem {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "in error",
            Self::HeartbeatFailed => "heartbeat failed",
            Self::Unhealthy => "unhealthy",
            Self::NotProvisioned => "not provisioned",
            Self::Deleting => "deleting",
            Self::UnknownState => "unknown state",
            Self::RepavePending => "repave pending",
            Self::UpdatesPending => "updates pending",
        }
    }

    /// The same in words: what every listing says of a cluster.
    pub fn words(row: &ClusterRow) -> Vec<&'static str> {
        Self::of(row).into_iter().map(Self::word).collect()
    }

    /// What is wrong with this one, the worst first.
    pub fn of(row: &ClusterRow) -> Vec<Self> {
        let stage = row.stage();
        [
            (stage == Stage::Failed, Self::Failed),
            (row.heartbeat_failed, Self::HeartbeatFailed),
            (row.health.is_bad(), Self::Unhealthy),
            (stage == Stage::Provisioning, Self::NotProvisioned),
            (stage == Stage::Deleting, Self::Deleting),
            (stage == Stage::Unknown, Self::UnknownState),
            (row.repave_pending(), Self::RepavePending),
            (row.updates_pending, Self::UpdatesPending),
        ]
        .into_iter()
        .filter_map(|(is, problem)| is.then_some(problem))
        .collect()
    }
}

/// Where a row stands: the worst first, then by name.
pub fn rank(row: &ClusterRow) -> String {
    let worst = Problem::of(row).first().map_or(9, |problem| *problem as u8);
    format!("{worst} {} {}", row.qualified(), row.uid)
}

/// How a part of the fleet is. State and health are two things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Clusters, virtual ones too.
    pub clusters: usize,
    /// Of them virtual.
    pub virtual_clusters: usize,
    /// By state.
    pub states: BTreeMap<String, usize>,
    /// By health.
    pub health: BTreeMap<String, usize>,
    /// By what is wrong; a cluster may be in several.
    pub problems: BTreeMap<Problem, usize>,
    /// Not well though running.
    pub unhealthy_running: usize,
    /// With anything wrong but updates that wait.
    pub troubled: usize,
}

impl Counts {
    /// Of these.
    pub fn of<'r>(rows: impl IntoIterator<Item = &'r ClusterRow>) -> Self {
        let mut counts = Self::default();
        for row in rows {
            counts.clusters += 1;
            counts.virtual_clusters += usize::from(row.is_virtual());
            *counts.states.entry(row.state.clone()).or_default() += 1;
            *counts.health.entry(row.health.word().to_owned()).or_default() += 1;
            let problems = Problem::of(row);
            counts.unhealthy_running += usize::from(
                row.stage() == Stage::Running && row.health != Health::Healthy && row.health.is_bad(),
            );
            counts.troubled +=
                usize::from(problems.iter().any(|problem| *problem != Problem::UpdatesPending));
            for problem in problems {
                *counts.problems.entry(problem).or_default() += 1;
            }
        }
        counts
    }

    /// Clusters with that problem.
    pub fn with(&self, problem: Problem) -> usize {
        self.problems.get(&problem).copied().unwrap_or_default()
    }

    /// `540 Running, 8 Error`
    pub fn states_line(&self) -> String {
        line(&self.states)
    }

    /// `500 healthy, 60 unhealthy`
    pub fn health_line(&self) -> String {
        line(&self.health)
    }
}

/// The most first.
fn line(counts: &BTreeMap<String, usize>) -> String {
    let mut counts: Vec<(&String, &usize)> = counts.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}
