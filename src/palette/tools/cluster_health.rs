//! `palette_cluster_health`: what is wrong with a cluster, ranked, with what helps.

mod output;

use futures::future::join;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    super::{
        Ask, Fault,
        api::{notification::Notifications, repave::Repave, summary::ClusterSummary},
        events::{self, Found, Wanted},
        find::{self, FoundCluster},
        health::{self, Next, Waiting},
        same, summary,
    },
    reach,
};
use crate::{
    Error,
    answer::Answer,
    toolbox::{Call, Reach, Tool},
};

use output::{Output, Read, answer};

/// Events that are looked through: one page.
const EVENTS: usize = 50;

/// The handler.
#[derive(Debug)]
pub struct DiagnoseCluster;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub environment: Option<String>,
    pub project: Option<String>,
    /// Name or uid.
    pub cluster: String,
    /// false: one request only.
    pub events: Option<bool>,
}

impl Tool for DiagnoseCluster {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let mut found = find::cluster(&call, &input.cluster, input.project.as_deref()).await?;
        let more = input.events.unwrap_or(true);
        let (access, place, uid) = (found.access.clone(), found.place.clone(), found.uid.clone());
        let happened = async {
            let wanted = Wanted { most: EVENTS, ..Wanted::default() };
            if more { Some(events::read(&access, (&place, &uid), &wanted, None).await) } else { None }
        };
        let (summary, happened) = join(summary::read(&mut found), happened).await;
        let (summary, asked) = summary?;
        let mut gaps = found.gaps.clone();
        let events = match happened.transpose() {
            Ok(found) => found.unwrap_or_default(),
            Err(fault) => {
                gaps.push(format!("events: {fault}"));
                Found::default()
            }
        };
        gaps.extend(events.gap.clone());
        let waiting =
            if more { waiting(&found, &summary, &events, &mut gaps).await } else { Waiting::default() };
        let kubernetes = same::in_registry(&call, &found.access, &summary::endpoints(&summary));
        let next = Next { uid: found.uid.clone(), kubernetes: kubernetes.clone() };
        let now = Timestamp::now();
        let judged = health::judge(&summary, &waiting, &next, now);
        let read = Read {
            found: &found,
            summary: &summary,
            judged,
            waiting: &waiting,
            kubernetes,
            events,
            asked,
            now,
        };
        Ok(answer(read).gaps(gaps))
    }
}

/// Reads what waits for somebody, where something says that there is something: at most 2 requests.
async fn waiting(
    found: &FoundCluster,
    summary: &ClusterSummary,
    events: &Found,
    gaps: &mut Vec<String>,
) -> Waiting {
    let (access, place, uid) = (&found.access, &found.place, found.uid.as_str());
    let mentioned = |text: &str| text.to_lowercase().contains("repave");
    let told =
        found.row.as_ref().and_then(|row| row.repave.as_deref()).is_some_and(|state| !state.is_empty());
    let repaves = told
        || events.events.iter().any(|event| mentioned(&event.reason) || mentioned(&event.message))
        || summary.status.conditions.iter().any(|condition| mentioned(&condition.kind));
    let repave = async {
        let ask = Ask::get(&["spectroclusters", uid, "repave", "status"]);
        if repaves { some(access.ask::<Repave>(place, ask).await) } else { Ok(None) }
    };
    let notifications = async {
        let ask =
            Ask::get(&["notifications", "spectrocluster", uid]).with("isDone", "false").with("limit", "50");
        let wanted = summary.status.notifications.is_available;
        if wanted { some(access.ask::<Notifications>(place, ask).await) } else { Ok(None) }
    };
    let (repave, notifications) = join(repave, notifications).await;
    let mut told = |what: &str, fault: Fault| gaps.push(format!("{what}: {fault}"));
    Waiting {
        repave: repave.unwrap_or_else(|fault| {
            told("repave", fault);
            None
        }),
        notifications: notifications.unwrap_or_else(|fault| {
            told("notifications", fault);
            None
        }),
    }
}

/// What is not there is nothing.
fn some<T>(asked: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match asked {
        Ok(told) => Ok(Some(told)),
        Err(fault) if fault.is_not_found() => Ok(None),
        Err(fault) => Err(fault),
    }
}
