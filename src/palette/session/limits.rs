//! [`Limits`]: the vendor's limits, kept for the whole process. Palette counts the requests of an address by the
//! resource they are below, so all environments behind one host share what is left.

use std::{collections::HashMap, num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    DefaultDirectRateLimiter, Quota,
    clock::{Clock as _, DefaultClock},
};
use parking_lot::Mutex;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};

use super::super::fault::Fault;

/// Requests a second in the long run, and at once after a rest: of the vendor's burst, half. The clocks are not the
/// same, and requests that left one by one can arrive together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rate {
    per_second: NonZeroU32,
    burst: NonZeroU32,
}

/// 10 a second, 50 at once (reference 6.3).
const NARROW: Rate = Rate { per_second: number(10), burst: number(25) };
/// 50 a second, 250 at once.
const WIDE: Rate = Rate { per_second: number(50), burst: number(125) };

/// What was asked of late, by host and resource.
#[derive(Debug, Default)]
pub(in crate::palette) struct Limits {
    clock: DefaultClock,
    lanes: Mutex<HashMap<(String, String), Arc<Lane>>>,
}

/// The requests below one resource of one host. Who waits goes in the order of coming.
#[derive(Debug)]
struct Lane {
    limiter: DefaultDirectRateLimiter,
    turn: Semaphore,
}

impl Limits {
    /// Waits until a request may be sent to this origin.
    ///
    /// # Errors
    /// [`Fault::Throttled`] where that would be after the deadline.
    pub(in crate::palette) async fn pass(
        &self,
        origin: &str,
        path: &str,
        deadline: Instant,
    ) -> Result<(), Fault> {
        let lane = self.lane(origin, path);
        let through = async {
            let _turn = lane.turn.acquire().await;
            while let Err(until) = lane.limiter.check() {
                let wait = until.wait_time_from(self.clock.now());
                if Instant::now().checked_add(wait).is_none_or(|then| then >= deadline) {
                    return Err(Fault::Throttled { retry_after: Some(wait) });
                }
                sleep(wait).await;
            }
            Ok(())
        };
        let late = |_| Fault::Throttled { retry_after: Some(Duration::from_secs(1)) };
        timeout_at(deadline, through).await.map_err(late)?
    }

    fn lane(&self, origin: &str, path: &str) -> Arc<Lane> {
        let (resource, rate) = resource(path);
        let mut lanes = self.lanes.lock();
        let lane = lanes.entry((origin.to_owned(), resource)).or_insert_with(|| Arc::new(Lane::new(rate)));
        Arc::clone(lane)
    }
}

impl Lane {
    fn new(rate: Rate) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        Self { limiter: DefaultDirectRateLimiter::direct(quota), turn: Semaphore::new(1) }
    }
}

/// The resource that a path is counted by.
fn resource(path: &str) -> (String, Rate) {
    let mut segments = path.trim_start_matches('/').split('/').skip(1);
    let first = segments.next().unwrap_or_default();
    match (first, segments.next(), segments.next()) {
        ("spectroclusters", _, Some(part @ ("assets" | "download"))) => (format!("{first}/{part}"), NARROW),
        ("events", Some("components"), _) => ("events/components".to_owned(), WIDE),
        ("spectroclusters" | "clusterprofiles" | "cloudconfigs", ..) => (first.to_owned(), WIDE),
        _ => (first.to_owned(), NARROW),
    }
}

const fn number(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_counted_by_the_resource_that_the_vendor_names() {
        for (path, counted, rate) in [
            ("/v1/dashboard/spectroclusters/search", "dashboard", NARROW),
            ("/v1/dashboard/projects", "dashboard", NARROW),
            ("/v1/projects/x", "projects", NARROW),
            ("/v1/spectroclusters/x", "spectroclusters", WIDE),
            ("/v1/spectroclusters/x/profiles", "spectroclusters", WIDE),
            ("/v1/spectroclusters/x/assets/kubeconfig", "spectroclusters/assets", NARROW),
            ("/v1/clusterprofiles/x/packs/y/manifests", "clusterprofiles", WIDE),
            ("/v1/events/components/spectrocluster/x", "events/components", WIDE),
            ("/v1/events/x", "events", NARROW),
            ("/v1", "", NARROW),
        ] {
            assert_eq!(resource(path), (counted.to_owned(), rate), "{path}");
        }
    }

    #[tokio::test]
    async fn what_is_over_the_burst_waits_and_what_cannot_be_in_time_is_said() {
        let limits = Limits::default();
        let began = Instant::now();
        let soon = began + Duration::from_secs(5);
        for _ in 0..28 {
            limits.pass("https://a", "/v1/dashboard/x", soon).await.expect("there is time");
        }
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(150) && took < Duration::from_secs(2), "{took:?}");
        let now = Instant::now();
        let late = limits.pass("https://a", "/v1/dashboard/y", now + Duration::from_millis(20)).await;
        assert!(matches!(late, Err(Fault::Throttled { retry_after: Some(_) })), "{late:?}");
        for (origin, path) in [("https://b", "/v1/dashboard/x"), ("https://a", "/v1/projects/x")] {
            let other = limits.pass(origin, path, now + Duration::from_millis(20)).await;
            other.expect("another host, another resource");
        }
    }
}
