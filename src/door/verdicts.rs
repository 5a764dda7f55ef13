//! [`Verdicts`]: whether a caller may still read what they follow, asked at most every ten seconds, once for
//! all of their subscriptions to it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{sync::OnceCell, time::Instant};

use crate::{Error, caller::Caller, presented::Presented, toolbox::Subject};

/// How long an answer holds.
pub(super) const LIFE: Duration = Duration::from_secs(10);

type Answer = Result<Subject, Error>;

/// The answers that hold, and those that are awaited.
#[derive(Debug, Default)]
pub(super) struct Verdicts(Mutex<HashMap<Question, Slot>>);

/// Who asks, by which tokens, by the how manieth rules, and of what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    owner: [String; 2],
    token: String,
    presented: [u8; 32],
    rules: u64,
    uri: String,
}

#[derive(Clone, Debug)]
struct Slot {
    asked: Instant,
    answer: Arc<OnceCell<Answer>>,
}

impl Question {
    pub(super) fn new(caller: &Caller, presented: &Presented, rules: u64, uri: String) -> Self {
        let token = caller.token().map(|token| token.hash.clone()).unwrap_or_default();
        Self {
            owner: caller.binding().map(str::to_owned),
            token,
            presented: presented.fingerprint(),
            rules,
            uri,
        }
    }
}

impl Verdicts {
    /// The answer, and since when it holds; `ask` is asked where there is none.
    pub(super) async fn answer<F: Future<Output = Answer>>(
        &self,
        question: Question,
        ask: impl FnOnce() -> F,
    ) -> (Answer, Instant) {
        let slot = self.slot(question.clone());
        let answer = slot.answer.get_or_init(ask).await.clone();
        if answer.is_err() {
            // an error may pass
            self.0
                .lock()
                .retain(|known, held| *known != question || !Arc::ptr_eq(&held.answer, &slot.answer));
        }
        (answer, slot.asked)
    }

    fn slot(&self, question: Question) -> Slot {
        let mut slots = self.0.lock();
        slots.retain(|_, slot| slot.asked.elapsed() < LIFE);
        let fresh = || Slot { asked: Instant::now(), answer: Arc::default() };
        slots.entry(question).or_insert_with(fresh).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{caller::local, permission::PermissionSet};

    #[tokio::test]
    async fn it_is_asked_once_for_all_who_wait_and_again_after_an_error() {
        let (verdicts, asked) = (Verdicts::default(), AtomicUsize::new(0));
        let caller = local::with_permissions(PermissionSet::default());
        let question =
            |rules| Question::new(&caller, &Presented::default(), rules, "kro://lab/rgds/a".to_owned());
        let ask = |rules| {
            verdicts.answer(question(rules), || async {
                asked.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Err(Error::not_found("nothing"))
            })
        };
        let (one, same, other) = futures::join!(ask(1), ask(1), ask(2));
        assert!([one, same, other].iter().all(|(answer, _)| answer.is_err()));
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        ask(1).await.0.expect_err("an error");
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }
}
