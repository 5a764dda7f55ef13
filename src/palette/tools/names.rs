//! `palette_names`: the names and uids that complete what somebody types. No tool of a model: doors call it for a
//! person who fills in a form, through the same gate.

use std::collections::BTreeSet;

use futures::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        Access, Place,
        find::project_names,
        fleet::{self, Detail, Wanted},
        profiles::listing,
    },
    reach,
};
use crate::{
    Error,
    answer::Answer,
    nearest,
    permission::{Permission, Requirement},
    toolbox::{Call, Reach, Tool},
};

/// As many as MCP takes.
const MOST: usize = 100;

/// What is in a contract file of a tool.
pub const CONTRACT: &str = "---\n\
    title: Names of Palette objects\n\
    permission: { any: [spectrocloud.cluster.view-info, spectrocloud.profile.view-info] }\n\
    effect: read\n\
    idempotent: true\n\
    open_world: true\n\
    budget: { rows: 100, bytes: 40000 }\n\
    sensitive: none\n\
    ---\n\
    Names that complete what is typed.\n";

/// The handler.
#[derive(Debug)]
pub struct ListNames;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    /// By name or uid.
    project: Option<String>,
    of: Of,
    /// What was typed.
    like: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Of {
    Projects,
    Clusters,
    /// Of clusters, found by their names too.
    Uids,
    Profiles,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The best, best first.
    values: Vec<String>,
    /// How many there are.
    total: usize,
}

/// What people call it, and what stands for it in the form.
type Known = BTreeSet<(String, String)>;

impl Tool for ListNames {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let needs = match input.of {
            Of::Profiles => Permission::SpectrocloudProfileViewInfo,
            Of::Projects | Of::Clusters | Of::Uids => Permission::SpectrocloudClusterViewInfo,
        };
        let mut accesses = call.environments_for(&Requirement::one(needs));
        if let Some(name) = &input.environment {
            accesses.retain(|access| access.environment().name() == name);
        }
        let known = match input.of {
            Of::Projects => projects(&accesses).await,
            Of::Clusters | Of::Uids => clusters(&accesses, &input).await?,
            Of::Profiles => profiles(&accesses, input.project.as_deref()).await,
        };
        let like = input.like.as_deref().unwrap_or_default();
        let (values, total) = completed(like, &known);
        Ok(Answer::new(format!("{total} names"), values.join("\n"), Output { values, total }))
    }
}

/// What cannot be read completes nothing, here and below.
async fn projects(accesses: &[Access]) -> Known {
    let listed = join_all(accesses.iter().map(project_names)).await;
    let all = accesses.iter().zip(listed).flat_map(|(access, names)| {
        let places = names.unwrap_or_default().into_iter();
        let places = places.map(|(uid, name)| (Place::Project { uid, name: Some(name.clone()) }, name));
        places.filter(|(place, _)| access.sees(place)).map(|(_, name)| name)
    });
    all.map(itself).collect()
}

async fn clusters(accesses: &[Access], input: &Input) -> Result<Known, Error> {
    let wanted = Wanted { project: input.project.as_deref(), fresh: false };
    let fleet = fleet::rows(accesses, Detail::Names, wanted).await?;
    let rows = fleet.rows.iter();
    Ok(match input.of {
        Of::Uids => rows.map(|row| (row.name.clone(), row.uid.clone())).collect(),
        _ => rows.map(|row| itself(row.name.clone())).collect(),
    })
}

async fn profiles(accesses: &[Access], project: Option<&str>) -> Known {
    let listed = join_all(accesses.iter().map(|access| listing::listed(access, None))).await;
    let all = accesses.iter().zip(listed).flat_map(|(access, listed)| {
        let profiles = listed.unwrap_or_default().profiles.into_iter();
        profiles.filter(|profile| access.sees(&profile.place))
    });
    let within = all.filter(|profile| project.is_none_or(|project| profile.place.is_called(project)));
    within.map(|profile| itself(profile.name)).collect()
}

fn itself(name: String) -> (String, String) {
    (name.clone(), name)
}

/// The values that `like` is meant for, by what people call them or by themselves; each once.
fn completed(like: &str, known: &Known) -> (Vec<String>, usize) {
    let (names, _) = nearest::completions(like, known.iter().map(|(name, _)| name.as_str()), known.len());
    let (own, _) = nearest::completions(like, known.iter().map(|(_, value)| value.as_str()), known.len());
    let by_name = names.iter().flat_map(|name| {
        known.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.clone())
    });
    let mut seen = BTreeSet::new();
    let mut values: Vec<String> =
        by_name.chain(own).filter(|value| !value.is_empty() && seen.insert(value.clone())).collect();
    let total = values.len();
    values.truncate(MOST);
    (values, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(pairs: &[(&str, &str)]) -> Known {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_uid_is_found_by_its_name_and_by_itself() {
        let known = known(&[("prod-1", "65aa"), ("prod-1", "65bb"), ("dev", "77cc")]);
        for (like, values) in
            [("prod", vec!["65aa", "65bb"]), ("77", vec!["77cc"]), ("65b", vec!["65bb"]), ("zzz", vec![])]
        {
            assert_eq!(
                completed(like, &known),
                (values.iter().map(ToString::to_string).collect(), values.len())
            );
        }
        assert_eq!(completed("", &known).1, 3, "each once");
    }
}
