//! Packs: what their values and manifests say, and what differs between two states of them.

pub mod allowance;
pub mod change;
mod lines;
pub mod written;

pub use change::{PackChange, PackState};
pub use written::Written;
