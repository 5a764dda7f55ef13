//! One MCP server for a Kubernetes platform.

pub mod answer;
pub mod caller;
pub mod error;
pub mod kubernetes;
pub mod nearest;
pub mod permission;

pub use error::{Error, ErrorKind};
