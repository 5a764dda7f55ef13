//! What a change makes of an object, without what changes of itself.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::kubernetes::Object;

/// `metadata` that the API server writes.
const WRITTEN: [&str; 7] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
];
/// Written by `kubectl apply`: the whole object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Places that differ from one dry run to the next: where there are more, the whole member counts as one.
const MOST_VARYING: usize = 32;
/// Stands where something is made up anew each time.
const ANEW: &str = "<made up by the cluster>";

/// What a plan depends on of the object there is: without status, unless that is what changes, and without
/// what is noted on it while a plan waits.
pub fn stable(object: &Object, with_status: bool) -> Value {
    let mut stable = settled(object, with_status);
    if let Some(Value::Object(metadata)) = stable.get_mut("metadata") {
        for name in ["uid", "generation", "deletionTimestamp"] {
            let value = object.at(&["metadata", name]).cloned();
            metadata.extend(value.map(|value| (name.to_owned(), value)));
        }
    }
    stable
}

/// What two states of an object are compared by.
pub fn settled(object: &Object, with_status: bool) -> Value {
    let mut members = object.members().clone();
    if !with_status {
        members.remove("status");
    }
    if let Some(Value::Object(metadata)) = members.get_mut("metadata") {
        metadata.retain(|name, _| !WRITTEN.contains(&name.as_str()));
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove(LAST_APPLIED);
        }
        let empty = |value: &Value| value.as_object().is_some_and(Map::is_empty);
        metadata.retain(|_, value| !empty(value));
    }
    Value::Object(members)
}

/// Whether something in `after` that is not in `before` is not of the caller's words: it may be made up anew
/// each time.
pub fn adds_to(words: &Value, before: &Value, after: &Value) -> bool {
    let (mut known, mut new) = (HashSet::new(), HashSet::new());
    leaves(words, &mut known);
    leaves(before, &mut known);
    leaves(after, &mut new);
    !new.is_subset(&known)
}

fn leaves(value: &Value, found: &mut HashSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        Value::Object(members) => members.values().for_each(|member| leaves(member, found)),
        scalar => {
            found.insert(scalar.to_string());
        }
    }
}

/// Where two dry runs of one change differ, as JSON pointers.
pub fn varying(one: &Value, other: &Value) -> Vec<String> {
    let mut found = Vec::new();
    differ("", one, other, &mut found);
    if found.len() <= MOST_VARYING {
        return found;
    }
    let first = |pointer: &String| pointer.split('/').take(2).collect::<Vec<_>>().join("/");
    let mut members: Vec<String> = found.iter().map(first).collect();
    members.dedup();
    members.truncate(MOST_VARYING);
    members
}

fn differ(at: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (one, other) if one == other => {}
        (Value::Object(one), Value::Object(other)) if one.len() == other.len() => {
            for (name, value) in one {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                match other.get(name) {
                    Some(other) => differ(&at, value, other, found),
                    None => found.push(at),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differ(&format!("{at}/{index}"), one, other, found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

/// Takes out what varies.
pub fn without(mut value: Value, varying: &[String]) -> Value {
    for pointer in varying {
        if let Some(place) = value.pointer_mut(pointer) {
            *place = ANEW.into();
        }
    }
    value
}

/// A JSON pointer as paths are told: `metadata.name`.
pub fn told(pointer: &str) -> String {
    let segments = pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"));
    segments.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Object {
        Object::from_value(value).expect("an object")
    }

    #[test]
    fn what_the_api_server_notes_is_no_effect() {
        let at = |version: &str, status: &str| {
            object(json!({"kind": "A", "metadata": {"name": "a", "uid": "1", "generation": 1,
                "resourceVersion": version, "managedFields": [version], "annotations": {LAST_APPLIED: version}},
                "spec": {"x": 1}, "status": {"state": status}}))
        };
        let (one, two) = (at("1", "up"), at("2", "down"));
        assert_eq!(stable(&one, false), stable(&two, false));
        assert_ne!(stable(&one, true), stable(&two, true));
        assert_eq!(settled(&one, false), json!({"kind": "A", "metadata": {"name": "a"}, "spec": {"x": 1}}));
        assert_eq!(stable(&one, false)["metadata"], json!({"name": "a", "uid": "1", "generation": 1}));
    }

    #[test]
    fn what_two_dry_runs_do_not_agree_on_is_left_out() {
        let made =
            |name: &str| json!({"metadata": {"name": name}, "spec": {"a/b": [{"v": name}, 1], "x": 1}});
        let varying = varying(&made("a-1"), &made("a-2"));
        assert_eq!(varying, ["/metadata/name", "/spec/a~1b/0/v"]);
        assert_eq!(without(made("a-1"), &varying), without(made("a-3"), &varying));
        assert_eq!(told("/spec/a~1b/0/v"), "spec.a/b.0.v");
    }

    #[test]
    fn many_places_become_one() {
        let made =
            |seed: u32| json!({"spec": (0..100).map(|n| n * seed).collect::<Vec<_>>(), "metadata": {}});
        assert_eq!(varying(&made(1), &made(2)), ["/spec"]);
    }

    #[test]
    fn what_the_caller_wrote_is_not_made_up() {
        let words = json!({"data": {"k": "v"}});
        assert!(!adds_to(&words, &json!({"name": "a"}), &json!({"name": "a", "data": {"k": "v"}})));
        assert!(adds_to(&words, &json!({}), &json!({"data": {"k": "v"}, "policy": "Always"})));
    }
}
