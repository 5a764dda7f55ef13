//! [`Policy`]: what the callers of one issuer may do, from what their tokens say. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    name::{Permission, Permissions},
    role::{RoleProblem, Roles},
    rule::Rule,
    set::PermissionSet,
};

/// Where the permissions of an issuer's callers come from. Everything given adds up; deny wins.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    scopes: BTreeMap<String, Permissions>,
}

impl Policy {
    /// Joins rules, the claim that names permissions, and the scopes that stand for some.
    ///
    /// # Errors
    /// The first role or pattern that does not make sense.
    pub fn new(
        _roles: &Roles,
        _rules: &[Rule],
        _permissions_claim: Option<&str>,
        _scopes: &BTreeMap<String, Vec<String>>,
    ) -> Result<Self, RoleProblem> {
        Ok(Self::default())
    }

    /// What a caller with these claims may do.
    pub fn bind(&self, _claims: &Map<String, Value>) -> PermissionSet {
        PermissionSet::default()
    }

    /// The scopes that would each give one of these permissions, in a fixed order.
    pub fn scopes_giving(&self, missing: &[Permission]) -> Vec<&str> {
        let gives = |permissions: &Permissions| missing.iter().any(|wanted| permissions.contains(*wanted));
        self.scopes.iter().filter(|(_, given)| gives(given)).map(|(scope, _)| scope.as_str()).collect()
    }
}
