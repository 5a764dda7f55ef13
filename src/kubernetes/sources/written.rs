//! [`Entries`]: the clusters that are written out in our own configuration.

use std::{path::PathBuf, sync::Arc, time::Duration};

use kube::config::{AuthInfo, Context, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext};
use secrecy::{ExposeSecret, SecretString};

use super::{
    super::{
        cluster::{Cluster, Digest, Source},
        registry::{ClusterSource, Reading},
    },
    Found, Shown, connected, settings_of,
};

/// A cluster written out in our own configuration.
#[derive(Clone, Debug)]
pub struct StaticCluster {
    /// Its name.
    pub name: String,
    /// `https://…` of the API server; plain http only for loopback addresses.
    pub url: String,
    /// PEM file of the certificate authority; the system's otherwise.
    pub ca_file: Option<PathBuf>,
    /// Bearer token of the server's own credential.
    pub token: Option<SecretString>,
    /// File that holds it, read again when it changes.
    pub token_file: Option<PathBuf>,
    /// Namespace meant where none is named.
    pub namespace: Option<String>,
}

/// The clusters that are written out.
#[derive(Debug)]
pub struct Entries {
    /// Each, and how it is shown who calls.
    pub entries: Vec<(StaticCluster, Shown)>,
    /// [`Source::Static`], or that of the sample platform.
    pub source: Source,
}

impl Entries {
    /// Only the sample platform, which listens there.
    pub fn sample(url: String) -> Self {
        let entry = StaticCluster {
            name: "sample".to_owned(),
            url,
            ca_file: None,
            token: None,
            token_file: None,
            namespace: None,
        };
        Self { entries: vec![(entry, Shown::default())], source: Source::Demo }
    }
}

impl ClusterSource for Entries {
    fn source(&self) -> Source {
        self.source
    }

    fn place(&self) -> String {
        format!("clusters.{}", self.source.name())
    }

    fn settings(&self) -> Digest {
        let all = self.entries.iter().map(|(entry, shown)| {
            let token = entry.token.as_ref().map(ExposeSecret::expose_secret);
            format!("{entry:?} {shown:?} {token:?}\n")
        });
        settings_of(&all.collect::<String>())
    }

    fn every(&self) -> Duration {
        super::LOOK
    }

    fn read(&self) -> Reading {
        let mut found = Found::default();
        for (entry, shown) in &self.entries {
            match static_cluster(entry.clone(), self.source) {
                Ok(cluster) => found.clusters.push(shown.on(cluster)),
                Err(problem) => found.problems.push(format!("{}: {problem}", self.place())),
            }
            found.files.extend(entry.ca_file.clone());
        }
        if self.source == Source::Demo {
            found.default = found.clusters.first().map(Cluster::qualified_name);
        }
        Reading::Files(Ok(found))
    }
}

/// A configured cluster, or what is wrong with it.
///
/// # Errors
/// A URL that is not one, or plain http to another machine.
pub fn static_cluster(entry: StaticCluster, source: Source) -> Result<Cluster, String> {
    let url: http::Uri = entry
        .url
        .parse()
        .map_err(|error| format!("cluster {:?}: url {:?}: {error}", entry.name, entry.url))?;
    let loopback = matches!(url.host(), Some("127.0.0.1" | "[::1]" | "localhost"));
    match url.scheme_str() {
        Some("https") => {}
        Some("http") if loopback => {}
        _ => {
            return Err(format!("cluster {:?}: url must be https:// (http:// only on loopback)", entry.name));
        }
    }
    let path = |file: &PathBuf| file.to_string_lossy().into_owned();
    let cluster = kube::config::Cluster {
        server: Some(entry.url),
        certificate_authority: entry.ca_file.as_ref().map(path),
        ..kube::config::Cluster::default()
    };
    let auth_info = AuthInfo {
        token: entry.token,
        token_file: entry.token_file.as_ref().map(path),
        ..AuthInfo::default()
    };
    let kubeconfig = one(&entry.name, cluster, auth_info, entry.namespace.clone());
    let namespace = entry.namespace.as_deref().unwrap_or("default");
    Ok(connected(&entry.name, source, namespace, kubeconfig))
}

/// A kubeconfig of one cluster: nothing runs to get its credential.
pub(in crate::kubernetes) fn one(
    name: &str,
    cluster: kube::config::Cluster,
    auth_info: AuthInfo,
    namespace: Option<String>,
) -> Arc<Kubeconfig> {
    let context =
        Context { cluster: name.to_owned(), user: Some(name.to_owned()), namespace, ..Context::default() };
    Arc::new(Kubeconfig {
        clusters: vec![NamedCluster {
            name: name.to_owned(),
            cluster: Some(cluster),
            other: Default::default(),
        }],
        auth_infos: vec![NamedAuthInfo {
            name: name.to_owned(),
            auth_info: Some(auth_info),
            other: Default::default(),
        }],
        contexts: vec![NamedContext {
            name: name.to_owned(),
            context: Some(context),
            other: Default::default(),
        }],
        current_context: Some(name.to_owned()),
        ..Kubeconfig::default()
    })
}
