//! `palette_cluster_groups`: the groups that virtual clusters are made in; one with its settings.

mod one;

use futures::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::one::Details;
use super::{
    super::{
        Access,
        api::group::GroupResource,
        groups::{self, Group},
    },
    reach,
    share::Share,
};
use crate::{
    Error,
    answer::{Answer, Row, Rows, counted},
    toolbox::{Call, Reach, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct ListClusterGroups;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// One, with its settings: name or uid.
    cluster_group: Option<String>,
    environment: Option<String>,
    project: Option<String>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    cursor: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    #[serde(flatten)]
    rows: Rows<Line>,
    /// Of a single one.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
}

/// One group.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Line {
    environment: String,
    /// Left out: the tenant's own.
    #[serde(skip_serializing_if = "String::is_empty")]
    project: String,
    name: String,
    uid: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    endpoint: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    distribution: String,
    /// Those that you may see.
    host_clusters: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    virtual_clusters: Option<u64>,
    /// Of what is allocated.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_cores: Option<Share>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_gib: Option<Share>,
}

impl Line {
    fn of(access: &Access, group: &Group) -> Self {
        let spec = &group.summary.spec;
        Self {
            environment: access.environment().name().to_owned(),
            project: group.place.shown().unwrap_or_default().to_owned(),
            name: group.summary.metadata.name.clone(),
            uid: group.summary.metadata.uid.clone(),
            endpoint: spec.endpoint_type.clone(),
            distribution: spec.kubernetes_distro_type.clone(),
            host_clusters: group.hosts.len(),
            // it counts virtual clusters of all projects
            virtual_clusters: spec.virtual_clusters_count.filter(|_| access.view().sees_all()),
            cpu_cores: used(spec.cpu),
            memory_gib: used(spec.memory),
        }
    }
}

/// Nothing where nothing is allocated or used.
fn used(of: GroupResource) -> Option<Share> {
    let share = Share::new(of.used, of.allocated.filter(|all| *all > 0.0));
    share.filter(|share| share.limit.is_some() || share.used.is_some_and(|used| used > 0.0))
}

fn shown(share: Option<Share>) -> String {
    match share.map(|share| (share.used, share.limit, share.percent)) {
        Some((Some(used), Some(all), Some(percent))) => format!("{used:.1} of {all:.1} ({percent} %)"),
        Some((Some(used), ..)) => format!("{used:.1}"),
        _ => String::new(),
    }
}

impl Row for Line {
    const COLUMNS: &'static [&'static str] = &[
        "environment",
        "project",
        "name",
        "uid",
        "endpoint",
        "distribution",
        "hosts",
        "virtual",
        "cpu",
        "memory",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.environment.clone(),
            self.project.clone(),
            self.name.clone(),
            self.uid.clone(),
            self.endpoint.clone(),
            self.distribution.clone(),
            self.host_clusters.to_string(),
            self.virtual_clusters.map(|count| count.to_string()).unwrap_or_default(),
            shown(self.cpu_cores),
            shown(self.memory_gib),
        ]
    }

    fn key(&self) -> String {
        let Self { environment, project, name, uid, .. } = self;
        format!("{environment} {project} {name} {uid}")
    }
}

impl Tool for ListClusterGroups {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let accesses = call.environments();
        let asked = join_all(accesses.iter().map(|access| groups::seen(access, input.project.as_deref())));
        let (mut found, mut gaps, mut first, mut read) = (Vec::new(), Vec::new(), None, false);
        for (access, seen) in accesses.iter().zip(asked.await) {
            match seen {
                Ok((groups, told)) => {
                    read = true;
                    gaps.extend(told);
                    found.extend(groups.into_iter().map(|group| (access, group)));
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
        if let Some(written) = &input.cluster_group {
            return one::of(found, written, gaps).await;
        }
        let virtual_clusters: u64 =
            found.iter().filter_map(|(access, group)| Line::of(access, group).virtual_clusters).sum();
        let lines: Vec<Line> = found.iter().map(|(access, group)| Line::of(access, group)).collect();
        let mut summary = counted(lines.len(), "cluster group");
        if virtual_clusters > 0 {
            let several = if virtual_clusters == 1 { "" } else { "s" };
            summary.push_str(&format!(" with {virtual_clusters} virtual cluster{several}"));
        }
        let (page, cut) = call.page(lines, input.cursor.as_deref(), "name one as cluster_group")?;
        let output = Output { rows: page.rows, details: None };
        Ok(Answer::new(summary, page.table, output).gaps(gaps).cut(cut))
    }
}
