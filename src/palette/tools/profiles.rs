//! `palette_profiles`: the cluster profiles that the caller may see, a row each with all its versions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        Access, fleet,
        profiles::{Profile, listing::listed},
    },
    reach,
};
use crate::{
    Error,
    answer::{Answer, Row, Rows, Table, counted},
    permission::{Permission, Requirement},
    toolbox::{Call, Reach, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct ListProfiles;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    /// By name or uid.
    project: Option<String>,
    /// Parts of names; any of them.
    names: Option<Vec<String>>,
    cloud_type: Option<String>,
    profile_type: Option<ProfileType>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
enum ProfileType {
    Cluster,
    Infra,
    AddOn,
    System,
}

impl ProfileType {
    fn name(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Infra => "infra",
            Self::AddOn => "add-on",
            Self::System => "system",
        }
    }
}

/// One profile.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProfileRow {
    name: String,
    /// tenant, system, or the project.
    scope: String,
    environment: String,
    #[serde(rename = "type")]
    kind: String,
    cloud_type: String,
    /// The newest that clusters can get.
    latest: String,
    /// Of the latest.
    uid: String,
    /// Newest first; drafts are marked.
    versions: Vec<String>,
    /// Clusters on any version; left out where you may not see all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_use: Option<usize>,
    /// Of versions whose use Palette did not tell, in_use does not know.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    in_use_is_at_least: bool,
    /// Packs that registries say are deleted, disabled or deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    packs: Option<String>,
}

impl Row for ProfileRow {
    const COLUMNS: &'static [&'static str] =
        &["name", "scope", "type", "cloud", "latest", "versions", "in_use", "packs", "uid"];

    fn cells(&self) -> Vec<String> {
        let in_use =
            self.in_use.map(|count| format!("{count}{}", if self.in_use_is_at_least { "+" } else { "" }));
        vec![
            self.name.clone(),
            self.scope.clone(),
            self.kind.clone(),
            self.cloud_type.clone(),
            self.latest.clone(),
            self.versions.join(" "),
            in_use.unwrap_or_default(),
            self.packs.clone().unwrap_or_default(),
            self.uid.clone(),
        ]
    }

    fn key(&self) -> String {
        format!("{} {} {} {}", self.name, self.environment, self.scope, self.uid)
    }
}

impl Tool for ListProfiles {
    type Input = Input;
    type Output = Rows<ProfileRow>;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Self::Output>, Error> {
        let users = call.environments_for(&Requirement::one(Permission::SpectrocloudProfileViewClusters));
        let (mut rows, mut gaps, mut failed) = (Vec::new(), Vec::new(), None);
        for access in call.environments() {
            let environment = access.environment().name();
            let listed = match listed(access, None).await {
                Ok(listed) => listed,
                Err(fault) => {
                    gaps.push(format!("environment {environment}: {fault}"));
                    failed = Some(fault);
                    continue;
                }
            };
            gaps.extend(listed.gaps.into_iter().map(|gap| format!("environment {environment}: {gap}")));
            let of_users = users.iter().find(|access| access.environment().name() == environment);
            let meant = |profile: &Profile| access.sees(&profile.place) && input.means(profile);
            rows.extend(
                listed.profiles.into_iter().filter(meant).map(|profile| row(profile, access, of_users)),
            );
        }
        if let (Some(fault), [_]) = (failed, call.environments()) {
            return Err(fault.into());
        }
        if let (Some(project), true, true) = (&input.project, rows.is_empty(), gaps.is_empty()) {
            fleet::exists(call.environments(), project).await?;
        }
        let versions: usize = rows.iter().map(|row: &ProfileRow| row.versions.len()).sum();
        let summary =
            format!("{} in {}", counted(rows.len(), "cluster profile"), counted(versions, "version"));
        let narrow = "narrow with names, project, cloud_type or profile_type";
        let (page, cut) = call.page(rows, input.cursor.as_deref(), narrow)?;
        let troubled = page.rows.rows.iter().any(|row| row.packs.is_some());
        let table = if troubled { page.table } else { without_packs(&page.rows.rows) };
        Ok(Answer::new(summary, table, page.rows).gaps(gaps).cut(cut))
    }
}

impl Input {
    fn means(&self, profile: &Profile) -> bool {
        let holds = |part: &String| profile.name.to_lowercase().contains(&part.to_lowercase());
        self.project.as_deref().is_none_or(|project| profile.place.is_called(project))
            && self.names.as_ref().is_none_or(|names| names.is_empty() || names.iter().any(holds))
            && self.cloud_type.as_deref().is_none_or(|cloud| profile.cloud_type.eq_ignore_ascii_case(cloud))
            && self.profile_type.is_none_or(|kind| profile.kind.eq_ignore_ascii_case(kind.name()))
    }
}

fn row(profile: Profile, access: &Access, of_users: Option<&Access>) -> ProfileRow {
    let latest = profile.latest().cloned().unwrap_or_default();
    // a profile of the tenant is used in every project
    let counted = of_users.is_some_and(|access| match profile.place.shown() {
        Some(_) => access.sees(&profile.place),
        None => access.view().sees_all(),
    });
    let told = || profile.versions.iter().filter_map(|version| version.told.as_ref());
    let users: std::collections::HashSet<&String> = told().flat_map(|told| &told.users).collect();
    let in_use_is_at_least = counted && told().count() < profile.versions.len();
    let shown = |version: &super::super::profiles::Version| {
        let draft = version.told.as_ref().is_some_and(|told| told.is_draft);
        format!("{}{}", version.version, if draft { " (draft)" } else { "" })
    };
    ProfileRow {
        scope: profile.scope().to_owned(),
        environment: access.environment().name().to_owned(),
        in_use: counted.then_some(users.len()),
        in_use_is_at_least,
        packs: packs(&latest),
        versions: profile.versions.iter().rev().map(shown).collect(),
        latest: latest.version,
        uid: latest.uid,
        kind: profile.kind,
        cloud_type: profile.cloud_type,
        name: profile.name,
    }
}

/// Where no pack is in trouble, there is nothing to tell in a column for it.
fn without_packs(rows: &[ProfileRow]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let told = |at: &usize| ProfileRow::COLUMNS.get(*at) != Some(&"packs");
    let kept: Vec<usize> = (0..ProfileRow::COLUMNS.len()).filter(told).collect();
    let columns: Vec<&str> = kept.iter().filter_map(|at| ProfileRow::COLUMNS.get(*at).copied()).collect();
    let mut table = Table::new(&columns);
    for row in rows {
        let cells = row.cells();
        table.row(kept.iter().filter_map(|at| cells.get(*at)));
    }
    table.into_text()
}

fn packs(latest: &super::super::profiles::Version) -> Option<String> {
    let counts = latest.told.as_ref()?.packs;
    let of = [(counts.deleted, "deleted"), (counts.disabled, "disabled"), (counts.deprecated, "deprecated")];
    let told: Vec<String> =
        of.iter().filter(|(count, _)| *count > 0.0).map(|(count, word)| format!("{count} {word}")).collect();
    (!told.is_empty()).then(|| told.join(", "))
}
