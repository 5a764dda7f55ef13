//! The tools of the kro toolset.

mod across;
mod apply_instance;
mod apply_rgd;
mod child;
mod delete_instance;
mod diagnose;
mod events;
mod graph;
mod instances;
mod manifest;
pub mod names;
mod operation;
mod overview;
mod reconcile;
mod resources;
mod revision_diff;
mod rgd;
mod rgds;
mod watch;

pub use apply_instance::ApplyInstance;
pub use apply_rgd::ApplyRgd;
pub use delete_instance::DeleteInstance;
pub use diagnose::Diagnose;
pub use events::ListEvents;
pub use graph::ShowGraph;
pub use instances::ListInstances;
pub use manifest::ShowManifest;
pub use names::ListNames;
pub use overview::ShowOverview;
pub use reconcile::Reconcile;
pub use resources::ListResources;
pub use revision_diff::CompareRevisions;
pub use rgd::ShowRgd;
pub use rgds::ListRgds;
pub use watch::WatchInstance;

use super::fetch::Reader;
use crate::{
    Error,
    kubernetes::Access,
    permission::{Extent, Permission, Requirement},
    toolbox::{Call, Reach},
};

/// With any of these a caller may come to know objects that they did not name.
const SHOW_OBJECTS: &[Permission] = &[
    Permission::KroInstancesList,
    Permission::KroInstancesViewYaml,
    Permission::KroResourcesList,
    Permission::KroResourcesViewYaml,
    Permission::KroResourceGraphShow,
];

/// With either of these a caller may see what an instance consists of.
const SHOW_CHILDREN: &[Permission] = &[Permission::KroResourcesList, Permission::KroResourceGraphShow];

/// The name of the cluster that a reader reads, as answers call it.
fn cluster_name(call: &Call, reader: &Reader) -> String {
    call.toolbox().clusters().shown_name(reader.access().cluster())
}

/// One cluster, and the namespace where one is named; else whatever the caller may see.
fn reach(cluster: Option<&String>, namespace: Option<&String>) -> Reach {
    Reach::Cluster { cluster: cluster.cloned(), namespace: namespace.map_or(Extent::Anywhere, Extent::named) }
}

/// The same, or every cluster that the caller may see, for `*`.
fn reach_all(cluster: Option<&String>, namespace: Option<&String>) -> Reach {
    Reach::Clusters {
        cluster: cluster.cloned(),
        namespace: namespace.map_or(Extent::Anywhere, Extent::named),
    }
}

/// The cluster of a call, read as the caller, who hears of RGDs by name only if they may list them.
async fn open(call: &Call) -> Result<Reader, Error> {
    open_at(call, call.cluster()?).await
}

/// The same of one of several clusters.
async fn open_at(call: &Call, access: &Access) -> Result<Reader, Error> {
    let may = call.allows(Permission::KroRgdsList, access, None);
    let seen = call.narrowed(access, Requirement::Any(SHOW_OBJECTS.into()));
    Ok(Reader::new(access).await?.naming_rgds(may).naming_objects(seen))
}
