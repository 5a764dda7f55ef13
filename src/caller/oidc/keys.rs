//! [`Keys`]: the keys of one issuer, kept fresh by one task that alone asks for them.
//!
//! Whatever callers send, there is never more than one fetch at a time, and how often there is one is
//! decided here: every ten minutes; after a failure, soon and then ever more rarely; and for a key that
//! nobody has seen, at a bounded rate. Nobody whose key is known waits for any of it.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    discovery,
    key_set::KeySet,
    search::{Cause, Searches, Turn},
};

/// Asks the issuer. Must end by itself.
pub(in crate::caller) type Fetch = Box<dyn Fn() -> BoxFuture<'static, Result<KeySet, String>> + Send + Sync>;

/// When keys are fetched, and for how long they are good.
#[derive(Clone, Copy, Debug)]
pub(in crate::caller) struct Pace {
    /// From one good fetch to the next.
    pub(super) fresh: Duration,
    /// After this long without a good fetch, keys are no longer believed.
    pub(super) stale: Duration,
    /// From one search for an unknown key that found nothing to the next, in the long run; and the longest
    /// that a token with a new key waits for such a search.
    pub(super) spacing: Duration,
    /// From a failed fetch to the next, at first and at most.
    pub(super) retry: (Duration, Duration),
    /// The longest that a caller waits.
    pub(super) patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            fresh: Duration::from_secs(600),
            stale: Duration::from_secs(24 * 3600),
            spacing: Duration::from_secs(5),
            retry: (Duration::from_secs(1), Duration::from_secs(30)),
            // the fetch that is under way, and the one after it
            patience: 2 * discovery::TIME + Duration::from_secs(1),
        }
    }
}

impl Pace {
    /// The same for one that is near and whose callers do not wait for long: it is asked again for an unknown key
    /// after `spacing`, and after a failure after `retry` at the most.
    pub(in crate::caller) fn near(spacing: Duration, retry: Duration) -> Self {
        let Self { retry: (first, _), .. } = Self::default();
        Self { spacing, retry: (first, retry), ..Self::default() }
    }
}

/// The keys of one issuer.
pub(in crate::caller) struct Keys {
    issuer: String,
    fetch: Fetch,
    pace: Pace,
    state: watch::Sender<State>,
    /// Of the state, to be read at every call.
    generation: AtomicU64,
    searches: Mutex<Searches>,
    wake: Arc<Notify>,
    task: Mutex<Option<AbortOnDropHandle<()>>>,
}

/// What is known, and what is under way.
#[derive(Debug, Default)]
struct State {
    known: Option<Arc<KeySet>>,
    /// Changes with the keys.
    generation: u64,
    fetched: Option<Instant>,
    /// Fetches begun, ended, and the one that someone waits for.
    begun: u64,
    ended: u64,
    due: u64,
    /// Why the last fetch failed, if it did.
    failing: Option<String>,
}

impl State {
    /// Whether the last fetch failed and the next has not begun.
    fn rests(&self) -> Option<&String> {
        self.failing.as_ref().filter(|_| self.begun == self.ended)
    }

    fn current(&self) -> Option<Current> {
        self.known.as_ref().map(|keys| Current { keys: Arc::clone(keys), generation: self.generation })
    }
}

/// What a token waits for that none of the known keys signed.
#[derive(Debug)]
enum Search {
    /// The end of this fetch, and whether it begins after the token came.
    Fetch {
        fetch: u64,
        since: bool,
    },
    /// The time to ask, or the end of this fetch, which someone else may cause before.
    Turn {
        at: Instant,
        fetch: u64,
    },
    Nothing,
}

/// Keys at one time.
#[derive(Clone, Debug)]
pub(super) struct Current {
    pub(super) keys: Arc<KeySet>,
    pub(super) generation: u64,
}

impl Keys {
    pub(in crate::caller) fn new(issuer: &str, fetch: Fetch, pace: Pace) -> Arc<Self> {
        Arc::new(Self {
            issuer: issuer.to_owned(),
            fetch,
            pace,
            state: watch::Sender::new(State::default()),
            generation: AtomicU64::new(0),
            searches: Mutex::default(),
            wake: Arc::default(),
            task: Mutex::new(None),
        })
    }

    /// Begins to keep the keys, unless that is done already. Waits for nothing; needs a runtime.
    pub(in crate::caller) fn keep(self: &Arc<Self>) {
        let mut task = self.task.lock();
        if task.as_ref().is_none_or(AbortOnDropHandle::is_finished) {
            *task = Some(AbortOnDropHandle::new(tokio::spawn(keeping(Arc::downgrade(self)))));
        }
    }

    /// Changes when a key is added, changed or gone.
    pub(in crate::caller) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The keys, and whether they had to be waited for.
    pub(super) async fn current(self: &Arc<Self>) -> Result<(Current, bool), String> {
        self.keep();
        let settled = |state: &State| match (state.current(), state.rests()) {
            (Some(current), _) => Some(Ok(current)),
            (None, Some(why)) => Some(Err(why.clone())),
            (None, None) => None,
        };
        let now = settled(&self.state.borrow());
        match now {
            Some(now) => now.map(|current| (current, false)),
            None => self.wait(settled).await.map(|current| (current, true)),
        }
    }

    /// Newer keys, for a token that none of the known ones signed: waits for its turn to ask, and for the
    /// answer. `None` where the issuer is not asked. Beside them, whether it was asked after the call.
    pub(super) async fn newer(&self, cause: Cause<'_>) -> Result<Option<(Current, bool)>, String> {
        let (longest, came) = (Instant::now() + self.pace.patience, self.state.borrow().begun);
        loop {
            let (fetch, since, turn) = match self.search(cause, came)? {
                Search::Nothing => return Ok(None),
                Search::Turn { at, .. } if at > longest => return Ok(None),
                Search::Turn { at, fetch } => (fetch, true, Some(at)),
                Search::Fetch { fetch, since } => (fetch, since, None),
            };
            let settled = |state: &State| match state.rests() {
                Some(why) => Some(Err(why.clone())),
                None if state.ended >= fetch => Some(Ok(state.current())),
                None => None,
            };
            let answer = match turn {
                None => self.wait(settled).await,
                Some(at) => match timeout_at(at, self.wait(settled)).await {
                    Ok(answer) => answer,
                    Err(_its_turn) => continue,
                },
            };
            return answer.map(|current| current.map(|current| (current, since)));
        }
    }

    /// What to wait for, for a token that came when `came` fetches had begun.
    fn search(&self, cause: Cause<'_>, came: u64) -> Result<Search, String> {
        let mut searches = self.searches.lock();
        let mut asks = false;
        let mut search = Ok(Search::Nothing);
        self.state.send_if_modified(|state| {
            search = match state.rests() {
                Some(why) => Err(why.clone()),
                None if came < state.begun => Ok(Search::Fetch { fetch: came + 1, since: true }),
                // who comes before the one that is due has begun waits for that one
                None if state.begun < state.due => Ok(Search::Fetch { fetch: state.due, since: true }),
                None => Ok(match searches.turn(cause, self.pace.spacing, Instant::now()) {
                    Turn::Now => {
                        asks = true;
                        // one that is under way may have read the set before the key was in it
                        state.due = state.begun + 1;
                        Search::Fetch { fetch: state.due, since: true }
                    }
                    Turn::At(at) => Search::Turn { at, fetch: came + 1 },
                    Turn::Never if state.ended < state.begun => {
                        Search::Fetch { fetch: state.begun, since: false }
                    }
                    Turn::Never => Search::Nothing,
                }),
            };
            false
        });
        if asks {
            self.wake.notify_one();
        }
        search
    }

    /// Notes whether a search found what it was for.
    pub(super) fn searched(&self, cause: Cause<'_>, found: bool) {
        let mut searches = self.searches.lock();
        if found { searches.found() } else { searches.missed(cause, Instant::now()) }
    }

    async fn wait<T>(&self, settled: impl Fn(&State) -> Option<Result<T, String>>) -> Result<T, String> {
        let mut states = self.state.subscribe();
        let found = timeout(self.pace.patience, states.wait_for(|state| settled(state).is_some())).await;
        match found {
            Ok(Ok(state)) => settled(&state).unwrap_or_else(|| Err("it could not be asked".to_owned())),
            _ => Err("it did not answer in time".to_owned()),
        }
    }

    /// Notes what a fetch brought, and answers how long to rest; `Err` where it failed.
    fn settle(&self, outcome: Result<KeySet, String>, failures: u32) -> Result<(), Duration> {
        let failed = outcome.is_err();
        self.state.send_modify(|state| {
            state.ended = state.begun;
            let stale = state.fetched.is_none_or(|fetched| fetched.elapsed() >= self.pace.stale);
            let changed = match outcome {
                Ok(keys) => self.note_good(state, keys),
                Err(why) => {
                    self.note_bad(state, why);
                    stale && state.known.take().is_some()
                }
            };
            if changed {
                state.generation += 1;
                self.generation.store(state.generation, Ordering::Release);
            }
        });
        if failed { Err(self.rest(failures)) } else { Ok(()) }
    }

    fn note_good(&self, state: &mut State, keys: KeySet) -> bool {
        let before = state.known.as_deref();
        if before.is_none_or(|before| before.skipped() != keys.skipped()) {
            for skipped in keys.skipped() {
                tracing::info!(issuer = self.issuer, "left out of the issuer's key set: {skipped}");
            }
        }
        if state.failing.take().is_some() {
            tracing::info!(issuer = self.issuer, "the issuer gives its keys again");
        }
        state.fetched = Some(Instant::now());
        let changed = before.is_none_or(|before| !before.same_keys(&keys));
        state.known = Some(Arc::new(keys));
        changed
    }

    fn note_bad(&self, state: &mut State, why: String) {
        if state.failing.as_ref() != Some(&why) {
            let meanwhile = match state.known {
                Some(_) => "its known keys are used",
                None => "its tokens cannot be verified",
            };
            tracing::warn!(
                issuer = self.issuer,
                "the issuer's keys cannot be fetched: {why}; meanwhile {meanwhile}"
            );
        }
        state.failing = Some(why);
    }

    /// Twice as long each time, and never the same for two processes.
    fn rest(&self, failures: u32) -> Duration {
        let (first, last) = self.pace.retry;
        let whole = first.saturating_mul(1 << failures.min(16)).min(last);
        let share = getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX));
        whole.mul_f64(0.75 + share / 2.0)
    }
}

/// Fetches, rests, and fetches again for as long as anyone holds the keys.
async fn keeping(keys: Weak<Keys>) {
    let mut failures = 0;
    while let Some(held) = keys.upgrade() {
        held.state.send_modify(|state| state.begun += 1);
        let outcome = (held.fetch)().await;
        let settled = held.settle(outcome, failures);
        let (wake, fresh) = (Arc::clone(&held.wake), held.pace.fresh);
        drop(held);
        match settled {
            Ok(()) => {
                failures = 0;
                tokio::select! {
                    () = sleep(fresh) => {}
                    () = wake.notified() => {}
                }
            }
            Err(rest) => {
                failures += 1;
                sleep(rest).await;
            }
        }
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("issuer", &self.issuer).field("state", &*self.state.borrow()).finish()
    }
}

#[cfg(test)]
mod tests;
