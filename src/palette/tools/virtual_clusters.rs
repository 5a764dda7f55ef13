//! `palette_virtual_clusters`: virtual clusters, what they may use and what they use.

mod details;
mod group;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::details::Sizing;
use super::{
    super::{
        Access,
        api::cluster::Named,
        fleet::{self, ClusterRow, Detail, Measure, More, Wanted, pressure::Pressure},
        place::Place,
    },
    reach,
    share::Share,
};
use crate::{
    Error,
    answer::{Answer, Row, Rows, counted, sanitise},
    toolbox::{Call, Reach, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct ListVirtualClusters;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// One, in detail: name or uid.
    cluster: Option<String>,
    environment: Option<String>,
    project: Option<String>,
    /// Name or uid.
    cluster_group: Option<String>,
    /// Only over 80 %.
    pressed: Option<bool>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    cursor: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    #[serde(flatten)]
    rows: Rows<Line>,
    /// Of a single one, as it was configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    sizing: Option<Sizing>,
}

/// One virtual cluster.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Line {
    /// environment/project/name
    cluster: String,
    uid: String,
    state: String,
    health: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    /// Left out where you may not see it.
    #[serde(skip_serializing_if = "String::is_empty")]
    host: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_cores: Option<Share>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_gib: Option<Share>,
    /// Over 80 % of a limit; full: at it or over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pressure: Option<&'static str>,
    #[serde(skip)]
    worst: Pressure,
    /// CPU and memory as the text has them.
    #[serde(skip)]
    told: [String; 2],
}

impl Line {
    fn of(row: &ClusterRow, access: Option<&Access>) -> Self {
        let nothing = More::default();
        let more = row.more.as_deref().unwrap_or(&nothing);
        let info = &more.virtual_info;
        let worst = more.cpu.pressure().min(more.memory.pressure());
        let state = match info.lifecycle.as_str() {
            "" | "Running" => row.state.clone(),
            lifecycle => format!("{} ({lifecycle})", row.state),
        };
        let shown = |named: &Option<Named>, within: bool| {
            let seen = named.as_ref().filter(|named| may_name(named, row, access, within));
            seen.map(|named| named.name.clone()).unwrap_or_default()
        };
        Self {
            cluster: row.qualified(),
            uid: row.uid.clone(),
            state,
            health: row.health.word().to_owned(),
            group: shown(&info.group, true),
            host: shown(&info.host, false),
            cpu_cores: share(&more.cpu, "cores"),
            memory_gib: share(&more.memory, "GiB"),
            told: [more.cpu.line(), more.memory.line()],
            pressure: match worst {
                Pressure::Full => Some("full"),
                Pressure::High => Some("high"),
                Pressure::Low | Pressure::Unknown => None,
            },
            worst,
        }
    }
}

/// In that unit; nothing where it was told in one that nobody knows.
fn share(measure: &Measure, unit: &str) -> Option<Share> {
    let scaled = |number: Option<f64>| {
        measure.scaled(number?).filter(|(_, known)| *known == unit).map(|(number, _)| number)
    };
    Share::new(scaled(measure.usage), scaled(measure.limit))
}

/// Whether what a virtual cluster refers to may be named: a host may be one of a project that the caller does not
/// see. A group of the tenant is what the cluster was made in.
fn may_name(named: &Named, row: &ClusterRow, access: Option<&Access>, tenant_too: bool) -> bool {
    let Some(access) = access else { return false };
    if access.view().sees_all() || (named.project_uid.is_empty() && tenant_too) {
        return true;
    }
    // the same project is seen, since the row is
    row.place.project_uid() == Some(named.project_uid.as_str())
        || (named.project_uid.is_empty() && row.place == Place::Tenant)
}

impl Row for Line {
    const COLUMNS: &'static [&'static str] =
        &["cluster", "uid", "state", "health", "group", "host", "cpu", "memory", "pressure"];

    fn cells(&self) -> Vec<String> {
        let (cluster, uid, state) = (self.cluster.clone(), self.uid.clone(), self.state.clone());
        let (health, group, host) = (self.health.clone(), self.group.clone(), self.host.clone());
        let [cpu, memory] = self.told.clone();
        let pressure = self.pressure.unwrap_or_default().to_owned();
        vec![cluster, uid, state, health, group, host, cpu, memory, pressure]
    }

    fn key(&self) -> String {
        let pressed = if self.worst <= Pressure::High { self.worst as u8 } else { 7 };
        let sick = u8::from(self.health != "unhealthy");
        format!("{pressed} {sick} {} {}", self.cluster, self.uid)
    }
}

impl Tool for ListVirtualClusters {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        if let Some(written) = &input.cluster {
            return details::of(&call, written, input.project.as_deref()).await;
        }
        let wanted = Wanted { project: input.project.as_deref(), fresh: false };
        let mut fleet = fleet::rows(call.environments(), Detail::Virtual, wanted).await?;
        fleet.rows.retain(|row| row.is_virtual());
        let access_of = |row: &ClusterRow| {
            call.environments().iter().find(|access| access.environment().name() == &*row.environment)
        };
        if let Some(group) = &input.cluster_group {
            fleet.rows.retain(|row| {
                let named = row.more.as_deref().and_then(|more| more.virtual_info.group.as_ref());
                named.is_some_and(|named| {
                    (named.uid == *group || named.name == *group)
                        && may_name(named, row, access_of(row), true)
                })
            });
            if fleet.rows.is_empty() && fleet.gaps.is_empty() {
                fleet.gaps = group::exists(call.environments(), group).await?;
            }
        }
        let mut lines: Vec<Line> = fleet.rows.iter().map(|row| Line::of(row, access_of(row))).collect();
        let count = |worst: Pressure| lines.iter().filter(|line| line.worst == worst).count();
        let (full, high) = (count(Pressure::Full), count(Pressure::High));
        let mut summary = format!("{}{}", counted(lines.len(), "virtual cluster"), fleet.as_of());
        if let Some(group) = &input.cluster_group {
            summary.push_str(&format!(" of cluster group {}", sanitise::short(group, 60)));
        }
        summary.push_str(&format!("; {full} at or over a limit, {high} more over 80 %"));
        let unhealthy = fleet.rows.iter().filter(|row| row.health.is_bad()).count();
        if unhealthy > 0 {
            summary.push_str(&format!(", {unhealthy} unhealthy"));
        }
        if input.pressed == Some(true) {
            lines.retain(|line| line.pressure.is_some());
        }
        let narrow = "narrow with project, cluster_group or pressed";
        let (page, cut) = call.page(lines, input.cursor.as_deref(), narrow)?;
        let output = Output { rows: page.rows, sizing: None };
        Ok(Answer::new(summary, page.table, output).gaps(fleet.gaps).cut(cut))
    }
}
