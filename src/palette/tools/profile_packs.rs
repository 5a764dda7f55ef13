//! `palette_profile_packs`: the packs of one version of a profile.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        Ask,
        api::pack::{PackEntities, PackRef},
        profiles::find::{self, FoundProfile, Within},
    },
    pack_row::{self, PackRow},
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
pub struct ListProfilePacks;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    project: Option<String>,
    /// name, name@version or uid
    profile: String,
    /// Only this one.
    pack: Option<String>,
    /// Their values too, redacted.
    values: Option<bool>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    cursor: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    profile: String,
    uid: String,
    version: String,
    /// Newest first.
    versions: Vec<String>,
    #[serde(rename = "type")]
    kind: String,
    cloud_type: String,
    scope: String,
    environment: String,
    /// published, draft (no cluster can get it yet), or published with a draft of changes
    state: &'static str,
    /// Rows before paging.
    total: usize,
    rows: Vec<PackRow>,
}

impl Tool for ListProfilePacks {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let found = find::profile(&call, &input.profile, input.project.as_deref(), Within::Seen).await?;
        let entities = found.access.ask::<PackEntities>(
            &found.profile.place,
            Ask::get(&["clusterprofiles", &found.version.uid, "packs"]),
        );
        let (whole, entities) = tokio::join!(found.whole(), entities);
        let spec = whole?.spec;
        let mut gaps = found.gaps.clone();
        let told = entities.unwrap_or_else(|fault| {
            gaps.push(format!("end of life of packs: {fault}"));
            PackEntities::default()
        });
        let ends: HashMap<String, String> =
            told.items.into_iter().map(|pack| (pack.spec.name, pack.spec.eol)).collect();
        let state = match (&spec.published, &spec.draft) {
            (Some(_), Some(_)) => "published with a draft of changes",
            (None, Some(_)) => "draft",
            _ => "published",
        };
        let packs = spec.published.or(spec.draft).unwrap_or_default().packs;
        let place = &found.profile.place;
        let may = call.allows_place(Permission::SpectrocloudClusterViewPackValues, &found.access, place);
        let wanted = input.values.unwrap_or_default();
        if wanted && !may {
            gaps.push(format!(
                "values: you need the permission {} for {place}",
                Permission::SpectrocloudClusterViewPackValues.name()
            ));
        }
        let rows: Vec<PackRow> = packs
            .into_iter()
            .enumerate()
            .filter(|(_, pack)| input.pack.as_ref().is_none_or(|name| *name == pack.name))
            .map(|(at, pack)| row(at, pack, &ends))
            .collect();
        if let (Some(name), true) = (&input.pack, rows.is_empty()) {
            return Err(no_pack(&found.label(), name, ends.keys()));
        }
        let summary = summary(&found, state, &rows);
        let page = pack_row::page(&call, rows, input.cursor.as_deref(), wanted && may).await?;
        let output = Output {
            profile: found.profile.name.clone(),
            uid: found.version.uid.clone(),
            version: found.version.version.clone(),
            versions: found.profile.versions.iter().rev().map(|version| version.version.clone()).collect(),
            kind: found.profile.kind.clone(),
            cloud_type: found.profile.cloud_type.clone(),
            scope: found.profile.scope().to_owned(),
            environment: found.access.environment().name().to_owned(),
            state,
            total: page.total,
            rows: page.rows,
        };
        Ok(Answer::new(summary, page.text, output).gaps(gaps).cut(page.cut))
    }
}

/// No pack of this name; `known` are those there are.
pub(super) fn no_pack<'k>(of: &str, name: &str, known: impl Iterator<Item = &'k String>) -> Error {
    let known: std::collections::BTreeSet<&str> = known.map(String::as_str).collect();
    let near = crate::nearest::names(name, known, 8);
    Error::not_found(format!("{of} has no pack {:?}", crate::answer::sanitise::short(name, 80)))
        .candidates(near)
}

fn row(at: usize, pack: PackRef, ends: &HashMap<String, String>) -> PackRow {
    let eol = ends.get(&pack.name).cloned().unwrap_or_default();
    let problem = match (pack.is_invalid, pack.invalid_reason.is_empty()) {
        (true, true) => "invalid".to_owned(),
        (true, false) => format!("invalid: {}", pack.invalid_reason),
        (false, _) => String::new(),
    };
    PackRow::new(at, "", pack.into(), eol, problem)
}

fn summary(found: &FoundProfile, state: &str, rows: &[PackRow]) -> String {
    let profile = &found.profile;
    let bytes: usize = rows.iter().map(PackRow::bytes).sum();
    let chosen = if found.is_exact { "" } else { ", the latest" };
    format!(
        "{}{chosen}: {} with {bytes} bytes of values; {state}, {} profile for {}, {}; {}: {}",
        found.label(),
        counted(rows.len(), "pack"),
        profile.kind,
        profile.cloud_type,
        profile.scope(),
        counted(profile.versions.len(), "version"),
        profile
            .versions
            .iter()
            .rev()
            .take(20)
            .map(|version| version.version.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    )
}
