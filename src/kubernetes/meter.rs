//! [`Meter`]: what one call cost upstream, counted and bounded where every request passes.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::Serialize;

use super::fault::Fault;

/// Requests of one call, retries included.
const MOST_REQUESTS: u64 = 300;
/// Body bytes of one call.
const MOST_BYTES: u64 = 96 << 20;
/// What the objects of one call may weigh in memory, by estimate.
const MOST_KEPT: u64 = 384 << 20;

/// Requests sent upstream, bytes read from there and memory taken by them during one call.
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
    bytes: AtomicU64,
    kept: AtomicU64,
    noted: Mutex<Option<Noted>>,
}

/// A request of a caller's own making, for the audit line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Noted {
    method: String,
    /// As it is sent, byte for byte; without the query.
    path: String,
    /// HTTP status of the answer, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

impl Noted {
    /// Whether the API server said 403.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.status == Some(403)
    }
}

impl Meter {
    /// Keeps which request it is that a caller wants sent: the last one, where there are several.
    pub(crate) fn note(&self, method: &http::Method, path: &str) {
        let noted = Noted { method: method.to_string(), path: path.to_owned(), status: None };
        *self.noted.lock() = Some(noted);
    }

    /// Keeps what was answered to it.
    pub(crate) fn answered(&self, status: http::StatusCode) {
        if let Some(noted) = &mut *self.noted.lock() {
            noted.status = Some(status.as_u16());
        }
    }

    /// The request of a caller's own making, where there is one.
    pub(crate) fn noted(&self) -> Option<Noted> {
        self.noted.lock().clone()
    }

    /// Counts a request that is about to be sent; says the how manieth it is.
    pub(crate) fn request(&self) -> Result<u64, Fault> {
        let spent = || Fault::Spent(format!("{MOST_REQUESTS} requests"));
        spend(&self.requests, 1, MOST_REQUESTS).map(|before| before + 1).map_err(|()| spent())
    }

    /// Counts bytes that came. Those that go over the limit came too, and are counted.
    pub(crate) fn received(&self, bytes: usize) -> Result<(), Fault> {
        let before = self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if before.saturating_add(bytes as u64) > MOST_BYTES {
            return Err(Fault::Spent(format!("{} MiB of answers", MOST_BYTES >> 20)));
        }
        Ok(())
    }

    /// Counts what an object will take in memory.
    pub(crate) fn keep(&self, weight: usize) -> Result<(), Fault> {
        let spent = || Fault::Spent(format!("{} MiB of memory", MOST_KEPT >> 20));
        spend(&self.kept, weight as u64, MOST_KEPT).map(drop).map_err(|()| spent())
    }

    /// The part of what a call may take that is left, by what is used up the most: from 1 down to 0.
    pub(crate) fn left(&self) -> f64 {
        let part = |used: &AtomicU64, most: u64| {
            let used = used.load(Ordering::Relaxed).min(most);
            1.0 - used as f64 / most as f64
        };
        let requests = part(&self.requests, MOST_REQUESTS);
        requests.min(part(&self.bytes, MOST_BYTES)).min(part(&self.kept, MOST_KEPT))
    }

    /// Requests sent so far, retries included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Body bytes received so far, after decompression.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// What it was before.
fn spend(counter: &AtomicU64, amount: u64, most: u64) -> Result<u64, ()> {
    let within = |before: u64| before.checked_add(amount).filter(|after| *after <= most);
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).map_err(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_an_end() {
        let meter = Meter::default();
        assert!((0..MOST_REQUESTS).all(|_| meter.request().is_ok()));
        let spent = meter.request().expect_err("the budget is spent");
        assert!(spent.to_string().contains("300 requests"), "{spent}");
        assert_eq!(meter.requests(), MOST_REQUESTS, "what was not sent is not counted");
        assert!(meter.received(MOST_BYTES as usize).is_ok());
        assert!(matches!(meter.received(1), Err(Fault::Spent(_))));
        assert!(meter.keep(MOST_KEPT as usize).is_ok());
        assert!(matches!(meter.keep(1), Err(Fault::Spent(_))));
    }
}
