//! `palette_repave`: approving a repave that waits, or taking back what led to it, planned first.

mod back;

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    super::{
        Ask, Fault,
        api::repave::{Reason, Repave},
        operate::{
            standing::Standing,
            update::{self, Update},
        },
        said::said,
    },
    reach,
};
use crate::{
    Error, ErrorKind,
    answer::{Answer, Change},
    kubernetes::{
        observed::{Observed, Part},
        operation::{self, Next, section},
    },
    toolbox::{Call, Reach, Tool},
};

/// Reasons that are told.
const MOST: usize = 20;

/// The handler.
#[derive(Debug)]
pub struct DecideRepave;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    project: Option<String>,
    /// Name or uid.
    cluster: String,
    decision: Decision,
    /// From the call before.
    plan: Option<String>,
}

// No comments on the variants: each would be a line in every tool list.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Decision {
    Approve,
    Refuse,
}

/// What would be done, or was.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// environment/project/name
    cluster: String,
    uid: String,
    decision: Decision,
    /// Of the repave: Pending, Approved, Reverted; left out: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    /// Why machines are to be replaced.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    machines: Vec<String>,
    /// What a refusal puts back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl Tool for DecideRepave {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let standing = Standing::read(&call, &input.cluster, input.project.as_deref()).await?;
        let repave = standing.repave().await?;
        let aim = Aim { standing: &standing, decision: input.decision, repave: repave.as_ref() };
        let what = standing.found.qualified();
        let state = repave.as_ref().map(|repave| repave.status.state.to_ascii_lowercase());
        match (state.as_deref(), input.decision) {
            (Some("pending"), _) => {}
            (Some("approved"), Decision::Approve) | (Some("reverted") | None, Decision::Refuse) => {
                let now = state
                    .map_or("no repave waits".to_owned(), |state| format!("the repave is {state} already"));
                let summary = format!("{what}: {now}: nothing to change");
                return Ok(aim.answer(summary, Vec::new(), Vec::new()).change(Change::Unneeded));
            }
            (now, _) => {
                let now = now.map_or("no repave waits".to_owned(), |state| format!("its repave is {state}"));
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!("{what}: {now}, so none can be decided upon"),
                )
                .next("palette_cluster_health tells what waits"));
            }
        }
        let back = match input.decision {
            Decision::Approve => Vec::new(),
            Decision::Refuse => back::updates(&standing, aim.reasons()).await?,
        };
        let body = if back.is_empty() { None } else { Some(update::body(&back)?) };
        let observed = aim.observed(body.as_ref());
        let changes: Vec<String> = back.iter().flat_map(Update::told).collect();
        match operation::next(&call, input.plan.as_deref(), &observed)? {
            Next::Tell(head, change) => {
                let would = match input.decision {
                    Decision::Approve => "the repave would be approved: MACHINES ARE REPLACED",
                    Decision::Refuse => "the change that wants the repave would be taken back",
                };
                let notes = match input.decision {
                    Decision::Approve => {
                        "Palette does not tell which machines, nor in which order".to_owned()
                    }
                    Decision::Refuse => {
                        "Palette's API cannot refuse a repave: this puts the profile back, and the \
                                         repave goes with it"
                            .to_owned()
                    }
                };
                Ok(aim.answer(format!("{head}{what}: {would}"), changes, vec![notes]).change(change))
            }
            Next::Do => aim.make(body, changes).await,
        }
    }
}

/// A decision on its way.
struct Aim<'a> {
    standing: &'a Standing,
    decision: Decision,
    repave: Option<&'a Repave>,
}

impl Aim<'_> {
    fn reasons(&self) -> &[Reason] {
        self.repave.map_or(&[], |repave| &repave.spec.reasons)
    }

    fn told(&self) -> Vec<String> {
        let told = self.reasons().iter().take(MOST).map(|reason| {
            let text = if reason.message.is_empty() { &reason.code } else { &reason.message };
            let pack = &reason.pack;
            let version =
                |tag: &str, version: &str| if tag.is_empty() { version.to_owned() } else { tag.to_owned() };
            let (from, to) = (
                version(&pack.current.tag, &pack.current.version),
                version(&pack.target.tag, &pack.target.version),
            );
            let change = match pack.target.name.is_empty() {
                true => String::new(),
                false => format!(" (pack {}: {from} → {to})", pack.target.name),
            };
            said(&format!("{text}{change}"), 240)
        });
        told.collect()
    }

    fn observed(&self, body: Option<&Value>) -> Observed {
        let templates = &self.standing.summary.spec.cluster_profile_templates;
        let attached: Vec<&str> = templates.iter().map(|template| template.uid.as_str()).collect();
        let since = self.repave.map(|repave| repave.status.repave_transition_time.as_str());
        Observed::default()
            .with(Part::Cluster, &json!([self.standing.found.uid, attached]))
            .with(Part::Verdict, &json!([self.told(), since, body]))
    }

    fn answer(&self, summary: String, changes: Vec<String>, notes: Vec<String>) -> Answer<Output> {
        let (reasons, machines) = (self.told(), self.standing.machines());
        let body = [
            section("because:", &reasons),
            section("machines:", &machines),
            section("changes:", &changes),
            section("note:", &notes),
        ]
        .concat();
        let output = Output {
            cluster: self.standing.found.qualified(),
            uid: self.standing.found.uid.clone(),
            decision: self.decision,
            state: self.repave.map(|repave| said(&repave.status.state, 40)),
            reasons,
            machines,
            changes,
            notes,
        };
        Answer::new(summary, body, output)
    }

    async fn make(&self, body: Option<Value>, changes: Vec<String>) -> Result<Answer<Output>, Error> {
        let found = &self.standing.found;
        let ask = match body {
            None => Ask::change(Method::PATCH, &["spectroclusters", &found.uid, "repave", "approve"], None),
            Some(body) => {
                Ask::change(Method::PATCH, &["spectroclusters", &found.uid, "profiles"], Some(body))
                    .with("resolveNotification", "true")
            }
        };
        let what = found.qualified();
        let sent = found.access.send(&found.place, ask).await;
        let now = self.standing.repave().await;
        let state =
            now.as_ref().ok().and_then(|repave| repave.as_ref()).map(|repave| said(&repave.status.state, 40));
        match sent {
            Ok(_) => {}
            Err(Fault::Uncertain(why)) => return Err(unknown(&what, &why, state.as_deref())),
            Err(fault) => {
                let error = Error::from(fault);
                return Err(Error {
                    message: format!("{what}: nothing was decided: {}", error.message),
                    ..error
                });
            }
        }
        let done = match self.decision {
            Decision::Approve => "the repave was approved",
            Decision::Refuse => "the change that wanted the repave was taken back",
        };
        let shown = state.as_deref().map_or(String::new(), |state| format!("; it is {state}"));
        let notes = vec![format!("palette_cluster_health with cluster {} says how it goes on", found.uid)];
        let mut answer = self.answer(format!("{what}: {done}{shown}"), changes, notes);
        answer.structure.state = state;
        let gap = now.err().map(|fault| format!("how the repave stands now: {fault}"));
        Ok(answer.gaps(gap).change(Change::Made))
    }
}

/// The answer was lost: how the repave stands was looked up, and nothing is sent again.
fn unknown(what: &str, why: &Fault, state: Option<&str>) -> Error {
    let says = match state {
        Some(state) if !state.eq_ignore_ascii_case("pending") => {
            format!("the repave is {state} now: it was most likely decided by this call")
        }
        Some(_) => "UNKNOWN WHETHER IT WAS DECIDED: the repave is still Pending".to_owned(),
        None => "UNKNOWN WHETHER IT WAS DECIDED: no repave could be looked up".to_owned(),
    };
    let message = format!("{what}: the decision was sent once and its answer was lost ({why}); {says}");
    Error::new(ErrorKind::Upstream { status: None, retryable: false }, message)
        .next("palette_cluster_health tells how it stands; plan again only if the repave still waits")
}
