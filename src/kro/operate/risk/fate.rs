//! [`Fate`]: what becomes of a node, in words; and [`Made`]: what it would make.

use crate::{answer::sanitise, kro::applyset::GroupKind};

/// Members of a collection that are named.
const MOST: usize = 10;

/// What becomes of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Its id in the RGD.
    pub node: String,
    /// The kind of what it makes or refers to.
    pub kind: String,
    /// What becomes of it.
    pub turn: Turn,
}

/// What a change makes of a node. Those that lose something come first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// It is pruned: `includeWhen` turns false, or something that it needs is pruned.
    Deleted,
    /// Its name changes: kro makes a new object and prunes the old one.
    Replaced,
    /// A collection gets fewer or other members; those that go are pruned.
    Members(Members),
    /// It may be left out or replaced: only the cluster can tell.
    Unclear,
    /// Another object is referred to.
    Reference,
    /// It is made.
    Created,
    /// Its template reads fields that change.
    Changed,
    /// It needs a node that changes.
    Follows(String),
}

/// How the members of a collection change, as far as the instance alone tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Members {
    /// How many there are, and will be.
    pub sizes: Option<(usize, usize)>,
    /// Names of those that are pruned.
    pub goes: Vec<String>,
    /// Names of those that are made.
    pub comes: Vec<String>,
}

/// An object that kro would make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The node that makes it.
    pub node: String,
    /// Its kind.
    pub kind: GroupKind,
    /// Where the template says so.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Whether its name may be told: it can be made of any value.
    pub tellable: bool,
}

impl Fate {
    /// In words.
    pub fn told(&self) -> String {
        let what = match &self.turn {
            Turn::Deleted => "is deleted (left out from now on)".to_owned(),
            Turn::Replaced => {
                "gets another name: a new object is made and the old one deleted, with what it holds"
                    .to_owned()
            }
            Turn::Members(members) => members.told(),
            Turn::Unclear => "may be left out, or made under another name: only kro can tell".to_owned(),
            Turn::Reference => "refers to another object, which must exist".to_owned(),
            Turn::Created => "is made".to_owned(),
            Turn::Changed => "changes".to_owned(),
            Turn::Follows(node) => format!("may change with {node}"),
        };
        format!("{} ({}) {what}", self.node, self.kind)
    }
}

impl Members {
    fn told(&self) -> String {
        let which = [named(&self.goes, "deleted"), named(&self.comes, "made")];
        let which: Vec<String> = which.into_iter().flatten().collect();
        match (self.sizes, which.is_empty()) {
            (Some((before, after)), true) => {
                format!("goes from {before} to {after} members; those that go are deleted")
            }
            (Some((before, after)), false) => {
                format!("goes from {before} to {after} members: {}", which.join(", "))
            }
            (None, true) => "may lose members, which are deleted".to_owned(),
            (None, false) => format!("gets other members: {}", which.join(", ")),
        }
    }
}

/// `a and b are deleted`
fn named(names: &[String], what: &str) -> Option<String> {
    let mut told: Vec<String> = names.iter().take(MOST).map(|name| sanitise::short(name, 63)).collect();
    let more = names.len().saturating_sub(MOST);
    told.extend((more > 0).then(|| format!("{more} more")));
    let are = if names.len() == 1 { "is" } else { "are" };
    (!told.is_empty()).then(|| format!("{} {are} {what}", told.join(" and ")))
}
