//! `palette_cluster_events`: what happened to a cluster.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        events::{self, EventRow, Severity, Wanted, merged},
        find, summary,
    },
    reach,
};
use crate::{
    Error,
    answer::{Answer, Cut, Table, counted, sanitise},
    kubernetes::events::since,
    toolbox::{Call, Reach, Tool},
};

/// The handler.
#[derive(Debug)]
pub struct ListEvents;

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub environment: Option<String>,
    pub project: Option<String>,
    /// Name or uid.
    pub cluster: String,
    pub severity: Option<Graveness>,
    pub reason: Option<String>,
    /// 30m, 2h, or a time
    pub since: Option<String>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

// without a word on each: they say it themselves
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Graveness {
    Error,
    Warning,
    Normal,
}

impl From<Graveness> for Severity {
    fn from(graveness: Graveness) -> Self {
        match graveness {
            Graveness::Error => Self::Error,
            Graveness::Warning => Self::Warning,
            Graveness::Normal => Self::Normal,
        }
    }
}

/// The events.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    environment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    cluster: String,
    uid: String,
    /// Events that Palette has of it, before filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Newest first, repeats merged.
    rows: Vec<EventRow>,
}

impl Tool for ListEvents {
    type Input = Input;
    type Output = Output;

    fn reach(input: &Input) -> Reach {
        reach(input.environment.as_ref(), input.project.as_ref())
    }

    async fn run(call: Call, input: Input) -> Result<Answer<Output>, Error> {
        let now = Timestamp::now();
        let wanted = Wanted {
            severity: input.severity.map(Severity::from),
            reason: input.reason.clone(),
            since: input.since.as_deref().map(|written| since(written, now)).transpose()?,
            most: call.budget().rows,
        };
        let after = input.cursor.as_deref().map(|cursor| call.gone_on(cursor)).transpose()?;
        let mut found = find::cluster(&call, &input.cluster, input.project.as_deref()).await?;
        if found.row.is_none() {
            // by uid and project alone: where it is has to be seen before anything of it is told
            summary::read(&mut found).await?;
        }
        let after = after.as_deref().map(place);
        let read = events::read(&found.access, (&found.place, &found.uid), &wanted, after).await?;
        let told = read.events.len();
        let rows: Vec<EventRow> = merged(read.events).iter().map(|event| EventRow::new(event, now)).collect();
        let grave = |severity| rows.iter().filter(|row| row.severity() == severity).count();
        let (errors, warnings) = (grave(Severity::Error), grave(Severity::Warning));
        let since =
            input.since.map(|since| format!(" since {}", sanitise::short(&since, 40))).unwrap_or_default();
        let summary = match told {
            0 => format!("{}: no such events{since}", found.qualified()),
            _ => format!(
                "{}: {}{since} in {}; errors: {errors}, warnings: {warnings}",
                found.qualified(),
                counted(told, "event"),
                counted(rows.len(), "row")
            ),
        };
        let mut table = Table::new(EventRow::COLUMNS);
        rows.iter().for_each(|row| table.row(row.cells()));
        let cut = read.next.map(|(token, skip)| Cut {
            what: format!("{} events looked through{}", read.seen, of(read.count)),
            narrow: "name severity, reason or since, or pass next_cursor as cursor with the same arguments"
                .to_owned(),
            next_cursor: call.go_on(&format!("{skip} {token}")),
        });
        let output = Output {
            environment: found.access.environment().name().to_owned(),
            project: found.place.shown().map(str::to_owned),
            cluster: found.name.clone(),
            uid: found.uid.clone(),
            total: read.count,
            rows,
        };
        let body = if told == 0 { String::new() } else { table.into_text() };
        Ok(Answer::new(summary, body, output).gaps(found.gaps).gaps(read.gap).cut(cut))
    }
}

fn of(count: Option<u64>) -> String {
    count.map(|count| format!(" of {count}")).unwrap_or_default()
}

/// What a cursor holds: how many events of a page were told, and Palette's token for it.
fn place(written: &str) -> (String, usize) {
    let (skip, token) = written.split_once(' ').unwrap_or(("0", written));
    (token.to_owned(), skip.parse().unwrap_or_default())
}
