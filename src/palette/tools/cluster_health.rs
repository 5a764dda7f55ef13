//! `palette_cluster_health`: what is wrong with a cluster, ranked, with what helps.

mod output;
mod waiting;

use futures::future::join3;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    super::{
        events::{self, Found, Wanted},
        find, fleet,
        health::{self, Next},
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
use waiting::Repaves;

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
        let repaves = Repaves::new(fleet::repave(&found), found.row.is_some(), more);
        let repaves = repaves.read(&access, (&place, &uid));
        let (summary, happened, mut repaves) = join3(summary::read(&mut found), happened, repaves).await;
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
        if more && waiting::mentions_repave(&summary, &events) {
            repaves = repaves.mentioned().read(&access, (&place, &uid)).await;
        }
        let note = repaves.note();
        let waiting = waiting::read(&found, &summary, repaves, &mut gaps).await;
        let endpoints = summary::endpoints(&summary);
        let kubernetes = same::in_registry(&call, &found.access, &found.qualified(), &endpoints);
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
            note,
            asked,
            now,
        };
        Ok(answer(read).gaps(gaps))
    }
}
