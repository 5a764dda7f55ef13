//! `spectrocloud`: Palette environments, with the keys of the SpectroCloud plugins for Backstage.

use std::path::{Path, PathBuf};

use reqwest::Url;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

use super::problem::Wrong;
use crate::{palette::Settings, remote::is_loopback};

/// Palette environments.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Spectrocloud {
    /// The environments, each a tenant.
    pub environments: Vec<Environment>,
}

/// One tenant.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Environment {
    /// What arguments and rules call it; otherwise the host of its URL.
    pub name: Option<String>,
    /// `https://api.spectrocloud.com`, or a host of one's own; plain http only for loopback addresses.
    pub url: String,
    /// The tenant, for people: the API key decides which it is.
    pub tenant: Option<String>,
    /// API key of the server's own. Without one, callers bring their own token in a header.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub api_token: Option<SecretString>,
    /// PEM file of its certificate authority; otherwise the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether `palette_kubeconfig` may hand out admin kubeconfigs.
    #[serde(default)]
    pub admin_kubeconfig: bool,
}

impl Spectrocloud {
    /// Only the sample tenant, which listens there.
    pub fn sample(url: String, key: SecretString) -> Self {
        let environment = Environment {
            name: Some("demo".to_owned()),
            url,
            tenant: None,
            api_token: Some(key),
            ca_file: None,
            admin_kubeconfig: false,
        };
        Self { environments: vec![environment] }
    }

    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        for (index, environment) in self.environments.iter().enumerate() {
            if let Err(wrong) = url(&environment.url) {
                return Err(Wrong::new(wrong).below("url").in_item(index).below("environments"));
            }
        }
        Ok(())
    }

    /// What is configured of each. `resolved` says what a path means.
    pub(super) fn environments(&self, resolved: impl Fn(&Path) -> PathBuf) -> Vec<Settings> {
        self.environments.iter().filter_map(|one| one.settings(&resolved)).collect()
    }
}

impl Environment {
    fn settings(&self, resolved: impl Fn(&Path) -> PathBuf) -> Option<Settings> {
        // one that is none was refused before
        let url = url(&self.url).ok()?;
        let host = url.host_str().unwrap_or_default().to_owned();
        Some(Settings {
            name: self.name.clone().filter(|name| !name.is_empty()).unwrap_or(host),
            url,
            tenant: self.tenant.clone(),
            api_token: self.api_token.clone(),
            ca_file: self.ca_file.as_deref().map(resolved),
            admin_kubeconfig: self.admin_kubeconfig,
        })
    }
}

/// The API key goes there, so it is https, or this machine.
fn url(written: &str) -> Result<Url, String> {
    let url = Url::parse(written)
        .map_err(|error| format!("must be a URL as https://api.spectrocloud.com: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must hold no credentials".to_owned());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err("must begin with https://; plain http is for loopback addresses only".to_owned()),
    }
}
