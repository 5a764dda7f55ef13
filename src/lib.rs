//! One MCP server for a Kubernetes platform.

pub mod answer;
pub mod audit;
pub mod caller;
pub mod demo;
pub mod door;
pub mod error;
pub mod kubernetes;
pub mod nearest;
pub mod permission;
pub mod platform;
pub mod telemetry;
pub mod toolbox;

pub use error::{Error, ErrorKind};
