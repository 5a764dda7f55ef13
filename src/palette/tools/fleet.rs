//! `palette_fleet`: how all clusters are, in one answer.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::fleet::{
        self, ClusterRow, Detail, Fleet, Wanted,
        triage::{Counts, Problem, rank},
    },
    reach,
};
use crate::{
    Error,
    answer::{Answer, Row, Rows, Table},
    toolbox::{Call, Reach, Tool},
};

/// Projects that are told one by one, those with most trouble first.
const MOST_PROJECTS: usize = 12;

/// The handler.
#[derive(Debug)]
pub struct ShowFleet;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    project: Option<String>,
    /// Not from the index.
    fresh: Option<bool>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    cursor: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    clusters: usize,
    /// Of them.
    virtual_clusters: usize,
    /// How far they are.
    states: BTreeMap<String, usize>,
    /// How well they are, whatever their state.
    health: BTreeMap<String, usize>,
    /// A cluster may be in several.
    problems: BTreeMap<&'static str, usize>,
    unhealthy_but_running: usize,
    /// Those with most trouble.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    projects: Vec<ProjectLine>,
    /// Without trouble, or with less.
    #[serde(skip_serializing_if = "is_zero")]
    more_projects: usize,
    /// Since it was read.
    #[serde(skip_serializing_if = "is_none")]
    age_seconds: u64,
    /// The worst first; those that only wait for updates last.
    attention: Rows<Line>,
    /// What tells more of the worst.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn is_none(seconds: &u64) -> bool {
    *seconds == 0
}

/// One project.
#[derive(Debug, Serialize, JsonSchema)]
struct ProjectLine {
    environment: String,
    /// Left out: the tenant's own.
    #[serde(skip_serializing_if = "String::is_empty")]
    project: String,
    clusters: usize,
    /// In error, unhealthy, not there yet, being deleted, repave pending.
    #[serde(skip_serializing_if = "is_zero")]
    troubled: usize,
    #[serde(skip_serializing_if = "is_zero")]
    unhealthy: usize,
    #[serde(skip_serializing_if = "is_zero")]
    updates_pending: usize,
}

/// A cluster that wants attention.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Line {
    /// environment/project/name
    cluster: String,
    uid: String,
    state: String,
    health: String,
    problems: Vec<&'static str>,
    #[serde(skip)]
    rank: String,
}

impl Row for Line {
    const COLUMNS: &'static [&'static str] = &["cluster", "uid", "state", "health", "problems"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.cluster.clone(),
            self.uid.clone(),
            self.state.clone(),
            self.health.clone(),
            self.problems.join(", "),
        ]
    }

    fn key(&self) -> String {
        self.rank.clone()
    }
}

impl Tool for ShowFleet {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let wanted = Wanted { project: input.project.as_deref(), fresh: input.fresh.unwrap_or_default() };
        let fleet = fleet::rows(call.environments(), Detail::Triage, wanted).await?;
        let counts = Counts::of(fleet.rows.iter().map(|row| &**row));
        let worst = fleet.rows.iter().filter(|row| !Problem::of(row).is_empty()).min_by_key(|row| rank(row));
        let next = worst.filter(|_| input.cursor.is_none());
        let next = next.map(|worst| format!("palette_cluster_health cluster={}", worst.uid));
        let attention = fleet.rows.iter().filter_map(|row| line(row)).collect();
        let narrow = "narrow with environment or project; palette_clusters filters";
        let (page, cut) = call.page(attention, input.cursor.as_deref(), narrow)?;
        let (projects, more) = projects(&fleet);
        let summary = summary(&counts, &fleet);
        let body = match input.cursor {
            // what is of the whole fleet was told on the first page
            Some(_) => page.table,
            None => format!("{}\n\n{}", table(&projects, more), page.table),
        };
        let body = match &next {
            Some(next) => format!("{}\n\nnext: {next}", body.trim_end()),
            None => body,
        };
        let output = Output {
            clusters: counts.clusters,
            virtual_clusters: counts.virtual_clusters,
            unhealthy_but_running: counts.unhealthy_running,
            problems: counts.problems.iter().map(|(problem, count)| (problem.word(), *count)).collect(),
            states: counts.states,
            health: counts.health,
            projects: if input.cursor.is_some() { Vec::new() } else { projects },
            more_projects: if input.cursor.is_some() { 0 } else { more },
            age_seconds: fleet.age.as_secs(),
            attention: page.rows,
            next,
        };
        Ok(Answer::new(summary, body.trim(), output).gaps(fleet.gaps).cut(cut))
    }
}

fn summary(counts: &Counts, fleet: &Fleet) -> String {
    if counts.clusters == 0 {
        return format!("no clusters that you may see{}", fleet.as_of());
    }
    let mut line = format!(
        "{} clusters ({} virtual) in {}{}. State: {}. Health: {}",
        counts.clusters,
        counts.virtual_clusters,
        places(fleet),
        fleet.as_of(),
        counts.states_line(),
        counts.health_line()
    );
    if counts.unhealthy_running > 0 {
        line.push_str(&format!(" ({} unhealthy though Running)", counts.unhealthy_running));
    }
    let more: Vec<String> = [Problem::HeartbeatFailed, Problem::RepavePending, Problem::UpdatesPending]
        .into_iter()
        .filter(|problem| counts.with(*problem) > 0)
        .map(|problem| format!("{} {}", counts.with(problem), problem.word()))
        .collect();
    line.push_str(&format!(
        ". {}",
        if more.is_empty() { "No updates or repaves wait".to_owned() } else { more.join(", ") }
    ));
    if counts.problems.is_empty() && fleet.gaps.is_empty() {
        line.push_str(". All are healthy");
    }
    line
}

/// `3 projects and the tenant itself`: what is in no project is the tenant's.
fn places(fleet: &Fleet) -> String {
    let places: BTreeSet<(&str, Option<&str>)> =
        fleet.rows.iter().map(|row| (&*row.environment, row.place.project_uid())).collect();
    let tenants = places.iter().filter(|(_, project)| project.is_none()).count();
    let projects = match places.len() - tenants {
        0 => None,
        1 => Some("1 project".to_owned()),
        projects => Some(format!("{projects} projects")),
    };
    let tenants = match tenants {
        0 => None,
        1 => Some("the tenant itself".to_owned()),
        tenants => Some(format!("{tenants} tenants themselves")),
    };
    projects.into_iter().chain(tenants).collect::<Vec<_>>().join(" and ")
}

fn line(row: &ClusterRow) -> Option<Line> {
    let problems = Problem::words(row);
    (!problems.is_empty()).then(|| Line {
        cluster: row.qualified(),
        uid: row.uid.clone(),
        state: row.state.clone(),
        health: row.health.word().to_owned(),
        problems,
        rank: rank(row),
    })
}

/// Those with most trouble, and how many more there are.
fn projects(fleet: &Fleet) -> (Vec<ProjectLine>, usize) {
    let mut parts: BTreeMap<(String, String, String), Vec<&ClusterRow>> = BTreeMap::new();
    for row in &fleet.rows {
        let uid = row.place.project_uid().unwrap_or_default().to_owned();
        let key = (row.environment.to_string(), row.project().to_owned(), uid);
        parts.entry(key).or_default().push(row);
    }
    let mut lines: Vec<ProjectLine> = parts
        .into_iter()
        .map(|((environment, project, _), rows)| {
            let counts = Counts::of(rows);
            ProjectLine {
                environment,
                project,
                clusters: counts.clusters,
                troubled: counts.troubled,
                unhealthy: counts.with(Problem::Unhealthy),
                updates_pending: counts.with(Problem::UpdatesPending),
            }
        })
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse((line.troubled, line.updates_pending)));
    let more = lines.len().saturating_sub(MOST_PROJECTS);
    lines.truncate(MOST_PROJECTS);
    (lines, more)
}

fn table(projects: &[ProjectLine], more: usize) -> String {
    let mut table =
        Table::new(&["environment", "project", "clusters", "troubled", "unhealthy", "updates_pending"]);
    for line in projects {
        table.row([
            line.environment.clone(),
            line.project.clone(),
            line.clusters.to_string(),
            line.troubled.to_string(),
            line.unhealthy.to_string(),
            line.updates_pending.to_string(),
        ]);
    }
    let mut text = table.into_text();
    if more > 0 {
        text.push_str(&format!("\nand {more} more with less trouble"));
    }
    text
}
