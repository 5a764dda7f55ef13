//! [`Searches`]: how often an issuer is asked for a key that a token made us miss. Whoever wants to can
//! send such tokens, so nothing of what they send may make us ask more often, or make us miss a real key.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use tokio::time::Instant;

/// For so long, the name of a key that was not found, and a signature that was none, are no reason to ask
/// again: who sends the same thing again and again must not use up what there is for others.
const REMEMBERED: Duration = Duration::from_secs(60);

/// So many times at once, after a rest: some tokens of keys that are long gone always come with those of a
/// new key.
const BURST: u32 = 4;

/// So many names of keys that were not found are remembered.
const MOST: usize = 64;

/// Why the issuer is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cause<'t> {
    /// A token names a key that is not known.
    Unknown(&'t str),
    /// The key that a token names did not sign it. Perhaps there is another of that name now.
    Unsigned,
}

/// What was asked for, and in vain.
#[derive(Debug, Default)]
pub(super) struct Searches {
    /// When all that was spent is there again (the generic cell rate algorithm).
    spent_until: Option<Instant>,
    missed: HashMap<u64, Instant>,
    unsigned: Option<Instant>,
    hasher: RandomState,
}

impl Searches {
    /// Whether to ask now: [`BURST`] times after a rest, and in the long run once in each `spacing`.
    pub(super) fn allow(&mut self, cause: Cause<'_>, spacing: Duration, now: Instant) -> bool {
        let recent = |then: Option<Instant>| then.is_some_and(|then| now.duration_since(then) < REMEMBERED);
        match cause {
            // of its own: forgeries must not use up what new keys are found with
            Cause::Unsigned if recent(self.unsigned) => false,
            Cause::Unsigned => {
                self.unsigned = Some(now);
                true
            }
            Cause::Unknown(key) if recent(self.missed.get(&self.hasher.hash_one(key)).copied()) => false,
            Cause::Unknown(_) => {
                let spent_until = self.spent_until.unwrap_or(now).max(now);
                let free = spent_until <= now + spacing * (BURST - 1);
                if free {
                    self.spent_until = Some(spent_until + spacing);
                }
                free
            }
        }
    }

    /// What was looked for was found: nobody can make the issuer publish keys, so it does not count.
    pub(super) fn found(&mut self) {
        self.spent_until = None;
        self.unsigned = None;
    }

    /// It was not found.
    pub(super) fn missed(&mut self, cause: Cause<'_>, now: Instant) {
        let Cause::Unknown(key) = cause else { return };
        if self.missed.len() >= MOST {
            self.missed.retain(|_, then| now.duration_since(*then) < REMEMBERED);
        }
        if self.missed.len() < MOST {
            self.missed.insert(self.hasher.hash_one(key), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACING: Duration = Duration::from_secs(10);

    fn after(begun: Instant, seconds: u64) -> Instant {
        begun + Duration::from_secs(seconds)
    }

    #[test]
    fn ever_new_names_are_looked_for_at_a_bounded_rate() {
        let (mut searches, begun) = (Searches::default(), Instant::now());
        let mut asked = 0;
        for second in 0..100 {
            for each in 0..50 {
                let key = format!("{second}-{each}");
                asked += u32::from(searches.allow(Cause::Unknown(&key), SPACING, after(begun, second)));
                searches.missed(Cause::Unknown(&key), after(begun, second));
            }
        }
        assert_eq!(asked, 4 + 9, "four at first, then one in ten seconds");
        assert!(searches.missed.len() <= MOST);
    }

    #[test]
    fn one_name_sent_again_and_again_leaves_room_for_a_new_key() {
        let (mut searches, begun) = (Searches::default(), Instant::now());
        for second in 0..120 {
            let now = after(begun, second);
            if searches.allow(Cause::Unknown("nobody"), SPACING, now) {
                assert_eq!(second % 60, 0);
                searches.missed(Cause::Unknown("nobody"), now);
            }
            searches.allow(Cause::Unsigned, SPACING, now);
            let before = searches.spent_until;
            assert!(searches.allow(Cause::Unknown("new"), SPACING, now), "{second}");
            searches.spent_until = before;
        }
    }

    #[test]
    fn what_was_useful_does_not_count() {
        let (mut searches, now) = (Searches::default(), Instant::now());
        for key in ["1", "2", "3", "4"] {
            assert!(searches.allow(Cause::Unknown(key), SPACING, now), "{key}");
            searches.found();
        }
        assert!(searches.allow(Cause::Unsigned, SPACING, now));
        assert!(!searches.allow(Cause::Unsigned, SPACING, now));
    }
}
