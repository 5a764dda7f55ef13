//! [`Rates`]: how much one caller may ask at a time and in a second, and how often an address may be
//! wrong about who it is.

use std::{
    collections::HashMap,
    collections::hash_map::{Entry, RandomState},
    hash::BuildHasher as _,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use arc_swap::{ArcSwap, Guard};
use governor::{
    DefaultKeyedRateLimiter, Quota,
    clock::{Clock as _, DefaultClock},
};
use parking_lot::Mutex;

use super::super::terms::{Rate, Terms};
use crate::caller::Caller;

/// Refusals of one address that are answered as such; more are answered 429. Many callers can share
/// an address, and a client with an old token tries a few times.
const REFUSALS: (u32, u32) = (100, 1_000);
/// Requests of one address of whose senders nothing is known: each is for a cluster to judge. A catalog asks every few
/// minutes.
const STRANGERS: (u32, u32) = (5, 50);
/// How many of them run at a time: a cluster may take its time to judge a token.
const STRANGERS_AT_ONCE: u32 = 4;
/// Audit lines about one address that asks too much: what a flood leaves in the log.
const LINES: (u32, u32) = (1, 10);
/// Lists of one caller for each call that they may make. Backstage asks for one before each call, and some in
/// between; and what it cannot list it does not call.
const LISTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(3);
/// Where no better time is known.
const SOON: Duration = Duration::from_secs(1);

/// What was asked of late, by whom. Bounded by [`Rates::forget`], which is to be called now and then.
#[derive(Debug)]
pub(super) struct Rates {
    hasher: RandomState,
    clock: DefaultClock,
    requests: ArcSwap<Requests>,
    running: Arc<Mutex<HashMap<u64, u32>>>,
    refusals: DefaultKeyedRateLimiter<IpAddr>,
    strangers: DefaultKeyedRateLimiter<IpAddr>,
    lines: DefaultKeyedRateLimiter<IpAddr>,
}

/// The requests of callers under one rate; a changed one begins anew.
#[derive(Debug)]
struct Requests {
    rate: Rate,
    limiter: DefaultKeyedRateLimiter<u64>,
    lists: DefaultKeyedRateLimiter<u64>,
}

/// Too much was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy {
    /// When to try again.
    pub(super) again: Duration,
    /// A word for the audit line.
    pub(super) reason: &'static str,
}

/// A request that runs; it counts until it is dropped.
#[derive(Debug)]
pub(super) struct Running {
    key: u64,
    running: Arc<Mutex<HashMap<u64, u32>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = self.running.lock();
        if let Entry::Occupied(mut of_caller) = running.entry(self.key) {
            match of_caller.get().saturating_sub(1) {
                0 => drop(of_caller.remove()),
                left => drop(of_caller.insert(left)),
            }
        }
    }
}

impl Rates {
    pub(super) fn new(rate: Rate) -> Self {
        let keyed = |(per_second, burst)| {
            let over_zero = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
            let rate = Rate { per_second: over_zero(per_second), burst: over_zero(burst) };
            DefaultKeyedRateLimiter::keyed(quota(rate))
        };
        Self {
            hasher: RandomState::new(),
            clock: DefaultClock::default(),
            requests: ArcSwap::from_pointee(Requests::new(rate)),
            running: Arc::default(),
            refusals: keyed(REFUSALS),
            strangers: keyed(STRANGERS),
            lines: keyed(LINES),
        }
    }

    /// Takes one request of a caller.
    pub(super) fn take(&self, caller: &Caller, terms: &Terms) -> Result<Running, Busy> {
        let key = self.key(caller);
        let taken = self.requests(terms).limiter.check_key(&key);
        taken.map_err(|until| Busy { again: until.wait_time_from(self.clock.now()), reason: "rate" })?;
        self.run(key, terms.concurrent)
    }

    /// Takes one request from an address, of a sender who is known by nothing else.
    pub(super) fn stranger(&self, client: IpAddr) -> Result<Running, Busy> {
        let client = network(client);
        let taken = self.strangers.check_key(&client);
        taken.map_err(|until| Busy { again: until.wait_time_from(self.clock.now()), reason: "rate" })?;
        self.run(self.hasher.hash_one(client), STRANGERS_AT_ONCE)
    }

    fn run(&self, key: u64, most: u32) -> Result<Running, Busy> {
        let mut running = self.running.lock();
        let of_key = running.entry(key).or_default();
        if *of_key >= most {
            return Err(Busy { again: SOON, reason: "concurrency" });
        }
        *of_key += 1;
        Ok(Running { key, running: Arc::clone(&self.running) })
    }

    /// Takes one list of a caller: what is answered from memory, and asked for with each call. It is no request: a
    /// caller whose calls take all of their places must still see what there is.
    pub(super) fn list(&self, caller: &Caller, terms: &Terms) -> Result<(), Busy> {
        let taken = self.requests(terms).lists.check_key(&self.key(caller));
        taken.map_err(|until| Busy { again: until.wait_time_from(self.clock.now()), reason: "lists" })
    }

    /// Two callers in 2^64 share a count, and no name is kept.
    fn key(&self, caller: &Caller) -> u64 {
        self.hasher.hash_one(caller.binding())
    }

    fn requests(&self, terms: &Terms) -> Guard<Arc<Requests>> {
        let requests = self.requests.load();
        if requests.rate == terms.rate {
            return requests;
        }
        self.requests.store(Arc::new(Requests::new(terms.rate)));
        self.requests.load()
    }

    /// Counts a refused credential from an address.
    pub(super) fn refuse(&self, client: IpAddr) -> Result<(), Busy> {
        let refused = self.refusals.check_key(&network(client));
        refused.map_err(|until| Busy { again: until.wait_time_from(self.clock.now()), reason: "refusals" })
    }

    /// Whether an address that asks too much is worth another line.
    pub(super) fn worth_a_line(&self, client: IpAddr) -> bool {
        self.lines.check_key(&network(client)).is_ok()
    }

    /// Forgets whoever has asked nothing of late.
    pub(super) fn forget(&self) {
        let requests = self.requests.load();
        for limiter in [&requests.limiter, &requests.lists] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        for limiter in [&self.refusals, &self.strangers, &self.lines] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        self.running.lock().shrink_to_fit();
    }
}

impl Requests {
    fn new(rate: Rate) -> Self {
        let of_lists = Rate {
            per_second: rate.per_second.saturating_mul(LISTS),
            burst: rate.burst.saturating_mul(LISTS),
        };
        Self {
            rate,
            limiter: DefaultKeyedRateLimiter::keyed(quota(rate)),
            lists: DefaultKeyedRateLimiter::keyed(quota(of_lists)),
        }
    }
}

fn quota(rate: Rate) -> Quota {
    Quota::per_second(rate.per_second).allow_burst(rate.burst)
}

/// One customer has a whole IPv6 network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{caller::local, permission::PermissionSet};

    fn terms(per_second: u32, burst: u32, concurrent: u32) -> Terms {
        let rate =
            Rate { per_second: NonZeroU32::new(per_second).unwrap(), burst: NonZeroU32::new(burst).unwrap() };
        Terms { rate, concurrent, ..Terms::default() }
    }

    fn caller() -> Caller {
        local::with_permissions(PermissionSet::default())
    }

    #[test]
    fn a_caller_has_a_burst_and_is_told_when_to_come_again() {
        let terms = terms(1, 3, 10);
        let rates = Rates::new(terms.rate);
        for _ in 0..3 {
            rates.take(&caller(), &terms).unwrap();
        }
        let busy = rates.take(&caller(), &terms).unwrap_err();
        assert!(busy.reason == "rate" && busy.again <= SOON, "{busy:?}");
        let more = self::terms(1, 4, 10);
        rates.take(&caller(), &more).expect("a changed rate begins anew");
    }

    #[test]
    fn lists_are_counted_apart_from_calls() {
        let terms = terms(1, 2, 1);
        let rates = Rates::new(terms.rate);
        let _running = rates.take(&caller(), &terms).unwrap();
        assert_eq!(rates.take(&caller(), &terms).unwrap_err().reason, "concurrency");
        assert_eq!(rates.take(&caller(), &terms).unwrap_err().reason, "rate");
        for _ in 0..8 {
            rates.list(&caller(), &terms).expect("whoever may not call now still sees what there is");
        }
        assert_eq!(rates.list(&caller(), &terms).unwrap_err().reason, "lists");
    }

    #[test]
    fn requests_at_a_time_are_counted_until_they_end() {
        let terms = terms(1000, 1000, 2);
        let rates = Rates::new(terms.rate);
        let (first, _second) =
            (rates.take(&caller(), &terms).unwrap(), rates.take(&caller(), &terms).unwrap());
        assert_eq!(rates.take(&caller(), &terms).unwrap_err().reason, "concurrency");
        drop(first);
        let third = rates.take(&caller(), &terms).unwrap();
        drop((third, _second));
        assert!(rates.running.lock().is_empty(), "whoever asks nothing leaves nothing");
    }

    #[test]
    fn strangers_of_an_address_have_a_rate_and_places_together() {
        let rates = Rates::new(Terms::default().rate);
        let at = |address: &str| rates.stranger(address.parse().unwrap());
        let mut held: Vec<_> = (0..4).map(|_| at("192.0.2.1").expect("a place")).collect();
        assert_eq!(at("192.0.2.1").unwrap_err().reason, "concurrency");
        at("192.0.2.2").expect("another address");
        held.clear();
        let taken = (0..200).filter(|_| at("192.0.2.1").is_ok()).count();
        assert!((45..60).contains(&taken), "{taken}");
        assert_eq!(at("192.0.2.1").unwrap_err().reason, "rate");
        assert!(rates.running.lock().is_empty());
    }

    #[test]
    fn an_address_is_refused_so_often_and_another_is_not_its_neighbour() {
        let rates = Rates::new(Terms::default().rate);
        let at = |address: &str| address.parse::<IpAddr>().unwrap();
        let refused = (0..2_000).filter(|_| rates.refuse(at("2001:db8::1")).is_ok()).count();
        assert!((1_000..1_500).contains(&refused), "{refused}");
        assert!(rates.refuse(at("2001:db8::2")).is_err(), "the same network");
        assert!(rates.refuse(at("2001:db8:0:1::1")).is_ok());
    }
}
