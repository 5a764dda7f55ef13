//! The tools of the kubernetes toolset.

mod access;
mod events;
pub mod investigate;
mod list_clusters;
pub mod pass;
mod proxy;
mod proxy_write;

pub use access::ShowAccess;
pub use events::ListEvents;
pub use list_clusters::ListClusters;
pub use proxy::Proxy;
pub use proxy_write::ProxyWrite;

use crate::{permission::Extent, toolbox::Reach};

/// One cluster, and the namespace where one is named; else whatever the caller may see.
fn reach(cluster: Option<&String>, namespace: Option<&String>) -> Reach {
    Reach::Cluster { cluster: cluster.cloned(), namespace: namespace.map_or(Extent::Anywhere, Extent::named) }
}
