//! `palette_apply_updates`: another version of an attached profile, or the updates that wait, planned first.

mod made;
mod targets;

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    super::operate::{
        hidden::Hidden,
        standing::Standing,
        update::{self, DryRun, Update},
        variables::Set,
    },
    reach,
};
use crate::{
    Error,
    answer::{Answer, Change},
    kubernetes::{
        observed::{Observed, Part},
        operation::{self, Next, section},
    },
    toolbox::{Call, Reach, Tool},
};

/// Seconds that it is followed, where the call does not say.
const SECONDS: u32 = 30;
const MOST_SECONDS: u32 = 600;

/// The handler.
#[derive(Debug)]
pub struct ApplyUpdates;

/// The arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    project: Option<String>,
    /// Name or uid.
    cluster: String,
    /// name@version; else all that waits.
    profile: Option<String>,
    /// Of the profile, by name.
    variables: Option<BTreeMap<String, String>>,
    /// To follow it; default 30.
    #[schemars(range(max = MOST_SECONDS))]
    seconds: Option<u32>,
    /// From the call before.
    plan: Option<String>,
}

/// What would change, or did.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// environment/project/name
    cluster: String,
    uid: String,
    /// In words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<String>,
    /// Whether machines would be replaced; left out: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    repave: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
    /// A repave waits for approval now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    repave_pending: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    /// Why following ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<&'static str>,
    /// What is not met at the end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unmet: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl Tool for ApplyUpdates {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    fn follows(input: &Input) -> Option<Duration> {
        input.plan.is_some().then(|| time(input.seconds))
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let standing = Standing::read(&call, &input.cluster, input.project.as_deref()).await?;
        let mut updates = targets::of(&call, &standing, input.profile.as_deref()).await?;
        if updates.is_empty() {
            let what =
                input.profile.as_deref().map_or("no update is pending", |_| "it is on that version already");
            let summary = format!("{}: {what}: nothing to change", standing.found.qualified());
            let aim = Aim { call: &call, standing: &standing, updates, dry_run: DryRun::default() };
            return Ok(aim.answer(summary, Vec::new()).change(Change::Unneeded));
        }
        update::set(&call, &standing, &mut updates, &input.variables.clone().unwrap_or_default()).await?;
        let hidden = Hidden::new(&call, updates.iter().map(|update| &update.set).flat_map(Set::secrets))?;
        let body = update::body(&updates)?;
        let dry_run = match update::dry_run(&standing, &body).await {
            Ok(dry_run) => dry_run,
            Err(fault) => return Err(hidden.error(fault.into())),
        };
        let repave = standing.repave().await?.map(|repave| repave.status.state);
        let observed = observed(&standing, repave.as_deref(), (&updates, &dry_run, &body));
        let aim = Aim { call: &call, standing: &standing, updates, dry_run };
        match operation::next(&call, input.plan.as_deref(), &observed)? {
            Next::Tell(head, change) => {
                let count = operation::count(aim.updates.len(), "profile");
                let ends = match aim.dry_run.required {
                    Some(true) => "; machines would be replaced",
                    Some(false) => "; no machine would be replaced",
                    None => "; whether machines would be replaced is not known",
                };
                let summary =
                    format!("{head}{count} of {} would be changed{ends}", standing.found.qualified());
                let gap = aim.dry_run.gap.clone();
                let notes = aim.notes();
                Ok(aim.answer(summary, notes).gaps(gap).change(change))
            }
            Next::Do => aim.make(body, &hidden, time(input.seconds)).await,
        }
    }
}

pub(super) fn time(seconds: Option<u32>) -> Duration {
    Duration::from_secs(seconds.unwrap_or(SECONDS).min(MOST_SECONDS).into())
}

/// What a plan depends on.
fn observed(
    standing: &Standing,
    repave: Option<&str>,
    (updates, dry_run, body): (&[Update], &DryRun, &Value),
) -> Observed {
    let templates = &standing.summary.spec.cluster_profile_templates;
    let attached: Vec<&str> = templates.iter().map(|template| template.uid.as_str()).collect();
    let content: Vec<&Value> = updates.iter().map(|update| &update.to.content).collect();
    Observed::default()
        .with(Part::Cluster, &json!([standing.found.uid, attached, repave]))
        .with(Part::Profiles, &json!(content))
        .with(Part::Verdict, &json!([dry_run.required, dry_run.reasons, body]))
}

/// Updates on their way.
struct Aim<'a> {
    call: &'a Call,
    standing: &'a Standing,
    updates: Vec<Update>,
    dry_run: DryRun,
}

impl Aim<'_> {
    fn answer(&self, summary: String, notes: Vec<String>) -> Answer<Output> {
        let changes: Vec<String> = self.updates.iter().flat_map(Update::told).collect();
        let repave = match self.updates.is_empty() {
            true => Vec::new(),
            false => self.dry_run.told(&self.standing.machines()),
        };
        let body =
            [section("changes:", &changes), section("repave:", &repave), section("note:", &notes)].concat();
        let output = Output {
            cluster: self.standing.found.qualified(),
            uid: self.standing.found.uid.clone(),
            changes,
            repave: self.dry_run.required,
            reasons: self.dry_run.reasons.clone(),
            repave_pending: false,
            state: None,
            ended: None,
            unmet: Vec::new(),
            notes,
        };
        Answer::new(summary, body, output)
    }

    fn notes(&self) -> Vec<String> {
        let state = &self.standing.summary.status.state;
        let running = state.eq_ignore_ascii_case("running") || state.is_empty();
        let unwell = (!running).then(|| format!("the cluster is {}", super::super::said::said(state, 40)));
        let kept = "what the cluster overrides of pack values is Palette's to merge: palette_drift shows it"
            .to_owned();
        unwell.into_iter().chain([kept]).collect()
    }
}
