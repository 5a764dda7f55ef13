//! Events of a cluster: ordered, and repeats counted.

mod read;

use std::{cmp::Reverse, collections::HashMap};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

pub use read::{Found, Wanted, read};

use super::{
    api::{self, moment},
    said::said,
};
use crate::kubernetes::events::ago;

/// Characters of a message.
const LONGEST_MESSAGE: usize = 500;
const LONGEST_WORD: usize = 80;

/// How grave an event is: the vendor's words, of which not all are known, in three classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub enum Severity {
    /// Something failed.
    Error,
    /// Something may be wrong.
    Warning,
    /// Something happened.
    Normal,
}

impl Severity {
    fn of(event: &api::event::Event) -> Self {
        let word = event.severity.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|known| word.contains(known));
        if has(&["err", "crit", "fatal", "fail", "alert"]) {
            Self::Error
        } else if has(&["warn"]) || event.reason.starts_with("Failed") {
            // Palette reports some failures as information
            Self::Warning
        } else {
            Self::Normal
        }
    }

    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Normal => "Normal",
        }
    }
}

/// Something that happened, with its repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// How grave it is.
    pub severity: Severity,
    /// A word for why.
    pub reason: String,
    /// In words.
    pub message: String,
    /// Who says it.
    pub source: String,
    /// How often it was said.
    pub count: usize,
    /// When it was said first.
    pub first: Option<Timestamp>,
    /// When it was said last.
    pub last: Option<Timestamp>,
}

impl From<&api::event::Event> for Event {
    fn from(event: &api::event::Event) -> Self {
        let when = moment(&event.metadata.last_modified_timestamp)
            .or_else(|| moment(&event.metadata.creation_timestamp));
        let first = moment(&event.metadata.creation_timestamp).or(when);
        Self {
            severity: Severity::of(event),
            reason: said(&event.reason, LONGEST_WORD),
            message: said(&event.message, LONGEST_MESSAGE),
            source: said(&event.source.component, LONGEST_WORD),
            count: 1,
            first,
            last: when,
        }
    }
}

/// Those that say the same become one, said as often as all of them together; the newest first.
pub fn merged(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    let mut places: HashMap<(Severity, String, String, String), usize> = HashMap::new();
    let mut merged: Vec<Event> = Vec::new();
    for event in events {
        let same = (event.severity, event.reason.clone(), event.message.clone(), event.source.clone());
        let place = *places.entry(same).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(known) => {
                known.count += event.count;
                known.first = known.first.into_iter().chain(event.first).min();
                known.last = known.last.max(event.last);
            }
            None => merged.push(event),
        }
    }
    merged.sort_by_key(|event| Reverse(event.last));
    merged
}

/// The gravest first, and of those the newest.
pub fn gravest(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_by_key(|event| (event.severity, Reverse(event.last)));
    events
}

/// An event as tools show it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EventRow {
    severity: Severity,
    reason: String,
    count: usize,
    /// Where it was said before `last`.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    source: String,
    message: String,
    #[serde(skip)]
    ago: String,
}

impl EventRow {
    /// The columns of a table of them.
    pub const COLUMNS: &'static [&'static str] =
        &["severity", "last", "count", "reason", "message", "source"];

    /// The row of an event.
    pub fn new(event: &Event, now: Timestamp) -> Self {
        let second = |moment: Timestamp| Timestamp::from_second(moment.as_second()).unwrap_or(moment);
        Self {
            severity: event.severity,
            reason: event.reason.clone(),
            count: event.count,
            first: event
                .first
                .filter(|first| Some(*first) != event.last)
                .map(|first| second(first).to_string()),
            last: event.last.map(|last| second(last).to_string()),
            source: event.source.clone(),
            message: event.message.clone(),
            ago: ago(event.last, now),
        }
    }

    /// How grave it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The cells of a table.
    pub fn cells(&self) -> [String; 6] {
        [
            self.severity.name().to_owned(),
            self.ago.clone(),
            self.count.to_string(),
            self.reason.clone(),
            self.message.clone(),
            self.source.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(severity: &str, reason: &str, message: &str, second: u8) -> Event {
        let when = format!("2026-11-22T01:00:{second:02}.000Z");
        let wire: api::event::Event = serde_json::from_value(json!({
            "severity": severity, "reason": reason, "message": message, "source": {"component": "palette"},
            "metadata": {"creationTimestamp": when, "lastModifiedTimestamp": "0001-01-01T00:00:00.000Z"},
        }))
        .expect("lenient");
        Event::from(&wire)
    }

    #[test]
    fn severities_are_known_in_any_case_and_failures_that_call_themselves_information() {
        let of = |severity: &str, reason: &str| event(severity, reason, "", 1).severity;
        for (severity, reason, known) in [
            ("Error", "X", Severity::Error),
            ("ERROR", "X", Severity::Error),
            ("critical", "X", Severity::Error),
            ("warning", "X", Severity::Warning),
            ("Info", "FailedCreate", Severity::Warning),
            ("Info", "Created", Severity::Normal),
            ("", "", Severity::Normal),
        ] {
            assert_eq!(of(severity, reason), known, "{severity} {reason}");
        }
    }

    #[test]
    fn repeats_are_one_and_the_newest_comes_first() {
        let all = merged([
            event("Info", "A", "x", 10),
            event("Error", "B", "y", 20),
            event("Info", "A", "x", 30),
            event("Info", "A", "z", 5),
        ]);
        let told: Vec<(&str, usize)> =
            all.iter().map(|event| (event.message.as_str(), event.count)).collect();
        assert_eq!(told, [("x", 2), ("y", 1), ("z", 1)]);
        assert_eq!(gravest(all)[0].message, "y", "an error stands before what is newer");
    }

    #[test]
    fn what_a_message_assigns_to_a_password_is_not_told() {
        let shown = event("Error", "A", "login failed: password: hunter2-planted, user: x", 1).message;
        assert!(!shown.contains("planted") && shown.contains("login failed"), "{shown}");
        let reason = event("Error", "password: planted-too", "", 1).reason;
        assert!(!reason.contains("planted"), "{reason}");
    }
}
