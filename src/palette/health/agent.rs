//! State, health and heartbeat, the machines, and whether a virtual cluster is asleep.

use jiff::Timestamp;

use super::{
    SILENT_SECONDS,
    finding::{Finding, Next, Severity, Subject},
    standing::Phase,
};
use crate::{
    kubernetes::events::ago,
    palette::api::{moment, summary::ClusterSummary},
};

/// Making a cluster takes minutes to an hour; one that takes longer hangs.
const LONG_SECONDS: i64 = 2 * 3600;

const CHECK_AGENT: &str = "check that the cluster's nodes run and that its agent reaches Palette over https (proxy, DNS, \
                           certificates)";

/// What the agent says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reported {
    Healthy,
    Unhealthy,
    Nothing,
    Else,
}

impl Reported {
    /// `Healthy`, `UnHealthy`, `Unhealthy`, `unhealthy`: the vendor writes all of them.
    fn of(state: &str) -> Self {
        match state.trim().to_lowercase().as_str() {
            "healthy" => Self::Healthy,
            "unhealthy" | "errored" | "error" | "failed" => Self::Unhealthy,
            "" | "unknown" => Self::Nothing,
            _ => Self::Else,
        }
    }
}

/// Whether somebody has put a virtual cluster to sleep.
pub(super) fn is_paused(summary: &ClusterSummary) -> bool {
    let status = summary.status.virtualised.lifecycle_status.status.to_lowercase();
    matches!(status.as_str(), "paused" | "pausing")
}

/// Findings of what the agent reports; when it was heard last.
pub(super) fn judge(
    summary: &ClusterSummary,
    phase: Phase,
    next: &Next,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Option<Timestamp> {
    let heartbeat = moment(&summary.status.health.last_heart_beat_timestamp);
    findings.extend(state(summary, phase, next, now));
    findings.extend(health(summary, phase, next));
    findings.extend(conditions(summary, phase, next));
    if !is_paused(summary) {
        findings.extend(silence(phase, heartbeat, now));
    }
    findings.extend(machines(summary, phase, next));
    findings.extend(lifecycle(summary, next));
    heartbeat
}

fn state(summary: &ClusterSummary, phase: Phase, next: &Next, now: Timestamp) -> Option<Finding> {
    let state = summary.status.state.as_str();
    let events = || next.call("palette_cluster_events", "");
    let errors = || next.call("palette_cluster_events", "severity=Error");
    let found = |severity, message: &str, check| Some(Finding::new(severity, "state", message, check));
    match phase {
        Phase::Running => None,
        Phase::Failed => {
            let message = format!("its state is {state}: making or changing it failed");
            found(Severity::Critical, &message, errors())
        }
        Phase::Unknown if state.is_empty() => {
            found(Severity::Warning, "Palette tells no state of it", events())
        }
        Phase::Unknown => {
            let message = format!("its state is {state}, which tells nothing of how it is");
            found(Severity::Warning, &message, events())
        }
        Phase::Deleting => found(Severity::Info, &format!("its state is {state}: it goes away"), events()),
        Phase::Building => {
            let message = format!("its state is {state}: it is not ready for use");
            let created = moment(&summary.metadata.creation_timestamp);
            let age = created.map_or(0, |created| now.as_second() - created.as_second());
            if age <= LONG_SECONDS {
                return found(Severity::Info, &message, events());
            }
            found(Severity::Warning, &format!("{message}, {} after it was made", ago(created, now)), errors())
        }
    }
}

fn health(summary: &ClusterSummary, phase: Phase, next: &Next) -> Option<Finding> {
    let told = summary.status.health.state.as_str();
    let (severity, message, check) = match (Reported::of(told), phase) {
        (Reported::Healthy, _) => return None,
        (Reported::Unhealthy, Phase::Deleting) => {
            (Severity::Info, format!("Palette calls it {told}"), next.events())
        }
        (Reported::Unhealthy, Phase::Running) => {
            let message = format!("Palette calls it {told}; that its state is Running is no contradiction");
            (Severity::Critical, message, next.events())
        }
        (Reported::Unhealthy, _) => (Severity::Critical, format!("Palette calls it {told}"), next.events()),
        (Reported::Nothing, Phase::Running) if !is_paused(summary) => {
            (Severity::Warning, "no health is reported for it".to_owned(), CHECK_AGENT.to_owned())
        }
        (Reported::Nothing, _) => return None,
        (Reported::Else, _) => {
            (Severity::Warning, format!("Palette reports its health as {told:?}"), next.events())
        }
    };
    Some(Finding::new(severity, "health", &message, check))
}

/// What is wrong by the agent's own account: there while it is wrong, and without a status.
fn conditions(summary: &ClusterSummary, phase: Phase, next: &Next) -> Vec<Finding> {
    const MOST: usize = 20;
    let health = &summary.status.health;
    let severity = match (Reported::of(&health.state), phase) {
        (_, Phase::Deleting) => Severity::Info,
        (Reported::Healthy, _) => Severity::Warning,
        _ => Severity::Critical,
    };
    let finding = |condition: &crate::palette::api::summary::HealthCondition| {
        let related = &condition.related_object;
        let with = match (related.kind.as_str(), related.name.as_str()) {
            ("", "") => String::new(),
            (kind, name) => format!(" ({})", [kind, name].join(" ").trim()),
        };
        let about = format!("health {}{with}", condition.kind);
        let subject = Subject::Reported { kind: related.kind.clone(), name: related.name.clone() };
        Finding::new(severity, about.trim(), &condition.message, next.events()).on(subject)
    };
    health.conditions.iter().take(MOST).map(finding).collect()
}

fn silence(phase: Phase, heartbeat: Option<Timestamp>, now: Timestamp) -> Option<Finding> {
    let (severity, message) = match (heartbeat, phase) {
        (_, Phase::Deleting) => return None,
        (Some(heard), _) if now.as_second() - heard.as_second() <= SILENT_SECONDS => return None,
        (Some(_), phase) => {
            let severity = if phase == Phase::Building { Severity::Warning } else { Severity::Critical };
            let message = format!(
                "its agent was heard {} ago: after 10 min Palette calls a cluster unhealthy, and what it tells of it \
                 is as old",
                ago(heartbeat, now)
            );
            (severity, message)
        }
        (None, Phase::Running) => (Severity::Warning, "its agent was never heard".to_owned()),
        (None, _) => return None,
    };
    Some(Finding::new(severity, "heartbeat", &message, CHECK_AGENT).since(heartbeat))
}

fn machines(summary: &ClusterSummary, phase: Phase, next: &Next) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pool in summary.spec.cloud_config.machine_pools.iter().filter(|_| phase == Phase::Running) {
        let Some(healthy) = pool.healthy.filter(|healthy| *healthy < pool.size) else { continue };
        let what =
            if pool.is_control_plane { "machines of the control plane" } else { "machines of workers" };
        let grave = pool.is_control_plane || healthy == 0;
        let severity = if grave { Severity::Critical } else { Severity::Warning };
        let kept = match pool.maintenance_mode {
            0 => String::new(),
            some => format!(", {some} under maintenance"),
        };
        let message = format!("{healthy} of {} are healthy{kept}", pool.size);
        let subject = Subject::Machines { missing: pool.size.saturating_sub(healthy) };
        findings.push(Finding::new(severity, what, &message, next.events()).on(subject));
    }
    findings
}

fn lifecycle(summary: &ClusterSummary, next: &Next) -> Option<Finding> {
    let lifecycle = &summary.status.virtualised.lifecycle_status;
    let (severity, what) = match lifecycle.status.to_lowercase().as_str() {
        "error" | "failed" => (Severity::Critical, "pausing or resuming it failed"),
        "paused" => (Severity::Info, "it is paused: nothing runs in it until it is resumed"),
        "pausing" => (Severity::Info, "it is being paused"),
        "resuming" => (Severity::Info, "it is being resumed"),
        _ => return None,
    };
    let said = match lifecycle.msg.as_str() {
        "" => what.to_owned(),
        message => format!("{what}: {message}"),
    };
    let host = &summary.status.virtualised.host_cluster.uid;
    let check = match (severity, host.is_empty()) {
        (Severity::Critical, false) => format!("palette_cluster_health cluster={host} (its host)"),
        (Severity::Critical, true) => next.events(),
        _ => "resume it in Palette where it is needed".to_owned(),
    };
    Some(Finding::new(severity, "virtual cluster", &said, check))
}
