//! `palette_profile_diff`: what differs between two versions of a profile, or between two profiles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

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
    answer::{Answer, redact::is_secret_key},
    kubernetes::difference::{Difference, differences},
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
    /// Of the profile's variables; defaults of sensitive ones are only said to differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variables: Vec<Difference>,
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
            if input.pack.is_some() { Vec::new() } else { variables(old.variables, new.variables) };
        let (changes, packs) = in_the_background(move || {
            let keep =
                |packs: Vec<PackState>| -> Vec<PackState> { packs.into_iter().filter(&meant).collect() };
            let (old, new) = (keep(old.packs), keep(new.packs));
            (change::compare(&old, &new, parts), new.len())
        })
        .await?;
        let kept = changes.iter().filter(|change| change.change != Kind::Removed).count();
        let summary = summary(&before, &after, &changes, &variables);
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
            variables.iter().for_each(|difference| body.push_str(&format!("\n  {difference}")));
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

/// By name; a secret is kept under a name that is redacted itself.
fn variables(before: Vec<Variable>, after: Vec<Variable>) -> Vec<Difference> {
    let told = |variables: Vec<Variable>| -> Value {
        let told = variables.into_iter().map(|variable| {
            let secret = variable.is_sensitive || is_secret_key(&variable.name);
            let default = if secret { "default_secret" } else { "default" };
            let mut members = Map::new();
            for (flag, set) in [
                ("required", variable.required),
                ("immutable", variable.immutable),
                ("hidden", variable.hidden),
                ("sensitive", secret),
            ] {
                members.extend(set.then(|| (flag.to_owned(), true.into())));
            }
            for (name, text) in
                [("format", variable.format), ("input", variable.input_type), ("regex", variable.regex)]
            {
                members.extend((!text.is_empty()).then(|| (name.to_owned(), text.into())));
            }
            members.extend(
                variable
                    .default_value
                    .filter(|value| !value.is_empty())
                    .map(|value| (default.to_owned(), value.into())),
            );
            let options: Vec<Value> =
                variable.options.into_iter().map(|option| json!(option.value)).collect();
            let name = if secret { "options_secret" } else { "options" };
            members.extend((!options.is_empty()).then(|| (name.to_owned(), options.into())));
            (variable.name, Value::Object(members))
        });
        told.collect()
    };
    differences(&told(before), &told(after))
}

fn summary(
    before: &FoundProfile,
    after: &FoundProfile,
    changes: &[PackChange],
    variables: &[Difference],
) -> String {
    let of = |kind: Kind| changes.iter().filter(|change| change.change == kind).count();
    let versions = changes.iter().filter(|change| change.is_of_version()).count();
    let content = changes.iter().filter(|change| change.is_of_content()).count();
    let (from, to) = (before.label(), after.label());
    if changes.is_empty() && variables.is_empty() {
        return format!("{from} → {to}: nothing that you may see differs");
    }
    format!(
        "{from} → {to}: {} packs added, {} removed, {} changed ({versions} in version, {content} in values or \
         manifests); {} differences of variables",
        of(Kind::Added),
        of(Kind::Removed),
        of(Kind::Changed),
        variables.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_differ_without_their_secrets() {
        let read = |value: Value| {
            serde_json::from_value::<Variables>(json!({"variables": value})).expect("read").variables
        };
        let before = read(
            json!([{"name": "a", "defaultValue": "planted-1", "isSensitive": true}, {"name": "size", "defaultValue": "1"}]),
        );
        let after = read(
            json!([{"name": "a", "defaultValue": "planted-2", "isSensitive": true}, {"name": "size", "defaultValue": "2", "required": true}]),
        );
        let told: Vec<String> = variables(before, after).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["~ a.default_secret: <redacted> → <redacted>", "~ size.default: 1 → 2", "+ size.required: true"]
        );
    }
}
