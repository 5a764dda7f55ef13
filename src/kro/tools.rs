//! The tools of the kro toolset.

mod graph;

pub use graph::ShowGraph;
