//! The upgrades of one cluster: the packs that change, what waits, and whether machines would be replaced.

use std::slice;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{Input, Line, Meant, Output};
use crate::{
    Error,
    answer::{Answer, Row as _, Rows, Table, sanitise},
    palette::{
        Access, Fault,
        api::repave::RepaveAnswer,
        ask::Ask,
        find,
        fleet::{self, ClusterRow},
        said::said,
        upgrades::{
            self, Change, Upgrade, catalog,
            pending::{self, Pending},
        },
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
    let mut gaps = found_cluster.gaps.clone();
    let mut pending = pending::pending(slice::from_ref(access), slice::from_ref(&row), &mut gaps).await;
    if let Some(profile) = &input.profile {
        let meant = Meant::of_cluster(call, (profile, input.project.as_deref()), &row).await?;
        if !meant.attached(&row) {
            return Err(unattached(&row, profile));
        }
        found.upgrades.retain(|upgrade| meant.is_of(upgrade));
        meant.narrow(&mut pending);
        gaps.extend(meant.gaps);
    }
    pending::chosen(&mut found.upgrades, &pending);
    gaps.extend(catalog.gaps.iter().cloned());
    gaps.extend(found.unknown.iter().map(|unknown| format!("newer versions could not be told: {unknown}")));
    let (mut packs, mut upgrades) = (Vec::new(), Vec::new());
    for upgrade in found.upgrades {
        match changes(access, &row, upgrade, &mut gaps).await {
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
            // all that is newer is a draft, or another profile's
            (None, _) => {}
        }
    }
    let waiting: Vec<String> =
        pending.iter().flat_map(|one| one.targets.iter().flatten()).map(pending::Target::label).collect();
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
    let summary = summary(&row, &upgrades, &pending, repave.as_ref(), gaps.is_empty());
    let rows = Line::all(&upgrades, &pending, &catalog);
    let body = body(&rows, &packs, repave.as_ref());
    let output = Output {
        rows: Rows { total: rows.len(), rows },
        unknown: found.unknown.len(),
        packs,
        waiting,
        repaves_pending: row.repave_pending().then(|| row.qualified()).into_iter().collect(),
        repave,
        note: None,
    };
    Ok(Answer::new(summary, body, output).gaps(gaps))
}

/// The packs that change with the newest version that is published; the upgrade without the drafts before it, and
/// without the versions of another profile of the same name.
async fn changes(
    access: &Access,
    row: &ClusterRow,
    mut upgrade: Upgrade,
    gaps: &mut Vec<String>,
) -> (Option<Upgrade>, Result<Vec<Change>, Fault>) {
    let before = match upgrades::whole(access, &row.place, &upgrade.from.uid).await {
        Ok(before) => before,
        Err(fault) => return (Some(upgrade), Err(fault)),
    };
    let all = upgrade.newer.len();
    upgrade.newer.retain(|newer| !before.is_another(&newer.uid));
    let others = all - upgrade.newer.len();
    if others > 0 {
        gaps.push(format!(
            "{others} newer versions called {} are not offered: they are of another profile of that name",
            upgrade.profile
        ));
    }
    for _ in 0..MOST_DRAFTS {
        let Some(newest) = upgrade.newer.first() else { return (None, Ok(Vec::new())) };
        match upgrades::whole(access, &row.place, &newest.uid).await {
            Ok(after) if after.is_draft() => {
                upgrade.newer.remove(0);
            }
            Ok(after) => return (Some(upgrade), Ok(upgrades::changes(before.packs(), after.packs()))),
            Err(fault) => return (Some(upgrade), Err(fault)),
        }
    }
    let unread = Fault::Malformed(format!("the {MOST_DRAFTS} newest versions are drafts"));
    (Some(upgrade), Err(unread))
}

fn unattached(row: &ClusterRow, profile: &str) -> Error {
    let shown = sanitise::short(profile, 80);
    Error::not_found(format!("the profile {shown:?} is not attached to {}", row.qualified()))
        .candidates(row.templates().iter().map(|template| template.name.as_str()))
        .next("pass one that is attached, or leave profile out")
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

fn summary(
    row: &ClusterRow,
    upgrades: &[Upgrade],
    pending: &[Pending],
    repave: Option<&Repave>,
    whole: bool,
) -> String {
    let mut line = match (upgrades.len(), whole, pending.is_empty()) {
        (0, true, true) => format!("{}: all attached profiles are on their newest version", row.qualified()),
        (0, true, false) => format!("{}: no newer version is left to choose", row.qualified()),
        (0, false, _) => format!("{}: no newer version of an attached profile was found", row.qualified()),
        (count, ..) => {
            format!("{}: {count} attached profiles have a newer version to choose", row.qualified())
        }
    };
    if !pending.is_empty() {
        line.push_str("; an update is pending in Palette");
        let targets = pending.iter().flat_map(|one| one.targets.iter().flatten());
        let named: Vec<String> = targets.map(pending::Target::label).collect();
        if !named.is_empty() {
            line.push_str(&format!(": {}", named.join(", ")));
        }
    }
    if row.repave_pending() {
        line.push_str("; a repave waits to be approved");
    }
    match repave {
        Some(Repave { required: true, .. }) => line.push_str("; the upgrade would replace machines (repave)"),
        Some(_) => line.push_str("; the upgrade would replace no machines"),
        None => {}
    }
    line
}

fn body(rows: &[Line], packs: &[PackLine], repave: Option<&Repave>) -> String {
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
    if let Some(repave) = repave.filter(|repave| !repave.reasons.is_empty()) {
        parts.push(format!("repave: {}", repave.reasons.join("; ")));
    }
    parts.join("\n\n")
}
