//! The tools of the kubernetes toolset.

mod list_clusters;

pub use list_clusters::ListClusters;
