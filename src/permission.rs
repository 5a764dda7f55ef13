//! Permissions: names, sets, and the pure decision. Knows no domain and no door.

pub(crate) mod claims;
pub mod name;
pub mod policy;
pub mod requirement;
pub mod role;
pub mod rule;
pub mod scope;
pub mod set;

pub use name::{Action, NoSuchPermission, Permission, Permissions};
pub use policy::{Explained, Fit, Policy, PolicyProblem};
pub use requirement::Requirement;
pub use role::{Role, RoleProblem, Roles};
pub use rule::{OneOrMore, Rule};
pub use scope::{Extent, Scope, Within};
pub use set::{Decision, Grant, PermissionSet, decide};
