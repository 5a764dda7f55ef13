//! A cluster whose profiles are asked for, known well enough to show what is attached to it.

use serde::Deserialize;

use crate::{
    Error,
    palette::{
        Ask,
        api::{ObjectMeta, lenient},
        find::{self, FoundCluster},
    },
    toolbox::Call,
};

/// As much of `v1SpectroClusterUidSummary` as says which cluster it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Identified {
    #[serde(deserialize_with = "lenient")]
    metadata: ObjectMeta,
}

/// The cluster of this name or uid. What is attached to it does not tell where it is: one that was presumed from
/// its uid and project is read itself first.
pub(super) async fn cluster(
    call: &Call,
    written: &str,
    project: Option<&str>,
) -> Result<FoundCluster, Error> {
    let mut found = find::cluster(call, written, project).await?;
    if found.row.is_none() {
        let asked = Ask::get(&["dashboard", "spectroclusters", &found.uid]);
        let told: Identified = found.access.ask(&found.place, asked).await?;
        found.settle(&told.metadata)?;
    }
    Ok(found)
}
