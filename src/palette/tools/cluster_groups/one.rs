//! One cluster group: its limits, its members, and what its Helm values set.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Line, Output};
use crate::{
    Error, ErrorKind,
    answer::{Answer, Row as _, Rows, Table, counted, sanitise},
    nearest,
    palette::{
        Access,
        api::group::{ClusterGroup, LimitConfig},
        groups::{self, Group, settings::Settings},
    },
};

/// Names that an error suggests.
const NEAREST: usize = 5;

/// What is only told of one.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
    /// Of one virtual cluster.
    limits: Limits,
    /// Host clusters that you may see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hosts: Vec<String>,
    /// What virtual clusters get.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    profiles: Vec<String>,
    /// What the Helm values set.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Settings>,
}

/// What one virtual cluster may take.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Limits {
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_cores: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_mib: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_gib: Option<u64>,
    /// More than 100: virtual clusters may have more together than there is.
    over_subscription_percent: u64,
}

impl Limits {
    fn of(limits: LimitConfig) -> Self {
        let set = |number: Option<u64>| number.filter(|number| *number > 0);
        let milli = set(limits.cpu_milli_core).map(|milli| milli as f64 / 1_000.0);
        Self {
            cpu_cores: milli.or(set(limits.cpu).map(|cores| cores as f64)),
            memory_mib: set(limits.memory_mib).or(set(limits.memory)),
            storage_gib: set(limits.storage_gib),
            over_subscription_percent: set(limits.over_subscription).unwrap_or(100),
        }
    }

    fn line(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.cpu_cores.map(|cores| format!("{cores} cores")));
        parts.extend(self.memory_mib.map(|mib| format!("{mib} MiB memory")));
        parts.extend(self.storage_gib.map(|gib| format!("{gib} GiB storage")));
        let over = self.over_subscription_percent;
        let all = if parts.is_empty() { "none".to_owned() } else { parts.join(", ") };
        match over > 100 {
            true => format!("limits of a virtual cluster: {all}; over-subscription {over} %"),
            false => format!("limits of a virtual cluster: {all}; no over-subscription"),
        }
    }
}

/// Answers for the one of this name or uid.
pub(super) async fn of(
    found: Vec<(&Access, Group)>,
    written: &str,
    mut gaps: Vec<String>,
) -> Result<Answer<Output>, Error> {
    let shown = sanitise::short(written, 80);
    let (meant, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, group)| {
        group.summary.metadata.uid == written || group.summary.metadata.name == written
    });
    let (access, group) = match meant.as_slice() {
        [(access, group)] => (*access, group),
        [] if !gaps.is_empty() => {
            let told = gaps.join("; ");
            let message =
                format!("no cluster group {shown:?} was found, and not everything could be read: {told}");
            return Err(Error::new(ErrorKind::Upstream { status: None, retryable: true }, message));
        }
        [] => {
            let names = others.iter().map(|(_, group)| group.summary.metadata.name.as_str());
            return Err(Error::not_found(format!("there is no cluster group {shown:?}"))
                .candidates(nearest::names(written, names, NEAREST))
                .next("call palette_cluster_groups without cluster_group to see those that you may see"));
        }
        several => {
            let candidates = several.iter().map(|(access, group)| {
                let project = group.place.shown().unwrap_or("-");
                format!("{}/{project}/{shown} ({})", access.environment().name(), group.summary.metadata.uid)
            });
            return Err(Error::new(ErrorKind::Conflict, format!("the cluster group {shown:?} is ambiguous"))
                .candidates(candidates)
                .next("name environment and project too, or pass the uid"));
        }
    };
    let (read, told) = groups::whole(access, group).await?;
    gaps.extend(told);
    let line = Line::of(access, group);
    let (details, unread) = details(read);
    gaps.extend(unread);
    let summary = format!(
        "cluster group {} ({}): {}{}",
        line.name,
        group.place,
        counted(details.hosts.len(), "host cluster"),
        if details.active == Some(false) { ", not active" } else { "" },
    );
    let mut table = Table::new(Line::COLUMNS);
    table.row(line.cells());
    let mut lines = vec![table.into_text(), details.limits.line()];
    lines.extend((!details.hosts.is_empty()).then(|| format!("host clusters: {}", details.hosts.join(", "))));
    lines
        .extend((!details.profiles.is_empty()).then(|| format!("profiles: {}", details.profiles.join(", "))));
    lines.extend(details.settings.iter().flat_map(Settings::lines));
    let output = Output { rows: Rows { total: 1, rows: vec![line] }, details: Some(details) };
    Ok(Answer::new(summary, lines.join("\n"), output).gaps(gaps))
}

fn details(read: ClusterGroup) -> (Details, Option<String>) {
    let config = read.spec.clusters_config;
    let (settings, unread) = match Settings::parse(&config.values) {
        Ok(settings) => (Some(settings).filter(|settings| *settings != Settings::default()), None),
        Err(why) => (None, Some(format!("settings: {why}"))),
    };
    let details = Details {
        active: read.status.is_active,
        limits: Limits::of(config.limit_config),
        hosts: read.spec.cluster_refs.into_iter().map(|host| host.cluster_name).collect(),
        profiles: read.spec.cluster_profile_templates.into_iter().map(|profile| profile.name).collect(),
        settings,
    };
    (details, unread)
}
