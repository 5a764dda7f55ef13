//! The KRO domain: resource graphs as they really are.
//!
//! Three layers. *Fetch* reads from a cluster as the caller; *model* (everything else here) turns
//! what was read into a graph without any I/O; *tools* is the glue to the toolbox.
//!
//! ```text
//!  instance ─┐
//!  RGD ──────┤                      ┌─ definition   nodes, edges, conditions of inclusion
//!  children ─┼─ graph::Collected ──▶├─ expression   the CEL in them, evaluated or "unknown"
//!  externals ┤                      ├─ health       what a leaf object says of itself
//!  gaps ─────┘                      └─ instance     what kro says of the instance
//!                                            │
//!                                            ▼
//!                                       graph::Graph   text, picture, structure
//! ```

pub mod applyset;
pub mod check;
pub mod class;
pub mod definition;
pub mod diagnose;
pub mod events;
pub mod expression;
pub mod fetch;
pub mod graph;
pub mod health;
pub mod instance;
pub mod inventory;
pub mod labels;
pub mod operate;
pub mod revision;
pub mod rights;
pub mod schema;
pub mod simple_schema;
pub mod state;
pub mod tools;
pub mod watch;
