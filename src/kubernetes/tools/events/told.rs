//! [`Target`]: what was asked for, as the first line and the notes tell it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Input, Type, sieve::Counted};
use crate::{
    answer::sanitise,
    kubernetes::{
        Event, Kind,
        events::{Placed, shown_line},
    },
};

const LONGEST_NAME: usize = 120;
/// Reasons and uids that a note names.
const NAMED: usize = 10;

/// What was asked for.
pub(super) struct Target<'t> {
    kind: Option<&'t Kind>,
    /// Where it was looked for; `None`: everywhere.
    namespace: Option<&'t str>,
    input: &'t Input,
}

impl<'t> Target<'t> {
    pub(super) fn new(kind: Option<&'t Kind>, namespace: Option<&'t str>, input: &'t Input) -> Self {
        Self { kind, namespace, input }
    }

    /// Whether all of it is about one object, but for namesakes.
    fn is_one(&self) -> bool {
        self.kind.is_some() && self.input.name.is_some() && self.namespace.is_some()
    }

    pub(super) fn placed<'e>(&self, event: &'e Event) -> Placed<'e> {
        let namespace = event.about.namespace.as_deref().filter(|_| self.namespace.is_none());
        Placed { itself: self.is_one(), namespace, under: None }
    }

    /// The first line.
    pub(super) fn line(&self, cluster: &str, events: &[Event], now: Timestamp) -> String {
        let short = |text: &str| sanitise::short(text, LONGEST_NAME);
        let namespaced = self.kind.is_none_or(|kind| kind.namespaced);
        let place = self.namespace.filter(|_| namespaced).map(|place| format!(" in {}", short(place)));
        let place = place.unwrap_or_default();
        let everywhere = if self.namespace.is_none() { " in all namespaces" } else { &place };
        let mut what = match (self.kind, &self.input.name, &self.input.uid) {
            (_, _, Some(uid)) => format!("uid {}{everywhere}", short(uid)),
            (Some(kind), Some(name), _) => format!("{}/{}{everywhere}", kind.kind, short(name)),
            (Some(kind), None, _) => format!("every {}{everywhere}", kind.group_kind()),
            (None, Some(name), _) => format!("whatever is called {}{everywhere}", short(name)),
            (None, None, _) => match self.namespace {
                Some(namespace) => format!("namespace {}", short(namespace)),
                None => "all namespaces".to_owned(),
            },
        };
        what.push_str(&format!(" ({cluster})"));
        if let Some(kind) = self.input.r#type {
            what.push_str(if kind == Type::Warning { ", warnings only" } else { ", no warnings" });
        }
        if let Some(reason) = &self.input.reason {
            what.push_str(&format!(", reason {}", short(reason)));
        }
        let events: Vec<&Event> = events.iter().collect();
        shown_line(&what, &events, self.input.since.as_deref(), now)
    }

    /// What is to be said besides the rows.
    pub(super) fn notes(&self, events: &[Event], counted: &Counted) -> Vec<String> {
        let mut notes = Vec::new();
        if events.is_empty() {
            notes.push(self.silence(counted));
        }
        notes.extend(self.namesakes(events));
        if counted.astray > 0 {
            notes.push(format!(
                "{} events are left out that are about objects of another namespace than their own",
                counted.astray
            ));
        }
        notes
    }

    fn silence(&self, counted: &Counted) -> String {
        let mut reasons: Vec<(&String, &u64)> = counted.reasons.iter().collect();
        reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), *reason));
        if !reasons.is_empty() {
            let named = reasons.iter().take(NAMED).map(|(reason, count)| format!("{reason} ({count})"));
            return format!("the reasons here are {}", named.collect::<Vec<_>>().join(", "));
        }
        match &self.input.since {
            Some(_) => "there may be older ones: call again without since".to_owned(),
            None => {
                "an API server keeps events for an hour by default; an object without any may be fine, or \
                     not exist"
                    .to_owned()
            }
        }
    }

    /// Where a name was several objects' one after the other, as that of a Pod of a StatefulSet.
    fn namesakes(&self, events: &[Event]) -> Option<String> {
        if !self.is_one() || self.input.uid.is_some() {
            return None;
        }
        let mut uids: BTreeMap<&str, Option<Timestamp>> = BTreeMap::new();
        for event in events.iter().filter(|event| !event.about.uid.is_empty()) {
            let last = uids.entry(&event.about.uid).or_default();
            *last = (*last).max(event.last);
        }
        let mut uids: Vec<_> = uids.into_iter().collect();
        uids.sort_by_key(|(_, last)| std::cmp::Reverse(*last));
        let named: Vec<String> = uids.iter().take(NAMED).map(|(uid, _)| sanitise::short(uid, 80)).collect();
        (uids.len() > 1).then(|| {
            format!(
                "{} objects had this name one after the other, the latest first: uid {}; uid shows the events of one",
                uids.len(),
                named.join(", ")
            )
        })
    }
}
