//! `backstage`: a Backstage whose MCP actions bridge lists and invokes our tools for its users.

mod impersonate;
mod rules;

use std::path::{Path, PathBuf};

use jsonwebtoken::Algorithm;
use schemars::JsonSchema;
use serde::Deserialize;

pub use self::impersonate::{ClusterNames, Impersonate};
use super::{clusters::backstage_url, http::is_segment, problem::Wrong};
use crate::{
    backstage::{Backend, client::KeptClient},
    caller::{
        backstage::{BackstageSettings, Decides},
        oidc::algorithm,
    },
    permission::{Policy, PolicyProblem, Roles, Rule},
};

/// The id of our plugin, where nothing else is configured.
const PLUGIN: &str = "platform-mcp";
/// The plugins whose tokens are taken, where nothing else is configured: who lists and invokes actions, and who asks
/// for our permissions.
const PLUGINS: [&str; 2] = ["mcp-actions", "permission"];

/// A Backstage whose MCP actions bridge lists and invokes our tools for its users.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Backstage {
    /// Of its backend, as `https://backstage.example.com`; plain http only for loopback addresses.
    pub url: String,
    /// `iss` of the tokens of its users; otherwise `/api/auth` below `url`. Another where users reach Backstage at
    /// another address than this server does.
    pub issuer: Option<String>,
    /// Our plugin's id in `discovery.endpoints` and `backend.actions.pluginSources`; otherwise `platform-mcp`.
    pub plugin_id: Option<String>,
    /// The plugins whose tokens are taken; otherwise mcp-actions and permission.
    #[serde(default)]
    pub plugins: Vec<String>,
    /// What its tokens may be signed with; otherwise ES256, as they are where neither `auth.identityTokenAlgorithm`
    /// nor a static key store says something else.
    #[serde(default)]
    pub algorithms: Vec<String>,
    /// PEM file of its certificate authority; otherwise the system's.
    pub ca_file: Option<PathBuf>,
    /// Who decides what a user may do: Backstage's policy (`delegated`), our `rules`, or `both`, which then must both
    /// allow it. Otherwise `delegated`.
    #[serde(default)]
    pub permissions: Decides,
    /// What its users may do, over the claims `sub`, `name`, `namespace`, `groups` and `ent` (all that they own). All
    /// but `name` and `namespace` are whole references in lower case, as `group:default/team-a`; a `name` is one
    /// user's within a namespace alone.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// What plugins may do that ask for no user, over the claim `plugin`. Otherwise nothing.
    #[serde(default)]
    pub services: Vec<Rule>,
    /// What clusters with `identity: impersonate` know its users as. Otherwise they are shown to none of them.
    pub impersonate: Option<Impersonate>,
}

impl Backstage {
    /// What no type can say alone.
    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        let url = backstage_url(&self.url).map_err(|wrong| Wrong::new(wrong).below("url"))?;
        if url.path().trim_end_matches('/').ends_with("/api") {
            let wrong =
                "must be the base URL of the backend, without /api: its plugins are looked for below that";
            return Err(Wrong::new(wrong).below("url"));
        }
        if !is_segment(self.plugin_id()) {
            let wrong = "must be one segment of a path: lower-case letters, digits and -, as platform-mcp";
            return Err(Wrong::new(wrong).below("pluginId"));
        }
        if let Some(index) = self.plugins.iter().position(|plugin| !is_segment(plugin)) {
            let wrong = "must be the id of a plugin, as mcp-actions";
            return Err(Wrong::new(wrong).in_item(index).below("plugins"));
        }
        if let Some(index) = self.algorithms.iter().position(|name| algorithm::named(name).is_none()) {
            let wrong = format!("must be an asymmetric algorithm: {}", algorithm::names().join(", "));
            return Err(Wrong::new(wrong).in_item(index).below("algorithms"));
        }
        if self.permissions == Decides::Delegated && !self.rules.is_empty() {
            let wrong = "have no effect while Backstage's policy decides: write permissions: rules, or both";
            return Err(Wrong::new(wrong).below("rules"));
        }
        if self.permissions != Decides::Delegated && self.rules.is_empty() {
            let wrong = "must be there where they decide: without one, no user may do anything";
            return Err(Wrong::new(wrong).below("rules"));
        }
        rules::of_users(&self.rules).map_err(|wrong| wrong.below("rules"))?;
        rules::of_plugins(&self.services, &self.plugins()).map_err(|wrong| wrong.below("services"))?;
        match &self.impersonate {
            Some(impersonate) => impersonate.coherent().map_err(|wrong| wrong.below("impersonate")),
            None => Ok(()),
        }
    }

    /// The plugins whose tokens are taken.
    fn plugins(&self) -> Vec<String> {
        match self.plugins.is_empty() {
            true => PLUGINS.map(str::to_owned).to_vec(),
            false => self.plugins.clone(),
        }
    }

    /// Our plugin's id.
    pub fn plugin_id(&self) -> &str {
        self.plugin_id.as_deref().unwrap_or(PLUGIN)
    }

    pub(super) fn backend(&self, resolved: impl Fn(&Path) -> PathBuf) -> Option<Backend> {
        let url = backstage_url(&self.url).ok()?;
        let issuer = self.issuer.clone();
        let issuer = issuer.unwrap_or_else(|| format!("{}/api/auth", url.as_str().trim_end_matches('/')));
        let ca_file = self.ca_file.as_deref().map(resolved);
        Some(Backend { url, issuer, ca_file, client: KeptClient::default() })
    }

    pub(super) fn settings(
        &self,
        backend: Backend,
        roles: &Roles,
    ) -> Result<BackstageSettings, PolicyProblem> {
        let none = std::collections::BTreeMap::new();
        let policy = |name: &str, rules: &[Rule]| Policy::new(name, roles, rules, None, &none);
        let algorithms: Vec<_> = self.algorithms.iter().filter_map(|name| algorithm::named(name)).collect();
        Ok(BackstageSettings {
            backend,
            plugins: self.plugins(),
            algorithms: if algorithms.is_empty() { vec![Algorithm::ES256] } else { algorithms },
            decides: self.permissions,
            rules: policy("Backstage", &self.rules)?,
            services: policy("Backstage services", &self.services)?,
            names: self.impersonate.as_ref().map(Impersonate::names).unwrap_or_default().into(),
        })
    }
}
