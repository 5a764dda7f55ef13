//! The upgrades of one cluster: the packs that change, what waits, and whether machines would be replaced.

use std::{slice, sync::Arc};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{Input, Line, Output, is_of};
use crate::{
    Error,
    answer::{Answer, Row as _, Rows, Table},
    palette::{
        Access, Fault,
        api::upgrade::{ProfileUpdates, RepaveAnswer},
        ask::Ask,
        find,
        fleet::{self, ClusterRow},
        said::said,
        upgrades::{self, Change, Upgrade, catalog},
    },
    toolbox::Call,
};

/// Newer versions that are read until one is published.
const MOST_DRAFTS: usize = 4;
/// Reasons that are told.
const MOST_REASONS: usize = 10;

/// How a pack changes with an upgrade.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PackLine {
    profile: String,
    pack: String,
    /// Left out: it is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// Left out: it is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
}

/// What a dry run of the upgrades says.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Repave {
    /// Whether machines would be replaced.
    required: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
}

/// Answers for the one of this name or uid.
pub(super) async fn of(call: &Call, written: &str, input: &Input) -> Result<Answer<Output>, Error> {
    let found_cluster = find::cluster(call, written, input.project.as_deref()).await?;
    let row = fleet::full(&found_cluster).await?;
    let access = &found_cluster.access;
    let catalog = catalog::read(slice::from_ref(access), slice::from_ref(&row)).await?;
    let mut found = upgrades::found(slice::from_ref(&row), &catalog);
    if let Some(profile) = &input.profile {
        found.upgrades.retain(|upgrade| is_of(upgrade, profile));
    }
    let mut gaps = found_cluster.gaps.clone();
    gaps.extend(catalog.gaps);
    gaps.extend(found.unknown.iter().map(|unknown| format!("newer versions could not be told: {unknown}")));
    let (mut packs, mut upgrades) = (Vec::new(), Vec::new());
    for upgrade in found.upgrades {
        match changes(access, &row, upgrade).await {
            (Some(upgrade), Ok(changed)) => {
                packs.extend(changed.into_iter().map(|change| PackLine {
                    profile: upgrade.profile.clone(),
                    pack: change.pack,
                    from: change.from,
                    to: change.to,
                }));
                upgrades.push(upgrade);
            }
            (Some(upgrade), Err(fault)) => {
                gaps.push(format!("packs of {} {}: {fault}", upgrade.profile, upgrade.to()));
                upgrades.push(upgrade);
            }
            // all that is newer is a draft
            (None, _) => {}
        }
    }
    let waiting = match row.updates_pending {
        true => waiting(access, &row).await.unwrap_or_else(|fault| {
            gaps.push(format!("which changes wait: {fault}"));
            Vec::new()
        }),
        false => Vec::new(),
    };
    let repave = match input.repave == Some(true) && !upgrades.is_empty() {
        true => match repave(access, &row, &upgrades).await {
            Ok(repave) => Some(repave),
            Err(fault) => {
                gaps.push(format!("repave: {fault}"));
                None
            }
        },
        false => None,
    };
    let summary = summary(&row, &upgrades, repave.as_ref(), gaps.is_empty());
    let rows: Vec<Line> = upgrades.iter().map(Line::of).collect();
    let body = body(&rows, &packs, &waiting, repave.as_ref());
    let output = Output {
        rows: Rows { total: rows.len(), rows },
        unknown: found.unknown.len(),
        packs,
        waiting,
        repave,
    };
    Ok(Answer::new(summary, body, output).gaps(gaps))
}

/// The packs that change with the newest version that is published; the upgrade without the drafts before it.
async fn changes(
    access: &Access,
    row: &ClusterRow,
    mut upgrade: Upgrade,
) -> (Option<Upgrade>, Result<Vec<Change>, Fault>) {
    let before = match upgrades::whole(access, &row.place, &upgrade.from.uid).await {
        Ok(before) => before.packs(),
        Err(fault) => return (Some(upgrade), Err(fault)),
    };
    for _ in 0..MOST_DRAFTS {
        let Some(newest) = upgrade.newer.first() else { return (None, Ok(Vec::new())) };
        match upgrades::whole(access, &row.place, &newest.uid).await {
            Ok(after) if after.is_draft() => {
                upgrade.newer.remove(0);
            }
            Ok(after) => return (Some(upgrade), Ok(upgrades::changes(&before, &after.packs()))),
            Err(fault) => return (Some(upgrade), Err(fault)),
        }
    }
    let unread = Fault::Malformed(format!("the {MOST_DRAFTS} newest versions are drafts"));
    (Some(upgrade), Err(unread))
}

async fn waiting(access: &Access, row: &Arc<ClusterRow>) -> Result<Vec<String>, Fault> {
    let ask = Ask::get(&["spectroclusters", &row.uid, "profileUpdates"]);
    let read: ProfileUpdates = access.ask(&row.place, ask).await?;
    let named = read
        .profiles
        .into_iter()
        .map(|profile| format!("{} {}", profile.name, profile.profile_version).trim().to_owned());
    Ok(named.filter(|named| !named.is_empty()).collect())
}

/// A dry run: nothing is changed.
async fn repave(access: &Access, row: &ClusterRow, upgrades: &[Upgrade]) -> Result<Repave, Fault> {
    let profiles: Vec<_> = upgrades
        .iter()
        .filter_map(|upgrade| {
            let to = upgrade.newer.first()?;
            Some(json!({"uid": to.uid, "replaceWithProfile": upgrade.from.uid}))
        })
        .collect();
    let ask =
        Ask::search(&["spectroclusters", &row.uid, "validate", "repave"], json!({"profiles": profiles}));
    let read: RepaveAnswer = access.ask(&row.place, ask).await?;
    let required = read
        .is_repave_required
        .ok_or_else(|| Fault::Malformed("it does not say whether a repave is required".to_owned()))?;
    let reasons = read.reasons.into_iter().take(MOST_REASONS);
    Ok(Repave { required, reasons: reasons.map(|reason| said(&reason.message, 200)).collect() })
}

fn summary(row: &ClusterRow, upgrades: &[Upgrade], repave: Option<&Repave>, whole: bool) -> String {
    let mut line = match (upgrades.len(), whole) {
        (0, true) => format!("{}: all attached profiles are on their newest version", row.qualified()),
        (0, false) => format!("{}: no newer version of an attached profile was found", row.qualified()),
        (count, _) => format!("{}: {count} attached profiles have a newer version", row.qualified()),
    };
    if row.updates_pending {
        line.push_str("; changes of an attached version wait to be applied");
    }
    match repave {
        Some(Repave { required: true, .. }) => line.push_str("; the upgrade would replace machines (repave)"),
        Some(_) => line.push_str("; the upgrade would replace no machines"),
        None => {}
    }
    line
}

fn body(rows: &[Line], packs: &[PackLine], waiting: &[String], repave: Option<&Repave>) -> String {
    let mut parts = Vec::new();
    if !rows.is_empty() {
        let mut table = Table::new(Line::COLUMNS);
        rows.iter().for_each(|row| table.row(row.cells()));
        parts.push(table.into_text());
    }
    if !packs.is_empty() {
        let mut table = Table::new(&["profile", "pack", "from", "to"]);
        for line in packs {
            let from = line.from.as_deref().unwrap_or("(added)");
            table.row([&line.profile, &line.pack, from, line.to.as_deref().unwrap_or("(removed)")]);
        }
        parts.push(table.into_text());
    }
    if !waiting.is_empty() {
        parts.push(format!("changes wait in: {}", waiting.join(", ")));
    }
    if let Some(repave) = repave.filter(|repave| !repave.reasons.is_empty()) {
        parts.push(format!("repave: {}", repave.reasons.join("; ")));
    }
    parts.join("\n\n")
}
