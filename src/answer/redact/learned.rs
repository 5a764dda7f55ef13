//! [`Learned`]: the secret values that came by during one call, and taking them out of texts.

use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use parking_lot::Mutex;
use serde_json::{Map, Value};

use super::{LAST_APPLIED, redacted, shape};
use crate::{answer::sanitise, kubernetes::Object};

/// Shorter values would match ordinary words when texts are searched for them.
const SHORTEST: usize = 6;
/// A value of letters alone is a word unless it is longer (`missing`, `postgres`).
const LONGEST_WORD: usize = 12;
/// Forms that are remembered in one call; a Secret holds one MiB.
const MOST: usize = 200_000;

/// The secret values that came by during one call.
#[derive(Default)]
pub struct Learned {
    values: Mutex<Values>,
    any: AtomicBool,
}

#[derive(Default)]
struct Values {
    known: HashSet<String>,
    searcher: Option<Arc<AhoCorasick>>,
}

impl std::fmt::Debug for Learned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Learned(..)")
    }
}

impl Learned {
    /// Replaces the values of a Secret by their length, and remembers them for [`Self::scrub`].
    pub fn from_object(&self, object: &mut Object) {
        if object.kind() == "Secret" && object.group().is_empty() {
            self.from_secret(object);
        }
    }

    /// The same of what is a Secret by where it came from, whatever it says that it is.
    pub fn from_secret(&self, secret: &mut Object) {
        self.take_values(secret);
        self.scrub_object(secret);
    }

    /// The same, and leaves the rest of it as it is.
    pub fn take_values(&self, secret: &mut Object) {
        let public = names(secret);
        let mut seen = HashSet::new();
        for (member, encoded) in [("data", true), ("stringData", false)] {
            match secret.members_mut().get_mut(member) {
                Some(Value::Object(data)) => {
                    data.values_mut().for_each(|value| take(value, encoded, &mut seen));
                }
                None | Some(Value::Null) => {}
                Some(odd) => take(odd, encoded, &mut seen),
            }
        }
        seen.retain(|form| !public.iter().any(|name| name.contains(form.as_str())));
        if !seen.is_empty() {
            let mut values = self.values.lock();
            values.searcher = None;
            let room = MOST.saturating_sub(values.known.len());
            values.known.extend(seen.into_iter().take(room));
            self.any.store(true, Ordering::Release);
        }
    }

    /// Remembers a text that is secret by itself: a credential of ours that an upstream may echo.
    pub fn hold(&self, secret: &str) {
        let seen = forms(secret).chain([STANDARD.encode(secret)]).filter(|form| is_telling(form));
        let mut values = self.values.lock();
        values.searcher = None;
        values.known.extend(seen);
        self.any.store(true, Ordering::Release);
    }

    /// Takes what was learned so far out of every text of an object. Once more after all reads of a
    /// call: texts are cut, joined and quoted later, and a part of a value is not found any more.
    pub fn scrub_object(&self, object: &mut Object) {
        if let Some(Value::Object(annotations)) =
            object.members_mut().get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"))
        {
            annotations.remove(LAST_APPLIED);
        }
        if self.any.load(Ordering::Acquire) {
            object.members_mut().values_mut().for_each(|value| self.scrub_value(value));
        }
    }

    /// The same of annotations, one by one, for who has to leave the rest as it is.
    pub fn scrub_annotations(&self, annotations: &mut Map<String, Value>) {
        annotations.shift_remove(LAST_APPLIED);
        for value in annotations.values_mut() {
            if let Some(text) = value.as_str()
                && let Cow::Owned(clean) = self.scrub(text)
            {
                *value = clean.into();
            }
        }
    }

    fn scrub_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(clean) = self.without_known(Cow::Borrowed(text.as_str())) {
                    *text = clean;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.scrub_value(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.scrub_value(member)),
            _ => {}
        }
    }

    /// `text` without learned values and without anything shaped like a credential.
    pub fn scrub<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = shape::scrub(text);
        if self.any.load(Ordering::Acquire) { self.without_known(text) } else { text }
    }

    fn without_known<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        let Some(searcher) = self.searcher() else { return Cow::Borrowed("<redacted>") };
        if !searcher.is_match(&*text) {
            return text;
        }
        let mut clean = String::with_capacity(text.len());
        searcher.replace_all_with(&text, &mut clean, |_, _, clean| {
            clean.push_str("<redacted>");
            true
        });
        Cow::Owned(clean)
    }

    /// One search for all values; `None` (and then nothing is shown) if none can be made.
    fn searcher(&self) -> Option<Arc<AhoCorasick>> {
        let mut values = self.values.lock();
        if values.searcher.is_none() {
            // for up to 100 values it would choose a table of all transitions, which for long ones takes minutes to make
            let made = AhoCorasick::builder()
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .match_kind(MatchKind::LeftmostLongest)
                .build(&values.known);
            values.searcher = made.ok().map(Arc::new);
        }
        values.searcher.clone()
    }
}

/// What the object says of itself to everyone who may list it. A value that stands there (a user
/// name that is the instance's name) is no secret, and scrubbing it would take names out of answers.
fn names(object: &Object) -> Vec<String> {
    let labels =
        object.at(&["metadata", "labels"]).and_then(Value::as_object).into_iter().flat_map(Map::values);
    let labels = labels.filter_map(Value::as_str);
    [object.name(), object.namespace().unwrap_or_default()]
        .into_iter()
        .chain(labels)
        .map(str::to_owned)
        .collect()
}

fn take(value: &mut Value, encoded: bool, seen: &mut HashSet<String>) {
    let text = match value.take() {
        Value::String(text) => text,
        Value::Null => String::new(),
        odd => odd.to_string(),
    };
    let decoded = if encoded { STANDARD.decode(&text).ok() } else { Some(text.as_bytes().to_vec()) };
    let length = decoded.as_ref().map_or(text.len(), Vec::len);
    let plain = decoded.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    seen.extend(forms(&plain).chain([STANDARD.encode(&plain), text]).filter(|form| is_telling(form)));
    *value = redacted(length).into();
}

/// The forms in which a value can stand in a text: as it is, without what is not shown, on one line,
/// line by line (YAML indents them), and as JSON and YAML quote it.
fn forms(plain: &str) -> impl Iterator<Item = String> {
    let shown = sanitise::text(plain).into_owned();
    let quoted = serde_json::to_string(plain).unwrap_or_default();
    let lines: Vec<String> = shown.lines().map(|line| line.trim().to_owned()).collect();
    [
        plain.trim().to_owned(),
        sanitise::line(plain).trim().to_owned(),
        quoted.trim_matches('"').to_owned(),
        shown,
    ]
    .into_iter()
    .chain(lines)
}

fn is_telling(form: &str) -> bool {
    let word = form.len() <= LONGEST_WORD && form.bytes().all(|byte| byte.is_ascii_alphabetic());
    form.len() >= SHORTEST && !word
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Object {
        Object::from_value(value).expect("an object")
    }

    #[test]
    fn a_secret_loses_its_values_and_they_are_found_elsewhere() {
        let learned = Learned::default();
        let mut secret = object(json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"annotations": {LAST_APPLIED: "x", "copy": "is hunter2-planted"}},
            "data": {"p": "aHVudGVyMi1wbGFudGVk", "odd": 7, "none": null}, "stringData": {"q": "second-planted"}}));
        learned.from_object(&mut secret);
        let shown = secret.into_value().to_string();
        assert!(shown.contains("<redacted:15 bytes>") && !shown.contains("planted"), "{shown}");
        assert!(!shown.contains("aHVudGVyMi1wbGFudGVk") && !shown.contains("last-applied"), "{shown}");
        assert_eq!(
            learned.scrub("Invalid value: \"hunter2-planted\" or aHVudGVyMi1wbGFudGVk or second-planted"),
            "Invalid value: \"<redacted>\" or <redacted> or <redacted>"
        );
    }

    #[test]
    fn a_secret_is_one_by_where_it_came_from() {
        let learned = Learned::default();
        for odd in [
            json!({"kind": "ConfigMap", "data": {"p": "planted-a1"}}),
            json!({"apiVersion": "x/v1", "kind": "Secret", "data": {"p": ["planted-b2"]}}),
            json!({"data": "planted-c3", "stringData": ["planted-d4"]}),
        ] {
            let mut object = object(odd.clone());
            learned.from_object(&mut object);
            assert_eq!(object.clone().into_value(), odd, "by itself it is no Secret of ours");
            learned.from_secret(&mut object);
            let shown = object.into_value().to_string();
            assert!(!shown.contains("planted"), "{shown}");
        }
    }

    #[test]
    fn every_form_of_a_value_is_found() {
        let learned = Learned::default();
        let mut secret = object(json!({"apiVersion": "v1", "kind": "Secret", "stringData": {
            "lines": "firstline-SECRET\nsecondline-SECRET", "hidden": "abc\u{200b}def-ZW", "quoted": "say \"planted\""
        }}));
        learned.from_object(&mut secret);
        for text in [
            "bad value firstline-SECRET secondline-SECRET",
            "  firstline-SECRET\n  secondline-SECRET",
            "abcdef-ZW",
            r#"{"a":"say \"planted\""}"#,
        ] {
            let clean = learned.scrub(text);
            for part in ["SECRET", "ZW", "planted"] {
                assert!(!clean.contains(part), "{clean}");
            }
        }
    }

    #[test]
    fn words_and_names_stay_in_answers() {
        let learned = Learned::default();
        let mut secret = object(json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "orders-credentials", "labels": {"kro.run/instance-name": "orders"}},
            "stringData": {"username": "orders", "mode": "missing", "password": "planted-value"}}));
        learned.from_object(&mut secret);
        assert_eq!(
            learned.scrub("Database/orders missing planted-value"),
            "Database/orders missing <redacted>"
        );
        assert!(
            !secret.into_value().to_string().contains("\"username\":\"orders\""),
            "the value itself goes"
        );
    }

    #[test]
    fn many_values_are_searched_for_at_once() {
        let learned = Learned::default();
        let data: Map<String, Value> =
            (0..40_000).map(|n| (format!("k{n}"), format!("v{n:06}").into())).collect();
        let mut secret = object(json!({"apiVersion": "v1", "kind": "Secret", "stringData": data}));
        learned.from_object(&mut secret);
        assert_eq!(learned.scrub("a v039999 b"), "a <redacted> b");
    }

    #[test]
    fn a_long_value_holds_nobody_up() {
        let learned = Learned::default();
        let values = [
            "planted-".repeat(1 << 14),
            (0..10_000).map(|n: u64| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect(),
        ];
        for value in &values {
            learned.hold(value);
            assert_eq!(learned.scrub(&format!("a {value} b")), "a <redacted> b");
        }
    }
}
