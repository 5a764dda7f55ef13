//! [`Subscriber`]: somebody who is told of something for as long as they may be.

use std::{sync::Arc, time::Duration};

use http::request::Parts;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    authenticate::bearer,
    serving::{Served, Serving},
    who::Who,
};
use crate::{
    caller::{Caller, credential::VERIFYING},
    presented::Presented,
};

/// How long a subscription lasts at most: its client begins another one, with what has changed meanwhile.
const LONGEST: Duration = Duration::from_secs(3_600);

/// Somebody who is told of something.
#[derive(Clone, Debug)]
pub(super) struct Subscriber {
    pub(super) serving: Arc<Serving>,
    who: Who,
    /// Of a caller over HTTP: after a change of the rules it has to be good by the new ones.
    token: Option<SecretString>,
    /// The tokens for clusters that came with the subscription.
    pub(super) presented: Arc<Presented>,
    /// Of a subscription; a client that shook hands is told for as long as it is there.
    end: Option<Instant>,
}

impl Subscriber {
    /// A client that shook hands.
    pub(super) fn lasting(serving: &Arc<Serving>, who: &Who) -> Self {
        Self {
            serving: Arc::clone(serving),
            who: who.clone(),
            token: None,
            presented: Arc::default(),
            end: None,
        }
    }

    /// A caller who subscribed, with the head of an HTTP request where it was one.
    pub(super) fn new(serving: &Arc<Serving>, who: &Who, caller: &Caller, parts: Option<&Parts>) -> Self {
        let end = Some(Instant::now() + life(caller));
        let presented = parts.map(|parts| serving.now().presented(&parts.headers)).unwrap_or_default();
        let token = parts.and_then(|parts| token(caller, parts));
        Self { token, presented, end, ..Self::lasting(serving, who) }
    }

    /// The caller by the rules that hold now; nobody where they are none.
    pub(super) async fn caller(&self, served: &Served) -> Option<Arc<Caller>> {
        match (&self.who, &self.token) {
            (Who::EachRequest, Some(token)) => {
                let verified = timeout(VERIFYING, served.callers.token(token.expose_secret()));
                verified.await.ok()?.ok()
            }
            (Who::EachRequest, None) if served.callers.need_token() => None,
            (Who::EachRequest, None) => served.callers.local().map(Arc::clone),
            (who, _) => who.owner(served).await.ok(),
        }
    }

    /// Waits until nothing is told any more: the time is over, or the server ends.
    pub(super) async fn over(&self) {
        tokio::select! {
            () = self.serving.ending().cancelled() => {}
            () = at(self.end) => {}
        }
    }
}

/// Waits until then, or for ever.
pub(super) async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

fn token(caller: &Caller, parts: &Parts) -> Option<SecretString> {
    // of a caller without one, whatever the header says is nothing
    caller.token()?;
    bearer(&parts.headers, &parts.uri).ok().map(|token| token.to_owned().into())
}

fn life(caller: &Caller) -> Duration {
    let left = caller.token().map(|token| Timestamp::now().duration_until(token.expires));
    left.map_or(LONGEST, |left| Duration::try_from(left).unwrap_or_default().min(LONGEST))
}
