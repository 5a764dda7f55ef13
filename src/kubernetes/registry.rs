//! [`Registry`]: the clusters that are known now. What sources find replaces it as a whole.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::clusters::Clusters;

/// The clusters that are known now.
#[derive(Debug, Default)]
pub struct Registry {
    now: ArcSwap<Clusters>,
}

impl Registry {
    /// Of these clusters, which do not change.
    pub fn of(clusters: Clusters) -> Self {
        Self { now: ArcSwap::from_pointee(clusters) }
    }

    /// What is known now.
    pub fn now(&self) -> Arc<Clusters> {
        self.now.load_full()
    }
}
