//! [`State`]: the one word for how a node of the graph is doing.

use serde::Serialize;

/// The state of a node, an instance or an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Something is wrong that does not pass by waiting.
    Failing,
    /// Should exist and does not.
    Missing,
    /// An external reference that is not there.
    ExternalMissing,
    /// Being worked on: exists, not ready yet.
    Progressing,
    /// Does not exist yet, because it waits for something named.
    Pending,
    /// Has a deletion timestamp.
    Deleting,
    /// kro was told to leave it alone.
    Suspended,
    /// A child that no node of the graph claims.
    Orphaned,
    /// Could not be read or judged: the reason says why.
    Unknown,
    /// In a scope that the caller may not see.
    Withheld,
    /// Fine.
    Ready,
    /// Left out on purpose (`includeWhen`).
    Skipped,
    /// Deleted already, while its instance is being deleted.
    Gone,
}

impl State {
    /// Every state, the worst first.
    pub const ALL: [Self; 13] = [
        Self::Failing,
        Self::Missing,
        Self::ExternalMissing,
        Self::Progressing,
        Self::Pending,
        Self::Deleting,
        Self::Suspended,
        Self::Orphaned,
        Self::Unknown,
        Self::Withheld,
        Self::Ready,
        Self::Skipped,
        Self::Gone,
    ];

    /// The word, as in the structured answer.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Missing => "missing",
            Self::ExternalMissing => "external-missing",
            Self::Progressing => "progressing",
            Self::Pending => "pending",
            Self::Deleting => "deleting",
            Self::Suspended => "suspended",
            Self::Orphaned => "orphaned",
            Self::Unknown => "unknown",
            Self::Withheld => "withheld",
            Self::Ready => "ready",
            Self::Skipped => "skipped",
            Self::Gone => "gone",
        }
    }

    /// The mark before a line of the tree.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Failing | Self::Missing | Self::ExternalMissing => "✗",
            Self::Progressing | Self::Deleting => "…",
            Self::Pending => "◌",
            Self::Suspended => "‖",
            Self::Orphaned => "!",
            Self::Unknown | Self::Withheld => "?",
            Self::Ready => "✓",
            Self::Skipped | Self::Gone => "–",
        }
    }

    /// Whether a reader has to look at it.
    pub fn is_abnormal(self) -> bool {
        !matches!(self, Self::Ready | Self::Skipped | Self::Gone)
    }

    /// How bad it is for what contains it, the worst first; `None` where it does no harm.
    pub fn severity(self) -> Option<u8> {
        match self {
            Self::Failing | Self::Missing => Some(0),
            Self::ExternalMissing => Some(1),
            Self::Progressing | Self::Pending | Self::Deleting => Some(2),
            Self::Suspended => Some(3),
            Self::Unknown | Self::Withheld => Some(4),
            Self::Ready | Self::Skipped | Self::Gone | Self::Orphaned => None,
        }
    }

    /// Whether it makes what contains it unhealthy: `None` where that cannot be told.
    pub fn is_healthy(self) -> Option<bool> {
        match self {
            Self::Ready | Self::Skipped | Self::Gone | Self::Orphaned => Some(true),
            Self::Unknown | Self::Withheld => None,
            _ => Some(false),
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.word())
    }
}
