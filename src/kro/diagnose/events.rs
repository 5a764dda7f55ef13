//! Which events are about which object, and how they are told.

use crate::answer::sanitise;
use crate::kubernetes::{Event, Object};
use jiff::Timestamp;

/// Characters of an event's message.
const LONGEST: usize = 240;

/// An event as evidence.
pub(super) fn line(event: &Event) -> String {
    let times = if event.count > 1 { format!(" ×{}", event.count) } else { String::new() };
    let message = sanitise::short(&event.message, LONGEST);
    format!("event of {}: {}{times}: {message}", event.about.shown(), event.reason)
}

/// Whether an event is about that object, and not about an earlier one of its name.
pub(super) fn is_about(event: &Event, object: &Object) -> bool {
    let about = &event.about;
    let same = about.kind == object.kind()
        && about.name == object.name()
        && about.namespace.as_deref() == object.namespace();
    same && (about.uid.is_empty() || about.uid == object.uid())
}

/// Whether an event is about a ReplicaSet of that Deployment. The uid of a ReplicaSet is not known here: one of
/// an earlier Deployment of the name is told by its time.
pub(super) fn is_about_set_of(event: &Event, deployment: &Object) -> bool {
    let about = &event.about;
    let hash = about.name.strip_prefix(deployment.name()).and_then(|rest| rest.strip_prefix('-'));
    let created = deployment.created().and_then(|created| created.parse::<Timestamp>().ok());
    about.kind == "ReplicaSet"
        && about.namespace.as_deref() == deployment.namespace()
        && hash.is_some_and(|hash| !hash.is_empty() && !hash.contains('-'))
        && created.is_none_or(|created| event.last.is_none_or(|last| last >= created))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: serde_json::Value) -> Object {
        Object::from_value(value).expect("an object")
    }

    #[test]
    fn an_event_of_a_namesake_is_about_another() {
        let event = Event::read(&object(json!({"involvedObject": {"kind": "ReplicaSet", "namespace": "n",
            "name": "web-7d9", "uid": "old"}, "reason": "FailedCreate", "message": "no", "count": 3,
            "lastTimestamp": "2026-01-01T00:00:00Z"})));
        assert_eq!(line(&event), "event of ReplicaSet/web-7d9: FailedCreate ×3: no");
        let deployment = |name: &str, created: &str| {
            object(json!({"kind": "Deployment", "metadata": {"name": name, "namespace": "n",
                "creationTimestamp": created}}))
        };
        assert!(is_about_set_of(&event, &deployment("web", "2025-12-31T00:00:00Z")));
        assert!(!is_about_set_of(&event, &deployment("web", "2026-01-02T00:00:00Z")));
        assert!(!is_about_set_of(&event, &deployment("we", "2025-12-31T00:00:00Z")));
        let set = |uid: &str| {
            object(
                json!({"kind": "ReplicaSet", "metadata": {"name": "web-7d9", "namespace": "n", "uid": uid}}),
            )
        };
        assert!(is_about(&event, &set("old")) && !is_about(&event, &set("new")));
    }
}
