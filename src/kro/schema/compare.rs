//! What differs between two schemas, judged by kro's own rules (kro v0.9.4 `pkg/graph/crd/compat`,
//! `Compare`), and by what those rules pass over: a first enum, rules in CEL, the values of maps.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Change, DEEPEST, Effect, below, hides, list, properties, requires, text, told, values_of};

/// Changes of one pair of schemas that are told.
const MOST: usize = 2_000;
/// A lower bound and the upper bound beside it.
const BOUNDS: [(&str, &str); 3] =
    [("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")];
/// What kro does not compare: with it, a schema takes less than without.
const UNCOMPARED: [&str; 4] =
    ["x-kubernetes-validations", "x-kubernetes-list-type", "format", "x-kubernetes-list-map-keys"];

/// What differs, in the order of the paths. `path` is what the schemas are of: `spec`.
pub fn changes(path: &str, before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Found { changes: Vec::new() };
    found.compare(path, before, after, At::default());
    found.changes
}

/// Where the comparison is.
#[derive(Clone, Copy, Default)]
struct At {
    depth: usize,
    secret: bool,
    /// Below what kro does not compare.
    unseen: bool,
}

impl At {
    fn below(self, name: &str) -> Self {
        Self { depth: self.depth + 1, secret: hides(self.secret, name), ..self }
    }

    fn unseen(self) -> Self {
        Self { depth: self.depth + 1, unseen: true, ..self }
    }

    /// What a change that takes less than before is to kro.
    fn less(self) -> Effect {
        if self.unseen { Effect::Tightening } else { Effect::Breaking }
    }
}

struct Found {
    changes: Vec<Change>,
}

impl Found {
    fn add(&mut self, path: &str, what: &str, [before, after]: [Option<String>; 2], effect: Effect) {
        if self.changes.len() < MOST {
            self.changes.push(Change { path: path.to_owned(), what: what.to_owned(), before, after, effect });
        }
    }

    fn compare(&mut self, path: &str, before: &Value, after: &Value, at: At) {
        if before == after || at.depth > DEEPEST {
            return;
        }
        self.described(path, before, after, at);
        let types = [before, after].map(type_of);
        if text(before, "type") != text(after, "type") {
            self.add(path, "type", types.map(Some), at.less());
            // as kro does: of another type, nothing below is the same
            return;
        }
        self.constraints(path, before, after, at);
        self.members(path, before, after, at);
        self.choices(path, before, after, at);
        match (before.get("items"), after.get("items")) {
            (Some(before), Some(after)) => self.compare(&format!("{path}[]"), before, after, at.below("")),
            (Some(_), None) => self.add(path, "items", [Some("typed".to_owned()), None], at.less()),
            (None, Some(_)) => self.add(path, "items", [None, Some("typed".to_owned())], Effect::Tightening),
            (None, None) => {}
        }
        match (values_of(before), values_of(after)) {
            (Some(before), Some(after)) => self.compare(&format!("{path}{{}}"), before, after, at.unseen()),
            (None, None) => {}
            _ => self.add(path, "type", types.map(Some), Effect::Tightening),
        }
    }

    fn described(&mut self, path: &str, before: &Value, after: &Value, at: At) {
        for key in ["description", "default"] {
            // kro writes an empty default wherever all members have one: they are what is told
            let telling = |value: &&Value| value.as_object().is_none_or(|members| !members.is_empty());
            let sides = [before, after].map(|schema| schema.get(key).filter(telling));
            let secret = at.secret && key == "default";
            if sides.first() != sides.last() {
                self.add(
                    path,
                    key,
                    sides.map(|side| side.map(|value| told(value, secret))),
                    Effect::Compatible,
                );
            }
        }
    }

    fn constraints(&mut self, path: &str, before: &Value, after: &Value, at: At) {
        let shown = |value: Option<&Value>| value.map(|value| told(value, at.secret));
        for (lower, upper) in BOUNDS {
            for (key, is_lower) in [(lower, true), (upper, false)] {
                let sides = [before, after].map(|schema| schema.get(key));
                let effect = match sides.map(|side| side.and_then(Value::as_f64)) {
                    [before, after] if before == after => continue,
                    [_, None] => Effect::Compatible,
                    [None, Some(_)] => at.less(),
                    [Some(before), Some(after)] if (after > before) == is_lower => at.less(),
                    _ => Effect::Compatible,
                };
                self.add(path, key, sides.map(shown), effect);
            }
        }
        let patterns = [before, after].map(|schema| schema.get("pattern"));
        match patterns {
            [before, after] if before == after => {}
            [_, None] => self.add(path, "pattern", patterns.map(shown), Effect::Compatible),
            _ => self.add(path, "pattern", patterns.map(shown), at.less()),
        }
        for key in UNCOMPARED {
            let sides = [before, after].map(|schema| schema.get(key));
            match sides {
                [before, after] if before == after => {}
                [_, None] => self.add(path, rule_name(key), sides.map(shown), Effect::Compatible),
                _ => self.add(path, rule_name(key), sides.map(shown), Effect::Tightening),
            }
        }
        let sides = [before, after].map(super::is_open);
        if sides == [true, false] {
            let words = [Some("any members".to_owned()), Some("its own members only".to_owned())];
            self.add(path, "members", words, Effect::Tightening);
        }
    }

    fn members(&mut self, path: &str, before: &Value, after: &Value, at: At) {
        let (old, new) = (properties(before), properties(after));
        let names: BTreeSet<&String> =
            old.into_iter().chain(new).flat_map(|properties| properties.keys()).collect();
        for name in names {
            let of = |side: Option<&'_ serde_json::Map<String, Value>>| {
                side.and_then(|all| all.get(name)).cloned()
            };
            let here = below(path, name);
            let inside = at.below(name);
            match (of(old), of(new)) {
                (Some(was), None) => self.add(&here, "removed", [Some(type_of(&was)), None], at.less()),
                (None, Some(is)) => {
                    let required = requires(after, name) && is.get("default").is_none();
                    let kind = if required { format!("{}, required", type_of(&is)) } else { type_of(&is) };
                    let effect = if required { at.less() } else { Effect::Compatible };
                    self.add(&here, "added", [None, Some(kind)], effect);
                }
                (Some(was), Some(is)) => {
                    self.required(&here, [requires(before, name), requires(after, name)], [&was, &is], at);
                    self.compare(&here, &was, &is, inside);
                }
                (None, None) => {}
            }
        }
    }

    /// A default that a required field loses is what kro calls `REQUIRED_DEFAULT_REMOVED`.
    fn required(&mut self, path: &str, required: [bool; 2], schemas: [&Value; 2], at: At) {
        let words = |required: bool| Some(if required { "required" } else { "optional" }.to_owned());
        let defaulted = schemas.map(|schema| schema.get("default").is_some());
        match (required, defaulted) {
            ([false, true], _) => self.add(path, "required", required.map(words), at.less()),
            ([true, false], _) => self.add(path, "required", required.map(words), Effect::Compatible),
            ([true, true], [true, false]) => {
                let words = [Some("required, with a default".to_owned()), Some("required".to_owned())];
                self.add(path, "required", words, at.less());
            }
            _ => {}
        }
    }

    fn choices(&mut self, path: &str, before: &Value, after: &Value, at: At) {
        let (old, new) = (list(before, "enum"), list(after, "enum"));
        if old == new {
            return;
        }
        let shown = |values: &[Value]| (!values.is_empty()).then(|| choices(values, at.secret));
        let gone = old.iter().any(|value| !new.contains(value));
        let effect = match (old.is_empty(), new.is_empty()) {
            // kro compares two enums, not the first of them with none
            (true, _) => Effect::Tightening,
            (_, true) => Effect::Compatible,
            _ if gone => at.less(),
            _ => Effect::Compatible,
        };
        self.add(path, "enum", [shown(old), shown(new)], effect);
    }
}

/// The values of an enum, as a list of words.
pub(super) fn choices(values: &[Value], secret: bool) -> String {
    let word = |value: &Value| match value {
        Value::String(text) if !secret => text.clone(),
        value => told(value, secret),
    };
    crate::answer::sanitise::short(&values.iter().map(word).collect::<Vec<_>>().join(", "), super::LONGEST)
}

fn rule_name(key: &str) -> &str {
    match key {
        "x-kubernetes-validations" => "rules",
        key => key.trim_start_matches("x-kubernetes-"),
    }
}

/// A type in SimpleSchema's own notation: `[]string`, `map[string]integer`, `object`.
pub(super) fn type_of(schema: &Value) -> String {
    fn write(schema: &Value, depth: usize) -> String {
        if depth > 8 {
            return "…".to_owned();
        }
        match text(schema, "type") {
            _ if super::is_set(schema, "x-kubernetes-int-or-string") => "integer or string".to_owned(),
            "array" => {
                format!("[]{}", schema.get("items").map_or("any".to_owned(), |items| write(items, depth + 1)))
            }
            "object" => match values_of(schema) {
                Some(values) => format!("map[string]{}", write(values, depth + 1)),
                None => "object".to_owned(),
            },
            "" => "any".to_owned(),
            other => crate::answer::sanitise::short(other, 40),
        }
    }
    write(schema, 0)
}

#[cfg(test)]
#[path = "compare/tests.rs"]
mod tests;
