//! [`Ended`]: why following ended.

/// Why following ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// What was waited for is so.
    Reached,
    /// The instance is gone.
    Deleted,
    /// It is gone, and there is another one of its name.
    Recreated,
    /// The time is over.
    Time,
    /// The server ends, or its client has gone.
    Server,
    /// The call has spent what it may.
    Spent,
}

impl Ended {
    /// The word in the structured answer.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Deleted => "deleted",
            Self::Recreated => "recreated",
            Self::Time => "time",
            Self::Server => "server",
            Self::Spent => "spent",
        }
    }
}
