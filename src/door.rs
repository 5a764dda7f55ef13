//! Doors: bytes in, bytes out. Each finds out who calls, hands the call to the toolbox, and says the
//! answer in its protocol. Nothing else is decided here.

mod authenticate;
mod follow;
pub mod http;
mod mcp;
mod oauth;
mod ops;
mod progress;
mod refused;
pub mod serving;
mod shape;
pub mod stdio;
mod subscriber;
mod subscriptions;
mod terms;
mod updates;
mod verdicts;
mod who;

pub use crate::caller::places::Most;
pub use terms::{Rate, Terms};
pub use who::Who;
