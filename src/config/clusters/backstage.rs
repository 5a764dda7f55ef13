//! `clusters.backstage`: the catalog that describes clusters.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use reqwest::Url;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

use super::{super::problem::Wrong, shown};
use crate::{
    backstage::{Backend, Plugin},
    kubernetes::{
        Identity,
        sources::{
            Shown,
            catalog::{Catalog, Credential},
            usable_token,
        },
    },
    remote::is_loopback,
};

/// Seconds from one reading to the next, where nothing is configured; and at most.
const REFRESH: u32 = 600;
const LONGEST: u32 = 86_400;

/// A Backstage catalog. Its entities choose names and addresses; the server's own credentials never go there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BackstageSource {
    /// Of the backend, as `https://backstage.example.com`; plain http only for loopback addresses. Otherwise that of
    /// the `backstage` block, which is then asked with tokens of our own plugin.
    pub url: Option<String>,
    /// Hosts that API servers may have, as `*.k8s.example.com` or `10.0.0.1:6443`; `*` stands for any characters.
    /// Callers' tokens go there, so entities with others are left out.
    pub hosts: Vec<String>,
    /// Bearer token for the catalog, where it is not asked as our plugin.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub token: Option<SecretString>,
    /// File that holds the token, read each time.
    pub token_file: Option<PathBuf>,
    /// PEM file of the catalog's certificate authority; otherwise that of the `backstage` block where its URL is
    /// taken, and the system's.
    pub ca_file: Option<PathBuf>,
    /// Seconds from one reading to the next; otherwise 600. After a failure sooner.
    #[schemars(range(min = 1, max = LONGEST))]
    pub refresh_seconds: Option<u32>,
    /// How clusters are shown who calls: `caller-header` or `exchange`; otherwise `caller-header`.
    pub identity: Option<Identity>,
    /// With `exchange`: the audience of their tokens; `{name}` in it stands for the name of each.
    pub audience: Option<String>,
}

impl BackstageSource {
    fn shown(&self) -> Shown {
        let identity = self.identity.unwrap_or(Identity::CallerHeader);
        shown::of(Some(identity), self.audience.as_ref(), None)
    }

    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        if let Some(Err(wrong)) = self.url.as_deref().map(url) {
            return Err(Wrong::new(wrong).below("url"));
        }
        if self.hosts.is_empty() {
            let wrong = "must name the hosts that API servers may have, as *.k8s.example.com: callers' tokens go there";
            return Err(Wrong::new(wrong).below("hosts"));
        }
        if let Some(index) = self.hosts.iter().position(|host| host.trim().is_empty() || host.contains('/')) {
            let wrong = "must be a host, or one with its port, in which * stands for any characters";
            return Err(Wrong::new(wrong).in_item(index).below("hosts"));
        }
        if let Some(Err(wrong)) = self.token.as_ref().map(usable_token) {
            return Err(Wrong::new(wrong).below("token"));
        }
        if self.token.is_some() && self.token_file.is_some() {
            return Err(
                Wrong::new("token is given too, and only one of them can be meant").below("tokenFile")
            );
        }
        if self.refresh_seconds.is_some_and(|seconds| !(1..=LONGEST).contains(&seconds)) {
            return Err(Wrong::new(format!("must be from 1 to {LONGEST}")).below("refreshSeconds"));
        }
        if matches!(self.identity, Some(Identity::Own | Identity::Impersonate)) {
            let wrong = "must be exchange or caller-header: the server's own credential is not shown to clusters \
                         that others write down";
            return Err(Wrong::new(wrong).below("identity"));
        }
        if self.audience.as_ref().is_some_and(|audience| audience.trim_start().starts_with("{name}")) {
            let wrong =
                "must have something before {name}: whoever writes entities would choose the audience";
            return Err(Wrong::new(wrong).below("audience"));
        }
        shown::coherent(&self.shown())
    }

    /// `own` is the backend of which this server is a plugin.
    pub(super) fn catalog(
        &self,
        resolved: impl Fn(&Path) -> PathBuf,
        own: Option<(&Backend, &Arc<Plugin>)>,
    ) -> Option<Catalog> {
        let token = match (&self.token, &self.token_file) {
            (Some(token), _) => Some(Credential::Token(token.clone())),
            (None, file) => file.as_deref().map(&resolved).map(Credential::File),
        };
        let ca_file = self.ca_file.as_deref().map(&resolved);
        // what our plugin is believed with goes to its own Backstage alone
        let (url, ca_file, credential) = match &self.url {
            Some(written) => (url(written).ok()?, ca_file, token.unwrap_or(Credential::Nothing)),
            None => {
                let (backend, plugin) = own?;
                let credential = token.unwrap_or_else(|| Credential::Plugin(Arc::clone(plugin)));
                (backend.url.clone(), ca_file.or_else(|| backend.ca_file.clone()), credential)
            }
        };
        Some(Catalog {
            url,
            credential,
            ca_file,
            every: Duration::from_secs(self.refresh_seconds.unwrap_or(REFRESH).into()),
            hosts: self.hosts.clone(),
            shown: self.shown(),
        })
    }
}

/// The token goes there, so it is https, or this machine.
pub(in crate::config) fn url(written: &str) -> Result<Url, String> {
    let url = Url::parse(written)
        .map_err(|error| format!("must be a URL as https://backstage.example.com: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must hold no credentials".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must have no query and no fragment".to_owned());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err("must begin with https://; plain http is for loopback addresses only".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{backstage::client::KeptClient, kubernetes::registry::ClusterSource as _};

    fn catalog(yaml: &str, secret: u8) -> Option<Catalog> {
        let source: BackstageSource = serde_saphyr::from_str(yaml).expect(yaml);
        source.coherent().map_err(|wrong| wrong.to_string()).expect(yaml);
        let backend = Backend {
            url: Url::parse("https://own.example").expect("a URL"),
            issuer: "https://own.example/api/auth".to_owned(),
            ca_file: Some("own.pem".into()),
            client: KeptClient::default(),
        };
        let plugin = Arc::new(Plugin::new("platform-mcp", [secret; 32]));
        source.catalog(Path::to_path_buf, Some((&backend, &plugin)))
    }

    #[test]
    fn the_token_of_our_plugin_goes_to_its_own_backstage_alone() {
        let own = catalog("{hosts: ['*']}", 7).expect("a catalog");
        assert_eq!(
            (own.url.as_str(), own.ca_file.as_deref()),
            ("https://own.example/", Some(Path::new("own.pem")))
        );
        assert!(matches!(own.credential, Credential::Plugin(_)));
        for other in ["https://other.example", "https://own.example"] {
            let other = catalog(&format!("{{hosts: ['*'], url: '{other}'}}"), 7).expect("a catalog");
            assert!(matches!(other.credential, Credential::Nothing), "{other:?}");
            assert_eq!(other.ca_file, None);
        }
        let token = catalog("{hosts: ['*'], token: abc, caFile: other.pem}", 7).expect("a catalog");
        assert!(matches!(token.credential, Credential::Token(_)));
        assert_eq!((token.url.as_str(), token.ca_file), ("https://own.example/", Some("other.pem".into())));
        let source: BackstageSource = serde_saphyr::from_str("{hosts: ['*']}").expect("YAML");
        assert!(source.catalog(Path::to_path_buf, None).is_none());
    }

    #[test]
    fn a_catalog_is_the_same_after_the_configuration_was_read_again() {
        let settings = |yaml: &str| catalog(yaml, 7).expect("a catalog").settings();
        assert_eq!(settings("{hosts: ['*']}"), settings("{hosts: ['*']}"));
        assert_ne!(settings("{hosts: ['*']}"), settings("{hosts: ['*'], token: abc}"));
        assert_ne!(settings("{hosts: ['*'], token: abd}"), settings("{hosts: ['*'], token: abc}"));
    }
}
