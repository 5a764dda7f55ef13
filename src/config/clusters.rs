//! `clusters`: where clusters come from. Nothing here connects to one.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

use super::problem::Wrong;
use crate::kubernetes::{
    Cluster, Clusters, Identity,
    cluster::Source,
    sources::{self, Found, StaticCluster},
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
    /// How its clusters are shown who calls: `impersonate` (the credential must have that RBAC verb) or `own`.
    /// Otherwise `impersonate` for callers with a token over HTTP, and `own` for stdio.
    pub identity: Option<Identity>,
}

impl Default for KubeconfigSource {
    fn default() -> Self {
        Self { enabled: true, path: None, identity: None }
    }
}

/// The cluster of the Pod that the server runs in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct InClusterSource {
    /// Whether it is added, where the server runs in a Pod.
    pub enabled: bool,
    /// How it is shown who calls: `impersonate` (the credential must have that RBAC verb) or `own`.
    /// Otherwise `impersonate` for callers with a token over HTTP, and `own` for stdio.
    pub identity: Option<Identity>,
}

impl Default for InClusterSource {
    fn default() -> Self {
        Self { enabled: true, identity: None }
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
    /// Bearer token of the server's own credential.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub token: Option<SecretString>,
    /// File that holds the token, read again when it changes.
    pub token_file: Option<PathBuf>,
    /// Namespace meant where none is named; otherwise `default`.
    pub namespace: Option<String>,
    /// How it is shown who calls: `impersonate` (the credential must have that RBAC verb) or `own`.
    /// Otherwise `impersonate` for callers with a token over HTTP, and `own` for stdio.
    pub identity: Option<Identity>,
}

impl Sources {
    /// Only the sample platform, which listens there.
    pub fn sample(url: String) -> Self {
        Self { sample: Some(url), ..Self::default() }
    }

    /// No source.
    pub fn none() -> Self {
        Self {
            kubeconfig: KubeconfigSource { enabled: false, path: None, identity: None },
            in_cluster: InClusterSource { enabled: false, identity: None },
            ..Self::default()
        }
    }

    pub(super) fn coherent(&self) -> Result<(), Wrong> {
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
        }
        Ok(())
    }

    /// Everything that the sources have, and what is broken. `resolved` says what a path means.
    pub(super) fn find(&self, resolved: impl Fn(&Path) -> PathBuf) -> (Clusters, Vec<String>) {
        let mut found = match &self.sample {
            Some(url) => sample(url),
            None => self.configured(resolved),
        };
        if let Some(wanted) = &self.default {
            match qualified(&found.clusters, wanted) {
                Ok(name) => found.default = Some(name),
                Err(problem) => found.problems.push(problem),
            }
        }
        (Clusters::new(found.clusters, found.default), found.problems)
    }

    fn configured(&self, resolved: impl Fn(&Path) -> PathBuf) -> Found {
        let mut all = Found::default();
        let mut add = |found: Found, identity: Option<Identity>| {
            all.clusters.extend(found.clusters.into_iter().map(|cluster| cluster.with_identity(identity)));
            all.problems.extend(found.problems);
            all.default = all.default.take().or(found.default);
        };
        if self.kubeconfig.enabled {
            add(
                sources::kubeconfig(self.kubeconfig.path.as_deref().map(&resolved).as_deref()),
                self.kubeconfig.identity,
            );
        }
        if self.in_cluster.enabled {
            add(sources::in_cluster(), self.in_cluster.identity);
        }
        for entry in &self.entries {
            let identity = entry.identity;
            let entry = StaticCluster {
                name: entry.name.clone(),
                url: entry.url.clone(),
                ca_file: entry.ca_file.as_deref().map(&resolved),
                token: entry.token.clone(),
                token_file: entry.token_file.as_deref().map(&resolved),
                namespace: entry.namespace.clone(),
            };
            match sources::static_cluster(entry, Source::Static) {
                Ok(cluster) => all.clusters.push(cluster.with_identity(identity)),
                Err(problem) => all.problems.push(format!("clusters.static: {problem}")),
            }
        }
        all
    }
}

fn sample(url: &str) -> Found {
    let entry = StaticCluster {
        name: "sample".to_owned(),
        url: url.to_owned(),
        ca_file: None,
        token: None,
        token_file: None,
        namespace: None,
    };
    match sources::static_cluster(entry, Source::Demo) {
        Ok(cluster) => {
            Found { default: Some(cluster.qualified_name()), clusters: vec![cluster], problems: Vec::new() }
        }
        Err(problem) => Found { problems: vec![problem], ..Found::default() },
    }
}

/// The qualified name of the cluster that is written `wanted`.
fn qualified(clusters: &[Cluster], wanted: &str) -> Result<String, String> {
    if clusters.iter().any(|cluster| cluster.qualified_name() == wanted) {
        return Ok(wanted.to_owned());
    }
    let named: Vec<String> =
        clusters.iter().filter(|cluster| cluster.name() == wanted).map(Cluster::qualified_name).collect();
    match named.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let names = clusters.iter().map(Cluster::name);
            let near = crate::nearest::name(wanted, names)
                .map_or(String::new(), |near| format!("; did you mean {near:?}?"));
            Err(format!("clusters.default: no source has a cluster {wanted:?}{near}"))
        }
        several => Err(format!("clusters.default: {wanted:?} is ambiguous; write {}", several.join(" or "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, url: &str) -> Entry {
        Entry {
            name: name.to_owned(),
            url: url.to_owned(),
            ca_file: None,
            token: None,
            token_file: None,
            namespace: None,
            identity: None,
        }
    }

    fn found(entries: Vec<Entry>, default: Option<&str>) -> (Clusters, Vec<String>) {
        let sources = Sources { entries, default: default.map(str::to_owned), ..Sources::none() };
        sources.find(Path::to_path_buf)
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
}
