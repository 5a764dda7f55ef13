//! The answer: verdict, findings, and what they rest on.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    answer::{Answer, Table, sanitise},
    kubernetes::events::ago,
    palette::{
        api::{
            moment,
            summary::{ClusterSummary, Upgrade},
        },
        events::{EventRow, Found, gravest, merged},
        find::FoundCluster,
        health::{Counts, Finding, Judged, Repaving, Severity, Waiting},
        said::said,
    },
};

/// Events that are told.
const MOST_EVENTS: usize = 12;
/// Upgrades that are told, and reasons of each.
const MOST_UPGRADES: usize = 5;
const MOST_REASONS: usize = 5;
const LONGEST_REASON: usize = 160;
/// Findings that the first line names.
const NAMED: usize = 3;

/// What is wrong with a cluster.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    environment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    cluster: String,
    uid: String,
    /// unhealthy, needs attention, in progress, deleting, paused, healthy
    verdict: &'static str,
    /// How far it is; it says nothing of its health.
    state: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    health: String,
    /// When its agent was heard last.
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat_age_seconds: Option<i64>,
    /// The cluster in kubernetes_clusters that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    kubernetes_cluster: Option<String>,
    /// The gravest first.
    findings: Vec<Finding>,
    conditions: Counts,
    packs: Counts,
    updates_pending: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    repave: Option<Repaving>,
    /// Newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    upgrades: Vec<UpgradeRow>,
    /// The gravest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<EventRow>,
}

/// What was changed in it at a time.
#[derive(Debug, Serialize, JsonSchema)]
struct UpgradeRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    reasons: Vec<String>,
}

/// What was read and found out.
pub(super) struct Read<'r> {
    pub(super) found: &'r FoundCluster,
    pub(super) summary: &'r ClusterSummary,
    pub(super) judged: Judged,
    pub(super) waiting: &'r Waiting,
    pub(super) kubernetes: Option<String>,
    pub(super) events: Found,
    pub(super) asked: Instant,
    pub(super) now: Timestamp,
}

/// The answer of all that.
pub(super) fn answer(read: Read<'_>) -> Answer<Output> {
    let Read { found, summary, judged, waiting, kubernetes, events, asked, now } = read;
    let status = &summary.status;
    let happened = gravest(merged(events.events));
    let line = line(found, summary, &judged, asked, now);
    let Judged { verdict, findings, heartbeat, conditions, packs } = judged;
    let output = Output {
        environment: found.access.environment().name().to_owned(),
        project: found.place.shown().map(str::to_owned),
        cluster: found.name.clone(),
        uid: found.uid.clone(),
        verdict: verdict.name(),
        state: if status.state.is_empty() { "unknown".to_owned() } else { status.state.clone() },
        health: status.health.state.clone(),
        heartbeat: heartbeat.map(|heard| second(heard).to_string()),
        heartbeat_age_seconds: heartbeat.map(|heard| (now.as_second() - heard.as_second()).max(0)),
        kubernetes_cluster: kubernetes,
        findings,
        conditions,
        packs,
        updates_pending: status.notifications.is_available,
        repave: waiting.repaving(),
        upgrades: upgrades(&status.upgrades),
        events: happened.iter().take(MOST_EVENTS).map(|event| EventRow::new(event, now)).collect(),
    };
    let body = body(&output, happened.len());
    Answer::new(line, body, output)
}

/// `prod/team-a/payments: unhealthy. State Running, health UnHealthy, heard 12 s ago. 2 critical: …`
fn line(
    found: &FoundCluster,
    summary: &ClusterSummary,
    judged: &Judged,
    asked: Instant,
    now: Timestamp,
) -> String {
    let told = |word: &str| if word.is_empty() { "unknown".to_owned() } else { sanitise::short(word, 40) };
    let heard = match judged.heartbeat {
        Some(_) => format!("agent heard {} ago", ago(judged.heartbeat, now)),
        None => "agent not heard".to_owned(),
    };
    let (critical, warnings) = (judged.count(Severity::Critical), judged.count(Severity::Warning));
    let grave: Vec<&str> = judged
        .findings
        .iter()
        .filter(|finding| finding.severity != Severity::Info)
        .map(|finding| finding.about.as_str())
        .collect();
    let named = match grave.len().saturating_sub(NAMED) {
        0 => grave.join("; "),
        more => format!("{} and {more} more", grave.get(..NAMED).unwrap_or_default().join("; ")),
    };
    let found_out = match (critical, warnings) {
        (0, 0) => "nothing is known to be wrong".to_owned(),
        (0, 1) => format!("1 warning: {named}"),
        (0, warnings) => format!("{warnings} warnings: {named}"),
        (critical, 0) => format!("{critical} critical: {named}"),
        (critical, 1) => format!("{critical} critical, 1 warning: {named}"),
        (critical, warnings) => format!("{critical} critical, {warnings} warnings: {named}"),
    };
    let age = match asked.elapsed().as_secs() {
        0 => String::new(),
        seconds => format!(" (as of {seconds} s ago)"),
    };
    format!(
        "{}: {}. State {}, health {}, {heard}; {found_out}{age}",
        found.qualified(),
        judged.verdict.name(),
        told(&summary.status.state),
        told(&summary.status.health.state),
    )
}

fn body(output: &Output, events: usize) -> String {
    let mut parts = Vec::new();
    if !output.findings.is_empty() {
        let mut table = Table::new(&["severity", "about", "since", "what", "next"]);
        for finding in &output.findings {
            let since = finding.since.clone().unwrap_or_default();
            table.row([finding.severity.name(), &finding.about, &since, &finding.message, &finding.next]);
        }
        parts.push(table.into_text());
    }
    let mut facts = format!("conditions: {}; packs: {}", output.conditions.shown(), output.packs.shown());
    if let Some(cluster) = &output.kubernetes_cluster {
        facts.push_str(&format!("; kubernetes cluster: {cluster}"));
    }
    parts.push(facts);
    for upgrade in &output.upgrades {
        let at = upgrade.at.as_deref().unwrap_or("once");
        parts.push(format!("changed {at}: {}", sanitise::line(&upgrade.reasons.join("; "))));
    }
    if !output.events.is_empty() {
        let shown = match events.saturating_sub(output.events.len()) {
            0 => "events, the gravest first:".to_owned(),
            more => format!("events, the gravest first; {more} more in palette_cluster_events:"),
        };
        let mut table = Table::new(EventRow::COLUMNS);
        output.events.iter().for_each(|event| table.row(event.cells()));
        parts.extend([shown, table.into_text()]);
    }
    parts.join("\n")
}

fn upgrades(all: &[Upgrade]) -> Vec<UpgradeRow> {
    let mut all: Vec<&Upgrade> = all.iter().collect();
    all.sort_by_key(|upgrade| std::cmp::Reverse(moment(&upgrade.timestamp)));
    let row = |upgrade: &Upgrade| UpgradeRow {
        at: moment(&upgrade.timestamp).map(|at| second(at).to_string()),
        reasons: upgrade
            .reason
            .iter()
            .take(MOST_REASONS)
            .map(|reason| said(reason, LONGEST_REASON))
            .collect(),
    };
    all.into_iter().take(MOST_UPGRADES).map(row).collect()
}

fn second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}
