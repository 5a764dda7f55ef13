//! `clusters`: where clusters come from. Nothing here connects to one.

mod backstage;
pub(super) mod shown;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

pub use self::backstage::BackstageSource;
pub(super) use self::backstage::url as backstage_url;
use super::problem::Wrong;
use crate::{
    backstage::{Backend, Plugin},
    kubernetes::{
        Identity,
        cluster::Source,
        registry::ClusterSource,
        sources::{
            self, Shown,
            in_cluster::InCluster,
            kubeconfig::KubeconfigFiles,
            written::{Entries, StaticCluster},
        },
    },
};

/// The sources of clusters. A name that two of them claim must be written `source/name`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Sources {
    /// The contexts of a kubeconfig.
    pub kubeconfig: KubeconfigSource,
    /// The cluster of the Pod that the server runs in.
    pub in_cluster: InClusterSource,
    /// Clusters written out here.
    #[serde(rename = "static")]
    pub entries: Vec<Entry>,
    /// The clusters that a Backstage catalog describes: `Resource` entities of the type `kubernetes-cluster`.
    pub backstage: Option<BackstageSource>,
    /// The cluster that is meant where a call names none: by `name` or `source/name`. Otherwise the
    /// current context, the Pod's own cluster, or the only one there is.
    pub default: Option<String>,
    /// Where the sample platform listens; all other sources are then left out.
    #[serde(skip)]
    pub(super) sample: Option<String>,
}

/// The contexts of a kubeconfig.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct KubeconfigSource {
    /// Whether it is read.
    pub enabled: bool,
    /// The file; otherwise what `KUBECONFIG` names, or `~/.kube/config`.
    pub path: Option<PathBuf>,
    /// How they are shown who calls: `impersonate` (the credential must have that RBAC verb), `own`, `exchange`
    /// or `caller-header`. Otherwise `impersonate` for callers with a token over HTTP, and `own` for stdio.
    pub identity: Option<Identity>,
    /// With `exchange`: the audience of their tokens; `{name}` in it stands for the name of each.
    pub audience: Option<String>,
    /// With `caller-header`: the end of the header that callers send their token in beside the one for all
    /// clusters, as `oidc-okta` or `google`.
    pub provider: Option<String>,
}

impl Default for KubeconfigSource {
    fn default() -> Self {
        Self { enabled: true, path: None, identity: None, audience: None, provider: None }
    }
}

/// The cluster of the Pod that the server runs in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct InClusterSource {
    /// Whether it is added, where the server runs in a Pod.
    pub enabled: bool,
    /// How it is shown who calls: `impersonate` (the credential must have that RBAC verb), `own`, `exchange`
    /// or `caller-header`. Otherwise `impersonate` for callers with a token over HTTP, and `own` for stdio.
    pub identity: Option<Identity>,
    /// With `exchange`: the audience of its tokens; `{name}` in it stands for its name.
    pub audience: Option<String>,
    /// With `caller-header`: the end of the header that callers send their token in beside the one for all
    /// clusters, as `oidc-okta` or `google`.
    pub provider: Option<String>,
}

impl Default for InClusterSource {
    fn default() -> Self {
        Self { enabled: true, identity: None, audience: None, provider: None }
    }
}

/// A cluster written out.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// `https://…` of the API server; plain http only for loopback addresses.
    pub url: String,
    /// PEM file of its certificate authority; otherwise the system's.
    pub ca_file: Option<PathBuf>,
    /// Bearer token of the server's own credential. `exchange` and `caller-header` need none.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub token: Option<SecretString>,
    /// File that holds the token, read again when it changes.
    pub token_file: Option<PathBuf>,
    /// Namespace meant where none is named; otherwise `default`.
    pub namespace: Option<String>,
    /// How it is shown who calls: `impersonate` (the credential must have that RBAC verb), `own`, `exchange`
    /// or `caller-header`. Otherwise `impersonate` for callers with a token over HTTP, and `own` for stdio.
    pub identity: Option<Identity>,
    /// With `exchange`: the audience of its tokens; `{name}` in it stands for its name.
    pub audience: Option<String>,
    /// With `caller-header`: the end of the header that callers send their token in beside the one for all
    /// clusters, as `oidc-okta` or `google`.
    pub provider: Option<String>,
}

impl KubeconfigSource {
    fn shown(&self) -> Shown {
        shown::of(self.identity, self.audience.as_ref(), self.provider.as_ref())
    }
}

impl InClusterSource {
    fn shown(&self) -> Shown {
        shown::of(self.identity, self.audience.as_ref(), self.provider.as_ref())
    }
}

impl Entry {
    fn shown(&self) -> Shown {
        shown::of(self.identity, self.audience.as_ref(), self.provider.as_ref())
    }

    fn cluster(&self, resolved: impl Fn(&Path) -> PathBuf) -> StaticCluster {
        StaticCluster {
            name: self.name.clone(),
            url: self.url.clone(),
            ca_file: self.ca_file.as_deref().map(&resolved),
            token: self.token.clone(),
            token_file: self.token_file.as_deref().map(&resolved),
            namespace: self.namespace.clone(),
        }
    }
}

impl Sources {
    /// Only the sample platform, which listens there.
    pub fn sample(url: String) -> Self {
        Self { sample: Some(url), ..Self::default() }
    }

    /// No source.
    pub fn none() -> Self {
        Self {
            kubeconfig: KubeconfigSource { enabled: false, ..KubeconfigSource::default() },
            in_cluster: InClusterSource { enabled: false, ..InClusterSource::default() },
            ..Self::default()
        }
    }

    /// Whether there is a backend whose catalog is to be asked, given whether there is one that this server is a
    /// plugin of.
    pub(super) fn has_catalog(&self, own: bool) -> Result<(), Wrong> {
        match &self.backstage {
            Some(BackstageSource { url: None, .. }) if !own => {
                let wrong = "is missing, and there is no `backstage` block whose url it could be";
                Err(Wrong::new(wrong).below("url").below("backstage"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        shown::coherent(&self.kubeconfig.shown()).map_err(|wrong| wrong.below("kubeconfig"))?;
        shown::coherent(&self.in_cluster.shown()).map_err(|wrong| wrong.below("inCluster"))?;
        if let Some(backstage) = &self.backstage {
            backstage.coherent().map_err(|wrong| wrong.below("backstage"))?;
        }
        for (index, entry) in self.entries.iter().enumerate() {
            let wrong =
                |key: &str, what: &str| Err(Wrong::new(what).below(key).in_item(index).below("static"));
            if entry.name.trim().is_empty() {
                return wrong("name", "must not be empty");
            }
            if self.entries.iter().take(index).any(|other| other.name == entry.name) {
                return wrong("name", "another entry has the same name");
            }
            if let Some(Err(what)) = entry.token.as_ref().map(sources::usable_token) {
                return wrong("token", &what);
            }
            if entry.token.is_some() && entry.token_file.is_some() {
                return wrong("tokenFile", "token is given too, and only one of them can be meant");
            }
            shown::coherent(&entry.shown()).map_err(|wrong| wrong.in_item(index).below("static"))?;
        }
        Ok(())
    }

    /// Where clusters come from. `resolved` says what a path means, and `own` is the Backstage that this server is a
    /// plugin of.
    pub(super) fn all(
        &self,
        resolved: impl Fn(&Path) -> PathBuf,
        own: Option<(&Backend, &Arc<Plugin>)>,
    ) -> Vec<Arc<dyn ClusterSource>> {
        if let Some(url) = &self.sample {
            return vec![Arc::new(Entries::sample(url.clone()))];
        }
        let mut all: Vec<Arc<dyn ClusterSource>> = Vec::new();
        if self.kubeconfig.enabled {
            let file = self.kubeconfig.path.as_deref().map(&resolved);
            all.push(Arc::new(KubeconfigFiles { file, shown: self.kubeconfig.shown() }));
        }
        if self.in_cluster.enabled {
            all.push(Arc::new(InCluster { shown: self.in_cluster.shown() }));
        }
        if !self.entries.is_empty() {
            let entries =
                self.entries.iter().map(|entry| (entry.cluster(&resolved), entry.shown())).collect();
            all.push(Arc::new(Entries { entries, source: Source::Static }));
        }
        // one without a URL was refused before
        if let Some(catalog) = self.backstage.as_ref().and_then(|backstage| backstage.catalog(&resolved, own))
        {
            all.push(Arc::new(catalog));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kubernetes::{Clusters, Registry},
        telemetry::Known,
    };

    fn entry(name: &str, url: &str) -> Entry {
        Entry {
            name: name.to_owned(),
            url: url.to_owned(),
            ca_file: None,
            token: None,
            token_file: None,
            namespace: None,
            identity: None,
            audience: None,
            provider: None,
        }
    }

    fn found(entries: Vec<Entry>, default: Option<&str>) -> (Arc<Clusters>, Vec<String>) {
        let sources = Sources { entries, ..Sources::none() }.all(Path::to_path_buf, None);
        let registry = Registry::new(sources, default.map(str::to_owned), None, Known::default());
        (registry.now(), registry.problems())
    }

    #[test]
    fn one_broken_entry_spoils_no_other() {
        let entries = vec![entry("a", "https://a.example"), entry("b", "http://b.example")];
        let (clusters, problems) = found(entries, Some("a"));
        assert_eq!(clusters.iter().map(|cluster| cluster.qualified_name()).collect::<Vec<_>>(), ["static/a"]);
        assert!(clusters.iter().all(|cluster| clusters.is_default(cluster)));
        assert!(
            matches!(problems.as_slice(), [one] if one.contains("\"b\"") && one.contains("https://")),
            "{problems:?}"
        );
    }

    #[test]
    fn a_default_that_is_not_there_is_a_problem() {
        let (_, problems) = found(vec![entry("production", "https://a.example")], Some("prodution"));
        assert!(
            matches!(problems.as_slice(), [one] if one.contains("did you mean \"production\"")),
            "{problems:?}"
        );
    }

    #[test]
    fn a_token_that_no_header_carries_is_a_mistake_of_the_file() {
        let with = |token: &str| {
            let entry = Entry { token: Some(token.to_owned().into()), ..entry("a", "https://a.example") };
            Sources { entries: vec![entry], ..Sources::none() }.coherent().map_err(|wrong| wrong.to_string())
        };
        assert_eq!(with("planted\n"), Ok(()), "it is trimmed");
        let wrong = with("plan\nted").expect_err("a control character");
        assert!(wrong.starts_with("static[0].token: ") && !wrong.contains("plan"), "{wrong}");
    }

    #[test]
    fn what_is_shown_must_make_sense() {
        let wrong = |yaml: &str| {
            let sources: Sources = serde_saphyr::from_str(yaml).expect(yaml);
            sources.coherent().map_err(|wrong| wrong.to_string()).err().unwrap_or_default()
        };
        let catalog = "backstage: {url: 'https://b.example', hosts: ['*.example'], ";
        for (yaml, said) in [
            ("kubeconfig: {identity: exchange}", "kubeconfig.audience: identity: exchange needs"),
            ("inCluster: {identity: exchange, audience: ''}", "inCluster.audience: must not be empty"),
            ("kubeconfig: {audience: a}", "kubeconfig.audience: is of use with identity: exchange alone"),
            (
                "static: [{name: a, url: 'https://a', identity: own, provider: google}]",
                "static[0].provider: is of use with identity: caller-header alone",
            ),
            (
                "static: [{name: a, url: 'https://a', identity: caller-header, provider: 'a b'}]",
                "static[0].provider: must be",
            ),
            (&format!("{catalog} identity: own}}"), "backstage.identity: must be exchange or caller-header"),
            (&format!("{catalog} identity: exchange}}"), "backstage.audience: identity: exchange needs"),
            ("backstage: {url: 'http://b.example', hosts: [a]}", "backstage.url: must begin with https://"),
            (
                "backstage: {url: 'https://u:p@b.example', hosts: [a]}",
                "backstage.url: must hold no credentials",
            ),
            ("backstage: {url: 'https://b.example', hosts: []}", "backstage.hosts: must name"),
            (
                &format!("{catalog} identity: exchange, audience: '{{name}}'}}"),
                "backstage.audience: must have something before {name}",
            ),
            (&format!("{catalog} token: a, tokenFile: b}}"), "backstage.tokenFile: token is given too"),
            (&format!("{catalog} refreshSeconds: 0}}"), "backstage.refreshSeconds: must be from"),
        ] {
            let wrong = wrong(yaml);
            assert!(wrong.contains(said), "{yaml}: {wrong:?}");
        }
        for fine in [
            "kubeconfig: {identity: exchange, audience: 'k8s-{name}'}",
            "static: [{name: a, url: 'https://a', identity: caller-header, provider: oidc-okta}]",
            &format!("{catalog} identity: exchange, audience: k8s}}"),
            &format!("{catalog} token: a}}"),
        ] {
            assert_eq!(wrong(fine), "", "{fine}");
        }
        let word = serde_saphyr::from_str::<Sources>("kubeconfig: {identity: callerHeader}");
        assert!(word.is_err_and(|error| error.to_string().contains("callerHeader")));
    }
}
