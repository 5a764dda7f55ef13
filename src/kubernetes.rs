//! Kubernetes: the clusters that are known, and how they are read as a caller.
//!
//! A [`Cluster`] is shared by all callers (one pool, one discovery); an [`Access`] is one cluster
//! during one call, and the only way to reach it.

pub mod access;
pub mod cluster;
pub mod clusters;
mod connection;
pub mod difference;
mod discovery;
pub mod endpoint;
pub mod events;
pub mod fault;
pub mod field_path;
pub mod find;
pub mod identity;
mod impersonator;
pub mod kind;
pub mod kinds;
pub mod label_selector;
pub mod list;
pub mod meter;
pub mod object;
pub mod observed;
pub mod openapi;
pub(crate) mod operation;
pub mod owners;
mod plugin;
pub mod pods;
pub mod presented;
pub mod proxy;
mod raw;
pub mod registry;
pub mod rights;
pub mod selector;
pub mod service_account;
pub mod sources;
pub mod tools;
pub mod trust;
pub mod watch;
pub mod way;
pub mod written;

#[cfg(test)]
pub(crate) use access::tests::access as access_to;
pub use access::{Access, Basis, Budgeted, DryRun, View, Written};
pub use cluster::{Cluster, Source};
pub use clusters::Clusters;
pub use endpoint::Endpoint;
pub use events::Event;
pub use fault::{Cause, Fault, Refused};
pub use find::NoKind;
pub use identity::{As, Bearer, Identity, Impersonation};
pub use impersonator::MayImpersonate;
pub use kind::Kind;
pub use kinds::{Kinds, Named};
pub use label_selector::LabelSelector;
pub use list::{Listed, Taking};
pub use meter::{Meter, Noted};
pub use object::{Condition, Object};
pub use owners::{Ownership, Reference};
pub use presented::Presented;
pub(crate) use raw::weight;
pub use registry::Registry;
pub use selector::{Selector, is_label_value};
pub use trust::{Trust, Trusting};
pub use watch::{Hub, Selection};
pub use way::{Lease, Way};
