//! [`Tokens`]: what a sign-in brought.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::Shown;

/// Before its end a token is not used any more for this long, or for a tenth of its life.
const MARGIN: SignedDuration = SignedDuration::from_secs(30);

/// What a sign-in brought. Its `Debug` says whose it is and nothing of the tokens.
#[derive(Clone)]
pub struct Tokens {
    /// The access token.
    pub access: Option<Held>,
    /// The ID token.
    pub id: Option<Held>,
    /// What they are renewed with.
    pub refresh: Option<SecretString>,
    /// `sub` of the ID token.
    pub subject: String,
    /// When the issuer gave them.
    pub since: Timestamp,
}

/// A token and its end, where that is known.
#[derive(Clone)]
pub struct Held {
    /// The token.
    pub token: SecretString,
    /// Its end.
    pub ends: Option<Timestamp>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("ends", &self.ends).finish_non_exhaustive()
    }
}

impl Tokens {
    /// The one that is wanted, whether it still holds or not.
    pub fn held(&self, which: Shown) -> Option<&Held> {
        match which {
            Shown::Access => self.access.as_ref(),
            Shown::Id => self.id.as_ref(),
        }
    }

    /// The one that is wanted, where it holds for a while yet. One that does not say when it ends is used until
    /// somebody does not take it.
    pub fn fresh(&self, which: Shown, now: Timestamp) -> Option<&Held> {
        let life = |ends: Timestamp| self.since.duration_until(ends);
        let margin = |ends| MARGIN.min(life(ends) / 10).max(SignedDuration::ZERO);
        let holds = |ends| now.duration_until(ends) > margin(ends);
        self.held(which).filter(|held| held.ends.is_none_or(holds))
    }

    /// The same, unless it has ended.
    pub fn usable(&self, which: Shown, now: Timestamp) -> Option<&Held> {
        self.held(which).filter(|held| held.ends.is_none_or(|ends| now < ends))
    }
}

/// As it is written down. It has no `Debug`.
#[derive(Serialize, Deserialize)]
pub(super) struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_ends: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_ends: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    subject: String,
    since: Timestamp,
}

impl From<&Tokens> for Written {
    fn from(tokens: &Tokens) -> Self {
        let exposed = |held: &Held| held.token.expose_secret().to_owned();
        Self {
            access_token: tokens.access.as_ref().map(exposed),
            access_ends: tokens.access.as_ref().and_then(|held| held.ends),
            id_token: tokens.id.as_ref().map(exposed),
            id_ends: tokens.id.as_ref().and_then(|held| held.ends),
            refresh_token: tokens.refresh.as_ref().map(|token| token.expose_secret().to_owned()),
            subject: tokens.subject.clone(),
            since: tokens.since,
        }
    }
}

impl From<Written> for Tokens {
    fn from(written: Written) -> Self {
        let held = |token: Option<String>, ends| token.map(|token| Held { token: token.into(), ends });
        Self {
            access: held(written.access_token, written.access_ends),
            id: held(written.id_token, written.id_ends),
            refresh: written.refresh_token.map(Into::into),
            subject: written.subject,
            since: written.since,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_token_is_renewed_a_little_before_it_ends() {
        let tokens = |ends: Option<i64>| Tokens {
            access: Some(Held { token: "planted".into(), ends: ends.map(at) }),
            id: None,
            refresh: None,
            subject: "alice".to_owned(),
            since: at(1_000),
        };
        let fresh = |ends, now| tokens(ends).fresh(Shown::Access, at(now)).is_some();
        assert!(fresh(Some(4_600), 4_569) && !fresh(Some(4_600), 4_570));
        assert!(fresh(Some(1_010), 1_008) && !fresh(Some(1_010), 1_009), "a tenth of a short life");
        assert!(fresh(None, 9_000), "nobody said when it ends");
        assert!(tokens(Some(4_600)).usable(Shown::Access, at(4_599)).is_some());
        assert!(tokens(Some(4_600)).usable(Shown::Access, at(4_600)).is_none());
        assert!(tokens(None).fresh(Shown::Id, at(0)).is_none(), "there is none");
        assert!(!format!("{:?}{:?}", tokens(None), tokens(None).access).contains("planted"));
    }
}
