//! [`Rule`]: permissions bound to what a token says.

use std::collections::BTreeMap;

use super::scope::Within;

/// Binds roles and permissions to callers by their claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Rule {
    /// Its name in audit lines and explanations; otherwise its place in the list.
    pub name: Option<String>,
    /// Claims by name, and the values of which one must be there. All claims must match. In a value `*`
    /// stands for any characters. No claim at all: every caller of the issuer.
    pub when: BTreeMap<String, OneOrMore>,
    /// Roles that it gives.
    pub roles: Vec<String>,
    /// Permissions or patterns that it gives.
    pub allow: Vec<String>,
    /// Permissions or patterns that it takes away: wins over everything that gives them.
    pub deny: Vec<String>,
    /// Where it holds; otherwise everywhere.
    pub within: Within,
}

/// A value, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// Any of them.
    More(Vec<String>),
}
