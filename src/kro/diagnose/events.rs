//! [`Warning`]: a Warning event, of either event API.

use crate::answer::sanitise;
use crate::kubernetes::Object;

/// Characters of an event's message.
const LONGEST: usize = 240;

/// A Warning event about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The kind of the object.
    pub kind: String,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its uid; may be empty.
    pub uid: String,
    /// `FailedCreate`, `BackOff`, …
    pub reason: String,
    /// In words. Text from the cluster: untrusted.
    pub message: String,
    /// How often.
    pub count: i64,
    /// When last, RFC 3339; may be empty.
    pub last: String,
}

impl Warning {
    /// Reads an event of core/v1 or events.k8s.io/v1: writers of the newer API leave `count` and both
    /// timestamps of the older one empty, and fill `series` and `eventTime`.
    pub fn read(event: &Object) -> Option<Self> {
        let object = ["involvedObject", "regarding"].into_iter().find(|name| event.member(name).is_some())?;
        let about = |field| event.text(&[object, field]).unwrap_or_default().to_owned();
        let first = |paths: &[&[&str]]| {
            let found = paths.iter().find_map(|path| event.text(path).filter(|text| !text.is_empty()));
            found.unwrap_or_default().to_owned()
        };
        let count = ["series", "count", "deprecatedCount"].into_iter().find_map(|name| match name {
            "series" => event.integer(&["series", "count"]),
            name => event.integer(&[name]),
        });
        Some(Self {
            kind: about("kind"),
            namespace: Some(about("namespace")).filter(|namespace| !namespace.is_empty()),
            name: about("name"),
            uid: about("uid"),
            reason: first(&[&["reason"]]),
            message: first(&[&["message"], &["note"]]),
            count: count.unwrap_or(1).max(1),
            last: first(&[
                &["series", "lastObservedTime"],
                &["lastTimestamp"],
                &["deprecatedLastTimestamp"],
                &["eventTime"],
                &["metadata", "creationTimestamp"],
            ]),
        })
    }

    /// As evidence.
    pub(super) fn line(&self) -> String {
        let times = if self.count > 1 { format!(" ×{}", self.count) } else { String::new() };
        let message = sanitise::short(&self.message, LONGEST);
        format!("event of {}/{}: {}{times}: {message}", self.kind, self.name, self.reason)
    }

    /// Whether it is about that object, and not about an earlier one of its name.
    pub(super) fn is_about(&self, object: &Object) -> bool {
        let same = self.kind == object.kind()
            && self.name == object.name()
            && self.namespace.as_deref() == object.namespace();
        same && (self.uid.is_empty() || self.uid == object.uid())
    }

    /// Whether it is about a ReplicaSet of that Deployment. The uid of a ReplicaSet is not known here: one of
    /// an earlier Deployment of the name is told by its time.
    pub(super) fn is_about_set_of(&self, deployment: &Object) -> bool {
        let hash = self.name.strip_prefix(deployment.name()).and_then(|rest| rest.strip_prefix('-'));
        self.kind == "ReplicaSet"
            && self.namespace.as_deref() == deployment.namespace()
            && hash.is_some_and(|hash| !hash.is_empty() && !hash.contains('-'))
            && deployment.created().is_none_or(|created| self.last.as_str() >= created)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: serde_json::Value) -> Object {
        Object::from_value(value).expect("an object")
    }

    #[test]
    fn events_of_both_apis_are_read() {
        let core =
            Warning::read(&object(json!({"involvedObject": {"kind": "Pod", "name": "a", "namespace": "n"},
            "reason": "BackOff", "message": "again", "count": 11, "lastTimestamp": "2026-01-01T00:00:00Z"})));
        assert_eq!(core.map(|event| event.line()), Some("event of Pod/a: BackOff ×11: again".to_owned()));
        let newer = Warning::read(&object(json!({"regarding": {"kind": "Pod", "name": "a"}, "note": "no",
            "reason": "FailedScheduling", "lastTimestamp": null, "eventTime": "2026-01-01T00:00:00.1Z",
            "series": {"count": 3, "lastObservedTime": "2026-01-01T00:01:00Z"}})));
        let newer = newer.expect("an event");
        assert_eq!((newer.count, newer.last.as_str()), (3, "2026-01-01T00:01:00Z"));
        assert!(Warning::read(&object(json!({"reason": "x"}))).is_none());
    }

    #[test]
    fn an_event_of_a_namesake_is_about_another() {
        let event = Warning::read(&object(json!({"involvedObject": {"kind": "ReplicaSet", "namespace": "n",
            "name": "web-7d9", "uid": "old"}, "reason": "FailedCreate",
            "lastTimestamp": "2026-01-01T00:00:00Z"})))
        .expect("an event");
        let deployment = |name: &str, created: &str| {
            object(json!({"kind": "Deployment", "metadata": {"name": name, "namespace": "n",
                "creationTimestamp": created}}))
        };
        assert!(event.is_about_set_of(&deployment("web", "2025-12-31T00:00:00Z")));
        assert!(!event.is_about_set_of(&deployment("web", "2026-01-02T00:00:00Z")));
        assert!(!event.is_about_set_of(&deployment("we", "2025-12-31T00:00:00Z")));
        let set = |uid: &str| {
            object(json!({"kind": "ReplicaSet",
            "metadata": {"name": "web-7d9", "namespace": "n", "uid": uid}}))
        };
        assert!(event.is_about(&set("old")) && !event.is_about(&set("new")));
    }
}
