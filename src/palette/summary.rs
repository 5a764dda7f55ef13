//! The summary of one cluster: read, held against what was decided, and what it tells of where the cluster is.

use tokio::time::Instant;

use super::{
    Ask, Fault,
    api::summary::ClusterSummary,
    find::{self, FoundCluster},
};
use crate::{Error, kubernetes::Endpoint};

/// The summary of a cluster that was found, and when it was asked for: 1 request.
///
/// # Errors
/// Palette could not be asked, or it is not the cluster that was decided for: the words are then those of one that
/// is not there.
pub async fn read(found: &mut FoundCluster) -> Result<(ClusterSummary, Instant), Error> {
    let ask = Ask::get(&["dashboard", "spectroclusters", &found.uid]);
    let read = found.access.dated(&found.place, ask).await;
    let (summary, asked): (ClusterSummary, Instant) = read.map_err(|fault| match fault {
        // one that is not there and one of another project are answered alike
        Fault::NotFound(_) | Fault::Forbidden(_) if found.row.is_none() => find::missing(&found.uid),
        fault => fault.into(),
    })?;
    // what was found by uid and project alone is where it says itself that it is
    let unplaced = summary.metadata.annotations.get("projectUid").is_none_or(String::is_empty);
    let presumed = found.row.is_none() && found.place.project_uid().is_some();
    if presumed && unplaced && !found.access.view().sees_all() {
        return Err(find::missing(&found.uid));
    }
    found.settle(&summary.metadata)?;
    if found.cloud_type.is_empty() {
        found.cloud_type.clone_from(&summary.spec.cloud_config.cloud_type);
    }
    found.access.environment().endpoints().remember(&found.uid, endpoints(&summary));
    Ok((summary, asked))
}

/// Where its API server is.
pub fn endpoints(summary: &ClusterSummary) -> Vec<Endpoint> {
    let told = summary.status.api_endpoints.iter();
    told.filter_map(|told| Endpoint::new(&told.host, told.port)).collect()
}
