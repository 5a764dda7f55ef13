//! One environment of the file.

use std::path::{Path, PathBuf};

use reqwest::Url;
use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{super::problem::Wrong, catalog_provider::CatalogProvider, cluster_provider::ClusterProvider};
use crate::{
    catalog::settings::Provider,
    kubernetes::{Source, sources::usable_token},
    palette::{Settings, provider},
    remote::is_loopback,
};

/// One tenant.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Environment {
    /// What arguments and rules call it; otherwise the host of its URL.
    pub name: Option<String>,
    /// `https://api.spectrocloud.com`, or a host of one's own; plain http only for loopback addresses.
    pub url: String,
    /// The tenant, for people: the API key decides which it is.
    pub tenant: Option<String>,
    /// API key of the server's own. Without one, callers bring their own token in the header
    /// `Palette-Authorization-` and its name.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub api_token: Option<SecretString>,
    /// PEM file of its certificate authority; otherwise the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether `palette_kubeconfig` may hand out admin kubeconfigs.
    #[serde(default)]
    pub admin_kubeconfig: bool,
    /// What of it is exported as catalog entities, with the keys of the plugins' catalog module; otherwise everything.
    pub catalog_provider: Option<CatalogProvider>,
    /// Its clusters as clusters of this server.
    pub cluster_provider: Option<ClusterProvider>,
}

impl Environment {
    /// What it is called.
    pub fn name(&self) -> String {
        let host = || url(&self.url).ok()?.host_str().map(str::to_owned);
        self.name.clone().or_else(host).unwrap_or_default()
    }

    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        url(&self.url).map_err(|wrong| Wrong::new(wrong).below("url"))?;
        let name = self.name();
        if name.contains('/') {
            return Err(Wrong::new("must hold no /, which stands between environment, project and name")
                .below("name"));
        }
        if name.trim().is_empty() || name == "*" || name.chars().any(char::is_control) {
            return Err(Wrong::new("must be a name").below("name"));
        }
        if let Some(provider) = self.provider() {
            if self.api_token.is_none() {
                let what = "needs the environment's apiToken: callers' own tokens tell who may see clusters, and not \
                            which there are";
                return Err(Wrong::new(what).below("clusterProvider"));
            }
            if Source::ALL.iter().any(|source| source.name().eq_ignore_ascii_case(&name)) {
                let what =
                    "is the name of a source of clusters, and its clusters would be called as that source's";
                return Err(Wrong::new(what).below("name"));
            }
            provider.coherent().map_err(|wrong| wrong.below("clusterProvider"))?;
        }
        let exported = self.catalog_provider.as_ref().map_or(Ok(()), CatalogProvider::coherent);
        exported.map_err(|wrong| wrong.below("catalogProvider"))?;
        match &self.api_token {
            // of a variable that is not set: not the same as no key at all, which lets callers bring their own
            Some(key) if key.expose_secret().trim().is_empty() => {
                let what = "is empty; leave the key out where callers bring their own token";
                Err(Wrong::new(what).below("apiToken"))
            }
            Some(key) => usable_token(key).map(drop).map_err(|what| Wrong::new(what).below("apiToken")),
            None => Ok(()),
        }
    }

    fn provider(&self) -> Option<&ClusterProvider> {
        self.cluster_provider.as_ref().filter(|provider| provider.is_on())
    }

    /// What is configured of its clusters, where they are taken.
    pub(super) fn provided(&self) -> Option<provider::Settings> {
        self.provider().map(ClusterProvider::settings)
    }

    /// What of it is exported, if anything.
    pub(super) fn exported(&self) -> Option<Provider> {
        let configured = self.catalog_provider.clone().unwrap_or_default();
        configured.is_on().then(|| configured.provider(self.name.as_deref(), &self.url))
    }

    pub(super) fn settings(&self, resolved: impl Fn(&Path) -> PathBuf) -> Option<Settings> {
        Some(Settings {
            name: self.name(),
            // one that is none was refused before
            url: url(&self.url).ok()?,
            tenant: self.tenant.clone().filter(|tenant| !tenant.is_empty()),
            api_token: self.api_token.as_ref().map(usable_token).transpose().ok()?,
            ca_file: self.ca_file.as_deref().map(resolved),
            admin_kubeconfig: self.admin_kubeconfig,
        })
    }
}

/// The API key goes there, so it is https, or this machine.
fn url(written: &str) -> Result<Url, String> {
    let url = Url::parse(written)
        .map_err(|error| format!("must be a URL as https://api.spectrocloud.com: {error}"))?;
    let path = url.path().trim_end_matches('/');
    match url.scheme() {
        _ if !url.username().is_empty() || url.password().is_some() => {
            Err("must hold no credentials".to_owned())
        }
        _ if url.query().is_some() || url.fragment().is_some() => {
            Err("must have no query and no fragment".to_owned())
        }
        _ if path.ends_with("/v1") => {
            Err("must be written without /v1, which every path begins with".to_owned())
        }
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err("must begin with https://; plain http is for loopback addresses only".to_owned()),
    }
}
