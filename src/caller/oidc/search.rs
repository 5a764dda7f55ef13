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

/// When to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// At once.
    Now,
    /// Then, unless someone else has asked by then.
    At(Instant),
    /// Not for that.
    Never,
}

/// What was asked for, and in vain.
#[derive(Debug, Default)]
pub(super) struct Searches {
    /// When all that was spent is there again (the generic cell rate algorithm).
    spent_until: Option<Instant>,
    missed: HashMap<u64, Instant>,
    /// When a name that had not been found was looked for again.
    again: Option<Instant>,
    unsigned: Option<Instant>,
    hasher: RandomState,
}

impl Searches {
    /// When to ask for a cause: [`BURST`] times after a rest, and in the long run once in each `spacing` for
    /// names that are new and once for those that were not found lately. Nobody with an unknown key is turned
    /// away for that: with its name sent before, or many others, a real key would be missed.
    pub(super) fn turn(&mut self, cause: Cause<'_>, spacing: Duration, now: Instant) -> Turn {
        let recent = |then: &Instant| now.duration_since(*then) < REMEMBERED;
        match cause {
            // of its own: forgeries must not use up what new keys are found with
            Cause::Unsigned if self.unsigned.as_ref().is_some_and(recent) => Turn::Never,
            Cause::Unsigned => {
                self.unsigned = Some(now);
                Turn::Now
            }
            Cause::Unknown(key) => {
                let missed = self.missed.get(&self.hasher.hash_one(key)).copied().filter(recent);
                let turn = match missed {
                    Some(missed) => self.again.map_or(missed, |again| again.max(missed)) + spacing,
                    None => {
                        let full = spacing * (BURST - 1);
                        self.spent_until.and_then(|until| until.checked_sub(full)).unwrap_or(now)
                    }
                };
                if turn > now {
                    return Turn::At(turn);
                }
                match missed {
                    Some(_) => self.again = Some(now),
                    None => self.spent_until = Some(self.spent_until.unwrap_or(now).max(now) + spacing),
                }
                Turn::Now
            }
        }
    }

    /// What was looked for was found: nobody can make the issuer publish keys, so it does not count.
    pub(super) fn found(&mut self) {
        self.spent_until = None;
        self.again = None;
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
                let now = after(begun, second);
                match searches.turn(Cause::Unknown(&key), SPACING, now) {
                    Turn::Now => asked += 1,
                    Turn::At(at) => assert!(now < at && at <= now + SPACING, "{second}: nobody waits longer"),
                    Turn::Never => panic!("{second}: a new name is never turned away"),
                }
                searches.missed(Cause::Unknown(&key), now);
            }
        }
        assert_eq!(asked, 4 + 9, "four at first, then one in ten seconds");
        assert!(searches.missed.len() <= MOST);
    }

    #[test]
    fn one_name_sent_again_and_again_leaves_room_for_a_new_key() {
        let (mut searches, begun) = (Searches::default(), Instant::now());
        let mut asked = 0;
        for second in 0..120 {
            let now = after(begun, second);
            match searches.turn(Cause::Unknown("nobody"), SPACING, now) {
                Turn::Now => {
                    asked += 1;
                    searches.missed(Cause::Unknown("nobody"), now);
                }
                // it may be the name of the next key, sent by someone who guessed it
                Turn::At(at) => assert!(at <= now + SPACING, "{second}"),
                Turn::Never => panic!("{second}"),
            }
            searches.turn(Cause::Unsigned, SPACING, now);
            let before = searches.spent_until;
            assert_eq!(searches.turn(Cause::Unknown("new"), SPACING, now), Turn::Now, "{second}");
            searches.spent_until = before;
        }
        assert_eq!(asked, 12, "once in ten seconds");
    }

    #[test]
    fn what_was_useful_does_not_count() {
        let (mut searches, now) = (Searches::default(), Instant::now());
        for key in ["1", "2", "3", "4"] {
            assert_eq!(searches.turn(Cause::Unknown(key), SPACING, now), Turn::Now, "{key}");
            searches.found();
        }
        assert_eq!(searches.turn(Cause::Unsigned, SPACING, now), Turn::Now);
        assert_eq!(searches.turn(Cause::Unsigned, SPACING, now), Turn::Never);
    }
}
