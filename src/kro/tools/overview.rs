//! `kro_overview`: how the instances of one cluster or of all are doing, and what is broken.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    across::across,
    instances::{
        FILTERED,
        asked::Asked,
        found::{Found, find},
        row::{InstanceRow, Placed, summary},
    },
    reach_all,
};
use crate::{
    Error,
    answer::{Answer, Cut, Row, Table},
    kro::{
        inventory::{Coverage, RgdTrouble, Troubles},
        state::State,
    },
    permission::Permission,
    toolbox::{Call, Reach, Tool},
};

/// Instances that are named; kro_instances lists all.
const MOST_BROKEN: usize = 20;
/// Clusters that are told of one by one, those with most trouble first.
const MOST_CLUSTERS: usize = 30;

/// The handler.
#[derive(Debug)]
pub struct ShowOverview;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Name, or * for all.
    cluster: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Instances by state.
    instances: BTreeMap<State, usize>,
    /// Each of several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clusters: Vec<ClusterLine>,
    /// The first of those that are not ready, the worst first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    broken: Vec<InstanceRow>,
    /// RGDs that are not in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rgds: Vec<RgdTrouble>,
    /// Clusters that serve no ResourceGraphDefinition.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    without_kro: Vec<String>,
}

/// One of several clusters.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ClusterLine {
    name: String,
    instances: BTreeMap<State, usize>,
    /// For who may list them.
    #[serde(skip_serializing_if = "Option::is_none")]
    rgds: Option<usize>,
    #[serde(skip_serializing_if = "is_none_of_them")]
    rgds_with_problems: usize,
}

fn is_none_of_them(count: &usize) -> bool {
    *count == 0
}

impl ClusterLine {
    fn of(name: &str, found: &Found) -> Self {
        let problems = found.rgds.iter().filter(|rgd| rgd.problem.is_some()).count();
        Self {
            name: name.to_owned(),
            instances: by_state(&found.rows),
            rgds: (!found.rgds.is_empty()).then_some(found.rgds.len()),
            rgds_with_problems: problems,
        }
    }

    /// Not ready and not in order, so that the worst come first.
    fn trouble(&self) -> usize {
        let abnormal = self.instances.iter().filter(|(state, _)| state.is_abnormal());
        abnormal.map(|(_, count)| count).sum::<usize>() + self.rgds_with_problems
    }

    fn cells(&self) -> [String; 3] {
        let states: Vec<String> =
            self.instances.iter().map(|(state, count)| format!("{count} {state}")).collect();
        let rgds = match (self.rgds, self.rgds_with_problems) {
            (None, _) => String::new(),
            (Some(all), 0) => all.to_string(),
            (Some(all), problems) => format!("{all}, {problems} with problems"),
        };
        [self.name.clone(), states.join(", "), rgds]
    }
}

impl Tool for ShowOverview {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach_all(input.cluster.as_ref(), None)
    }

    async fn run(call: Call, _: Input) -> Result<Answer<Output>, Error> {
        let (asked, now) = (Asked::default(), Timestamp::now());
        let ask = |access| find(&call, access, &asked, Permission::KroOverviewView, now);
        let across = across(&call, ask).await?;
        let (several, all_asked) = (call.clusters().len() > 1, across.gaps.is_empty());
        let (mut all, mut clusters) = (Found::default(), Vec::new());
        let (mut troubles, mut gaps) = (Troubles::default(), across.gaps);
        let (asked_of, unanswered) = (call.clusters().len(), gaps.len());
        for (cluster, mut found) in across.found {
            let named = several.then_some(cluster.as_str());
            if several {
                clusters.push(ClusterLine::of(&cluster, &found));
            }
            // a list of thousands can do without it, what is to tell of all that is broken cannot
            let blind = found.blind.take();
            found.gaps.extend(blind);
            found.place(named, &mut gaps);
            troubles.add(named, &std::mem::take(&mut found.rgds));
            all.add(found);
        }
        // said whether or not something is withheld: otherwise it would tell that something exists
        if all.is_filtered {
            gaps.insert(0, FILTERED.to_owned());
        }
        let coverage = Coverage::of(all.seen, true, all.is_cut);
        let instances = by_state(&all.rows);
        let mut line = String::new();
        if several {
            line.push_str(&format!("{asked_of} clusters: "));
        }
        line.push_str(&summary(&all.rows, all.all, &coverage, all.is_whole && all_asked));
        line.push_str(&coverage.rest(!all.rows.is_empty()));
        line.push_str(&troubles.count());
        if unanswered > 0 {
            line.push_str(&format!("; {unanswered} of {asked_of} clusters could not be asked"));
        }
        let (broken, cut) = worst(all.rows);
        let mut body = String::new();
        if several {
            body.push_str(&cluster_table(&mut clusters, &across.without));
        }
        if !broken.is_empty() {
            body.push_str(&format!("\n{}", table(&broken, several)));
        }
        body.push_str(&troubles.lines());
        let output = Output { instances, clusters, broken, rgds: troubles.rgds, without_kro: across.without };
        Ok(Answer::new(line, body.trim_start_matches('\n'), output).gaps(gaps).cut(cut))
    }
}

fn by_state(rows: &[InstanceRow]) -> BTreeMap<State, usize> {
    let mut counts = BTreeMap::new();
    rows.iter().for_each(|row| *counts.entry(row.state).or_default() += 1);
    counts
}

/// The worst first, and how many are left out.
fn worst(rows: Vec<InstanceRow>) -> (Vec<InstanceRow>, Option<Cut>) {
    let mut broken: Vec<InstanceRow> = rows.into_iter().filter(|row| row.state.is_abnormal()).collect();
    broken.sort_by_cached_key(Row::key);
    let all = broken.len();
    broken.truncate(MOST_BROKEN);
    let cut = (all > MOST_BROKEN).then(|| Cut {
        what: format!("{MOST_BROKEN} of {all} instances that are not ready"),
        narrow: "kro_instances lists all, and filters".to_owned(),
        next_cursor: None,
    });
    (broken, cut)
}

fn cluster_table(clusters: &mut Vec<ClusterLine>, without: &[String]) -> String {
    clusters.sort_by_key(|cluster| std::cmp::Reverse(cluster.trouble()));
    let more = clusters.len().saturating_sub(MOST_CLUSTERS);
    clusters.truncate(MOST_CLUSTERS);
    let mut table = Table::new(&["cluster", "instances", "rgds"]);
    clusters.iter().for_each(|cluster| table.row(cluster.cells()));
    let mut text = table.into_text();
    if more > 0 {
        text.push_str(&format!("\nand {more} clusters with less trouble"));
    }
    if !without.is_empty() {
        text.push_str(&format!("\nwithout kro: {}", without.join(", ")));
    }
    text
}

fn table(broken: &[InstanceRow], several: bool) -> String {
    let mut table = Table::new(if several { Placed::COLUMNS } else { InstanceRow::COLUMNS });
    for row in broken {
        let mut cells = row.cells();
        if several {
            cells.insert(0, row.cluster.clone().unwrap_or_default());
        }
        table.row(cells);
    }
    table.into_text()
}
