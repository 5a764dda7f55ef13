//! One MCP server for a Kubernetes platform: typed tools over KRO, Palette, the Kubernetes API and
//! Knative, each caller seeing and doing exactly what their own permission set allows.
//!
//! Every call, through whichever door, takes the same way:
//!
//! ```text
//!  stdio   /mcp   Backstage's actions   door        bytes in, bytes out
//!      \    |    /
//!      Caller           who is it       caller      subject, groups, permission set
//!        ↓
//!      Toolbox          which tool      toolbox     name → typed input; hidden = unknown
//!        ↓
//!      Gate             may they        permission  decide → deadline → cancel → audit → measure
//!        ↓
//!      Domain           the work        kro, kubernetes, palette, knative: fetch → model → tools
//!        ↓
//!      Answer           the reply       answer      redact → sanitise → budget → text + structure
//! ```
//!
//! No door calls a domain, no domain knows a door, and the decision is pure.

pub mod answer;
pub mod audit;
pub mod backstage;
pub mod caller;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod demo;
pub mod door;
pub mod ending;
pub mod error;
pub mod knative;
pub mod kro;
pub mod kubernetes;
pub mod nearest;
pub mod palette;
pub mod permission;
pub mod platform;
pub mod presented;
pub mod remote;
pub mod stack;
pub mod strict_json;
pub mod telemetry;
pub mod toolbox;
mod weighted;

pub use error::{Error, ErrorKind, RefusedBy};
