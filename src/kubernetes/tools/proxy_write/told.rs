//! How a change is told: before it is made, and afterwards.

use http::Method;

use super::{Output, aim::Aim, seen::Seen};
use crate::{
    answer::{Answer, Change},
    kubernetes::{
        access::{Reply, warnings},
        operation::{count, section},
    },
};

/// Differences that are told.
const MOST_CHANGES: usize = 100;
/// Names that are told.
const MOST_NAMES: usize = 100;

impl Aim<'_> {
    /// What to say where there is nothing to do.
    pub(super) fn unneeded(&self, seen: &Seen) -> Option<String> {
        let what = self.what();
        if self.is_of_many() {
            return seen.same.then(|| format!("{what}: nothing matches, so there is nothing to delete"));
        }
        if self.method != Method::DELETE {
            return seen.same.then(|| format!("{what}: nothing to change"));
        }
        let live = seen.live.as_ref()?;
        let since = live.deletion()?;
        // to shorten what is left of its time is a change
        if self.body.as_ref().is_some_and(|options| options.get("gracePeriodSeconds").is_some()) {
            return None;
        }
        let held = match live.finalizers() {
            finalizers if finalizers.is_empty() => String::new(),
            finalizers => format!(", held by {}", finalizers.join(", ")),
        };
        Some(format!("{what} is being deleted already, since {since}{held}"))
    }

    /// What the plan says first.
    pub(super) fn would(&self, seen: &Seen) -> String {
        let what = self.what();
        let mut would = match (&self.method, &seen.untried) {
            _ if self.is_of_many() => {
                format!("{what}: {} would be deleted", count(seen.goes.len(), "object"))
            }
            (&Method::DELETE, _) => format!("{what} would be deleted"),
            (method, Some(_)) => format!("{method} {} would be sent", self.target.path()),
            (&Method::POST, None) if !self.is_new() => format!("{what}: the cluster would take it"),
            (_, None) if seen.live.is_none() => format!("{what}: {} would be created", self.one(seen)),
            (_, None) => format!("{what} would change in {}", count(seen.changes.len(), "field")),
        };
        if let Some(why) = &seen.untried {
            would.push_str(&format!("; it COULD NOT BE TRIED: {why}"));
        }
        if !seen.risks.is_empty() {
            would.push_str(&format!("; {}", count(seen.risks.len(), "risk")));
        }
        would
    }

    /// A name, where the caller gave one.
    fn one(&self, seen: &Seen) -> String {
        let name = seen.changes.iter().find(|change| change.path == "metadata.name");
        match name.and_then(|name| name.after.as_ref()).filter(|name| !name.starts_with('<')) {
            Some(name) => name.clone(),
            None => "one".to_owned(),
        }
    }

    /// What was done.
    pub(super) fn done(&self, mut seen: Seen, reply: &Reply) -> Answer<Output> {
        let what = self.what();
        // it was made, whatever else the answer holds
        let object = self.object(&reply.body).ok().filter(|_| !self.is_of_many());
        seen.warnings = warnings(&reply.headers);
        let deleting = object.as_ref().is_some_and(|object| object.deletion().is_some());
        let summary = match self.method {
            _ if self.is_of_many() => format!("{what}: {} deleted", count(seen.goes.len(), "object")),
            Method::DELETE if deleting => format!("{what}: its deletion has begun"),
            Method::DELETE => format!("{what} was deleted"),
            _ if seen.untried.is_some() => {
                format!(
                    "{} {}: the cluster answered {}",
                    self.method,
                    self.target.path(),
                    reply.status.as_u16()
                )
            }
            Method::POST if !self.is_new() => format!("{what}: done"),
            _ if seen.live.is_none() => {
                let name = object.as_ref().map(|object| object.name().to_owned()).unwrap_or_default();
                format!("{what}: {name} was created")
            }
            _ => format!("{what} was changed in {}", count(seen.changes.len(), "field")),
        };
        if seen.live.is_none() {
            // the object says it all
            seen.changes.clear();
        }
        seen.notes.clear();
        let shown = object.filter(|_| self.method != Method::DELETE).map(|object| self.shown(object));
        let mut answer = self.answer(summary, seen);
        if let Some((yaml, object)) = shown {
            answer.body.push_str(&yaml);
            answer.structure.object = object;
        }
        answer.change(Change::Made)
    }

    /// All that was seen.
    pub(super) fn answer(&self, summary: String, mut seen: Seen) -> Answer<Output> {
        let more = seen.changes.len().saturating_sub(MOST_CHANGES);
        if more > 0 {
            seen.changes.truncate(MOST_CHANGES);
            seen.notes.push(format!("{more} more fields would change than are shown"));
        }
        let more = seen.goes.len().saturating_sub(MOST_NAMES);
        if more > 0 {
            seen.goes.truncate(MOST_NAMES);
            seen.goes.push(format!("and {more} more"));
        }
        let body = [
            section("risks:", &seen.risks),
            section("takes fields of others:", &seen.takes),
            section("fields:", &seen.changes),
            section("goes:", &seen.goes),
            section("the API server warns:", &seen.warnings),
            section("note:", &seen.notes),
        ];
        let structure = Output {
            new: self.is_new()
                || (seen.live.is_none() && self.method != Method::DELETE && seen.untried.is_none()),
            changes: seen.changes,
            goes: seen.goes,
            risks: seen.risks,
            takes: seen.takes,
            warnings: seen.warnings,
            notes: seen.notes,
            ..self.output()
        };
        Answer::new(summary, body.concat(), structure).gaps(self.unknown.clone())
    }
}
