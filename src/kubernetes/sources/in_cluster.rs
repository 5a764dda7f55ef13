//! [`InCluster`]: the cluster of the Pod that we run in.

use std::time::Duration;

use kube::Config;

use super::{
    super::{
        cluster::{Cluster, Digest, Source},
        fault::Fault,
        registry::{ClusterSource, Reading},
    },
    Found, Shown, digest_of, settings_of, whole_chain,
};

/// Where Pods find the certificate authority of their cluster.
const CA: &str = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
/// Where they find their namespace.
const NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// The cluster of the Pod that we run in, where we run in one.
#[derive(Debug)]
pub struct InCluster {
    /// How it is shown who calls.
    pub shown: Shown,
}

impl ClusterSource for InCluster {
    fn source(&self) -> Source {
        Source::InCluster
    }

    fn place(&self) -> String {
        "in-cluster".to_owned()
    }

    fn settings(&self) -> Digest {
        settings_of(&self.shown.settings())
    }

    fn every(&self) -> Duration {
        super::LOOK
    }

    fn read(&self) -> Reading {
        Reading::Files(Ok(self.found()))
    }
}

impl InCluster {
    fn found(&self) -> Found {
        if std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
            return Found::default();
        }
        let connect =
            || async { Config::incluster().map_err(|error| Fault::Configuration(whole_chain(&error))) };
        let namespace = std::fs::read_to_string(NAMESPACE)
            .map_or_else(|_| "default".to_owned(), |namespace| namespace.trim().to_owned());
        // the token is read again when it changes, and the authority is not
        let made_of = digest_of("", [CA]);
        let cluster = Cluster::new("in-cluster", Source::InCluster, namespace, connect).made_of(made_of);
        Found {
            default: Some(cluster.qualified_name()),
            clusters: vec![self.shown.on(cluster)],
            files: vec![CA.into(), NAMESPACE.into()],
            ..Found::default()
        }
    }
}
