//! `palette_projects`: the projects that the caller may see, and how many clusters they have.

use std::collections::BTreeMap;

use futures::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        Access, Fault, find,
        fleet::{self, Detail, Wanted},
        place::Place,
    },
    reach,
};
use crate::{
    Error,
    answer::{Answer, Row, Rows},
    toolbox::{Call, Reach, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct ListProjects;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub environment: Option<String>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// One project.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProjectRow {
    environment: String,
    name: String,
    uid: String,
    /// Virtual ones too; left out where they could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    clusters: Option<usize>,
}

impl Row for ProjectRow {
    const COLUMNS: &'static [&'static str] = &["environment", "name", "uid", "clusters"];

    fn cells(&self) -> Vec<String> {
        let clusters = self.clusters.map(|count| count.to_string()).unwrap_or_default();
        vec![self.environment.clone(), self.name.clone(), self.uid.clone(), clusters]
    }

    fn key(&self) -> String {
        format!("{} {} {}", self.environment, self.name, self.uid)
    }
}

impl Tool for ListProjects {
    type Input = Input;
    type Output = Rows<ProjectRow>;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), None)
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Self::Output>, Error> {
        let accesses = call.environments();
        let asked = join_all(accesses.iter().map(of)).await;
        let (mut rows, mut gaps, mut first, mut read) = (Vec::new(), Vec::new(), None, false);
        for (access, asked) in accesses.iter().zip(asked) {
            match asked {
                Ok((projects, told)) => {
                    read = true;
                    rows.extend(projects);
                    gaps.extend(told);
                }
                Err(fault) => {
                    gaps.push(format!("environment {}: {fault}", access.environment().name()));
                    first.get_or_insert(fault);
                }
            }
        }
        if let (Some(fault), false) = (first, read) {
            return Err(fault.into());
        }
        let clusters: usize = rows.iter().filter_map(|row| row.clusters).sum();
        let counted = rows.iter().all(|row| row.clusters.is_some());
        let summary = match counted {
            true => format!("{} projects with {clusters} clusters", rows.len()),
            false => format!("{} projects", rows.len()),
        };
        let (page, cut) = call.page(rows, input.cursor.as_deref(), "name an environment")?;
        Ok(Answer::new(summary, page.table, page.rows).gaps(gaps).cut(cut))
    }
}

/// The projects of one environment that the caller sees, and what could not be counted.
async fn of(access: &Access) -> Result<(Vec<ProjectRow>, Vec<String>), Fault> {
    let one = std::slice::from_ref(access);
    let clusters = fleet::rows(one, Detail::Names, Wanted::default());
    let (names, clusters) = tokio::join!(find::project_names(access), clusters);
    let mut gaps = Vec::new();
    let mut counts: Option<BTreeMap<String, usize>> = None;
    match clusters {
        Ok(fleet) => {
            // a part that is missing makes every count a guess
            if fleet.gaps.is_empty() {
                let counted = counts.get_or_insert_default();
                for uid in fleet.rows.iter().filter_map(|row| row.place.project_uid()) {
                    *counted.entry(uid.to_owned()).or_default() += 1;
                }
            }
            gaps.extend(fleet.gaps);
        }
        Err(error) => gaps.push(format!("clusters: {error}")),
    }
    let projects = names?.into_iter().filter_map(|(uid, name)| {
        let place = Place::Project { uid: uid.clone(), name: Some(name.clone()) };
        let clusters = counts.as_ref().map(|counts| counts.get(&uid).copied().unwrap_or_default());
        let environment = access.environment().name().to_owned();
        access.sees(&place).then_some(ProjectRow { environment, name, uid, clusters })
    });
    Ok((projects.collect(), gaps))
}
