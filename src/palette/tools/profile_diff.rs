//! `palette_profile_diff`: what differs between two versions of a profile, or between two profiles.

mod variables;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::variables::VariableChange;
use super::{
    super::{
        Ask, Fault,
        api::{
            pack::ProfilePacks,
            variable::{Variable, Variables},
        },
        packs::{
            PackChange, PackState,
            change::{self, Kind, Parts},
        },
        profiles::find::{self, FoundProfile, Within},
    },
    change_row::{ChangeRow, lines},
    pack_row::in_the_background,
    reach,
};
use crate::{
    Error,
    answer::{Answer, counted},
    permission::Permission,
    toolbox::{Call, Reach, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct CompareProfiles;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    project: Option<String>,
    profile: String,
    /// Version before.
    from: Option<String>,
    /// Version after.
    to: Option<String>,
    /// Instead of to: another profile.
    with: Option<String>,
    /// Only this one.
    pack: Option<String>,
    cursor: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// name@version (uid)
    from: String,
    to: String,
    environment: String,
    /// Packs that do not differ.
    unchanged: usize,
    /// Variables that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variables: Vec<VariableChange>,
    /// Packs that differ, before paging.
    total: usize,
    rows: Vec<ChangeRow>,
}

impl Tool for CompareProfiles {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let (before, after) = sides(&call, &input).await?;
        let (old, new) = tokio::join!(read(&before), read(&after));
        let (old, new) = (old?, new?);
        let may = |permission| {
            [&before, &after]
                .into_iter()
                .all(|side| call.allows_place(permission, &side.access, &side.profile.place))
        };
        let parts = Parts {
            values: may(Permission::SpectrocloudClusterViewPackValues),
            manifests: may(Permission::SpectrocloudClusterViewPackManifests),
        };
        let mut gaps: Vec<String> =
            [&before.gaps, &after.gaps, &old.gaps, &new.gaps].into_iter().flatten().cloned().collect();
        gaps.extend(withheld(parts));
        let of_pack = |side: &Side| side.packs.iter().any(|pack| Some(&pack.name) == input.pack.as_ref());
        if let Some(name) = input.pack.as_ref().filter(|_| !of_pack(&old) && !of_pack(&new)) {
            let known: Vec<String> =
                old.packs.iter().chain(&new.packs).map(|pack| pack.name.clone()).collect();
            return Err(super::profile_packs::no_pack(&after.label(), name, known.iter()));
        }
        let only = input.pack.clone();
        let meant = move |pack: &PackState| only.as_ref().is_none_or(|name| *name == pack.name);
        let variables =
            if input.pack.is_some() { Vec::new() } else { variables::compare(old.variables, new.variables) };
        let (changes, packs) = in_the_background(move || {
            let keep =
                |packs: Vec<PackState>| -> Vec<PackState> { packs.into_iter().filter(&meant).collect() };
            let (old, new) = (keep(old.packs), keep(new.packs));
            (change::compare(&old, &new, parts), new.len())
        })
        .await?;
        let kept = changes.iter().filter(|change| change.change != Kind::Removed).count();
        let summary = summary((&before, &after), &changes, variables.len(), parts);
        let alone = input.pack.is_some();
        let rows: Vec<ChangeRow> = changes
            .into_iter()
            .enumerate()
            .map(|(at, change)| ChangeRow::new(at, "", change, alone))
            .collect();
        let (page, cut) = call.page(rows, input.cursor.as_deref(), "name one with pack")?;
        let mut body = lines(&page.rows.rows);
        if !variables.is_empty() {
            body.push_str("\nvariables");
            variables.iter().for_each(|variable| body.push_str(&format!("\n{}", variable.text())));
        }
        let named = |side: &FoundProfile| format!("{} ({})", side.label(), side.version.uid);
        let output = Output {
            from: named(&before),
            to: named(&after),
            environment: after.access.environment().name().to_owned(),
            unchanged: packs.saturating_sub(kept),
            variables,
            total: page.rows.total,
            rows: page.rows.rows,
        };
        Ok(Answer::new(summary, body, output).gaps(gaps).cut(cut))
    }
}

/// What is left out for want of a permission.
pub(super) fn withheld(parts: Parts) -> impl Iterator<Item = String> {
    let told =
        |what: &str, permission: Permission| format!("{what}: you need the permission {}", permission.name());
    let values = told("values of packs are not compared", Permission::SpectrocloudClusterViewPackValues);
    let manifests =
        told("manifests are only said to differ", Permission::SpectrocloudClusterViewPackManifests);
    [(parts.values, values), (parts.manifests, manifests)]
        .into_iter()
        .filter_map(|(may, gap)| (!may).then_some(gap))
}

/// Which two are compared.
async fn sides(call: &Call, input: &Input) -> Result<(FoundProfile, FoundProfile), Error> {
    let project = input.project.as_deref();
    let found = find::profile(call, &input.profile, project, Within::Seen).await?;
    if let Some(with) = &input.with {
        if input.to.is_some() {
            return Err(Error::invalid_input("give either the argument \"to\" or the argument \"with\""));
        }
        let other = find::profile(call, with, project, Within::Seen).await?;
        let before = match &input.from {
            Some(version) => at(&found, version)?,
            None => found,
        };
        return Ok((before, other));
    }
    // name@version names the side that is not named otherwise
    let after = match (&input.to, &input.from) {
        (Some(version), _) => at(&found, version)?,
        (None, None) if found.is_exact && !is_latest(&found) => latest(&found),
        (None, Some(_)) if !found.is_exact => latest(&found),
        _ => found.clone(),
    };
    let before = match (&input.from, &input.to) {
        (Some(version), _) => at(&found, version)?,
        (None, None) if found.is_exact && !is_latest(&found) => found,
        (None, Some(_)) if found.is_exact => found,
        _ => previous(&after)?,
    };
    Ok((before, after))
}

fn is_latest(found: &FoundProfile) -> bool {
    found.profile.latest().is_some_and(|latest| latest.uid == found.version.uid)
}

fn latest(found: &FoundProfile) -> FoundProfile {
    let version = found.profile.latest().unwrap_or(&found.version).clone();
    FoundProfile { version, ..found.clone() }
}

fn at(found: &FoundProfile, version: &str) -> Result<FoundProfile, Error> {
    let known = found.profile.version(version).cloned();
    let version = known.ok_or_else(|| {
        let versions = found.profile.versions.iter().rev().take(10);
        let short = crate::answer::sanitise::short(version, 40);
        Error::not_found(format!("the profile {:?} has no version {short:?}", found.profile.name))
            .candidates(versions.map(|version| version.version.as_str()))
            .next("another profile goes into the argument with")
    })?;
    Ok(FoundProfile { version, ..found.clone() })
}

fn previous(after: &FoundProfile) -> Result<FoundProfile, Error> {
    let versions = &after.profile.versions;
    let place = versions.iter().position(|version| version.uid == after.version.uid);
    let before = place.and_then(|place| versions.get(place.checked_sub(1)?));
    let version = before.cloned().ok_or_else(|| {
        Error::invalid_input(format!("{} has no version before it", after.label()))
            .next("name from, or another profile as with")
    })?;
    Ok(FoundProfile { version, ..after.clone() })
}

#[derive(Default)]
struct Side {
    packs: Vec<PackState>,
    variables: Vec<Variable>,
    gaps: Vec<String>,
}

/// Two requests; a third where the packs do not come with their manifests.
async fn read(side: &FoundProfile) -> Result<Side, Fault> {
    let (access, place, uid) = (&side.access, &side.profile.place, &side.version.uid);
    let (packs, variables) = tokio::join!(
        access.ask::<ProfilePacks>(place, Ask::get(&["clusterprofiles", uid, "packs", "manifests"])),
        access.ask::<Variables>(place, Ask::get(&["clusterprofiles", uid, "variables"])),
    );
    let mut gaps = Vec::new();
    let variables = variables.unwrap_or_else(|fault| {
        gaps.push(format!("variables of {}: {fault}", side.label()));
        Variables::default()
    });
    let packs = match packs {
        Ok(packs) if !packs.spec.packs.is_empty() => {
            packs.spec.packs.into_iter().map(PackState::from).collect()
        }
        // a draft, or what could not be read
        other => {
            gaps.extend(other.err().map(|fault| format!("manifests of {}: {fault}", side.label())));
            let spec = side.whole().await?.spec;
            let packs = spec.published.or(spec.draft).unwrap_or_default().packs;
            packs.into_iter().map(PackState::from).collect()
        }
    };
    Ok(Side { packs, variables: variables.variables, gaps })
}

fn summary(
    (before, after): (&FoundProfile, &FoundProfile),
    changes: &[PackChange],
    variables: usize,
    parts: Parts,
) -> String {
    let of = |kind: Kind| changes.iter().filter(|change| change.change == kind).count();
    let versions = changes.iter().filter(|change| change.is_of_version()).count();
    let content = changes.iter().filter(|change| change.is_of_content()).count();
    let (from, to) = (before.label(), after.label());
    if changes.is_empty() && variables == 0 {
        let values = if parts.values { "" } else { "; values not compared" };
        return format!("{from} → {to}: nothing that you may see differs{values}");
    }
    let content = match parts.values {
        true => format!("{content} in values or manifests"),
        false => format!("{content} in manifests, values not compared"),
    };
    format!(
        "{from} → {to}: {} added, {} removed, {} changed ({versions} in version, {content}); {}",
        counted(of(Kind::Added), "pack"),
        of(Kind::Removed),
        of(Kind::Changed),
        match variables {
            1 => "1 variable differs".to_owned(),
            many => format!("{many} variables differ"),
        }
    )
}
