//! How a condition stands, and how far a cluster is: the vendor's words, in any case, and those nobody documented.

use schemars::JsonSchema;
use serde::Serialize;

use super::finding::{Finding, Next, Severity, Subject};
use crate::palette::api::{moment, summary::Condition};

/// Findings about conditions that are told one by one.
const MOST: usize = 15;

/// How far a cluster is (`status.state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is there.
    Running,
    /// It is being made.
    Building,
    /// It goes away, or is gone.
    Deleting,
    /// Making it failed.
    Failed,
    /// Palette does not say, or in a word that is not known.
    Unknown,
}

impl Phase {
    /// What a state stands for.
    pub fn of(state: &str) -> Self {
        match state.trim().to_lowercase().as_str() {
            "running" => Self::Running,
            "pending" | "provisioning" | "importing" | "creating" | "updating" | "upgrading" => {
                Self::Building
            }
            "deleting" | "deleted" => Self::Deleting,
            "error" | "failed" => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

/// How a condition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is as it should be.
    Fine,
    /// It is not, and something is still being done about it.
    Working,
    /// It is not.
    Failing,
    /// Nobody has said.
    Unreported,
}

const FAILED: &[&str] = &["fail", "error", "timeout", "timed out", "backoff", "unhealthy"];
const BUSY: &[&str] = &["progress", "pending", "waiting", "installing", "deploying", "not started"];

impl Standing {
    /// Of a condition, which may be absent.
    pub fn of(condition: Option<&Condition>) -> Self {
        let Some(Condition { kind, status, reason, message, .. }) = condition else {
            return Self::Unreported;
        };
        let failed = has(&[reason, message, kind], FAILED);
        let busy = has(&[reason, message], BUSY);
        let silent = [kind, reason, message].iter().all(|text| text.is_empty());
        match status.trim().to_lowercase().as_str() {
            "true" => Self::Fine,
            "false" if busy && !failed => Self::Working,
            "false" => Self::Failing,
            _ if failed => Self::Failing,
            "" if has(&[kind, reason], &["success"]) => Self::Fine,
            "" if silent => Self::Unreported,
            _ => Self::Working,
        }
    }
}

fn has(texts: &[&str], words: &[&str]) -> bool {
    texts.iter().any(|text| {
        let text = text.to_lowercase();
        words.iter().any(|word| text.contains(word))
    })
}

/// How many stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// All of them.
    pub total: usize,
    /// As they should be.
    pub fine: usize,
    /// Not, and it is a failure.
    #[serde(skip_serializing_if = "is_zero")]
    pub failing: usize,
    /// Not yet.
    #[serde(skip_serializing_if = "is_zero")]
    pub working: usize,
    /// Nobody has said.
    #[serde(skip_serializing_if = "is_zero")]
    pub unreported: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Counts {
    pub(super) fn add(&mut self, standing: Standing) {
        self.total += 1;
        match standing {
            Standing::Fine => self.fine += 1,
            Standing::Failing => self.failing += 1,
            Standing::Working => self.working += 1,
            Standing::Unreported => self.unreported += 1,
        }
    }

    /// As `3 of 5 fine, 2 failing`.
    pub fn shown(&self) -> String {
        let mut shown = format!("{} of {} fine", self.fine, self.total);
        for (count, what) in
            [(self.failing, "failing"), (self.working, "in progress"), (self.unreported, "not reported")]
        {
            if count > 0 {
                shown.push_str(&format!(", {count} {what}"));
            }
        }
        shown
    }
}

/// What a condition says: `reason: message`.
pub(super) fn said(condition: &Condition) -> String {
    let Condition { status, reason, message, .. } = condition;
    match (reason.is_empty(), message.is_empty()) {
        (false, false) => format!("{reason}: {message}"),
        (false, true) => reason.clone(),
        (true, false) => message.clone(),
        (true, true) if status.is_empty() => "no status".to_owned(),
        (true, true) => format!("status {status}, without a reason"),
    }
}

/// The findings of the cluster's own conditions.
pub(super) fn conditions(
    conditions: &[Condition],
    phase: Phase,
    next: &Next,
    findings: &mut Vec<Finding>,
) -> Counts {
    let mut counts = Counts::default();
    let mut found = Vec::new();
    for condition in conditions {
        let standing = Standing::of(Some(condition));
        counts.add(standing);
        let severity = match (standing, phase) {
            (Standing::Fine, _) => continue,
            (Standing::Failing, Phase::Deleting) => Severity::Warning,
            (Standing::Failing, _) => Severity::Critical,
            (Standing::Working | Standing::Unreported, Phase::Building | Phase::Deleting) => Severity::Info,
            (Standing::Working | Standing::Unreported, _) => Severity::Warning,
        };
        let name = if condition.kind.is_empty() { "without a type" } else { &condition.kind };
        let finding =
            Finding::new(severity, &format!("condition {name}"), &said(condition), advice(name, next));
        found.push(finding.since(moment(&condition.last_transition_time)).on(Subject::Condition));
    }
    found.sort_by_key(|finding| finding.severity);
    let more = found.len().saturating_sub(MOST);
    findings.extend(found.into_iter().take(MOST));
    if more > 0 {
        let message = format!("{more} more conditions are not True");
        let check = next.call("palette_cluster_events", "");
        findings.push(Finding::new(Severity::Warning, "conditions", &message, check));
    }
    counts
}

/// What helps with a condition of a known type.
fn advice(kind: &str, next: &Next) -> String {
    let events = next.call("palette_cluster_events", "severity=Error");
    let check = match kind {
        "ImageResolutionDone" => {
            "check that the OS and Kubernetes packs have an image for this cloud and region"
        }
        "ImagePullSecretPropagationDone" => "check the registry's credentials in Palette",
        "BootstrappingDone" | "BootstrapReady" => {
            "check that the first node reaches Palette and its registries"
        }
        "CloudInfrastructureReady" => "check the cloud account, its quota and the cluster's network",
        "KubeConfigReady" => "check that the API server's endpoint can be reached",
        "ControlPlaneNodeAdditionDone" | "ControlPlaneNodeDeletionDone" => {
            "check the machines of the control plane, and etcd's quorum before one is removed"
        }
        "WorkerNodeAdditionDone" | "WorkerNodeDeletionDone" => {
            "check capacity and quota for workers, and what keeps a node from draining"
        }
        _ => return events,
    };
    format!("{check}; {events}")
}
