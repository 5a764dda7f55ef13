//! The vendor's request limits (reference 6.3), counted by parent resource.

use std::{collections::HashMap, time::Instant};

use serde::Deserialize;

/// How many times the rate may come at once.
const BURST: f64 = 5.0;

/// How the limits of a tenant stand against the vendor's.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Limits {
    /// The vendor's, times this.
    Times(f64),
    /// None.
    Off,
}

impl Default for Limits {
    fn default() -> Self {
        Self::Times(1.0)
    }
}

/// The requests of one source, by prefix.
#[derive(Debug, Default)]
pub(super) struct Buckets(HashMap<String, Bucket>);

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Buckets {
    /// Takes one request to `path` at `now`, where there is room for it.
    pub(super) fn take(&mut self, path: &str, limits: Limits, now: Instant) -> bool {
        let Limits::Times(times) = limits else { return true };
        let (prefix, rate) = prefix(path);
        let rate = rate * times;
        let most = (rate * BURST).max(1.0);
        let bucket = self.0.entry(prefix).or_insert(Bucket { left: most, at: now });
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + passed * rate).min(most);
        bucket.at = now;
        let fits = bucket.left >= 1.0;
        if fits {
            bucket.left -= 1.0;
        }
        fits
    }
}

/// What a path is counted under, and how many requests a second it may have.
fn prefix(path: &str) -> (String, f64) {
    let parts: Vec<&str> = path.trim_start_matches('/').splitn(6, '/').collect();
    let (name, rate) = match parts.as_slice() {
        ["v1", "spectroclusters", _, "assets" | "download", ..] => ("spectroclusters/assets", 10.0),
        ["v1", "spectroclusters", _, "profiles", ..] => ("spectroclusters/profiles", 50.0),
        ["v1", "spectroclusters", ..] => ("spectroclusters", 50.0),
        ["v1", "clusterprofiles", _, "packs", "manifests"] => ("clusterprofiles/packs/manifests", 50.0),
        ["v1", "clusterprofiles", _, "packs", _, _] => ("clusterprofiles/packs/pack", 50.0),
        ["v1", "clusterprofiles", _, "packs", ..] => ("clusterprofiles/packs", 50.0),
        ["v1", "clusterprofiles", ..] => ("clusterprofiles", 50.0),
        ["v1", "cloudconfigs", ..] => ("cloudconfigs", 50.0),
        ["v1", "events", "components", ..] => ("events/components", 50.0),
        ["v1", resource, ..] => (*resource, 10.0),
        _ => ("", 10.0),
    };
    (name.to_owned(), rate)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn fifty_at_once_then_ten_a_second_and_each_prefix_for_itself() {
        let (mut buckets, start) = (Buckets::default(), Instant::now());
        let mut took = |path: &str, times: usize, now: Instant| {
            (0..times).filter(|_| buckets.take(path, Limits::default(), now)).count()
        };
        assert_eq!(took("/v1/dashboard/projects", 60, start), 50);
        assert_eq!(took("/v1/spectroclusters/a", 300, start), 250);
        assert_eq!(took("/v1/spectroclusters/a/assets/kubeconfig", 60, start), 50);
        assert_eq!(took("/v1/dashboard/spectroclusters/meta", 60, start + Duration::from_secs(1)), 10);
    }
}
