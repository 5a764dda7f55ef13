//! [`Sieve`]: which of the events that come are shown: those of objects that the caller may see, and that were
//! asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::{Input, Type};
use crate::{
    answer::sanitise,
    kubernetes::{Access, Event, Kind, Object, Reference, events::is_since},
};

/// Reasons that are counted; more are somebody's flood.
const MOST_REASONS: usize = 200;
const LONGEST_REASON: usize = 80;

/// What is asked of each event.
pub(super) struct Sieve<'s> {
    access: &'s Access,
    kind: Option<&'s Kind>,
    input: &'s Input,
    since: Option<Timestamp>,
    counted: Mutex<Counted>,
}

/// What was seen, and left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    /// The reasons of what would have matched but for them.
    pub(super) reasons: BTreeMap<String, u64>,
    /// Events that are about an object of another namespace than theirs.
    pub(super) astray: usize,
}

impl<'s> Sieve<'s> {
    pub(super) fn new(
        access: &'s Access,
        kind: Option<&'s Kind>,
        input: &'s Input,
        since: Option<Timestamp>,
    ) -> Self {
        Self { access, kind, input, since, counted: Mutex::default() }
    }

    pub(super) fn counted(&self) -> Counted {
        self.counted.lock().clone()
    }

    /// Whether an event of a namespace that the caller may see is shown.
    pub(super) fn keeps(&self, object: &Object) -> bool {
        let event = Event::read(object);
        let about = event.about.namespace.as_deref();
        if !self.access.sees(about) || !self.is_asked_for(&event.about) {
            return false;
        }
        // who may write events in one namespace could name an object of another
        if about.is_some() && about != object.namespace() {
            self.counted.lock().astray += 1;
            return false;
        }
        let wanted = match self.input.r#type {
            Some(Type::Warning) => event.is_warning(),
            Some(Type::Normal) => !event.is_warning(),
            None => true,
        };
        wanted && is_since(object, self.since) && self.has_reason(&event.reason)
    }

    fn is_asked_for(&self, about: &Reference) -> bool {
        let name = self.input.name.as_ref().is_none_or(|name| *name == about.name);
        let uid = self.input.uid.as_ref().is_none_or(|uid| *uid == about.uid);
        // a writer may have left the group out
        let kind = self.kind.is_none_or(|kind| {
            kind.kind == about.kind && (about.group.is_empty() || kind.group == about.group)
        });
        name && uid && kind
    }

    fn has_reason(&self, reason: &str) -> bool {
        let Some(wanted) = &self.input.reason else { return true };
        if reason.eq_ignore_ascii_case(wanted.trim()) {
            return true;
        }
        let mut counted = self.counted.lock();
        let reason = sanitise::short(reason, LONGEST_REASON);
        if counted.reasons.len() < MOST_REASONS || counted.reasons.contains_key(&reason) {
            *counted.reasons.entry(reason).or_default() += 1;
        }
        false
    }
}
