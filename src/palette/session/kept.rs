//! [`Kept`]: answers that are good for a few seconds, and asked for once for all who wait for the same. Whoever
//! asks may go away: the next who waits then asks in their place.

use std::{sync::Arc, time::Duration};

use quick_cache::{Weighter, sync::Cache};
use tokio::time::{Instant, timeout_at};

use super::super::fault::Fault;
use crate::weighted::{self, Bounds};

/// Answers that are kept at the most, and what they may weigh together, in bytes.
const MOST: usize = 4_096;
const MOST_WEIGHT: u64 = 48 << 20;
/// Parts of the cache, each with its share of the weight: a heavier answer is not kept.
const PARTS: usize = 4;
/// How long a failure is answered without asking again: those who waited for it do not each fail anew.
const FAILED: Duration = Duration::from_secs(1);

/// A digest of the request, its scope and whose credential it carries.
pub(super) type Key = [u8; 32];

/// The answers of one environment.
pub(super) struct Kept(Cache<Key, Held, Weigh>);

/// An answer and since when it is known.
#[derive(Clone)]
struct Held {
    outcome: Result<Arc<[u8]>, Fault>,
    asked: Instant,
    until: Instant,
}

#[derive(Clone)]
struct Weigh;

impl Weighter<Key, Held> for Weigh {
    fn weight(&self, _key: &Key, held: &Held) -> u64 {
        let body = held.outcome.as_ref().map_or(256, |body| body.len());
        ((body + size_of::<(Key, Held)>()) as u64).max(MOST_WEIGHT / MOST as u64)
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("answers", &self.0.len()).finish_non_exhaustive()
    }
}

impl Default for Kept {
    fn default() -> Self {
        let bounds = Bounds { entries: MOST, weight: MOST_WEIGHT, parts: PARTS };
        Self(weighted::cache(bounds, Weigh))
    }
}

impl Kept {
    /// The answer that is kept and was not asked for before `since`, or the one that `ask` brings now.
    pub(super) async fn answer<F>(
        &self,
        key: Key,
        (life, since, deadline): (Duration, Option<Instant>, Instant),
        ask: impl FnOnce() -> F,
    ) -> Result<(Arc<[u8]>, Instant), Fault>
    where
        F: Future<Output = Result<Arc<[u8]>, Fault>>,
    {
        let began = Instant::now();
        let good = |held: &Held| Instant::now() < held.until && since.is_none_or(|since| held.asked >= since);
        let got = async {
            loop {
                match self.0.get_value_or_guard_async(&key).await {
                    Ok(held) if good(&held) => return held.outcome.map(|body| (body, held.asked)),
                    Ok(_) => drop(self.0.remove_if(&key, |held| !good(held))),
                    Err(place) => {
                        let asked = Instant::now();
                        let outcome = ask().await;
                        let life = match &outcome {
                            Ok(_) => life,
                            Err(fault) if is_ours(fault) || Instant::now() >= deadline => Duration::ZERO,
                            Err(_) => FAILED,
                        };
                        // without a value, the next who waits asks in turn
                        if !life.is_zero() {
                            let now = Instant::now();
                            self.0.retain(|_, held| now < held.until);
                            let until = now + life;
                            drop(place.insert(Held { outcome: outcome.clone(), asked, until }));
                        }
                        return outcome.map(|body| (body, asked));
                    }
                }
            }
        };
        timeout_at(deadline, got).await.unwrap_or_else(|_| Err(Fault::Timeout(began.elapsed())))
    }

    /// Forgets all answers: something was changed.
    pub(super) fn clear(&self) {
        self.0.clear();
    }

    /// Forgets an answer that turned out to be none.
    pub(super) fn forget(&self, key: &Key) {
        self.0.remove(key);
    }
}

/// Whether it says something of the call that met it, and nothing of Palette.
fn is_ours(fault: &Fault) -> bool {
    matches!(fault, Fault::Timeout(_) | Fault::Spent(_) | Fault::Unfit(_) | Fault::Configuration(_))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LIFE: Duration = Duration::from_millis(600);
    const SHORT: Duration = Duration::from_millis(60);
    const LONG: Duration = Duration::from_secs(30);

    struct Rig {
        kept: Arc<Kept>,
        asked: Arc<AtomicUsize>,
    }

    impl Rig {
        fn new() -> Self {
            Self { kept: Arc::default(), asked: Arc::default() }
        }

        /// Asks in a task of its own; the answer takes a while.
        fn ask(
            &self,
            takes: Duration,
            outcome: Result<&'static str, Fault>,
            patience: Duration,
        ) -> tokio::task::JoinHandle<Result<String, Fault>> {
            let (kept, asked) = (Arc::clone(&self.kept), Arc::clone(&self.asked));
            tokio::spawn(async move {
                let ask = || async move {
                    asked.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(takes).await;
                    outcome.map(|body| Arc::from(body.as_bytes()))
                };
                let answer = kept.answer([0; 32], (LIFE, None, Instant::now() + patience), ask).await;
                answer.map(|(body, _)| String::from_utf8_lossy(&body).into_owned())
            })
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::Relaxed)
        }
    }

    #[tokio::test]
    async fn it_is_asked_once_for_all_who_wait_and_again_when_it_is_old() {
        let rig = Rig::new();
        let waiting: Vec<_> = (0..8).map(|_| rig.ask(SHORT, Ok("a"), LONG)).collect();
        for one in waiting {
            assert_eq!(one.await.expect("no panic").expect("an answer"), "a");
        }
        assert_eq!(rig.asked(), 1);
        tokio::time::sleep(LIFE).await;
        assert_eq!(rig.ask(Duration::ZERO, Ok("b"), LONG).await.expect("no panic").expect("an answer"), "b");
        assert_eq!(rig.asked(), 2);
    }

    #[tokio::test]
    async fn who_asks_for_all_may_go_away_or_run_out_of_time() {
        let rig = Rig::new();
        let first = rig.ask(LONG, Ok("never"), LONG);
        tokio::task::yield_now().await;
        let hasty = rig.ask(LONG, Ok("never"), 2 * SHORT);
        tokio::task::yield_now().await;
        first.abort();
        tokio::time::sleep(SHORT / 2).await;
        let patient = rig.ask(SHORT, Ok("a"), LONG);
        let hasty = hasty.await.expect("no panic");
        assert!(matches!(hasty, Err(Fault::Timeout(_))), "{hasty:?}");
        assert_eq!(patient.await.expect("no panic").expect("an answer"), "a");
        assert_eq!(rig.asked(), 3);
    }

    #[tokio::test]
    async fn a_failure_is_told_to_all_who_waited_and_asked_about_again_soon() {
        let rig = Rig::new();
        let down = Fault::Status { status: 503, message: "down".to_owned() };
        let waiting: Vec<_> = (0..8).map(|_| rig.ask(SHORT, Err(down.clone()), LONG)).collect();
        for one in waiting {
            assert_eq!(one.await.expect("no panic"), Err(down.clone()));
        }
        assert_eq!(rig.asked(), 1);
        tokio::time::sleep(FAILED).await;
        assert!(rig.ask(Duration::ZERO, Ok("a"), LONG).await.expect("no panic").is_ok());
    }

    #[tokio::test]
    async fn who_wants_it_anew_gets_nothing_older() {
        let kept = Kept::default();
        let ask = async |since, body: &'static str| {
            let terms = (LONG, since, Instant::now() + LONG);
            let answer = kept.answer([1; 32], terms, || async { Ok(Arc::from(body.as_bytes())) }).await;
            answer.map(|(body, _)| String::from_utf8_lossy(&body).into_owned())
        };
        assert_eq!(ask(None, "a").await.as_deref(), Ok("a"));
        tokio::time::sleep(SHORT).await;
        assert_eq!(ask(None, "b").await.as_deref(), Ok("a"));
        let now = Some(Instant::now());
        assert_eq!(ask(now, "c").await.as_deref(), Ok("c"));
        assert_eq!(ask(now, "d").await.as_deref(), Ok("c"), "once for the whole call");
        assert_eq!(ask(None, "e").await.as_deref(), Ok("c"));
    }
}
