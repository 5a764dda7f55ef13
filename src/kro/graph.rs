//! [`Graph`]: an instance, its nodes and the edges between them, each with its state and the reason.
//!
//! Built from what was [`Collected`], without I/O. Health is judged through the nesting: an instance
//! whose child is not healthy is not healthy, whatever kro says of it.

mod absent;
mod causes;
mod claims;
mod collected;
mod collection;
mod desired;
mod evidence;
mod home;
mod level;
mod picture;
mod present;
mod ready_when;
mod remarks;
mod root;
mod tree;
mod why;

pub use collected::{Collected, Observed, Rgd, Unread};
pub(in crate::kro) use desired::{Identity, identities};
pub use desired::{Reference, has_unread_references, unread_references};
pub(in crate::kro) use evidence::is_tellable;
pub use home::Home;
pub use why::Why;

use crate::kro::expression::{Work, deep};
use crate::kro::state::State;
use std::collections::BTreeMap;

/// The id of the instance itself; kro allows no node of that name.
pub const ROOT: &str = "instance";

/// An instance with everything below it.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The instance first, then its nodes in the order kro processes them, each nested instance's
    /// nodes after it.
    pub nodes: Vec<Node>,
    /// What could not be seen, a line each.
    pub gaps: Vec<String>,
    /// What to know besides: the RGD's trouble, the revision that is run.
    pub notes: Vec<String>,
}

/// A node of the graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its id; a path through nested instances, `app/deployment`, and a collection's member in
    /// brackets, `workers[a]`.
    pub id: String,
    /// The id of what contains it: the instance, a nested instance or a collection.
    pub parent: Option<String>,
    /// Kind of the object.
    pub kind: String,
    /// API group of the object, empty for core.
    pub group: String,
    /// Its name; none for a collection and where it is not known.
    pub name: Option<String>,
    /// Its namespace; none for a cluster-scoped object.
    pub namespace: Option<String>,
    /// How it is doing.
    pub state: State,
    /// Why, in a few words.
    pub reason: Option<String>,
    /// What kind of reason that is.
    pub why: Why,
    /// The nodes that it depends on.
    pub needs: Vec<String>,
    /// Whether kro only reads it.
    pub external: bool,
    /// `metadata.creationTimestamp`, where it exists.
    pub created: Option<String>,
    /// How many members a collection has, by state.
    pub members: Option<BTreeMap<State, usize>>,
    /// For an instance: its RGD.
    pub rgd: Option<String>,
    /// For an instance: kro's own word for its state.
    pub kro_state: Option<String>,
}

/// Members of a collection that get a line of their own; the others are counted.
pub const SHOWN_MEMBERS: usize = 20;

impl Graph {
    /// Judges what was collected, as far as `work` lasts. It takes its time: not for an async task.
    pub fn build(collected: &Collected, work: &Work) -> Self {
        Self::with_members(collected, work, SHOWN_MEMBERS)
    }

    /// The same with at most so many members of each collection.
    pub fn with_members(collected: &Collected, work: &Work, members: usize) -> Self {
        let Ok(branch) = deep(|| level::branch(collected, work, members)) else {
            return Self {
                nodes: Vec::new(),
                gaps: vec!["the graph could not be judged".into()],
                notes: Vec::new(),
            };
        };
        let mut nodes = vec![branch.root];
        nodes.extend(branch.nodes);
        let mut gaps = branch.gaps;
        if work.ran_out() {
            gaps.push(
                "judging it took too long: what was left is unknown, expressions are \"out of time\"".into(),
            );
        }
        Self { nodes, gaps, notes: branch.notes }
    }

    /// The instance itself.
    pub fn root(&self) -> Option<&Node> {
        self.nodes.first()
    }

    /// Whether all of it is healthy; `None` where something could not be judged and nothing is wrong.
    pub fn healthy(&self) -> Option<bool> {
        healthy(self.nodes.iter().map(|node| node.state))
    }

    /// Dependencies, from what is needed to what needs it.
    pub fn edges(&self) -> impl Iterator<Item = (&str, &str)> {
        self.nodes.iter().flat_map(|node| node.needs.iter().map(|needed| (needed.as_str(), node.id.as_str())))
    }

    /// How many nodes below the instance are in each state; members of collections counted one by
    /// one, their collections not.
    pub fn counts(&self) -> BTreeMap<State, usize> {
        let mut counts = BTreeMap::new();
        for node in self.nodes.iter().skip(1) {
            match &node.members {
                Some(members) if !members.is_empty() => {
                    members.iter().for_each(|(state, count)| *counts.entry(*state).or_default() += count);
                }
                _ if node.is_member() => {}
                _ => *counts.entry(node.state).or_default() += 1,
            }
        }
        counts
    }

    /// The nodes that a reader has to look at, the worst first and causes before what they cause.
    pub fn abnormal(&self) -> Vec<&Node> {
        let mut found: Vec<&Node> =
            self.nodes.iter().skip(1).filter(|node| node.state.is_abnormal()).collect();
        found.sort_by_key(|node| node.state);
        found
    }
}

impl Node {
    /// Whether it is one of a collection.
    pub fn is_member(&self) -> bool {
        self.id.ends_with(']')
    }

    /// `Kind/name`, or as much of it as is known.
    pub fn object(&self) -> String {
        match &self.name {
            Some(name) => format!("{}/{name}", self.kind),
            None => self.kind.clone(),
        }
    }
}

fn healthy(states: impl IntoIterator<Item = State>) -> Option<bool> {
    let judged: Vec<Option<bool>> = states.into_iter().map(State::is_healthy).collect();
    if judged.contains(&Some(false)) {
        return Some(false);
    }
    (!judged.contains(&None)).then_some(true)
}

#[cfg(test)]
#[path = "graph/tests.rs"]
mod tests;
