//! Proxied requests: any path of an API server, as the caller, decided by what the path says.
//!
//! Everything that goes through here was taken apart by [`Target`] first, passed [`permit`], and is sent by
//! [`super::Access::pass`]: for the tools and for the HTTP endpoint alike.

mod carried;
mod json_patch;
mod keys;
mod pass;
mod permit;
mod query;
mod redact;
mod target;
pub mod write;

pub use carried::carried;
pub use json_patch::reads_values;
pub use keys::unknown_keys;
pub use pass::{Wire, pass};
pub use permit::permit;
pub use query::Query;
pub use target::{BadPath, Resource, Target, Touched, What};
