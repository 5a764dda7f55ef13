//! The local user: whoever can start this process, or reach it on a loopback address, while no
//! issuer is configured.

use std::sync::Arc;

use super::{Caller, Shown};
use crate::{
    kubernetes::{Identity, identity::Unfit},
    permission::{PermissionSet, RoleProblem, Roles, Within},
};

/// The subject of every local caller.
const SUBJECT: &str = "local";

/// The local user with these roles, narrowed to `within`.
///
/// # Errors
/// A role that does not exist or does not make sense.
pub fn caller(roles: &Roles, names: &[String], within: &Within) -> Result<Caller, RoleProblem> {
    let permissions = roles.bind(names, within, "local")?;
    Ok(with_permissions(permissions))
}

/// The local user with exactly these permissions.
pub fn with_permissions(permissions: PermissionSet) -> Caller {
    Caller {
        issuer: None,
        subject: SUBJECT.to_owned(),
        username: SUBJECT.to_owned(),
        groups: Vec::new(),
        permissions: Arc::new(permissions),
        token: None,
        identity: Identity::Own,
        shown: Shown::Nobody(Unfit::Nameless),
        scopes: Vec::new(),
        subject_token: None,
        actor: None,
        verified: true,
    }
}
