//! `kro_watch`: what becomes of an instance while one waits.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{cluster_name, graph::existing, open, reach};
use crate::{
    Error, ErrorKind,
    answer::{Answer, Cut, Table},
    caller::places::{Full, Most},
    kro::{
        fetch::Wanted,
        state::State,
        watch::{Change, Ended, Follow, Followed, Until},
    },
    kubernetes::Kind,
    toolbox::{Call, Reach, Tool},
};

/// Seconds, where the call does not say.
const SECONDS: u32 = 30;
const MOST_SECONDS: u32 = 300;
/// Calls that follow at a time: each holds connections to a cluster.
const MOST_CALLS: Most = Most { all: 200, each: 8 };
/// Nodes that are named at the end.
const MOST_NODES: usize = 50;

/// The handler.
#[derive(Debug)]
pub struct WatchInstance;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    cluster: Option<String>,
    /// Kind, or Kind.group.
    kind: String,
    /// Searched for where absent.
    namespace: Option<String>,
    name: String,
    /// Nodes too.
    subtree: Option<bool>,
    /// Default 30.
    #[schemars(range(min = 1, max = MOST_SECONDS))]
    seconds: Option<u32>,
    until: Option<Until>,
}

/// What became of the instance. Nodes are left out where they are fine.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    cluster: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    /// Why following ended: reached, deleted, recreated, time, server (it stops), spent (budget).
    ended: &'static str,
    /// How long it was followed.
    seconds: u64,
    /// At the end.
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// In order; the instance's own come without node.
    changes: Vec<Change>,
    /// Changes in between that are not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
    /// Nodes that are not fine at the end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nodes: Vec<Unfinished>,
}

/// A node that is not fine.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Unfinished {
    id: String,
    object: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Tool for WatchInstance {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.cluster.as_ref(), input.namespace.as_ref())
    }

    fn follows(input: &Input) -> Option<Duration> {
        Some(time(input))
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let following = call.toolbox().process().following();
        let _place = following.place(call.caller(), MOST_CALLS).map_err(too_many)?;
        let reader = open(&call).await?;
        let kind = reader.named_kind(&input.kind).await?;
        let wanted = Wanted { namespace: input.namespace.as_deref(), name: &input.name };
        let cluster = cluster_name(&call, &reader);
        let mut instance = match existing(&reader, &kind, wanted).await {
            Ok(instance) => instance,
            Err(error) if error.kind == ErrorKind::NotFound && input.until == Some(Until::Deleted) => {
                return Ok(absent(&kind, &input, cluster));
            }
            Err(error) => return Err(error),
        };
        call.scrub(&mut instance);
        let place =
            (instance.kind().to_owned(), instance.namespace().map(str::to_owned), instance.name().to_owned());
        let followed = Follow::new(
            &call,
            &reader,
            &kind,
            instance,
            (input.subtree.unwrap_or_default(), input.until, time(&input)),
        );
        Ok(answer(followed.to_the_end().await, place, &input, cluster))
    }
}

fn time(input: &Input) -> Duration {
    Duration::from_secs(input.seconds.unwrap_or(SECONDS).min(MOST_SECONDS).into())
}

fn too_many(full: Full) -> Error {
    let why = match full {
        Full::Yours(theirs) => format!("you follow {theirs} instances already, as many as one caller may"),
        Full::All => "as many instances are followed as this server may follow at a time".to_owned(),
    };
    Error::new(ErrorKind::RateLimited { retry_after: None }, why)
        .next("wait until one of these calls has ended, or call kro_graph from time to time")
}

/// Nothing is there that could be waited for: it was deleted already, or never made.
fn absent(kind: &Kind, input: &Input, cluster: String) -> Answer<Output> {
    let place = input.namespace.as_deref().filter(|_| kind.namespaced);
    let shown = place.map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    let summary = format!(
        "{}/{}{shown} ({cluster}): there is none that you may see, so it is deleted",
        kind.kind, input.name
    );
    let output = Output {
        cluster,
        kind: kind.kind.clone(),
        namespace: place.map(str::to_owned),
        name: input.name.clone(),
        ended: Ended::Deleted.name(),
        seconds: 0,
        state: State::Gone,
        reason: None,
        changes: Vec::new(),
        left_out: None,
        nodes: Vec::new(),
    };
    Answer::new(summary, "", output)
}

fn answer(
    followed: Followed,
    (kind, namespace, name): (String, Option<String>, String),
    input: &Input,
    cluster: String,
) -> Answer<Output> {
    let Followed { timeline, ended, gaps, time } = followed;
    let (state, reason) =
        timeline.root().map_or((State::Unknown, None), |root| (root.state, root.reason.clone()));
    let abnormal = timeline.abnormal().take(MOST_NODES);
    let nodes: Vec<Unfinished> = abnormal
        .map(|(id, seen)| Unfinished {
            id: id.to_owned(),
            object: seen.object.clone(),
            state: seen.state,
            reason: seen.reason.clone(),
        })
        // of what is gone nothing is left to look at
        .filter(|_| state != State::Gone)
        .collect();
    let (changes, left_out) = timeline.into_changes();
    let place = namespace.as_deref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    let mut summary = format!("{kind}/{name}{place} ({cluster}): {state}");
    if let Some(reason) = &reason {
        summary.push_str(&format!(", {reason}"));
    }
    summary.push_str(&format!(". {}", why(ended, input, time)));
    if !nodes.is_empty() {
        summary.push_str(&format!(". {} nodes are not fine", nodes.len()));
    }
    let mut table = Table::new(&["time", "node", "object", "state", "reason"]);
    for change in &changes {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let node = change.node.clone().unwrap_or_else(|| "(instance)".to_owned());
        table.row([
            change.at.clone(),
            node,
            text(&change.object),
            change.state.to_string(),
            text(&change.reason),
        ]);
    }
    let mut body = table.into_text();
    if !nodes.is_empty() {
        body.push_str("\n\nnot fine at the end:");
        for node in &nodes {
            let reason = node.reason.as_deref().unwrap_or_default();
            body.push_str(&format!(
                "\n{} {} {} {} {reason}",
                node.state.mark(),
                node.id,
                node.object,
                node.state
            ));
        }
    }
    let cut = (left_out > 0).then(|| Cut {
        what: format!("{left_out} changes in the middle of {}", changes.len() + left_out),
        narrow: "follow for fewer seconds, or without subtree".to_owned(),
        next_cursor: None,
    });
    let output = Output {
        cluster,
        kind,
        namespace,
        name,
        ended: ended.name(),
        seconds: time.as_secs(),
        state,
        reason,
        changes,
        left_out: (left_out > 0).then_some(left_out),
        nodes,
    };
    Answer::new(summary, body, output).gaps(gaps).cut(cut)
}

fn why(ended: Ended, input: &Input, time: Duration) -> String {
    let time = format!("{:.0} s", time.as_secs_f64());
    let until = input.until.map(Until::name);
    match (ended, until) {
        (Ended::Reached, Some(until)) => format!("Followed for {time}, until {until}"),
        (Ended::Reached, None) => format!("Followed for {time}"),
        (Ended::Deleted, _) => format!("It was deleted after {time}"),
        (Ended::Recreated, _) => {
            format!("It was deleted within {time}, and there is another one of its name")
        }
        (Ended::Time, Some(until)) => format!("NOT {until} after {time}; call again to go on"),
        (Ended::Time, None) => format!("Followed for {time}"),
        (Ended::Server, _) => format!("Ended early, after {time}: the server stops; call again to go on"),
        (Ended::Spent, _) => format!("Ended early, after {time}: the call has read as much as it may"),
    }
}
