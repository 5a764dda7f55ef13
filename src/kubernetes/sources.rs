//! Where clusters come from. Each source yields what works and says what does not; one broken entry spoils no
//! other.

pub mod catalog;
pub mod in_cluster;
pub mod kubeconfig;
mod made_of;
pub mod written;

use std::{path::PathBuf, sync::Arc, time::Duration};

use kube::{
    Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use secrecy::{ExposeSecret as _, SecretString};

use self::made_of::{digest_of, made_of};
pub use self::written::{StaticCluster, static_cluster};
use super::{
    cluster::{Cluster, Digest, Source},
    endpoint::Endpoint,
    fault::Fault,
    identity::Identity,
};
use crate::caller::TOKEN_VARIABLE;

/// How often files are looked at. By what they hold: the times of files on network disks are not to be relied on.
const LOOK: Duration = Duration::from_secs(5);

/// What a source found.
#[derive(Debug, Default)]
pub struct Found {
    /// The clusters that can be tried.
    pub clusters: Vec<Cluster>,
    /// The qualified name of the one meant where none is named.
    pub default: Option<String>,
    /// What is broken, a line each, with the part of the file.
    pub problems: Vec<String>,
    /// What was left out as it should be, in words.
    pub notes: Vec<String>,
    /// The files that it was found in: while they hold the same, so does the source.
    pub files: Vec<PathBuf>,
    /// Whether there was nothing to read: no file, or an empty one, as it is while it is being written.
    pub vacant: bool,
}

/// How clusters are shown who calls, as it is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Otherwise the door of each caller decides.
    pub identity: Option<Identity>,
    /// The audience of tokens that are exchanged; `{name}` stands for the cluster's name.
    pub audience: Option<String>,
    /// Whose header callers send their token in.
    pub provider: Option<String>,
}

impl Shown {
    pub(crate) fn on(&self, cluster: Cluster) -> Cluster {
        let audience = self.audience.as_ref().map(|audience| audience.replace("{name}", cluster.name()));
        let cluster = cluster.with_identity(self.identity).with_audience(audience);
        match &self.provider {
            Some(provider) => cluster.with_provider(Some(provider.clone())),
            None => cluster,
        }
    }

    fn settings(&self) -> String {
        format!("{self:?}")
    }
}

impl Found {
    /// Leaves out all clusters of one name, where there are several: which of them is meant is anybody's guess.
    pub(crate) fn without_doubles(mut self, what: &str) -> Self {
        self.clusters.sort_by(|one, other| one.name().cmp(other.name()));
        let mut kept: Vec<Cluster> = Vec::with_capacity(self.clusters.len());
        let mut double: Option<String> = None;
        for cluster in std::mem::take(&mut self.clusters) {
            if double.as_deref() == Some(cluster.name()) {
                continue;
            }
            match kept.pop_if(|last| last.name() == cluster.name()) {
                Some(last) => {
                    self.problems.push(format!(
                        "{what} {:?} is there more than once, and none of them is taken",
                        last.name()
                    ));
                    double = Some(last.name().to_owned());
                }
                None => kept.push(cluster),
            }
        }
        self.clusters = kept;
        self
    }
}

/// A cluster that is connected to as a context of a kubeconfig says.
fn connected(name: &str, source: Source, namespace: &str, kubeconfig: Arc<Kubeconfig>) -> Cluster {
    let made_of = made_of(&kubeconfig, name);
    let endpoint = endpoint(&kubeconfig, name);
    let options = KubeConfigOptions { context: Some(name.to_owned()), ..KubeConfigOptions::default() };
    let connect = move || {
        let (kubeconfig, options) = (Arc::clone(&kubeconfig), options.clone());
        async move {
            let mut config = Config::from_custom_kubeconfig(Kubeconfig::clone(&kubeconfig), &options)
                .await
                .map_err(|error| Fault::Configuration(whole_chain(&error)))?;
            if let Some(exec) = &mut config.auth_info.exec {
                exec.drop_env.get_or_insert_default().push(TOKEN_VARIABLE.to_owned());
            }
            if let Some(token) = &config.auth_info.token {
                config.auth_info.token = Some(usable_token(token).map_err(Fault::Configuration)?);
            }
            Ok(config)
        }
    };
    Cluster::new(name, source, namespace, connect).made_of(made_of).at(endpoint)
}

/// Where the API server of a context is.
fn endpoint(kubeconfig: &Kubeconfig, context: &str) -> Option<Endpoint> {
    let context = kubeconfig.contexts.iter().find(|named| named.name == context)?.context.as_ref()?;
    let cluster = kubeconfig.clusters.iter().find(|named| named.name == context.cluster)?;
    Endpoint::of_url(cluster.cluster.as_ref()?.server.as_deref()?)
}

/// A token as a header can carry it, without the newline that files end with.
///
/// # Errors
/// It holds what no header can: tower-http would panic at every call.
pub fn usable_token(token: &SecretString) -> Result<SecretString, String> {
    let trimmed = token.expose_secret().trim();
    match http::HeaderValue::from_str(trimmed) {
        Ok(_) => Ok(trimmed.to_owned().into()),
        Err(_) => Err("the token holds control characters or others that no HTTP header carries".to_owned()),
    }
}

/// SHA-256 of a text.
pub(crate) fn settings_of(text: &str) -> Digest {
    digest_of::<PathBuf>(text, []).unwrap_or_default()
}

/// An error with its causes: kube keeps the file's line in the innermost one.
pub(super) fn whole_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_that_ends_with_a_newline_is_used_without_it() {
        let connect = |token: &str| {
            let entry = StaticCluster {
                name: "a".to_owned(),
                url: "http://127.0.0.1:1".to_owned(),
                ca_file: None,
                token: Some(token.to_owned().into()),
                token_file: None,
                namespace: None,
            };
            static_cluster(entry, Source::Static).expect("a cluster")
        };
        assert!(connect("token\n").connected().await.is_ok());
        let fault = connect("to\nken").connected().await.err();
        assert!(matches!(&fault, Some(Fault::Configuration(why)) if !why.contains("ken\"")), "{fault:?}");
        assert_eq!(
            usable_token(&" t\r\n".to_owned().into()).map(|t| t.expose_secret().to_owned()),
            Ok("t".into())
        );
        assert!(usable_token(&"t\u{7f}".to_owned().into()).is_err());
    }
}
