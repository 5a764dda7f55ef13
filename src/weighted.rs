//! Caches that are bounded by weight in parts, each of which has room for the heaviest that is kept: as many parts as
//! there are cores, as usual, would on large machines leave too little in each.

use std::hash::Hash;

use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};

/// What a cache may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Entries at a time, by estimate.
    pub(crate) entries: usize,
    /// What they may weigh together.
    pub(crate) weight: u64,
    /// Parts, each with a lock and its share of the weight.
    pub(crate) parts: usize,
}

/// An empty one.
pub(crate) fn cache<K: Eq + Hash, V: Clone, W: Weighter<K, V> + Clone>(
    bounds: Bounds,
    weigh: W,
) -> Cache<K, V, W> {
    let options = OptionsBuilder::new()
        .estimated_items_capacity(bounds.entries)
        .weight_capacity(bounds.weight)
        .shards(bounds.parts)
        .build();
    match options {
        Ok(options) => {
            Cache::with_options(options, weigh, DefaultHashBuilder::default(), DefaultLifecycle::default())
        }
        Err(_) => Cache::with_weighter(bounds.entries, bounds.weight, weigh),
    }
}
