//! What is wrong with a cluster, from what Palette tells of it. Pure: one summary in, ranked findings out.
//!
//! State and health are two things: `Running` is how far a cluster is, and a cluster that is `Running` can be
//! unhealthy, silent for days, or short of half of its packs.

mod agent;
mod finding;
mod joined;
mod packs;
mod pending;
mod quota;
mod standing;

use jiff::Timestamp;

pub use finding::{Finding, Next, Severity};
pub use pending::{Repaving, Waiting};
pub use standing::{Counts, Phase, Standing};

use super::api::summary::ClusterSummary;

/// A management plane calls a cluster unhealthy that was silent for so long (the vendor's documentation).
pub const SILENT_SECONDS: i64 = 600;

/// What a cluster comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Something failed.
    Unhealthy,
    /// It is being deleted.
    Deleting,
    /// It is being made, or changed.
    InProgress,
    /// Nothing failed, and something needs a look.
    Attention,
    /// It is asleep, as somebody wanted.
    Paused,
    /// Nothing is known to be wrong.
    Healthy,
}

impl Verdict {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unhealthy => "unhealthy",
            Self::Deleting => "deleting",
            Self::InProgress => "in progress",
            Self::Attention => "needs attention",
            Self::Paused => "paused",
            Self::Healthy => "healthy",
        }
    }
}

/// What was found out about a cluster.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What it comes to.
    pub verdict: Verdict,
    /// What is wrong, or worth knowing: the gravest first.
    pub findings: Vec<Finding>,
    /// When its agent was heard last.
    pub heartbeat: Option<Timestamp>,
    /// How its conditions stand.
    pub conditions: Counts,
    /// How its packs stand.
    pub packs: Counts,
}

impl Judged {
    /// How many findings are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Judges a cluster. `next` names it in calls that would help.
pub fn judge(summary: &ClusterSummary, waiting: &Waiting, next: &Next, now: Timestamp) -> Judged {
    let status = &summary.status;
    let phase = Phase::of(&status.state);
    let mut findings = Vec::new();
    let heartbeat = agent::judge(summary, phase, next, now, &mut findings);
    let conditions = standing::conditions(&status.conditions, phase, next, &mut findings);
    let packs = packs::judge(&status.packs, phase, next, &mut findings);
    pending::judge(summary, waiting, next, &mut findings);
    if !agent::is_paused(summary) {
        findings.extend(quota::judge(summary, next));
    }
    let mut findings = joined::joined(findings);
    findings.sort_by_key(|finding| finding.severity);
    let worst = findings.first().map(|finding| finding.severity);
    let verdict = match (worst, phase) {
        (Some(Severity::Critical), _) => Verdict::Unhealthy,
        (_, Phase::Deleting) => Verdict::Deleting,
        (_, Phase::Building) => Verdict::InProgress,
        (Some(Severity::Warning), _) => Verdict::Attention,
        _ if agent::is_paused(summary) => Verdict::Paused,
        _ => Verdict::Healthy,
    };
    Judged { verdict, findings, heartbeat, conditions, packs }
}

#[cfg(test)]
mod tests;
