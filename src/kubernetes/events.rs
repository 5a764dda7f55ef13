//! [`Event`]: what a cluster reports about an object, in either of its two APIs.
//!
//! `v1` and `events.k8s.io/v1` are two views of the same stored objects (`pkg/apis/core/v1`, conversion of
//! `Event`): other names, and times and counts in other places, depending on which client library wrote it.
//! Any of the times may be null.

mod fetch;
mod merge;
mod row;
mod since;

pub use fetch::{About, DEFAULT_NAMESPACE, events, is_since};
pub use merge::merged;
pub use row::{EventRow, Placed, ago, shown_line};
pub use since::since;

use jiff::Timestamp;
use serde_json::Value;

use super::{object::Object, owners::Reference};

/// Something that was reported about an object. Every text of it is untrusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What it is about.
    pub about: Reference,
    /// `Normal` or `Warning`; older writers may use other words.
    pub kind: String,
    /// A word for why, `FailedScheduling`.
    pub reason: String,
    /// In words.
    pub message: String,
    /// Who reports it, `kubelet`.
    pub source: String,
    /// How many times it was seen.
    pub count: u64,
    /// When it was seen first.
    pub first: Option<Timestamp>,
    /// When it was seen last.
    pub last: Option<Timestamp>,
}

impl Event {
    /// Reads an object of either API.
    pub fn read(object: &Object) -> Self {
        let text = |paths: &[&[&str]]| {
            let texts = paths.iter().filter_map(|path| object.text(path));
            texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
        };
        let (first, last) = times(object);
        Self {
            about: about(object),
            kind: text(&[&["type"]]),
            reason: text(&[&["reason"]]),
            message: text(&[&["message"], &["note"]]),
            source: text(&[
                &["source", "component"],
                &["deprecatedSource", "component"],
                &["reportingComponent"],
                &["reportingController"],
            ]),
            count: count(object),
            first,
            last,
        }
    }

    /// Whether it reports a problem: whatever is not said to be normal.
    pub fn is_warning(&self) -> bool {
        !matches!(self.kind.as_str(), "Normal" | "")
    }
}

/// When an event was seen last, by itself; its creation where no writer said it.
pub fn last_seen(object: &Object) -> Option<Timestamp> {
    times(object).1
}

fn about(object: &Object) -> Reference {
    let of = ["involvedObject", "regarding"].iter().find_map(|member| object.member(member));
    let text =
        |key: &str| of.and_then(|of| of.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned();
    Reference {
        group: text("apiVersion").split_once('/').map_or("", |(group, _)| group).to_owned(),
        kind: text("kind"),
        namespace: Some(text("namespace")).filter(|namespace| !namespace.is_empty()),
        name: text("name"),
        uid: text("uid"),
    }
}

/// The first and the last time. `series` is written by the newer client library, which leaves the older
/// fields empty; the older one writes them and no `eventTime`.
fn times(object: &Object) -> (Option<Timestamp>, Option<Timestamp>) {
    const FIRST: [&[&str]; 3] = [&["firstTimestamp"], &["deprecatedFirstTimestamp"], &["eventTime"]];
    const LAST: [&[&str]; 3] =
        [&["lastTimestamp"], &["deprecatedLastTimestamp"], &["series", "lastObservedTime"]];
    let read = |path: &&[&str]| object.text(path)?.parse::<Timestamp>().ok();
    let created = || object.created().and_then(|created| created.parse().ok());
    let first = FIRST.iter().filter_map(read).min();
    let last = LAST.iter().filter_map(read).max().max(first).or_else(created);
    (first.or(last), last)
}

fn count(object: &Object) -> u64 {
    let counts = [&["count"][..], &["deprecatedCount"], &["series", "count"]];
    counts.iter().filter_map(|path| object.at(path)?.as_u64()).max().unwrap_or_default().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(value: Value) -> Event {
        Event::read(&Object::from_value(value).expect("an object"))
    }

    fn at(text: &str) -> Option<Timestamp> {
        Some(text.parse().expect("a time"))
    }

    #[test]
    fn both_apis_read_alike() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "namespace": "a", "name": "web", "uid": "u"});
        let core = event(json!({
            "involvedObject": pod, "type": "Warning", "reason": "BackOff", "message": "back-off", "count": 7,
            "source": {"component": "kubelet"}, "reportingComponent": "kubelet", "eventTime": null,
            "firstTimestamp": "2026-11-22T01:00:00Z", "lastTimestamp": "2026-11-22T01:05:00Z"
        }));
        let newer = event(json!({
            "regarding": pod, "type": "Warning", "reason": "BackOff", "note": "back-off",
            "reportingController": "kubelet", "eventTime": "2026-11-22T01:00:00.000000Z",
            "deprecatedFirstTimestamp": null, "deprecatedLastTimestamp": null,
            "series": {"count": 7, "lastObservedTime": "2026-11-22T01:05:00.000000Z"}
        }));
        assert_eq!(core, newer);
        assert_eq!(
            (core.count, core.first, core.last),
            (7, at("2026-11-22T01:00:00Z"), at("2026-11-22T01:05:00Z"))
        );
        assert_eq!((core.about.uid.as_str(), core.about.kind.as_str()), ("u", "Pod"));
        assert!(core.is_warning());
    }

    #[test]
    fn the_deprecated_fields_are_read_where_only_they_are_filled() {
        let old = event(json!({
            "regarding": {"kind": "Deployment", "apiVersion": "apps/v1"}, "deprecatedCount": 3, "type": "Normal",
            "deprecatedSource": {"component": "deployment-controller"}, "eventTime": null, "series": null,
            "deprecatedFirstTimestamp": "2026-11-22T01:00:00Z", "deprecatedLastTimestamp": "2026-11-22T02:00:00Z"
        }));
        assert_eq!(
            (old.count, old.source.as_str(), old.about.group.as_str()),
            (3, "deployment-controller", "apps")
        );
        assert_eq!(old.last, at("2026-11-22T02:00:00Z"));
        assert!(!old.is_warning());
    }

    #[test]
    fn times_that_nobody_wrote_are_the_creation() {
        let nulls = event(json!({
            "metadata": {"creationTimestamp": "2026-11-22T01:00:00Z"}, "count": null, "eventTime": null,
            "firstTimestamp": null, "lastTimestamp": null, "series": {"count": -4, "lastObservedTime": 7}
        }));
        assert_eq!(
            (nulls.first, nulls.last, nulls.count),
            (at("2026-11-22T01:00:00Z"), at("2026-11-22T01:00:00Z"), 1)
        );
        assert_eq!(event(json!({"type": 7, "involvedObject": []})).last, None);
    }
}
