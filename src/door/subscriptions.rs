//! Subscriptions: streams over which callers hear of changes. Bounded in number and in time.

use crate::caller::places::Full;

/// A bound that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooMany {
    #[error("you have {0} subscriptions, which is as many as one caller may have; end one of them first")]
    Yours(u32),
    #[error(
        "the server has as many subscriptions as it may have; try again later, or ask for what you follow from time to time"
    )]
    All,
}

impl From<Full> for TooMany {
    fn from(full: Full) -> Self {
        match full {
            Full::Yours(theirs) => Self::Yours(theirs),
            Full::All => Self::All,
        }
    }
}
