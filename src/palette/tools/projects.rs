//! `palette_projects`: the projects that the caller may see.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{find, place::Place},
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
}

impl Row for ProjectRow {
    const COLUMNS: &'static [&'static str] = &["environment", "name", "uid"];

    fn cells(&self) -> Vec<String> {
        vec![self.environment.clone(), self.name.clone(), self.uid.clone()]
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
        let (mut rows, mut gaps) = (Vec::new(), Vec::new());
        for access in call.environments() {
            let environment = access.environment().name();
            match find::project_names(access).await {
                Err(fault) => gaps.push(format!("environment {environment}: {fault}")),
                Ok(names) => rows.extend(names.into_iter().filter_map(|(uid, name)| {
                    let place = Place::Project { uid: uid.clone(), name: Some(name.clone()) };
                    access.sees(&place).then(|| ProjectRow { environment: environment.to_owned(), name, uid })
                })),
            }
        }
        let summary = format!("{} projects", rows.len());
        let (page, cut) = call.page(rows, input.cursor.as_deref(), "name an environment")?;
        Ok(Answer::new(summary, page.table, page.rows).gaps(gaps).cut(cut))
    }
}
