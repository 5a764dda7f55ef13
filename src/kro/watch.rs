//! Following one instance, or all that belongs to it, for a while.
//!
//! The instance is watched whole; what belongs to it by metadata alone, and each change there means another
//! look at the graph, as often as the call can afford. So nested instances, external references and what
//! kro makes meanwhile are judged as `kro_graph` judges them.

mod ended;
mod follow;
mod streams;
mod timeline;

pub use ended::Ended;
pub use follow::{Follow, Followed};
pub use timeline::{Change, Timeline};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kro::state::State;

// No comments on the variants: each would be a line in every tool list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(in crate::kro) enum Until {
    Ready,
    Failed,
    Deleted,
    Changed,
}

impl Until {
    /// The word in the argument.
    pub(in crate::kro) fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Deleted => "deleted",
            Self::Changed => "changed",
        }
    }

    /// Whether it is so, of an instance that is there.
    fn holds(self, state: Option<State>, changed: bool) -> bool {
        match self {
            Self::Ready => state == Some(State::Ready),
            Self::Failed => state == Some(State::Failing),
            Self::Deleted => false,
            Self::Changed => changed,
        }
    }
}
