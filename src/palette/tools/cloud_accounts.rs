//! `palette_cloud_accounts`: the accounts with clouds, from the listing that has no credentials.

use std::collections::BTreeMap;

use futures::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{Access, accounts, accounts::Account},
    reach,
};
use crate::{
    Error,
    answer::{Answer, Row, Rows, sanitise},
    toolbox::{Call, Reach, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct ListCloudAccounts;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// aws, azure, vsphere, …
    cloud_type: Option<String>,
    environment: Option<String>,
    project: Option<String>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    cursor: Option<String>,
}

/// One account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Line {
    environment: String,
    /// Left out: the tenant's own.
    #[serde(skip_serializing_if = "String::is_empty")]
    project: String,
    name: String,
    uid: String,
    cloud_type: String,
    /// What the cloud calls it.
    #[serde(skip_serializing_if = "String::is_empty")]
    account: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    state: String,
}

impl Line {
    fn of(access: &Access, account: Account) -> Self {
        Self {
            environment: access.environment().name().to_owned(),
            project: account.place.shown().unwrap_or_default().to_owned(),
            name: account.name,
            uid: account.uid,
            cloud_type: account.cloud_type,
            account: account.account,
            state: account.state,
        }
    }
}

impl Row for Line {
    const COLUMNS: &'static [&'static str] =
        &["environment", "project", "name", "uid", "cloud_type", "account", "state"];

    fn cells(&self) -> Vec<String> {
        let (environment, project) = (self.environment.clone(), self.project.clone());
        let (name, uid, cloud_type) = (self.name.clone(), self.uid.clone(), self.cloud_type.clone());
        vec![environment, project, name, uid, cloud_type, self.account.clone(), self.state.clone()]
    }

    fn key(&self) -> String {
        let Self { environment, project, name, uid, .. } = self;
        format!("{environment} {project} {name} {uid}")
    }
}

impl Tool for ListCloudAccounts {
    type Input = Input;
    type Output = Rows<Line>;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Self::Output>, Error> {
        let accesses = call.environments();
        let asked = join_all(accesses.iter().map(|access| accounts::seen(access, input.project.as_deref())));
        let (mut lines, mut gaps, mut first, mut read) = (Vec::new(), Vec::new(), None, false);
        for (access, seen) in accesses.iter().zip(asked.await) {
            match seen {
                Ok((accounts, told)) => {
                    read = true;
                    gaps.extend(told);
                    lines.extend(accounts.into_iter().map(|account| Line::of(access, account)));
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
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        lines.iter().for_each(|line| *kinds.entry(line.cloud_type.clone()).or_default() += 1);
        let counted: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        if let Some(wanted) = &input.cloud_type {
            // clusters are of `eks` and `aks`, their accounts of `aws` and `azure`
            let wanted = match wanted.to_ascii_lowercase().as_str() {
                "eks" => "aws".to_owned(),
                "aks" => "azure".to_owned(),
                "gke" => "gcp".to_owned(),
                other => other.to_owned(),
            };
            lines.retain(|line| line.cloud_type.eq_ignore_ascii_case(&wanted));
        }
        let counted = if counted.is_empty() { String::new() } else { format!(": {}", counted.join(", ")) };
        let summary = match (&input.cloud_type, lines.len()) {
            (Some(kind), count) => {
                format!("{count} cloud accounts of {} (of all{counted})", sanitise::short(kind, 40))
            }
            (None, count) => format!("{count} cloud accounts{counted}"),
        };
        let (page, cut) = call.page(lines, input.cursor.as_deref(), "name a cloud_type or project")?;
        Ok(Answer::new(summary, page.table, page.rows).gaps(gaps).cut(cut))
    }
}
