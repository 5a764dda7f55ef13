//! Exchanging a caller's token for one that a cluster takes (RFC 8693), at the issuer that made it.
//!
//! Each token is exchanged once for each audience and kept until a little before it ends, for that caller's
//! token alone. Nothing of a token is in an error, a log or a `Debug`.

pub(in crate::caller) mod answer;
mod endpoint;
mod subject;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use quick_cache::{Weighter, sync::Cache};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};

use self::{answer::Given, endpoint::Endpoint};
use super::{
    discovery::Origin,
    settings::{ExchangeSettings, IssuerSettings},
};
use crate::{
    kubernetes::Fault,
    weighted::{self, Bounds},
};

pub(in crate::caller) use subject::Subject;

/// The grant.
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Tokens that are kept at the most, and what they may weigh together, in bytes.
const MOST: usize = 8_192;
const MOST_WEIGHT: u64 = 16 << 20;
/// Parts of the cache, each with its share of the weight: no token may be heavier than a share.
const PARTS: usize = 8;

/// How long a failure is answered without asking again.
const FAILED: SignedDuration = SignedDuration::from_secs(1);
/// Before its end a token is not used any more for this long, or for a tenth of its life.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// For how long a token is kept of which the issuer does not say when it ends.
const UNSAID: SignedDuration = SignedDuration::from_secs(60);
/// A token that a cluster refuses is exchanged anew, but not one that was just got.
const SETTLED: SignedDuration = SignedDuration::from_secs(5);
/// When the issuer is asked again where its token endpoint is.
const FRESH: Duration = Duration::from_secs(600);

/// The hash of a caller's token, and the audience.
type Key = ([u8; 32], Arc<str>);

/// Exchanges tokens of one issuer.
pub(in crate::caller) struct Exchanger {
    origin: Origin,
    /// Audiences of tokens for this server, which no cluster may be given.
    ours: Vec<String>,
    settings: ExchangeSettings,
    endpoint: ArcSwap<OnceCell<Arc<Endpoint>>>,
    held: Cache<Key, Held, Weigh>,
}

/// What an exchange brought.
#[derive(Clone)]
struct Held {
    outcome: Result<SecretString, Fault>,
    since: Timestamp,
    until: Timestamp,
}

#[derive(Clone)]
struct Weigh;

impl Weighter<Key, Held> for Weigh {
    fn weight(&self, (_, audience): &Key, held: &Held) -> u64 {
        let held = match &held.outcome {
            Ok(token) => token.expose_secret().len(),
            Err(fault) => fault.to_string().len(),
        };
        ((held + audience.len() + size_of::<(Key, Held)>()) as u64).max(MOST_WEIGHT / MOST as u64)
    }
}

impl std::fmt::Debug for Exchanger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchanger")
            .field("issuer", &self.origin.issuer)
            .field("held", &self.held.len())
            .finish_non_exhaustive()
    }
}

impl Exchanger {
    /// Of this issuer, where its tokens are exchanged.
    pub(super) fn new(settings: &IssuerSettings, origin: &Origin) -> Option<Arc<Self>> {
        let exchange = settings.exchange.clone()?;
        let bounds = Bounds { entries: MOST, weight: MOST_WEIGHT, parts: PARTS };
        let held = weighted::cache(bounds, Weigh);
        Some(Arc::new(Self {
            origin: origin.clone(),
            ours: settings.audiences.clone(),
            settings: exchange,
            endpoint: ArcSwap::default(),
            held,
        }))
    }

    /// Whether it would do the same with these settings, so that what it holds may be kept.
    pub(super) fn is_of(&self, settings: &IssuerSettings, origin: &Origin) -> bool {
        let same = (&self.origin, &self.ours) == (origin, &settings.audiences);
        same && Some(&self.settings) == settings.exchange.as_ref()
    }

    /// Forgets what has ended.
    pub(super) fn forget(&self, now: Timestamp) {
        self.held.retain(|_, held| now < held.until);
    }

    /// A token for this audience: one that is held, or else one that is got now, once for all who wait for it.
    async fn token(
        &self,
        subject: &Subject,
        audience: &Arc<str>,
        deadline: Instant,
    ) -> Result<SecretString, Fault> {
        let key = (*subject.hash(), Arc::clone(audience));
        let got = async {
            loop {
                match self.held.get_value_or_guard_async(&key).await {
                    Ok(held) if Timestamp::now() < held.until => return held.outcome,
                    Ok(_) => drop(self.held.remove_if(&key, |held| held.until <= Timestamp::now())),
                    Err(place) => {
                        let held = self.exchange(subject, audience).await;
                        let outcome = held.outcome.clone();
                        // where it is too heavy, it is got anew each time
                        drop(place.insert(held));
                        return outcome;
                    }
                }
            }
        };
        let began = Instant::now();
        timeout_at(deadline, got).await.unwrap_or_else(|_| Err(Fault::Timeout(began.elapsed())))
    }

    async fn exchange(&self, subject: &Subject, audience: &str) -> Held {
        let given = match self.endpoint().await {
            Ok(endpoint) => endpoint.exchange(self, subject, audience).await,
            Err(why) => Err(answer::Failed::outage(why)),
        };
        let now = Timestamp::now();
        match given {
            Ok(given) => {
                let until = until(&given, subject.expires(), now);
                Held { outcome: Ok(given.token), since: now, until }
            }
            Err(failed) => {
                let (issuer, why) = (&self.origin.issuer, &failed.message);
                tracing::warn!(issuer, audience, "a token could not be exchanged: {why}");
                if failed.retryable {
                    // perhaps it has moved
                    self.endpoint.store(Arc::default());
                }
                Held { outcome: Err(failed.fault()), since: now, until: now + FAILED }
            }
        }
    }

    /// A cluster did not take this token.
    fn refused(&self, key: &Key) {
        let settled = Timestamp::now() - SETTLED;
        self.held.remove_if(key, |held| held.since <= settled);
    }

    /// Where tokens are exchanged, asked once for all.
    async fn endpoint(&self) -> Result<Arc<Endpoint>, String> {
        let known = self.endpoint.load_full();
        if known.get().is_some_and(|endpoint| endpoint.is_older_than(FRESH)) {
            self.endpoint.compare_and_swap(&known, Arc::default());
        }
        let place = self.endpoint.load_full();
        let find = || async { Endpoint::find(&self.origin, &self.settings).await.map(Arc::new) };
        place.get_or_try_init(find).await.cloned()
    }
}

/// Whether an issuer says that it exchanges tokens; nothing where it does not say which grants it knows.
pub(super) async fn is_offered(origin: &Origin) -> Result<Option<bool>, String> {
    let document = origin.document().await?;
    let grants = document.get("grant_types_supported").and_then(Value::as_array);
    Ok(grants.map(|grants| grants.iter().any(|grant| grant == GRANT)))
}

/// Until when a token is used.
fn until(given: &Given, subject: Timestamp, now: Timestamp) -> Timestamp {
    let life = given.life.unwrap_or(UNSAID).min(now.duration_until(subject));
    let margin = MARGIN.min(life / 10);
    now.checked_add(life - margin).unwrap_or(now)
}

#[cfg(test)]
mod tests;
