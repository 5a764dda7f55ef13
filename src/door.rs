//! Doors: bytes in, bytes out. Each finds out who calls, hands the call to the toolbox, and says the
//! answer in its protocol. Nothing else is decided here.

pub mod http;
mod mcp;
mod ops;
pub mod serving;
mod shape;
pub mod stdio;
mod terms;

pub use terms::{Rate, Terms};
