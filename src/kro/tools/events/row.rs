//! A row of the list, and the line above all of them.

use jiff::Timestamp;

use super::target::Target;
use crate::{
    kro::events::Told,
    kubernetes::{
        Event, Object, Reference,
        events::{EventRow, Placed, shown_line},
    },
};

/// The rows, warnings first and then the newest.
pub(super) fn rows(told: &[Told], target: &Object, now: Timestamp) -> Vec<EventRow> {
    told.iter().map(|told| EventRow::new(&told.event, placed(told, target), now)).collect()
}

fn placed<'t>(told: &'t Told, target: &Object) -> Placed<'t> {
    let about = &told.event.about;
    Placed {
        itself: about.uid == target.uid(),
        namespace: about.namespace.as_deref().filter(|namespace| Some(*namespace) != target.namespace()),
        under: told.under.as_ref().filter(|under| under.uid != target.uid()).map(Reference::shown),
    }
}

/// What the first line is made of.
pub(super) struct Line<'l> {
    pub(super) target: &'l Target,
    pub(super) cluster: &'l str,
    pub(super) subtree: bool,
    /// As it was written.
    pub(super) since: Option<&'l str>,
    /// Whether no events could be read at all.
    pub(super) unread: bool,
}

impl Line<'_> {
    pub(super) fn text(&self, told: &[Told], now: Timestamp) -> String {
        let object = &self.target.object;
        let place = object.namespace().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        let with = if self.subtree { " with all that it owns" } else { "" };
        let what = format!("{}/{}{place} ({}){with}", object.kind(), object.name(), self.cluster);
        if self.unread {
            return format!("{what}: its events could not be read");
        }
        let events: Vec<&Event> = told.iter().map(|told| &told.event).collect();
        shown_line(&what, &events, self.since, now)
    }
}
