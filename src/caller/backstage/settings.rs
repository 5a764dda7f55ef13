//! [`BackstageSettings`]: what the verifier knows of a Backstage before it asks it.

use std::sync::Arc;

use jsonwebtoken::Algorithm;

use crate::{
    backstage::{Backend, Names},
    permission::Policy,
};

/// Backstage as configured, with every default filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackstageSettings {
    /// Where it is.
    pub backend: Backend,
    /// The plugins whose tokens are taken.
    pub plugins: Vec<String>,
    /// What tokens may be signed with: asymmetric algorithms alone.
    pub algorithms: Vec<Algorithm>,
    /// Who decides what its users may do.
    pub decides: Decides,
    /// What its users may do by our own rules, over the claims `sub`, `ent`, `groups`, `name` and `namespace`.
    pub rules: Policy,
    /// What plugins may do that ask for nobody, over the claims `sub` and `plugin`.
    pub services: Policy,
    /// What clusters know its users and groups as; the first that are for a cluster count.
    pub names: Arc<[Names]>,
}

/// Who decides what a user of Backstage may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decides {
    /// Backstage's permission policy.
    #[default]
    Delegated,
    /// Our own rules.
    Rules,
    /// Both must allow it.
    Both,
}
