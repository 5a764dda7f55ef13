//! Repeats counted: writers count by themselves, but begin anew after a restart, after minutes of silence, where
//! two of them report the same, and where the name of what they tried to make is another each time.

use std::collections::HashMap;

use super::Event;

/// What client-go writes before the message of an event that stands for several (`tools/record`).
const COMBINED: &str = "(combined from similar events): ";
/// How the API server ends a name that it makes up: five of these (apimachinery `util/rand`).
const GENERATED: &str = "bcdfghjklmnpqrstvwxz2456789";
const GENERATED_LENGTH: usize = 5;

/// Events that say the same of the same object become one, seen as often as all of them together. Names that
/// were made up for what the object owns are no difference: of several, `web-*` is told.
pub fn merged(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    let mut places: HashMap<[String; 8], usize> = HashMap::new();
    let mut merged: Vec<Event> = Vec::new();
    for event in events {
        let about = &event.about;
        let namespace = about.namespace.as_deref().unwrap_or_default();
        let message = without_generated(&event.message, &about.name);
        let same = [
            &about.uid,
            &about.kind,
            namespace,
            &about.name,
            &event.kind,
            &event.reason,
            message.as_str(),
            &event.source,
        ];
        let place = *places.entry(same.map(str::to_owned)).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(known) => {
                known.count = known.count.saturating_add(event.count);
                known.first = known.first.into_iter().chain(event.first).min();
                known.last = known.last.max(event.last);
                if known.message != event.message {
                    known.message = message;
                }
            }
            None => merged.push(event),
        }
    }
    merged
}

/// A message in which a star stands for what the API server added to the name of the object.
fn without_generated(message: &str, name: &str) -> String {
    let message = message.strip_prefix(COMBINED).unwrap_or(message);
    if name.is_empty() {
        return message.to_owned();
    }
    let mut told = String::with_capacity(message.len());
    let before = format!("{name}-");
    let mut parts = message.split(&before);
    told.push_str(parts.next().unwrap_or_default());
    for part in parts {
        told.push_str(&before);
        let word = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(part.len());
        let (word, rest) = part.split_at_checked(word).unwrap_or((part, ""));
        let generated = word.len() == GENERATED_LENGTH && word.chars().all(|c| GENERATED.contains(c));
        told.push_str(if generated { "*" } else { word });
        told.push_str(rest);
    }
    told
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

    #[test]
    fn a_name_made_up_is_no_difference() {
        let told = |message: &str| without_generated(message, "web-6d84db7bfd");
        let failed = "Error creating: pods \"web-6d84db7bfd-*\" is forbidden";
        assert_eq!(told("Error creating: pods \"web-6d84db7bfd-bl2lt\" is forbidden"), failed);
        assert_eq!(
            told(
                "(combined from similar events): Error creating: pods \"web-6d84db7bfd-ch657\" is forbidden"
            ),
            failed
        );
        for kept in ["web-6d84db7bfd-apple", "web-6d84db7bfd-bl2lt-0", "web-6d84db7bfd-", "other-bl2lt", "é"]
        {
            assert_eq!(told(kept), kept);
        }
        assert_eq!(without_generated("-bl2lt", ""), "-bl2lt");
    }
}
