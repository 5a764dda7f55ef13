//! `kro_resources`: what belongs to an instance, as rows.

mod row;

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{cluster_name, graph::collect, open, reach};
use crate::{
    Error,
    answer::{Answer, Rows, sanitise},
    kro::{fetch::Wanted, graph::Graph, state::State},
    nearest,
    toolbox::{Call, Reach, Tool},
};

use row::{ResourceRow, rows, summary};

/// Besides every state: all that a reader has to look at.
const ABNORMAL: &str = "abnormal";
/// Names that an error offers.
const CANDIDATES: usize = 8;

/// The handler.
#[derive(Debug)]
pub struct ListResources;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    cluster: Option<String>,
    /// Kind of the instance, or Kind.group.
    kind: String,
    /// Searched for where absent.
    namespace: Option<String>,
    name: String,
    /// Levels of nested instances.
    #[schemars(range(min = 0, max = 8))]
    depth: Option<u32>,
    /// Only in this state, or abnormal.
    state: Option<String>,
    /// Only of this kind.
    child_kind: Option<String>,
    /// Rows at most.
    #[schemars(range(min = 1, max = 1000))]
    #[serde(rename = "limit")]
    _limit: Option<u32>,
    /// next_cursor of the page before.
    cursor: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Of the instance.
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    resources: Rows<ResourceRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl Tool for ListResources {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.cluster.as_ref(), input.namespace.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let state = input.state.as_deref().map(Asked::read).transpose()?;
        let reader = open(&call).await?;
        let wanted = Wanted { namespace: input.namespace.as_deref(), name: &input.name };
        let mut collected = collect(&reader, &input.kind, wanted, input.depth).await?;
        let cluster = cluster_name(&call, &reader);
        let scrub = call.clone();
        let judged = reader.judge(move |work| {
            // Reasons and names are made of pieces of values, which nothing finds in them later.
            collected.each_object_mut(&mut |object| scrub.scrub(object));
            Graph::with_members(&collected, work, usize::MAX)
        });
        let graph = judged.await?;
        let mut rows = rows(&graph, Timestamp::now());
        let line = summary(&graph, &cluster, &rows);
        if let Some(written) = &input.child_kind {
            of_kind(&mut rows, written)?;
        }
        rows.retain(|row| state.as_ref().is_none_or(|asked| asked.fits(row.state)));
        let filtered = input.child_kind.is_some() || state.is_some();
        let fit = if filtered { format!("; {} fit", rows.len()) } else { String::new() };
        let summary = format!("{line}{fit}");
        let narrow = "narrow it with state, child_kind or depth";
        let (page, cut) = call.page(rows, input.cursor.as_deref(), narrow)?;
        let table = if page.rows.rows.is_empty() { String::new() } else { page.table };
        let notes: String =
            graph.notes.iter().map(|note| format!("\nnote: {}", sanitise::line(note))).collect();
        let body = format!("{table}{notes}");
        let (state, reason) =
            graph.root().map_or((State::Unknown, None), |root| (root.state, root.reason.clone()));
        let output = Output { state, reason, resources: page.rows, notes: graph.notes };
        Ok(Answer::new(summary, body.trim_start_matches('\n'), output).gaps(graph.gaps).cut(cut))
    }
}

/// The states asked for.
enum Asked {
    Abnormal,
    One(State),
}

impl Asked {
    fn read(written: &str) -> Result<Self, Error> {
        let wanted = written.trim().to_lowercase();
        if wanted == ABNORMAL {
            return Ok(Self::Abnormal);
        }
        let found = State::ALL.iter().find(|state| state.word() == wanted);
        found.map(|state| Self::One(*state)).ok_or_else(|| {
            let written = sanitise::short(written, 40);
            let words = State::ALL.iter().map(|state| state.word()).chain([ABNORMAL]);
            Error::invalid_input(format!("the argument \"state\": there is no state {written:?}"))
                .candidates(words)
        })
    }

    fn fits(&self, state: State) -> bool {
        match self {
            Self::Abnormal => state.is_abnormal(),
            Self::One(wanted) => state == *wanted,
        }
    }
}

/// Keeps the rows of a kind, written as `Kind` or `Kind.group` in any case.
fn of_kind(rows: &mut Vec<ResourceRow>, written: &str) -> Result<(), Error> {
    let wanted = written.trim().to_lowercase();
    let known: BTreeSet<String> = rows.iter().map(ResourceRow::group_kind).collect();
    rows.retain(|row| row.is_of(&wanted));
    if rows.is_empty() && !known.is_empty() {
        let written = sanitise::short(written, 80);
        let message = format!("the argument \"child_kind\": nothing of the instance is a {written:?}");
        let near = nearest::names(&wanted, known.iter().map(String::as_str), CANDIDATES);
        return Err(Error::invalid_input(message).candidates(near));
    }
    Ok(())
}
