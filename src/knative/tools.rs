//! The tools of the knative toolset.

mod event_mesh;

pub use event_mesh::ShowEventMesh;
