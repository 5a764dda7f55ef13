//! A row of the list, and the line above all of them.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::target::Target;
use crate::{
    answer::{Row, sanitise},
    kro::events::{Told, objects},
    kubernetes::{Object, Reference},
};

/// Characters of a message; the scheduler's are the longest that are common.
const LONGEST_MESSAGE: usize = 500;
const LONGEST_WORD: usize = 80;
/// Warnings that the summary names.
const NAMED: usize = 3;

/// One event, with its repeats.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct EventRow {
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

/// The rows, warnings first and then the newest.
pub(super) fn rows(told: Vec<Told>, target: &Object, now: Timestamp) -> Vec<EventRow> {
    told.into_iter().map(|told| row(&told, target, now)).collect()
}

fn row(told: &Told, target: &Object, now: Timestamp) -> EventRow {
    let event = &told.event;
    let word = |text: &str| sanitise::short(text, LONGEST_WORD);
    let itself = event.about.uid == target.uid();
    let namespace =
        event.about.namespace.as_deref().filter(|namespace| Some(*namespace) != target.namespace());
    EventRow {
        kind: event.is_warning().then(|| word(&event.kind)),
        reason: word(&event.reason),
        object: (!itself).then(|| event.about.shown()),
        namespace: namespace.map(str::to_owned),
        under: told.under.as_ref().filter(|under| under.uid != target.uid()).map(Reference::shown),
        count: event.count,
        first: event.first.filter(|first| Some(*first) != event.last).map(|first| second(first).to_string()),
        last: event.last.map(|last| second(last).to_string()),
        source: word(&event.source),
        message: sanitise::short(&event.message, LONGEST_MESSAGE),
        shown: Shown { ago: ago(event.last, now), key: key(told) },
    }
}

/// `0` for warnings, then the newest; what is told apart by nothing else, by a digest of all of it.
fn key(told: &Told) -> String {
    let event = &told.event;
    let before = i64::MAX - event.last.map_or(i64::MIN + 1, Timestamp::as_microsecond).max(0);
    let all = [&event.about.uid, &event.kind, &event.reason, &event.message, &event.source];
    let digest = digest::digest(&digest::SHA256, all.map(String::as_str).join("\0").as_bytes());
    let short = digest.as_ref().get(..12).unwrap_or_default();
    format!("{}{before:019}{}", u8::from(!event.is_warning()), URL_SAFE_NO_PAD.encode(short))
}

fn second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

/// `12s`, `5m`, `3h`, `2d`
fn ago(last: Option<Timestamp>, now: Timestamp) -> String {
    let Some(last) = last else { return String::new() };
    match now.as_second().saturating_sub(last.as_second()).max(0) {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..86400 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86400),
    }
}

/// What the first line is made of.
pub(super) struct Line<'l> {
    pub(super) target: &'l Target,
    pub(super) cluster: &'l str,
    pub(super) subtree: bool,
    /// As it was written.
    pub(super) since: Option<&'l str>,
    /// Whether no events could be read at all.
    pub(super) unread: bool,
}

impl Line<'_> {
    pub(super) fn text(&self, told: &[Told], now: Timestamp) -> String {
        let object = &self.target.object;
        let place = object.namespace().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        let with = if self.subtree { " with all that it owns" } else { "" };
        let since = self.since.map(|since| format!(" since {}", sanitise::short(since, LONGEST_WORD)));
        let what = format!("{}/{}{place} ({}){with}", object.kind(), object.name(), self.cluster);
        let since = since.unwrap_or_default();
        if self.unread {
            return format!("{what}: its events could not be read");
        }
        if told.is_empty() {
            return format!("{what}: no events{since}");
        }
        let mut warnings: Vec<&Told> = told.iter().filter(|told| told.event.is_warning()).collect();
        warnings.sort_by_cached_key(|told| key(told));
        let events = if told.len() == 1 { "event" } else { "events" };
        let objects = match objects(told) {
            1 => String::new(),
            several => format!(" of {several} objects"),
        };
        let mut line = format!("{what}: {} {events}{since}{objects}, ", told.len());
        match warnings.as_slice() {
            [] => line.push_str("no warnings"),
            [_] => line.push_str("1 warning"),
            several => line.push_str(&format!("{} warnings", several.len())),
        }
        let named = warnings.iter().take(NAMED).map(|told| {
            let event = &told.event;
            let times = if event.count > 1 { format!(" x{}", event.count) } else { String::new() };
            let last = Some(ago(event.last, now)).filter(|ago| !ago.is_empty());
            let last = last.map(|ago| format!(", {ago} ago")).unwrap_or_default();
            format!(
                "{}{times} on {}{last}",
                sanitise::short(&event.reason, LONGEST_WORD),
                event.about.shown()
            )
        });
        let named: Vec<String> = named.collect();
        if !named.is_empty() {
            line.push_str(&format!(": {}", named.join("; ")));
        }
        if warnings.len() > NAMED {
            line.push_str(&format!(" and {} more", warnings.len() - NAMED));
        }
        line
    }
}
