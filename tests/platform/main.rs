//! Black-box tests: the product binary, seen through its doors, against real parts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/control_plane.rs"]
mod control_plane;
#[path = "../support/faulty.rs"]
mod faulty;
#[path = "../support/mcp.rs"]
mod mcp;
#[path = "../support/server.rs"]
mod server;

mod cli;
mod faults;
mod protocol;
mod secrets;
