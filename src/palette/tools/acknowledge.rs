//! `palette_acknowledge`: a notification of a cluster as seen, or done, planned first.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    super::{
        Ask, Fault,
        api::notification::{Notification, Notifications},
        operate::standing::Standing,
        said::said,
    },
    reach,
};
use crate::{
    Error, ErrorKind,
    answer::{Answer, Change, sanitise},
    kubernetes::{
        observed::{Observed, Part},
        operation::{self, Next},
    },
    toolbox::{Call, Reach, Tool},
};

/// Notifications that an error lists.
const MOST: usize = 20;

/// The handler.
#[derive(Debug)]
pub struct Acknowledge;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    environment: Option<String>,
    project: Option<String>,
    /// Name or uid.
    cluster: String,
    /// Uid, where there are several.
    notification: Option<String>,
    /// Also as done.
    done: Option<bool>,
    /// From the call before.
    plan: Option<String>,
}

/// What would be done, or was.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// environment/project/name
    cluster: String,
    notification: String,
    message: String,
    done: bool,
}

impl Tool for Acknowledge {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let standing = Standing::read(&call, &input.cluster, input.project.as_deref()).await?;
        let (found, done) = (&standing.found, input.done == Some(true));
        let one = meant(&standing, input.notification.as_deref(), done).await?;
        let (uid, message) = (one.metadata.uid.clone(), said(&one.action.action_message, 200));
        let what = format!("{}: the notification {:?}", found.qualified(), message);
        let word = if done { "done" } else { "seen" };
        let output = Output { cluster: found.qualified(), notification: uid.clone(), message, done };
        let answer = |summary: String| Answer::new(summary, String::new(), output);
        if one.action.is_done || (one.action.ack && !done) {
            return Ok(
                answer(format!("{what} is marked already: nothing to change")).change(Change::Unneeded)
            );
        }
        let content = json!([found.uid, uid, one.action.action_message, one.action.ack, one.action.is_done]);
        match operation::next(
            &call,
            input.plan.as_deref(),
            &Observed::default().with(Part::Object, &content),
        )? {
            Next::Tell(head, change) => {
                Ok(answer(format!("{head}{what} would be marked as {word}; nothing of the cluster changes"))
                    .change(change))
            }
            Next::Do => {
                let ask = Ask::change(
                    Method::PATCH,
                    &["notifications", &uid, if done { "done" } else { "ack" }],
                    None,
                );
                match found.access.send(&found.place, ask).await {
                    Ok(_) => Ok(answer(format!("{what} is marked as {word}")).change(Change::Made)),
                    Err(Fault::Uncertain(why)) => {
                        let message =
                            format!("{what}: UNKNOWN WHETHER IT WAS MARKED: the answer was lost ({why})");
                        Err(Error::new(ErrorKind::Upstream { status: None, retryable: false }, message)
                            .next("plan again: the plan tells whether it is marked"))
                    }
                    Err(fault) => Err(fault.into()),
                }
            }
        }
    }
}

/// The notification that is meant: the only one that is open, or the one of this uid.
async fn meant(standing: &Standing, written: Option<&str>, done: bool) -> Result<Notification, Error> {
    let found = &standing.found;
    let ask = Ask::get(&["notifications", "spectrocluster", &found.uid]).with("limit", "50");
    // one that is done is looked for only where it is named
    let ask = if written.is_none() { ask.with("isDone", "false") } else { ask };
    let read: Notifications = found.access.ask(&found.place, ask).await?;
    let open = |one: &&Notification| !one.action.is_done && (done || !one.action.ack);
    let label =
        |one: &Notification| format!("{} ({})", one.metadata.uid, said(&one.action.action_message, 80));
    let candidates: Vec<String> = read.items.iter().filter(open).take(MOST).map(label).collect();
    let what = found.qualified();
    let mut all = read.items.iter().filter(open);
    match (written, all.next(), all.next()) {
        (Some(uid), ..) => read.items.iter().find(|one| one.metadata.uid == uid).cloned().ok_or_else(|| {
            let shown = sanitise::short(uid, 40);
            Error::not_found(format!("{what} has no notification {shown:?}")).candidates(candidates)
        }),
        (None, Some(one), None) => Ok(one.clone()),
        (None, None, _) => Err(Error::not_found(format!("{what} has no notification that waits"))
            .next("palette_cluster_health tells what waits")),
        (None, Some(_), Some(_)) => {
            Err(Error::new(ErrorKind::Conflict, format!("{what} has several notifications that wait"))
                .candidates(candidates)
                .next("pass the uid of one as notification"))
        }
    }
}
