//! The tools of the kro toolset.

mod graph;
mod instances;
mod manifest;

pub use graph::ShowGraph;
pub use instances::ListInstances;
pub use manifest::ShowManifest;
