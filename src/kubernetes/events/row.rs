//! An event as tools show it: a row of their lists, and what the line above all of them says.

use std::collections::HashSet;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Event;
use crate::answer::{Row, sanitise};

/// Characters of a message; the scheduler's are the longest that are common.
const LONGEST_MESSAGE: usize = 500;
const LONGEST_WORD: usize = 80;
/// Warnings that the summary names.
const NAMED: usize = 3;

/// One event, with its repeats.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventRow {
    /// Absent where `Normal`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// What owns the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    under: Option<String>,
    count: u64,
    /// Where it was seen before `last`.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    source: String,
    message: String,
    #[serde(skip)]
    shown: Shown,
}

/// What only the text and the order are made of.
#[derive(Debug)]
struct Shown {
    ago: String,
    key: String,
}

/// How the object of an event stands to what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed<'a> {
    /// It is that.
    pub itself: bool,
    /// The namespace, where it must be told.
    pub namespace: Option<&'a str>,
    /// What owns it, where that must be told.
    pub under: Option<String>,
}

impl EventRow {
    /// The row of an event.
    pub fn new(event: &Event, placed: Placed<'_>, now: Timestamp) -> Self {
        let first = event.first.filter(|first| Some(*first) != event.last);
        Self {
            kind: event.is_warning().then(|| word(&event.kind)),
            reason: word(&event.reason),
            object: (!placed.itself).then(|| event.about.shown()),
            namespace: placed.namespace.map(str::to_owned),
            under: placed.under,
            count: event.count,
            first: first.map(|first| second(first).to_string()),
            last: event.last.map(|last| second(last).to_string()),
            source: word(&event.source),
            message: sanitise::short(&event.message, LONGEST_MESSAGE),
            shown: Shown { ago: ago(event.last, now), key: key(event) },
        }
    }
}

impl Row for EventRow {
    const COLUMNS: &'static [&'static str] =
        &["type", "last", "count", "object", "reason", "message", "source"];

    fn cells(&self) -> Vec<String> {
        let mut object = self.object.clone().unwrap_or_else(|| "(itself)".to_owned());
        if let Some(namespace) = &self.namespace {
            object.push_str(&format!(" in {namespace}"));
        }
        if let Some(under) = &self.under {
            object.push_str(&format!(" of {under}"));
        }
        vec![
            self.kind.clone().unwrap_or_else(|| "Normal".to_owned()),
            self.shown.ago.clone(),
            self.count.to_string(),
            object,
            self.reason.clone(),
            self.message.clone(),
            self.source.clone(),
        ]
    }

    fn key(&self) -> String {
        self.shown.key.clone()
    }
}

/// `0` for warnings, then the newest; what is told apart by nothing else, by a digest of all of it.
fn key(event: &Event) -> String {
    let before = i64::MAX - event.last.map_or(i64::MIN + 1, Timestamp::as_microsecond).max(0);
    let about = &event.about;
    let namespace = about.namespace.as_deref().unwrap_or_default();
    let words = [&about.uid, &event.kind, &event.reason, &event.message, &event.source, &about.kind];
    let all = format!("{}\0{namespace}\0{}", words.map(String::as_str).join("\0"), about.name);
    let digest = digest::digest(&digest::SHA256, all.as_bytes());
    let short = digest.as_ref().get(..12).unwrap_or_default();
    format!("{}{before:019}{}", u8::from(!event.is_warning()), URL_SAFE_NO_PAD.encode(short))
}

/// What `what` reports, as `Pod/a: 3 events since 1h, 1 warning: BackOff x7 on Pod/a, 5m ago`. `since` is as it
/// was written.
pub fn shown_line(what: &str, events: &[&Event], since: Option<&str>, now: Timestamp) -> String {
    let since = since.map(|since| format!(" since {}", word(since))).unwrap_or_default();
    if events.is_empty() {
        return format!("{what}: no events{since}");
    }
    let mut warnings: Vec<&Event> = events.iter().copied().filter(|event| event.is_warning()).collect();
    warnings.sort_by_cached_key(|event| key(event));
    let word_for = if events.len() == 1 { "event" } else { "events" };
    let about = events.iter().map(|event| (&event.about.uid, &event.about.namespace, event.about.shown()));
    let objects = match about.collect::<HashSet<_>>().len() {
        1 => String::new(),
        several => format!(" of {several} objects"),
    };
    let mut line = format!("{what}: {} {word_for}{since}{objects}, ", events.len());
    match warnings.as_slice() {
        [] => line.push_str("no warnings"),
        [_] => line.push_str("1 warning"),
        several => line.push_str(&format!("{} warnings", several.len())),
    }
    let named: Vec<String> = warnings.iter().take(NAMED).map(|event| named(event, now)).collect();
    if !named.is_empty() {
        line.push_str(&format!(": {}", named.join("; ")));
    }
    if warnings.len() > NAMED {
        line.push_str(&format!(" and {} more", warnings.len() - NAMED));
    }
    line
}

/// `BackOff x7 on Pod/a, 5m ago`
fn named(event: &Event, now: Timestamp) -> String {
    let times = if event.count > 1 { format!(" x{}", event.count) } else { String::new() };
    let last = Some(ago(event.last, now)).filter(|ago| !ago.is_empty());
    let last = last.map(|ago| format!(", {ago} ago")).unwrap_or_default();
    format!("{}{times} on {}{last}", word(&event.reason), event.about.shown())
}

fn word(text: &str) -> String {
    sanitise::short(text, LONGEST_WORD)
}

fn second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

/// `12s`, `5m`, `3h`, `2d`
pub fn ago(last: Option<Timestamp>, now: Timestamp) -> String {
    let Some(last) = last else { return String::new() };
    match now.as_second().saturating_sub(last.as_second()).max(0) {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..86400 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86400),
    }
}
