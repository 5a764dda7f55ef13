//! `local`: what the local user may do.

use schemars::JsonSchema;
use serde::Deserialize;

use super::problem::Wrong;
use crate::permission::Within;

/// The role of the local user where none is configured: every read except credentials.
const DEFAULT_ROLE: &str = "viewer";

/// What the local user may do.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Local {
    /// The role, where it is one. Otherwise `viewer`.
    pub role: Option<String>,
    /// The roles, where they are several.
    pub roles: Vec<String>,
    /// Where the roles hold; otherwise everywhere.
    pub within: Within,
}

impl Local {
    /// The names of the roles.
    pub fn roles(&self) -> Vec<String> {
        match &self.role {
            Some(role) => vec![role.clone()],
            None if self.roles.is_empty() => vec![DEFAULT_ROLE.to_owned()],
            None => self.roles.clone(),
        }
    }

    /// Whether the file or a flag says what the local user may do.
    pub(super) fn is_configured(&self) -> bool {
        self.role.is_some() || !self.roles.is_empty()
    }

    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        if self.role.is_some() && !self.roles.is_empty() {
            return Err(Wrong::new("role and roles are both given, and only one of them can be meant"));
        }
        Ok(())
    }
}
