//! Palette (Spectro Cloud): clusters, virtual clusters, cluster profiles and packs, of one or several environments.
//!
//! An [`Environment`] is shared by all callers; an [`Access`] is one environment during one call, and the only way
//! to reach it. Facts: the vendor's contract (`palette.json`, "Palette APIs - 4.8") and what was observed of it.

pub mod access;
pub mod accounts;
pub mod api;
pub mod ask;
pub mod contract;
pub mod environment;
pub mod environments;
pub mod events;
pub mod fault;
pub mod find;
pub mod fleet;
pub mod groups;
pub mod health;
pub mod kubeconfig;
pub mod look;
pub mod operate;
pub mod packs;
pub mod place;
pub mod presented;
pub mod profiles;
pub mod provider;
pub mod said;
pub mod same;
mod scattered;
mod session;
pub mod summary;
pub mod tools;
pub mod upgrades;
pub mod version;

pub use access::{Access, Paged, View};
pub use ask::Ask;
pub use environment::{Environment, Settings};
pub use environments::Environments;
pub use fault::Fault;
pub use place::Place;
pub use presented::Presented;
