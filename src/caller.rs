//! [`Caller`]: who makes a call and what they may do.

pub mod local;

use std::sync::Arc;

use crate::permission::PermissionSet;

/// Who makes a call. Made only by the rooms below this module: today the local user, next the
/// verifier of tokens.
#[derive(Clone, Debug)]
pub struct Caller {
    issuer: Option<String>,
    subject: String,
    username: String,
    groups: Vec<String>,
    permissions: Arc<PermissionSet>,
}

impl Caller {
    /// The issuer of the token; `None` for the local user.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The subject within the issuer.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The name that people know.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Groups, as the issuer says them.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// What the caller may do.
    pub fn permissions(&self) -> &PermissionSet {
        &self.permissions
    }

    /// Who handles (cursors, plans) are bound to: the same person at the same issuer.
    pub fn binding(&self) -> [&str; 2] {
        [self.issuer.as_deref().unwrap_or_default(), &self.subject]
    }
}
