//! [`Work`]: what one call may spend on expressions that somebody else wrote.
//!
//! Judging is synchronous and the `cel` crate cannot be interrupted, so it is asked for between
//! expressions, nodes and members; one expression is bounded by [`bounds`](super::bounds).

use super::Unresolved;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The time that all judging of one call may take.
const TIME: Duration = Duration::from_secs(5);
/// Expressions of one call that need the parser; plain paths cost next to nothing.
const EXPRESSIONS: usize = 2000;

/// A share in the work of one call: cheap to clone.
#[derive(Clone, Debug)]
pub struct Work {
    shared: Arc<Shared>,
    /// Where this stretch of it ends.
    until: Instant,
}

#[derive(Debug, Default)]
struct Shared {
    stopped: AtomicBool,
    ran_out: AtomicBool,
    micros: AtomicU64,
    expressions: AtomicUsize,
}

impl Default for Work {
    fn default() -> Self {
        Self { shared: Arc::default(), until: Instant::now() + TIME }
    }
}

impl Work {
    /// Does a stretch of the work, with the time that the stretches before have left.
    pub fn stretch<T>(&self, work: impl FnOnce(&Self) -> T) -> T {
        let began = Instant::now();
        let spent = Duration::from_micros(self.shared.micros.load(Ordering::Relaxed));
        let made =
            work(&Self { shared: Arc::clone(&self.shared), until: began + TIME.saturating_sub(spent) });
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.shared.micros.fetch_add(micros, Ordering::Relaxed);
        made
    }

    /// Ends it: nobody waits for the result any more.
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether nothing more may be done.
    pub fn is_over(&self) -> bool {
        let over = self.shared.stopped.load(Ordering::Relaxed) || Instant::now() >= self.until;
        if over {
            self.shared.ran_out.store(true, Ordering::Relaxed);
        }
        over
    }

    /// Whether something was left undone.
    pub fn ran_out(&self) -> bool {
        self.shared.ran_out.load(Ordering::Relaxed)
    }

    /// Takes leave to do one thing of next to no cost.
    pub(super) fn glance(&self) -> Result<(), Unresolved> {
        if self.is_over() { Err(out_of_time()) } else { Ok(()) }
    }

    /// Takes leave to parse and evaluate one expression.
    pub(super) fn expression(&self) -> Result<(), Unresolved> {
        self.glance()?;
        if self.shared.expressions.fetch_add(1, Ordering::Relaxed) < EXPRESSIONS {
            return Ok(());
        }
        self.shared.ran_out.store(true, Ordering::Relaxed);
        Err(out_of_time())
    }
}

/// Why an expression was not evaluated that might have been.
fn out_of_time() -> Unresolved {
    Unresolved::Unsupported("out of time".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_when_stopped_and_when_enough_was_evaluated() {
        let work = Work::default();
        assert!((0..EXPRESSIONS).all(|_| work.expression().is_ok()));
        assert!(!work.ran_out());
        assert_eq!(work.expression(), Err(out_of_time()));
        assert!(work.ran_out() && work.glance().is_ok());
        work.stop();
        assert_eq!(work.stretch(Work::glance), Err(out_of_time()));
    }

    #[test]
    fn stretches_share_the_time() {
        let work = Work::default();
        work.shared.micros.store(u64::MAX, Ordering::Relaxed);
        assert!(work.stretch(Work::is_over));
    }
}
