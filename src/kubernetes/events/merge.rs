//! Repeats counted: writers count by themselves, but begin anew after a restart, after minutes of silence, and
//! where two of them report the same.

use std::collections::HashMap;

use super::Event;

/// Events that say the same of the same object become one, seen as often as all of them together.
pub fn merged(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    let mut places: HashMap<[String; 8], usize> = HashMap::new();
    let mut merged: Vec<Event> = Vec::new();
    for event in events {
        let about = &event.about;
        let namespace = about.namespace.as_deref().unwrap_or_default();
        let same = [
            &about.uid,
            &about.kind,
            namespace,
            &about.name,
            &event.kind,
            &event.reason,
            &event.message,
            &event.source,
        ];
        let place = *places.entry(same.map(str::to_owned)).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(known) => {
                known.count = known.count.saturating_add(event.count);
                known.first = known.first.into_iter().chain(event.first).min();
                known.last = known.last.max(event.last);
            }
            None => merged.push(event),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::Object;
    use serde_json::json;

    #[test]
    fn the_same_of_the_same_object_is_one() {
        let event = |uid: &str, message: &str, count: u64, second: u8| {
            let object = json!({"involvedObject": {"uid": uid, "kind": "Pod", "name": "a"}, "message": message,
                "count": count, "lastTimestamp": format!("2026-11-22T01:00:{second:02}Z"),
                "firstTimestamp": format!("2026-11-22T01:00:{:02}Z", second - 5)});
            Event::read(&Object::from_value(object).expect("an object"))
        };
        let merged = merged([
            event("1", "x", 3, 30),
            event("1", "x", 4, 10),
            event("1", "y", 1, 20),
            event("2", "x", 1, 40),
        ]);
        let seen: Vec<(u64, String)> =
            merged.iter().map(|event| (event.count, format!("{:?} {:?}", event.first, event.last))).collect();
        assert_eq!(seen.len(), 3);
        assert_eq!(seen[0], (7, "Some(2026-11-22T01:00:05Z) Some(2026-11-22T01:00:30Z)".to_owned()));
    }
}
