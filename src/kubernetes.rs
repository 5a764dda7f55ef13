//! Kubernetes: the clusters that are known, and how they are read.

pub mod object;

pub use object::{Condition, Object};
