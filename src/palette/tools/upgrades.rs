//! `palette_upgrades`: which attached profiles have newer versions, and which changes wait to be applied.

mod one;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::one::{PackLine, Repave};
use super::{
    super::{
        fleet::{self, ClusterRow, Detail, Wanted},
        upgrades::{Found, Upgrade, catalog, found},
    },
    reach,
};
use crate::{
    Error,
    answer::{Answer, Row, Rows},
    toolbox::{Call, Reach, Tool},
};

/// What a listing of all versions does not tell.
const UNCHECKED: &str = "targets are told by name: one may be a draft, or of another profile of that name. With cluster \
                         both are checked";
/// Upgrades that are counted over all clusters.
const MOST_PROFILES: usize = 10;

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
    /// With `cluster`: profiles with changes that wait, as `name version`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<String>,
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

/// A newer version of an attached profile; or, without one, changes that wait.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Line {
    /// environment/project/name
    cluster: String,
    uid: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    profile: String,
    /// tenant, project, system
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    from: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    to: String,
    /// Newer versions there are.
    #[serde(skip_serializing_if = "is_zero")]
    newer: usize,
    /// Changes of an attached version wait to be applied.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    updates_pending: bool,
}

impl Line {
    fn of(upgrade: &Upgrade) -> Self {
        Self {
            profile: upgrade.profile.clone(),
            scope: upgrade.scope.clone(),
            from: upgrade.from.version.clone(),
            to: upgrade.to().to_owned(),
            newer: upgrade.newer.len(),
            ..Self::pending(&upgrade.row)
        }
    }

    fn pending(row: &ClusterRow) -> Self {
        Self {
            cluster: row.qualified(),
            uid: row.uid.clone(),
            profile: String::new(),
            scope: String::new(),
            from: String::new(),
            to: String::new(),
            newer: 0,
            updates_pending: row.updates_pending,
        }
    }
}

impl Row for Line {
    const COLUMNS: &'static [&'static str] =
        &["cluster", "uid", "profile", "scope", "from", "to", "newer", "updates_pending"];

    fn cells(&self) -> Vec<String> {
        let newer = if self.newer == 0 { String::new() } else { self.newer.to_string() };
        vec![
            self.cluster.clone(),
            self.uid.clone(),
            self.profile.clone(),
            self.scope.clone(),
            self.from.clone(),
            self.to.clone(),
            newer,
            if self.updates_pending { "yes".to_owned() } else { String::new() },
        ]
    }

    fn key(&self) -> String {
        let Self { cluster, uid, profile, .. } = self;
        format!("{} {cluster} {uid} {profile}", u8::from(!self.updates_pending))
    }
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
        let catalog = catalog::read(call.environments(), &fleet.rows).await?;
        let mut found = found(&fleet.rows, &catalog);
        let mut lines: Vec<Line> = Vec::new();
        if let Some(profile) = &input.profile {
            found.upgrades.retain(|upgrade| is_of(upgrade, profile));
        } else {
            let has = |row: &ClusterRow| found.upgrades.iter().any(|upgrade| upgrade.row.uid == row.uid);
            let pending = fleet.rows.iter().filter(|row| row.updates_pending && !has(row));
            lines.extend(pending.map(|row| Line::pending(row)));
        }
        lines.extend(found.upgrades.iter().map(Line::of));
        let mut summary = summary(&found, &fleet.rows);
        summary.push_str(&fleet.as_of());
        let note = found.upgrades.iter().any(Upgrade::is_unchecked).then_some(UNCHECKED);
        let mut gaps = fleet.gaps;
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
            repave: None,
            note,
        };
        Ok(Answer::new(summary, body, output).gaps(gaps).cut(cut))
    }
}

fn noted(note: Option<&str>) -> String {
    note.map(|note| format!("{note}\n\n")).unwrap_or_default()
}

fn is_of(upgrade: &Upgrade, profile: &str) -> bool {
    upgrade.profile == profile
        || upgrade.from.uid == profile
        || upgrade.newer.iter().any(|entry| entry.uid == profile)
}

fn summary(found: &Found, rows: &[std::sync::Arc<ClusterRow>]) -> String {
    let clusters: std::collections::BTreeSet<(&str, &str)> =
        found.upgrades.iter().map(|upgrade| (&*upgrade.row.environment, upgrade.row.uid.as_str())).collect();
    let pending = rows.iter().filter(|row| row.updates_pending).count();
    let mut line = format!(
        "{} of {} clusters have a newer version of a profile; {pending} have changes of an attached version to apply",
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
