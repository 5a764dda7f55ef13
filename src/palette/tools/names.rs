//! `palette_names`: the names and uids that complete what somebody types. No tool of a model: doors call it for a
//! person who fills in a form, through the same gate.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        Access, Fault, Place,
        api::cluster::ClusterMeta,
        ask::Ask,
        find::{named, project_names},
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
        let needs = Requirement::one(Permission::SpectrocloudClusterViewInfo);
        let mut known = Known::new();
        for access in call.environments_for(&needs) {
            let meant = |name: &String| name == access.environment().name();
            if input.environment.as_ref().is_none_or(meant) {
                // what cannot be read completes nothing
                known.extend(of(&access, &input).await.unwrap_or_default());
            }
        }
        let like = input.like.as_deref().unwrap_or_default();
        let (values, total) = completed(like, &known);
        Ok(Answer::new(format!("{total} names"), values.join("\n"), Output { values, total }))
    }
}

async fn of(access: &Access, input: &Input) -> Result<Known, Fault> {
    let names = project_names(access).await?;
    let itself = |name: String| (name.clone(), name);
    if input.of == Of::Projects {
        let projects = names.into_iter().map(|(uid, name)| Place::Project { uid, name: Some(name) });
        let seen = projects.filter(|place| access.sees(place));
        return Ok(seen.filter_map(|place| place.shown().map(|name| itself(name.to_owned()))).collect());
    }
    let clusters: Vec<ClusterMeta> =
        access.ask(&Place::Tenant, Ask::get(&["dashboard", "spectroclusters", "meta"])).await?;
    let seen = clusters.into_iter().map(|cluster| cluster.metadata).filter(|cluster| {
        let place = named(cluster.place(), &names);
        access.sees(&place) && input.project.as_ref().is_none_or(|project| place.is_called(project))
    });
    Ok(match input.of {
        Of::Uids => seen.map(|cluster| (cluster.name, cluster.uid)).collect(),
        Of::Clusters | Of::Projects => seen.map(|cluster| itself(cluster.name)).collect(),
    })
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
