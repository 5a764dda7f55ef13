//! `kro_apply_rgd`: server-side apply of an RGD or of an older revision of it, planned first.

mod aim;
mod impact;
mod revision;

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    operation::{self, ATTEMPTS, Next, count},
    reach,
};
use crate::{
    Error, ErrorKind,
    answer::{Answer, Change},
    kro::operate::{carried, refusal, verdict::Verdict},
    kubernetes::{DryRun, Object, difference::Difference, written},
    permission::Permission,
    toolbox::{Call, Reach, Tool},
};

use aim::{Aim, Seen};

const ARGUMENT: &str = "manifest";
/// How long kro's verdict is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// The handler.
#[derive(Debug)]
pub struct ApplyRgd;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    cluster: Option<String>,
    /// YAML or JSON of one RGD.
    #[schemars(length(max = 262_144))]
    manifest: Option<String>,
    /// To roll back, in place of manifest.
    name: Option<String>,
    /// Number of a revision.
    #[schemars(range(min = 1))]
    rollback_to: Option<i64>,
    /// From the call before.
    plan: Option<String>,
}

/// What would change, or did.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    name: String,
    /// Whether it does not exist yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    new: bool,
    /// Fields of the RGD.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Difference>,
    /// Nodes that come and go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nodes: Vec<String>,
    /// Changes of the kind that it generates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    schema: Vec<String>,
    /// Instances that kro would reconcile, by namespace.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    instances: BTreeMap<String, usize>,
    /// Instances that would not keep the new schema.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    breaks: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<VerdictRow>,
}

/// What kro made of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct VerdictRow {
    /// accepted, refused or pending
    kro: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl From<&Verdict> for VerdictRow {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Accepted(revision) => Self { kro: "accepted", revision: *revision, message: None },
            Verdict::Refused(why) => Self { kro: "refused", revision: None, message: Some(why.clone()) },
            Verdict::Pending(what) => Self { kro: "pending", revision: None, message: Some(what.clone()) },
        }
    }
}

/// What is asked for.
enum Wanted {
    Manifest(Box<Object>),
    Revision(String, i64),
}

impl Input {
    fn wanted(&self) -> Result<Wanted, Error> {
        match (&self.manifest, &self.name, self.rollback_to) {
            (Some(text), None, None) => Ok(Wanted::Manifest(Box::new(manifest(text)?))),
            (None, Some(name), Some(revision)) => Ok(Wanted::Revision(name.clone(), revision)),
            (Some(_), ..) => Err(Error::invalid_input(
                "the argument \"manifest\" says all of it: leave name and rollback_to out, or it",
            )),
            (None, ..) => {
                Err(Error::invalid_input("the argument \"manifest\" is missing, or name and rollback_to are"))
            }
        }
    }
}

fn manifest(text: &str) -> Result<Object, Error> {
    let manifest = written::manifest(ARGUMENT, text)?;
    if manifest.kind() != "ResourceGraphDefinition" || manifest.group() != crate::kro::labels::GROUP {
        let (kind, group) = (manifest.kind(), manifest.group());
        let message = format!(
            "the argument {ARGUMENT:?} is a {kind} of group {group:?}, not a ResourceGraphDefinition"
        );
        return Err(Error::invalid_input(message).next("kro_apply_instance applies instances"));
    }
    let faults = carried::faults(&manifest);
    if !faults.is_empty() {
        let message = format!("the argument {ARGUMENT:?} has {}", faults.join(", "));
        return Err(Error::invalid_input(message).next("leave these out"));
    }
    Ok(manifest)
}

impl Tool for ApplyRgd {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.cluster.as_ref(), None)
    }

    fn follows(input: &Input) -> Option<Duration> {
        input.plan.as_ref().map(|_| PATIENCE)
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let reader = super::open(&call).await?;
        call.require(Permission::KroRgdsApply, reader.access(), None)?;
        let wanted = input.wanted()?;
        let Some(kind) = reader.rgd_kind().await else {
            return Err(Error::not_found(
                "the cluster has no kro: it does not serve ResourceGraphDefinition",
            ));
        };
        let aim = Aim::new(&call, &reader, &kind, wanted).await?;
        for _ in 0..ATTEMPTS {
            let seen = aim.observe().await?;
            if seen.live.is_some() && seen.total == 0 {
                let verdict = seen.live.as_ref().map(crate::kro::operate::verdict::of);
                let summary = format!("{}: nothing to change", aim.what());
                return Ok(aim.answer(summary, seen, verdict.as_ref()).change(Change::Unneeded));
            }
            let sent = match operation::next(&call, input.plan.as_deref(), &seen.observed)? {
                Next::Tell(head, change) => {
                    let summary = format!("{head}{}", aim.would(&seen));
                    return Ok(aim.answer(summary, seen, None).change(change));
                }
                Next::Do => aim.send(seen.live.as_ref(), DryRun::No).await,
            };
            match sent {
                Ok(written) => return Ok(done(&call, &aim, seen, &written.object).await),
                Err(fault) if refusal::is_stale(&fault) => {}
                Err(fault) => return Err(aim.refused(fault)),
            }
        }
        Err(operation::restless(&aim.what()))
    }
}

async fn done(call: &Call, aim: &Aim<'_>, mut seen: Seen, written: &Object) -> Answer<Output> {
    let what = aim.what();
    call.tell(&format!("{what} was applied; waiting for kro"));
    let verdict = match aim.verdict(seen.live.as_ref(), written).await {
        Ok(verdict) => verdict,
        Err(fault) => {
            seen.gaps.push(format!("kro's verdict could not be read: {fault}"));
            Verdict::Pending("not known".to_owned())
        }
    };
    let summary = match &verdict {
        Verdict::Accepted(Some(revision)) => {
            format!("{what} was applied and kro accepted it: revision {revision}")
        }
        Verdict::Accepted(None) => format!("{what} was applied and kro accepted it"),
        Verdict::Refused(why) => {
            let back = match &seen.live {
                None => String::new(),
                Some(live) => match aim.taken_up_before(live, written).await {
                    Some(revision) => format!(" (rollback_to {revision} takes it back)"),
                    None => " (kro_revision_diff shows what to go back to)".to_owned(),
                },
            };
            format!("{what} was applied and kro REFUSED it{back}: {why}")
        }
        Verdict::Pending(what_it_is_at) => format!(
            "{what} was applied; kro has not decided within {}: {what_it_is_at}",
            count(usize::try_from(PATIENCE.as_secs()).unwrap_or_default(), "second")
        ),
    };
    let answer = aim.answer(summary, seen, Some(&verdict)).change(Change::Made);
    if matches!(verdict, Verdict::Refused(_)) { answer.failed() } else { answer }
}

/// What static checks found: nothing is sent.
fn refused(what: &str, problems: &[String]) -> Error {
    let message = format!(
        "{what} was not sent: kro would refuse it for {}:\n{}",
        count(problems.len(), "problem"),
        problems.join("\n")
    );
    Error::new(ErrorKind::InvalidInput, message).next("correct all of them and call again")
}
