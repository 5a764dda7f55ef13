//! The tools of the kro toolset.

mod graph;
mod instances;
mod manifest;

pub use graph::ShowGraph;
pub use instances::ListInstances;
pub use manifest::ShowManifest;

use super::fetch::Reader;
use crate::{
    Error,
    permission::{Extent, Permission},
    toolbox::{Call, Reach},
};

/// One cluster, and the namespace where one is named; else whatever the caller may see.
fn reach(cluster: Option<&String>, namespace: Option<&String>) -> Reach {
    Reach::Cluster { cluster: cluster.cloned(), namespace: namespace.map_or(Extent::Anywhere, Extent::named) }
}

/// The cluster of a call, read as the caller, who hears of RGDs by name only if they may list them.
async fn open(call: &Call) -> Result<Reader, Error> {
    let access = call.cluster()?;
    let may = call.allows(Permission::KroRgdsList, access, None);
    Ok(Reader::new(access).await?.naming_rgds(may))
}
