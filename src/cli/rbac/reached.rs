//! The cluster that a manifest is made for.

use std::{sync::Arc, time::Duration};

use super::super::{Failure, upstream::as_server};
use crate::{
    config::Built,
    kubernetes::{Access, Cluster, clusters::Lookup},
};

/// Longer than any source takes that answers.
const SOURCES: Duration = Duration::from_secs(35);
/// For all that is read of a cluster.
const PATIENCE: Duration = Duration::from_secs(60);

/// The cluster of that name, or the one that is meant where none is named.
pub(super) async fn cluster(built: &Built, name: Option<&str>) -> Result<Arc<Cluster>, Failure> {
    let registry = built.toolbox.registry();
    registry.settled(SOURCES).await;
    let clusters = registry.now();
    let found = match name {
        Some(name) => clusters.lookup(name),
        None => clusters.default_for(&|_| true),
    };
    let known = || {
        let names: Vec<String> = clusters.iter().map(|cluster| clusters.shown_name(cluster)).collect();
        match names.is_empty() {
            true => "none is configured: set KUBECONFIG, give --kubeconfig, or add `clusters` to the configuration"
                .to_owned(),
            false => format!("clusters: {}", names.join(", ")),
        }
    };
    match (found, name) {
        (Lookup::One(cluster), _) => Ok(cluster),
        (Lookup::Several(names), _) => {
            Err(Failure::usage(format!("--cluster: several have this name: {}", names.join(", "))))
        }
        (Lookup::None, Some(name)) => {
            Err(Failure::usage(format!("--cluster: there is no {name:?}; {}", known())))
        }
        (Lookup::None, None) => {
            Err(Failure::usage(format!("which cluster? Give --cluster NAME; {}", known())))
        }
    }
}

/// All of that cluster that the server's own credential may read.
pub(super) fn whole(cluster: &Arc<Cluster>) -> Access {
    as_server(cluster, "rbac", PATIENCE).unfiltered()
}
