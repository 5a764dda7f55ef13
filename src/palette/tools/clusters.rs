//! `palette_clusters`: the clusters that the caller may see, virtual ones too.

use std::{collections::BTreeSet, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::fleet::{
        self, ClusterRow, Detail, Filter, Health, Wanted,
        triage::{Counts, Problem, rank},
    },
    reach,
};
use crate::{
    Error,
    answer::{Answer, Row, Rows, counted, sanitise},
    nearest,
    toolbox::{Call, Reach, Tool},
};

/// Names that are offered where none fits.
const NEAREST: usize = 5;

/// The handler.
#[derive(Debug)]
pub struct ListClusters;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    project: Option<String>,
    /// Part of it.
    name: Option<String>,
    state: Option<String>,
    health: Option<HealthWord>,
    cloud_type: Option<String>,
    tag: Option<String>,
    r#virtual: Option<bool>,
    /// Not from the index.
    fresh: Option<bool>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum HealthWord {
    Healthy,
    Unhealthy,
    Unknown,
}

/// One cluster.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Line {
    environment: String,
    /// Left out: the tenant's own.
    #[serde(skip_serializing_if = "String::is_empty")]
    project: String,
    name: String,
    uid: String,
    /// nested: a virtual cluster.
    cloud_type: String,
    /// How far it is, not how well.
    state: String,
    health: String,
    /// As palette_fleet has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<&'static str>,
    #[serde(skip)]
    rank: String,
}

impl Line {
    fn of(row: &ClusterRow) -> Self {
        Self {
            environment: row.environment.to_string(),
            project: row.project().to_owned(),
            name: row.name.clone(),
            uid: row.uid.clone(),
            cloud_type: row.cloud_type.clone(),
            state: row.state.clone(),
            health: row.health.word().to_owned(),
            problems: Problem::words(row),
            rank: rank(row),
        }
    }
}

impl Row for Line {
    const COLUMNS: &'static [&'static str] =
        &["environment", "project", "name", "uid", "cloud_type", "state", "health", "problems"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.environment.clone(),
            self.project.clone(),
            self.name.clone(),
            self.uid.clone(),
            self.cloud_type.clone(),
            self.state.clone(),
            self.health.clone(),
            self.problems.join(", "),
        ]
    }

    fn key(&self) -> String {
        self.rank.clone()
    }
}

impl Tool for ListClusters {
    type Input = Input;
    type Output = Rows<Line>;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Self::Output>, Error> {
        let filter = Filter {
            name: input.name,
            state: input.state,
            health: input.health.map(|word| match word {
                HealthWord::Healthy => Health::Healthy,
                HealthWord::Unhealthy => Health::Unhealthy,
                HealthWord::Unknown => Health::Unknown,
            }),
            cloud_type: input.cloud_type,
            tag: input.tag,
            is_virtual: input.r#virtual,
        };
        let wanted = Wanted { project: input.project.as_deref(), fresh: input.fresh.unwrap_or_default() };
        let fleet = fleet::rows(call.environments(), Detail::Health, wanted).await?;
        let found: Vec<&ClusterRow> =
            fleet.rows.iter().map(|row| &**row).filter(|row| filter.takes(row)).collect();
        let counts = Counts::of(found.iter().copied());
        let summary = match found.len() {
            0 => nothing(&filter, &fleet.rows),
            all => format!(
                "{}, {} of them virtual; state: {}; health: {}{}{}",
                counted(all, "cluster"),
                counts.virtual_clusters,
                counts.states_line(),
                counts.health_line(),
                fleet.as_of(),
                // the listing of health does not tell them
                if found.iter().any(|row| row.repave.is_none()) {
                    "; repaves: see palette_fleet"
                } else {
                    ""
                }
            ),
        };
        let rows = found.into_iter().map(Line::of).collect();
        let narrow = "narrow with name, project, state, health, cloud_type or tag";
        let (page, cut) = call.page(rows, input.cursor.as_deref(), narrow)?;
        Ok(Answer::new(summary, page.table, page.rows).gaps(fleet.gaps).cut(cut))
    }
}

/// What there is instead, of the argument that nothing fits.
fn nothing(filter: &Filter, rows: &[Arc<ClusterRow>]) -> String {
    if rows.is_empty() {
        return "no clusters that you may see".to_owned();
    }
    let all = counted(rows.len(), "cluster");
    let none = |alone: Filter| !rows.iter().any(|row| alone.takes(row));
    let of_cloud = Filter { cloud_type: filter.cloud_type.clone(), ..Filter::default() };
    let of_name = Filter { name: filter.name.clone(), ..Filter::default() };
    if let (Some(cloud), true) = (&filter.cloud_type, none(of_cloud)) {
        let clouds: BTreeSet<&str> = rows.iter().map(|row| row.cloud_type.as_str()).collect();
        let clouds: Vec<&str> = clouds.into_iter().filter(|cloud| !cloud.is_empty()).collect();
        let cloud = sanitise::short(cloud, 40);
        return format!(
            "none of {all} has the cloud type {cloud:?}; their cloud types: {}",
            clouds.join(", ")
        );
    }
    if let (Some(name), true) = (&filter.name, none(of_name)) {
        let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let near = nearest::names(name, names, NEAREST);
        let name = sanitise::short(name, 80);
        return format!("none of {all} has {name:?} in its name; nearest: {}", near.join(", "));
    }
    let state = filter.state.as_deref().map(|state| format!(" in state {:?}", sanitise::short(state, 40)));
    let states = Counts::of(rows.iter().map(|row| &**row)).states_line();
    format!("none{} of {all} fits; their states: {states}", state.unwrap_or_default())
}
