//! `palette_create_cluster`: a new cluster, planned first.

mod made;
mod seen;

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        Access, Place,
        operate::{cloud::Cloud, place, taken},
    },
    reach,
};
use crate::{
    Error,
    answer::{Answer, sanitise},
    kubernetes::operation::{self, Next, section},
    permission::Permission,
    toolbox::{Call, Reach, Tool},
};

use seen::Seen;

/// Seconds that it is followed, where the call does not say.
const SECONDS: u32 = 30;
const MOST_SECONDS: u32 = 600;
/// Characters of a description and of a tag, and how many tags there are.
const LONGEST: usize = 500;
const LONGEST_TAG: usize = 100;
const MOST_TAGS: usize = 50;

/// The handler.
#[derive(Debug)]
pub struct CreateCluster;

/// The arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    /// - for the tenant.
    project: Option<String>,
    name: String,
    cloud: Cloud,
    /// Cloud account; virtual: none.
    account: Option<String>,
    /// Cluster group of a virtual one.
    group: Option<String>,
    /// name@version, or uid.
    profiles: Option<Vec<String>>,
    /// Of the profiles, by name.
    variables: Option<BTreeMap<String, String>>,
    /// Virtual: cores.
    cpu: Option<u32>,
    memory_gib: Option<u32>,
    storage_gib: Option<u32>,
    /// YAML: cloudConfig, machinepoolconfig, … of Palette's API.
    #[schemars(length(max = 262_144))]
    spec: Option<String>,
    description: Option<String>,
    tags: Option<Vec<String>>,
    /// To follow it; default 30.
    #[schemars(range(max = MOST_SECONDS))]
    seconds: Option<u32>,
    /// From the call before.
    plan: Option<String>,
}

/// What would be made, or was.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    environment: String,
    /// Left out: the tenant.
    #[serde(skip_serializing_if = "String::is_empty")]
    project: String,
    name: String,
    cloud: &'static str,
    /// Once it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    /// Why following ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<&'static str>,
    /// What is sent, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sends: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<String>,
    /// What is not met at the end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unmet: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl Tool for CreateCluster {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref().filter(|project| *project != "-"))
    }

    fn follows(input: &Input) -> Option<Duration> {
        input.plan.is_some().then(|| time(input))
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        check(&input)?;
        let access = place::environment(&call)?.anew();
        let permission = Permission::SpectrocloudClusterCreate;
        let place = place::project(&call, &access, input.project.as_deref(), permission).await?;
        let aim = Aim { call: &call, access: &access, place: &place, input: &input };
        let seen = aim.observe().await?;
        match operation::next(&call, input.plan.as_deref(), &seen.observed)? {
            Next::Tell(head, change) => {
                let summary = format!("{head}{} would be made{}", aim.what(), seen.within);
                Ok(aim.answer(summary, &seen, None).gaps(seen.gaps).change(change))
            }
            Next::Do => aim.make(seen).await,
        }
    }
}

/// One cluster on its way.
struct Aim<'a> {
    call: &'a Call,
    access: &'a Access,
    place: &'a Place,
    input: &'a Input,
}

/// How one that was made was last seen.
struct Made {
    uid: String,
    state: Option<String>,
    ended: Option<&'static str>,
    unmet: Vec<String>,
}

impl Aim<'_> {
    /// `virtual cluster demo/shop-dev/team-c`
    fn what(&self) -> String {
        let kind = match self.input.cloud {
            Cloud::Virtual => "virtual cluster".to_owned(),
            cloud => format!("{} cluster", cloud.name()),
        };
        format!("{kind} {}", self.qualified())
    }

    fn qualified(&self) -> String {
        let project = self.place.shown().unwrap_or("-");
        format!("{}/{project}/{}", self.access.environment().name(), self.input.name)
    }

    fn answer(&self, summary: String, seen: &Seen, made: Option<Made>) -> Answer<Output> {
        let sends = if made.is_none() { seen.sends.clone() } else { Vec::new() };
        let mut notes = seen.notes.clone();
        let mut body = section("sends:", &sends);
        if let (Some(cost), None) = (&seen.cost, &made) {
            body.push_str(&format!("cost: {cost}\n"));
        }
        let (mut uid, mut state, mut ended, mut unmet) = (None, None, None, Vec::new());
        if let Some(made) = made {
            notes = vec![self.go_on(&made.uid)];
            body.push_str(&section("not met:", &made.unmet));
            (uid, state, ended, unmet) = (Some(made.uid), made.state, made.ended, made.unmet);
        }
        body.push_str(&section("note:", &notes));
        let output = Output {
            environment: self.access.environment().name().to_owned(),
            project: self.place.shown().unwrap_or_default().to_owned(),
            name: self.input.name.clone(),
            cloud: self.input.cloud.name(),
            uid,
            state,
            ended,
            sends,
            cost: seen.cost.clone(),
            unmet,
            notes,
        };
        Answer::new(summary, body, output)
    }

    /// How one looks at it from here on.
    fn go_on(&self, uid: &str) -> String {
        format!("palette_cluster_health with cluster {uid} says how it goes on")
    }
}

/// That the arguments fit together, as far as that shows before anything is read.
fn check(input: &Input) -> Result<(), Error> {
    taken::fits(&input.name)?;
    let physical = input.cloud != Cloud::Virtual;
    let (account, group) = (input.account.is_some(), input.group.is_some());
    let sized = input.cpu.or(input.memory_gib).or(input.storage_gib);
    let wrong = |what: &str| Err(Error::invalid_input(format!("the argument {what}")));
    match (physical, account, group) {
        (true, false, _) => {
            let message =
                "the argument \"account\" is missing: a cluster is made with an account of its cloud";
            return Err(
                Error::invalid_input(message).next("palette_cloud_accounts lists those that you may see")
            );
        }
        (false, _, false) => {
            let message = "the argument \"group\" is missing: a virtual cluster is made in a cluster group";
            return Err(
                Error::invalid_input(message).next("palette_cluster_groups lists those that you may see")
            );
        }
        (true, _, true) => return wrong("\"group\" is of virtual clusters"),
        (false, true, _) => return wrong("\"account\" is not of virtual clusters: their group has hosts"),
        _ => {}
    }
    if physical && sized.is_some() {
        return wrong(
            "\"cpu\", \"memory_gib\" and \"storage_gib\" are of virtual clusters: write machinepoolconfig in spec",
        );
    }
    if [input.cpu, input.memory_gib, input.storage_gib].contains(&Some(0)) {
        return wrong("\"cpu\", \"memory_gib\" and \"storage_gib\" are at least 1");
    }
    if input.description.as_ref().is_some_and(|text| text.chars().count() > LONGEST) {
        return wrong(&format!("\"description\" has more than {LONGEST} characters"));
    }
    let tags = input.tags.as_deref().unwrap_or_default();
    let bad = |tag: &&String| {
        tag.is_empty() || tag.starts_with(':') || tag.len() > LONGEST_TAG || !sanitise::is_readable(tag)
    };
    if tags.len() > MOST_TAGS || tags.iter().any(|tag| bad(&tag)) {
        return wrong(&format!(
            "\"tags\" takes {MOST_TAGS} of tag or key:value, each up to {LONGEST_TAG} characters"
        ));
    }
    Ok(())
}

fn time(input: &Input) -> Duration {
    Duration::from_secs(input.seconds.unwrap_or(SECONDS).min(MOST_SECONDS).into())
}
