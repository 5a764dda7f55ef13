//! [`Why`]: the reason of a node's state, for those who have to act on it and not only read it.

use crate::kro::instance::Complaint;

/// What kind of reason a node's state has; the words are in [`Node::reason`](super::Node::reason).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Why {
    /// What the object says of itself, or nothing in particular.
    #[default]
    Itself,
    /// kro complains of it.
    Complaint(Complaint),
    /// A `readyWhen` is false or has no value: it, and the values it saw.
    NotReady(String),
    /// It waits for these nodes.
    Nodes(Vec<String>),
    /// It waits for data.
    Data {
        /// What is not there.
        what: String,
        /// The expression that reads it, where it is one of the template.
        expression: Option<String>,
    },
    /// Its own `includeWhen` leaves it out.
    LeftOut,
    /// It depends on this node, which is left out.
    LeftOutWith(String),
    /// The cluster serves no such kind.
    NotServed,
    /// kro is not at work on the instance.
    Unattended,
    /// kro stopped at an error about another node.
    Stopped,
    /// kro says that all is there, and it is not.
    Contradiction,
    /// kro saw it and judged it, and it is gone since.
    Lost,
}

impl Why {
    /// The same about the nodes of a nested instance.
    pub(super) fn below(&self, inner: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Nodes(ids) => Self::Nodes(ids.iter().map(|id| inner(id)).collect()),
            Self::LeftOutWith(id) => Self::LeftOutWith(inner(id)),
            other => other.clone(),
        }
    }
}
