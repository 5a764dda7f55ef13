//! `palette_upgrades`: which attached profiles have newer versions, and which updates are pending.

mod line;
mod meant;
mod one;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::{
    line::Line,
    meant::Meant,
    one::{PackLine, Repave},
};
use super::{
    super::{
        fleet::{self, ClusterRow, Detail, Wanted},
        upgrades::{
            Found, Upgrade, catalog,
            check::check,
            found,
            pending::{self, Pending},
        },
    },
    reach,
};
use crate::{
    Error,
    answer::{Answer, Rows},
    toolbox::{Call, Reach, Tool},
};

/// What a listing of all versions does not tell.
const UNCHECKED: &str = "targets are told by name: one may be a draft, or of another profile of that name. With cluster \
                         both are checked";
/// Upgrades that are counted over all clusters.
const MOST_PROFILES: usize = 10;
/// Clusters that the summary names.
const MOST_NAMED: usize = 3;
/// Repaves that the structure names.
const MOST_REPAVES: usize = 20;

/// The handler.
#[derive(Debug)]
pub struct ListUpgrades;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// One, with packs that change.
    cluster: Option<String>,
    /// Only this one.
    profile: Option<String>,
    environment: Option<String>,
    project: Option<String>,
    /// Dry run, needs cluster.
    repave: Option<bool>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    cursor: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    #[serde(flatten)]
    rows: Rows<Line>,
    /// Attached profiles whose newer versions could not be told.
    #[serde(skip_serializing_if = "is_zero")]
    unknown: usize,
    /// With `cluster`: how packs change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    packs: Vec<PackLine>,
    /// With `cluster`: updates that are pending, as `name version`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<String>,
    /// Clusters with a repave that waits to be approved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    repaves_pending: Vec<String>,
    /// With `repave`.
    #[serde(skip_serializing_if = "Option::is_none")]
    repave: Option<Repave>,
    /// What was not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Tool for ListUpgrades {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        if let Some(cluster) = &input.cluster {
            return one::of(&call, cluster, &input).await;
        }
        if input.repave == Some(true) {
            return Err(Error::invalid_input(
                "the argument \"repave\" needs \"cluster\": it is a dry run of one",
            )
            .next("call again with cluster, or without repave"));
        }
        let wanted = Wanted { project: input.project.as_deref(), fresh: false };
        let fleet = fleet::rows(call.environments(), Detail::Full, wanted).await?;
        let meant = match &input.profile {
            Some(profile) => Some(Meant::of(&call, (profile, input.project.as_deref()), &fleet.rows).await?),
            None => None,
        };
        let catalog = catalog::read(call.environments(), &fleet.rows).await?;
        let mut found = found(&fleet.rows, &catalog);
        let mut rows = fleet.rows.clone();
        let mut gaps = fleet.gaps.clone();
        if let Some(meant) = &meant {
            rows.retain(|row| meant.attached(row));
            found.upgrades.retain(|upgrade| meant.is_of(upgrade));
            gaps.extend(meant.gaps.iter().cloned());
        }
        let mut pending = pending::pending(call.environments(), &rows, &mut gaps).await;
        if let Some(meant) = &meant {
            meant.narrow(&mut pending);
        }
        pending::chosen(&mut found.upgrades, &pending);
        check(call.environments(), &mut found.upgrades).await;
        let lines = Line::all(&found.upgrades, &pending, &catalog);
        let repaves: Vec<String> =
            rows.iter().filter(|row| row.repave_pending()).map(|row| row.qualified()).collect();
        let mut summary = summary(&found, &fleet.rows, &waits(&pending, &repaves, meant.is_some()));
        summary.push_str(&fleet.as_of());
        let note = found.upgrades.iter().any(Upgrade::is_unchecked).then_some(UNCHECKED);
        gaps.extend(catalog.gaps);
        let narrow = "narrow with profile, project or cluster (which tells the packs too)";
        let (page, cut) = call.page(lines, input.cursor.as_deref(), narrow)?;
        let body = match input.cursor {
            Some(_) => page.table,
            None => format!("{}{}{}", profiles(&found.upgrades), noted(note), page.table),
        };
        let output = Output {
            rows: page.rows,
            unknown: found.unknown.len(),
            packs: Vec::new(),
            waiting: Vec::new(),
            repaves_pending: repaves.into_iter().take(MOST_REPAVES).collect(),
            repave: None,
            note,
        };
        Ok(Answer::new(summary, body, output).gaps(gaps).cut(cut))
    }
}

fn noted(note: Option<&str>) -> String {
    note.map(|note| format!("{note}\n\n")).unwrap_or_default()
}

/// What is pending, of whom: named where it is few.
fn waits(pending: &[Pending], repaves: &[String], narrowed: bool) -> String {
    let mut told = String::new();
    if !pending.is_empty() {
        told.push_str(&format!("; {} have an update pending in Palette", pending.len()));
        let targets = pending.iter().flat_map(|one| {
            let label = |target: &pending::Target| format!("{} ({})", target.label(), one.row.qualified());
            one.targets.iter().flatten().map(label)
        });
        let named: Vec<String> = targets.take(MOST_NAMED).collect();
        let unread = pending.iter().any(|one| one.targets.is_none());
        match (named.is_empty(), unread) {
            (false, _) => told.push_str(&format!(": {}", named.join(", "))),
            (true, true) if narrowed => told.push_str(", perhaps of another profile: cluster tells"),
            (true, true) => told.push_str(", with cluster you see of what"),
            (true, false) => {}
        }
    }
    if !repaves.is_empty() {
        let named: Vec<&str> = repaves.iter().take(MOST_NAMED).map(String::as_str).collect();
        let more = if repaves.len() > named.len() { ", …" } else { "" };
        told.push_str(&format!(
            "; {} wait for a repave to be approved: {}{more}",
            repaves.len(),
            named.join(", ")
        ));
    }
    told
}

fn summary(found: &Found, rows: &[std::sync::Arc<ClusterRow>], waits: &str) -> String {
    let clusters: std::collections::BTreeSet<(&str, &str)> =
        found.upgrades.iter().map(|upgrade| (&*upgrade.row.environment, upgrade.row.uid.as_str())).collect();
    let mut line = format!(
        "{} of {} clusters have a newer version of a profile to choose{waits}",
        clusters.len(),
        rows.len()
    );
    if !found.unknown.is_empty() {
        let first = found.unknown.first().map(String::as_str).unwrap_or_default();
        line.push_str(&format!("; not told for {} attached profiles, such as {first}", found.unknown.len()));
    }
    line
}

/// `profile (scope) from → to: 12 clusters`, the most first.
fn profiles(upgrades: &[Upgrade]) -> String {
    let mut counts: BTreeMap<(&str, &str, &str, &str), usize> = BTreeMap::new();
    for upgrade in upgrades {
        let key =
            (upgrade.profile.as_str(), upgrade.scope.as_str(), upgrade.from.version.as_str(), upgrade.to());
        *counts.entry(key).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let more = counts.len().saturating_sub(MOST_PROFILES);
    let mut text = String::new();
    for ((profile, scope, from, to), count) in counts.into_iter().take(MOST_PROFILES) {
        text.push_str(&format!("{profile} ({scope}) {from} → {to}: {count} clusters\n"));
    }
    if more > 0 {
        text.push_str(&format!("and {more} more upgrades\n"));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}
