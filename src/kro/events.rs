//! Which of many events are about the objects asked for, or about what these own.
//!
//! By uid: a name may have been another object's before. Where the writer left the uid out, by kind and name,
//! and only what was seen since the object came to be.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::kubernetes::{Event, Kinds, Object, Ownership, Reference};

/// An event of an object that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What is reported; `about` is the object as the cluster has it, not as the event's writer put it.
    pub event: Event,
    /// The subject that owns the object, where it is none itself.
    pub under: Option<Reference>,
}

/// The events of the objects that were asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sorted {
    /// Theirs.
    pub told: Vec<Told>,
    /// Whether there are some of objects that are gone, so that nobody can tell whose these were.
    pub of_gone: bool,
}

/// Sorts out the events of `subjects` and of what these own.
pub fn sort_out(subjects: &[Object], events: Vec<Event>, ownership: &Ownership, kinds: &Kinds) -> Sorted {
    let known = Known::new(subjects, ownership);
    let mut sorted = Sorted::default();
    for mut event in events {
        match known.find(&event, ownership) {
            Some((about, under)) => {
                event.about = about.clone();
                sorted.told.push(Told { event, under: under.cloned() });
            }
            None => sorted.of_gone |= ownership.is_gone(kinds, &event.about),
        }
    }
    sorted
}

/// Namespace, kind and name.
type Place = (Option<String>, String, String);

struct Known {
    subjects: HashMap<String, Reference>,
    /// What has no uid in the event, with when it came to be.
    by_name: HashMap<Place, (Reference, Option<Timestamp>)>,
}

impl Known {
    fn new(subjects: &[Object], ownership: &Ownership) -> Self {
        let mut by_name = HashMap::new();
        let mut known: HashMap<String, Reference> = HashMap::new();
        let mut name = |of: &Reference, created: Option<&str>| {
            let place = (of.namespace.clone(), of.kind.clone(), of.name.clone());
            by_name.insert(place, (of.clone(), created.and_then(|created| created.parse().ok())));
        };
        for (of, created) in ownership.objects() {
            if ownership.root_of(&of.uid).is_some() {
                name(of, created);
            }
        }
        for subject in subjects {
            let of = Reference::of(subject);
            name(&of, subject.created());
            known.insert(of.uid.clone(), of);
        }
        Self { subjects: known, by_name }
    }

    /// The object that an event is about, and the subject above it.
    fn find<'k>(
        &'k self,
        event: &Event,
        ownership: &'k Ownership,
    ) -> Option<(&'k Reference, Option<&'k Reference>)> {
        let uid = match event.about.uid.as_str() {
            "" => self.named(event)?,
            uid => uid,
        };
        let about = self.subjects.get(uid).or_else(|| ownership.object(uid))?;
        // who may write events in one namespace could name an object of another
        if about.namespace != event.about.namespace {
            return None;
        }
        if self.subjects.contains_key(uid) {
            return Some((about, None));
        }
        Some((about, Some(self.subjects.get(ownership.root_of(uid)?)?)))
    }

    fn named(&self, event: &Event) -> Option<&str> {
        let about = &event.about;
        let place = (about.namespace.clone(), about.kind.clone(), about.name.clone());
        let (of, created) = self.by_name.get(&place)?;
        let same_group = about.group.is_empty() || about.group == of.group;
        // events count in whole seconds, and so do creations
        let since_then = created.is_none_or(|created| event.last.is_none_or(|last| last >= created));
        (same_group && since_then).then_some(of.uid.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(namespace: Option<&str>, uid: &str, owner: Option<&str>) -> Object {
        let owner = owner.map(|uid| json!({"apiVersion": "v1", "kind": "Pod", "name": uid, "uid": uid}));
        let metadata = json!({"name": format!("{uid}-name"), "namespace": namespace, "uid": uid,
            "creationTimestamp": "2026-11-22T01:00:00Z", "ownerReferences": owner.map(|owner| vec![owner])});
        Object::from_value(json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}))
            .expect("an object")
    }

    fn event(namespace: Option<&str>, uid: &str, name: &str, last: &str) -> Event {
        let about = json!({"kind": "Pod", "namespace": namespace, "uid": uid, "name": name});
        let object = json!({"involvedObject": about, "lastTimestamp": format!("2026-11-22T{last}Z")});
        Event::read(&Object::from_value(object).expect("an object"))
    }

    const A: Option<&str> = Some("a");

    fn told(events: Vec<Event>) -> Vec<String> {
        let subjects = [object(A, "own", None), object(None, "wide", None)];
        let mut ownership = Ownership::of(&subjects);
        ownership.learn(&object(A, "below", Some("own")));
        ownership.learn(&object(A, "other", None));
        let sorted = sort_out(&subjects, events, &ownership, &Kinds::default());
        let shown = |told: &Told| match &told.under {
            Some(under) => format!("{} under {}", told.event.about.name, under.name),
            None => told.event.about.name.clone(),
        };
        sorted.told.iter().map(shown).collect()
    }

    #[test]
    fn by_uid_whatever_the_name() {
        assert_eq!(
            told(vec![
                event(A, "own", "lied", "02:00:00"),
                event(A, "namesake", "own-name", "02:00:00"),
                event(A, "below", "below-name", "02:00:00"),
                event(A, "other", "other-name", "02:00:00"),
                event(None, "wide", "wide-name", "02:00:00"),
            ]),
            ["own-name", "below-name under own-name", "wide-name"]
        );
    }

    #[test]
    fn without_a_uid_by_name_and_not_of_a_namesake_before() {
        assert_eq!(
            told(vec![
                event(A, "", "own-name", "01:00:00"),
                event(A, "", "own-name", "00:59:59"),
                event(A, "", "below-name", "02:00:00"),
                event(A, "", "other-name", "02:00:00"),
                event(Some("b"), "", "own-name", "02:00:00"),
                event(None, "", "wide-name", "02:00:00"),
            ]),
            ["own-name", "below-name under own-name", "wide-name"]
        );
    }

    #[test]
    fn nobody_reports_from_another_namespace() {
        assert!(
            told(vec![event(Some("b"), "own", "own-name", "02:00:00"), event(None, "own", "x", "02:00:00")])
                .is_empty()
        );
    }
}
