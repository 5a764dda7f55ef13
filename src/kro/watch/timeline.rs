//! [`Timeline`]: what became of an instance and its nodes, one change a line, bounded.

use std::collections::{BTreeMap, VecDeque};

use jiff::{Timestamp, Unit};
use schemars::JsonSchema;
use serde::Serialize;

use crate::kro::{
    graph::{Graph, ROOT},
    state::State,
};

/// Changes that are kept from the beginning, and from the end.
const FIRST: usize = 50;
const LAST: usize = 100;
/// Characters of a reason.
const LONGEST_REASON: usize = 200;

/// How something is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// `Kind/name`
    pub object: String,
    /// Its state.
    pub state: State,
    /// Why.
    pub reason: Option<String>,
}

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// UTC, to the second.
    pub at: String,
    /// The node; absent for the instance itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Kind/name of the node's object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// What it is from then on.
    pub state: State,
    /// Why, where it is not fine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Change {
    /// Both in words.
    pub fn line(&self) -> String {
        let what = self.node.as_deref().unwrap_or("the instance");
        match &self.reason {
            Some(reason) => format!("{what}: {}, {reason}", self.state),
            None => format!("{what}: {}", self.state),
        }
    }
}

/// What became of an instance and its nodes.
#[derive(Debug, Default)]
pub struct Timeline {
    now: BTreeMap<String, Seen>,
    first: Vec<Change>,
    last: VecDeque<Change>,
    all: usize,
    /// Whether anything was seen yet.
    begun: bool,
}

impl Timeline {
    /// Takes what is seen now; the lines that are new. What is fine at the beginning gets none.
    pub fn take(&mut self, now: BTreeMap<String, Seen>, at: Timestamp) -> Vec<Change> {
        let begins = !std::mem::replace(&mut self.begun, true);
        let mut changes = Vec::new();
        for (id, seen) in &now {
            let before = self.now.get(id);
            let quiet = begins && id != ROOT && !seen.state.is_abnormal();
            if !quiet
                && before.is_none_or(|before| (before.state, &before.reason) != (seen.state, &seen.reason))
            {
                changes.push(change(id, seen, at));
            }
        }
        for (id, seen) in self.now.iter().filter(|(id, _)| !now.contains_key(*id)) {
            let gone = Seen { state: State::Gone, reason: None, ..seen.clone() };
            changes.push(change(id, &gone, at));
        }
        // what happens to the instance follows from what happens to its nodes
        changes.sort_by_key(|change| change.node.is_none());
        self.now = now;
        for change in &changes {
            self.keep(change.clone());
        }
        changes
    }

    fn keep(&mut self, change: Change) {
        self.all += 1;
        if self.first.len() < FIRST {
            self.first.push(change);
            return;
        }
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(change);
    }

    /// Takes that the instance is gone; what it says of that.
    pub fn end(&mut self, at: Timestamp) -> Option<Change> {
        let root = self.now.get_mut(ROOT)?;
        (root.state, root.reason) = (State::Gone, None);
        let gone = change(ROOT, root, at);
        self.keep(gone.clone());
        Some(gone)
    }

    /// How many changes there were.
    pub fn count(&self) -> usize {
        self.all
    }

    /// How the instance is doing.
    pub fn root(&self) -> Option<&Seen> {
        self.now.get(ROOT)
    }

    /// The nodes that a reader has to look at.
    pub fn abnormal(&self) -> impl Iterator<Item = (&str, &Seen)> {
        let nodes = self.now.iter().filter(|(id, seen)| *id != ROOT && seen.state.is_abnormal());
        nodes.map(|(id, seen)| (id.as_str(), seen))
    }

    /// The lines that were kept, in order, and how many were not.
    pub fn into_changes(self) -> (Vec<Change>, usize) {
        let left_out = self.all - self.first.len() - self.last.len();
        (self.first.into_iter().chain(self.last).collect(), left_out)
    }
}

/// The instance and its nodes, as a graph has them; members of collections are counted in their reason.
pub(super) fn of_graph(graph: &Graph) -> BTreeMap<String, Seen> {
    let nodes = graph.nodes.iter().filter(|node| !node.is_member());
    nodes
        .map(|node| {
            let members = node.members.as_ref().map(|members| {
                let counts = members.iter().map(|(state, count)| format!("{count} {state}"));
                counts.collect::<Vec<_>>().join(", ")
            });
            let reason = match (&node.reason, members) {
                (Some(reason), Some(members)) => Some(format!("{reason} ({members})")),
                (reason, members) => reason.clone().or(members),
            };
            let seen =
                Seen { object: node.object(), state: node.state, reason: reason.as_deref().map(short) };
            (node.id.clone(), seen)
        })
        .collect()
}

/// A reason that fits a line.
pub(super) fn short(reason: &str) -> String {
    crate::answer::sanitise::short(reason, LONGEST_REASON)
}

fn change(id: &str, seen: &Seen, at: Timestamp) -> Change {
    let node = (id != ROOT).then(|| id.to_owned());
    Change {
        at: at.round(Unit::Second).unwrap_or(at).to_string(),
        object: node.is_some().then(|| seen.object.clone()),
        node,
        state: seen.state,
        reason: seen.reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(entries: &[(&str, State, &str)]) -> BTreeMap<String, Seen> {
        let entry = |(id, state, reason): &(&str, State, &str)| {
            let reason = (!reason.is_empty()).then(|| (*reason).to_owned());
            ((*id).to_owned(), Seen { object: format!("X/{id}"), state: *state, reason })
        };
        entries.iter().map(entry).collect()
    }

    fn words(changes: &[Change]) -> Vec<String> {
        let word = |change: &Change| format!("{} {}", change.node.as_deref().unwrap_or("-"), change.state);
        changes.iter().map(word).collect()
    }

    #[test]
    fn a_line_for_each_change_and_the_instance_last() {
        let mut timeline = Timeline::default();
        let at = Timestamp::UNIX_EPOCH;
        let first = seen(&[
            ("instance", State::Progressing, "a"),
            ("db", State::Pending, ""),
            ("web", State::Ready, ""),
        ]);
        assert_eq!(words(&timeline.take(first.clone(), at)), ["db pending", "- progressing"]);
        assert!(timeline.take(first, at).is_empty());
        let next = seen(&[
            ("instance", State::Progressing, "b"),
            ("db", State::Ready, ""),
            ("log", State::Ready, ""),
        ]);
        assert_eq!(words(&timeline.take(next, at)), ["db ready", "log ready", "web gone", "- progressing"]);
        assert_eq!(timeline.root().and_then(|root| root.reason.as_deref()), Some("b"));
    }

    #[test]
    fn the_first_and_the_last_changes_are_kept() {
        let mut timeline = Timeline::default();
        for round in 0..400 {
            timeline
                .take(seen(&[("instance", State::Progressing, &round.to_string())]), Timestamp::UNIX_EPOCH);
        }
        let (changes, left_out) = timeline.into_changes();
        assert_eq!((changes.len(), left_out), (FIRST + LAST, 400 - FIRST - LAST));
        let reason = |change: Option<&Change>| change.and_then(|change| change.reason.clone());
        assert_eq!((reason(changes.first()), reason(changes.last())), (Some("0".into()), Some("399".into())));
    }
}
