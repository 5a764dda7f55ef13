//! [`Spent`]: plans that were agreed to and carried out here. A plan binds what was observed, so that a change
//! makes it void by itself; what comes back to where it was (an object that was made and deleted again)
//! needs this. Kept for as long as a plan is good, by this replica alone.

use std::collections::HashMap;

use aws_lc_rs::digest;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// Plans that are kept; the oldest go first.
const MOST: usize = 10_000;

/// The plans that were carried out.
#[derive(Debug, Default)]
pub(super) struct Spent(Mutex<HashMap<[u8; 32], (Timestamp, String)>>);

impl Spent {
    /// Takes a plan for the call of that number: whether no other call has taken it. `life` is how long it
    /// can still be good.
    pub(super) fn take(&self, plan: &str, call: &str, now: Timestamp, life: SignedDuration) -> bool {
        let Ok(key) = digest::digest(&digest::SHA256, plan.as_bytes()).as_ref().try_into() else {
            return false;
        };
        let mut spent = self.0.lock();
        if let Some((_, by)) = spent.get(&key) {
            return by == call;
        }
        spent.retain(|_, (end, _)| *end > now);
        if spent.len() >= MOST
            && let Some(oldest) = spent.iter().min_by_key(|(_, (end, _))| *end).map(|(key, _)| *key)
        {
            spent.remove(&oldest);
        }
        spent.insert(key, (now + life, call.to_owned()));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_good_for_one_call() {
        let (spent, now) = (Spent::default(), Timestamp::UNIX_EPOCH);
        let life = SignedDuration::from_mins(10);
        assert!(spent.take("p", "1", now, life));
        assert!(spent.take("p", "1", now, life), "the same call may look again");
        assert!(!spent.take("p", "2", now, life));
        assert!(spent.take("q", "2", now, life));
        let later = now + SignedDuration::from_mins(11);
        assert!(spent.take("r", "3", later, life));
        assert_eq!(spent.0.lock().len(), 1, "what is too old by itself is forgotten");
    }
}
