//! What waits for somebody: updates, repaves, notifications, variables without a value.

use schemars::JsonSchema;
use serde::Serialize;

use super::finding::{Finding, Next, Severity};
use crate::palette::{
    api::{
        notification::{Notification, Notifications},
        repave::{PackVersion, Reason, Repave},
        summary::ClusterSummary,
    },
    said::said,
};

/// Reasons of a repave, and notifications, that are told one by one.
const MOST: usize = 8;
/// Characters of one of them.
const LONGEST: usize = 200;
/// Keys of values that a reason names.
const MOST_KEYS: usize = 6;

/// What was read beside the summary, where there was something to read.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// The repave.
    pub repave: Option<Repave>,
    /// The notifications.
    pub notifications: Option<Notifications>,
}

/// A repave, as it is told.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Repaving {
    /// Pending, Approved, Reverted
    pub state: String,
    /// Who wants it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Why the machines are to be replaced.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

impl Waiting {
    /// The repave, where there is one.
    pub fn repaving(&self) -> Option<Repaving> {
        let repave = self.repave.as_ref().filter(|repave| !repave.status.state.is_empty())?;
        Some(Repaving {
            state: said(&repave.status.state, 40),
            source: said(&repave.spec.source, 40),
            reasons: repave.spec.reasons.iter().take(MOST).map(why).collect(),
        })
    }

    /// The notifications that wait, a line each.
    pub fn notified(&self) -> Vec<String> {
        let items = self.notifications.iter().flat_map(|all| &all.items);
        items.filter(|one| !one.action.is_done).take(MOST).map(told).collect()
    }
}

/// `pack kubernetes 1.29.0 to 1.30.1: message (values of a, b)`
fn why(reason: &Reason) -> String {
    let version = |pack: &PackVersion| {
        let told = if pack.version.is_empty() { &pack.tag } else { &pack.version };
        if told.is_empty() { "?".to_owned() } else { told.clone() }
    };
    let mut told = if reason.message.is_empty() { reason.code.clone() } else { reason.message.clone() };
    let (current, target) = (&reason.pack.current, &reason.pack.target);
    let name = if target.name.is_empty() { &current.name } else { &target.name };
    if !name.is_empty() {
        told = format!("pack {name} {} to {}: {told}", version(current), version(target));
    }
    let keys: Vec<&str> = reason.pack.diff_config_keys.iter().take(MOST_KEYS).map(String::as_str).collect();
    if !keys.is_empty() {
        told.push_str(&format!(" (values of {})", keys.join(", ")));
    }
    said(&told, LONGEST)
}

fn told(notification: &Notification) -> String {
    let action = &notification.action;
    let kind = [&action.action_type, &notification.kind].into_iter().find(|kind| !kind.is_empty());
    let kind = kind.map_or("notification", String::as_str);
    let kind = kind.strip_prefix("NotifyAction").unwrap_or(kind);
    let seen = if action.ack { " (acknowledged)" } else { "" };
    said(&format!("{kind}{seen}: {}", action.action_message), LONGEST)
}

pub(super) fn judge(summary: &ClusterSummary, waiting: &Waiting, next: &Next, findings: &mut Vec<Finding>) {
    findings.extend(waiting.repaving().map(|repave| finding(&repave, next)));
    let upgrades = || next.call("palette_upgrades", "");
    let pending = &summary.status.notifications;
    if pending.is_template_variable_resolution_pending {
        let message = "a variable of an attached profile has no value, so the profile cannot be applied";
        let check = next.call("palette_cluster_profiles", "");
        findings.push(Finding::new(Severity::Warning, "variables", message, check));
    }
    if pending.is_available {
        let message = "an update of an attached profile waits to be applied";
        findings.push(Finding::new(Severity::Info, "updates", message, upgrades()));
    }
    if summary.status.spc_apply.action_type.eq_ignore_ascii_case("DownloadAndInstallLater") {
        let message = "changes are downloaded and held back (DownloadAndInstallLater)";
        findings.push(Finding::new(Severity::Info, "changes", message, upgrades()));
    }
    let notified = waiting.notified();
    findings
        .extend(notified.iter().map(|line| Finding::new(Severity::Info, "notification", line, upgrades())));
}

fn finding(repave: &Repaving, next: &Next) -> Finding {
    let (severity, what, check) = match repave.state.to_lowercase().as_str() {
        "pending" => (
            Severity::Warning,
            "its machines are to be replaced, and that waits for an approval",
            "approve the repave in Palette, or take the change back; until then it is not applied".to_owned(),
        ),
        "approved" => {
            (Severity::Info, "its machines are being replaced", next.call("palette_cluster_events", ""))
        }
        _ => (Severity::Info, "a repave was taken back", next.call("palette_upgrades", "")),
    };
    let message = match repave.reasons.as_slice() {
        [] => what.to_owned(),
        reasons => format!("{what}: {}", reasons.join("; ")),
    };
    Finding::new(severity, "repave", &message, check)
}
