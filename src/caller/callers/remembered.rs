//! [`Remembered`]: the owner of a token that was verified before, and what it costs to remember one.

use std::sync::Arc;

use jiff::Timestamp;
use quick_cache::{Weighter, sync::Cache};

use super::super::{Caller, Shown, oidc::Standing};
use crate::weighted::{self, Bounds};

/// Callers that are remembered at the most. Only who has a good token can be one of them.
const MOST: usize = 16_384;

/// What they may weigh together, in bytes.
pub(super) const MOST_WEIGHT: u64 = 64 << 20;

/// What is not seen of one: its place in the cache, what the allocator adds. So that there are never more
/// than [`MOST`], none weighs less than its share.
const LEAST_WEIGHT: u64 = MOST_WEIGHT / MOST as u64;

/// The heaviest that is remembered; a thousand groups of usual length fit. Who is heavier is verified
/// each time.
const HEAVIEST: u64 = 256 << 10;

/// Parts of the cache, each with a lock and its share of the weight. As many as there are cores, as
/// usual, would on large machines leave a part less than [`HEAVIEST`].
const PARTS: usize = 16;

/// What a string needs beside its bytes: its head, and what the allocator adds.
const STRING: usize = size_of::<String>() + 16;

/// The owner of a token that was verified before.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    caller: Arc<Caller>,
    standing: Standing,
    weight: u64,
}

/// Weighs what was weighed before.
#[derive(Clone, Debug)]
pub(super) struct Weigh;

impl Weighter<[u8; 32], Remembered> for Weigh {
    fn weight(&self, _: &[u8; 32], known: &Remembered) -> u64 {
        known.weight
    }
}

/// Room for them.
pub(super) fn none() -> Cache<[u8; 32], Remembered, Weigh> {
    weighted::cache(Bounds { entries: MOST, weight: MOST_WEIGHT, parts: PARTS }, Weigh)
}

impl Remembered {
    /// What is to be kept of a caller, unless that is too much.
    pub(super) fn new(caller: &Arc<Caller>, standing: &Standing) -> Option<Self> {
        let weight = (weight(caller) as u64).max(LEAST_WEIGHT);
        let known = || Self { caller: Arc::clone(caller), standing: standing.clone(), weight };
        (weight <= HEAVIEST).then(known)
    }

    /// The owner, where the token still holds at `now`.
    pub(super) fn at(self, now: Timestamp) -> Option<Arc<Caller>> {
        self.holds(now).then_some(self.caller)
    }

    /// Whether the token still holds at `now`.
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        self.standing.holds(now)
    }
}

/// The bytes that a caller keeps in use, whether or not some are shared with others: those may be gone
/// before it is.
pub(in crate::caller) fn weight(caller: &Caller) -> usize {
    let Caller {
        issuer: _,
        subject,
        username,
        groups,
        permissions,
        token,
        identity: _,
        shown,
        scopes,
        subject_token,
        actor: _,
        verified: _,
    } = caller;
    let all = |strings: &[String]| strings.iter().map(|string| STRING + string.len()).sum::<usize>();
    let names = STRING * 2 + subject.len() + username.len();
    let grants: usize =
        permissions.grants().iter().map(|grant| size_of_val(grant) + grant.rule.len() + 16).sum();
    let token = token
        .as_ref()
        .map_or(0, |token| STRING * 2 + token.hash.len() + token.id.as_ref().map_or(0, String::len));
    let shown = match shown {
        Shown::Nobody(_) => 0,
        Shown::Everywhere(shown) => {
            let extra: usize =
                shown.extra.iter().map(|(key, values)| STRING * 2 + key.len() + all(values)).sum();
            let uid = shown.uid.as_ref().map_or(0, |uid| STRING + uid.len());
            STRING + shown.user.len() + all(&shown.groups) + uid + extra
        }
        Shown::Named(named) => named.weight(STRING),
    };
    let subject = subject_token.as_ref().map_or(0, |token| STRING + token.weight());
    let whole = size_of::<Caller>() + size_of::<Remembered>();
    whole + names + all(groups) + grants + token + shown + all(scopes) + subject
}
