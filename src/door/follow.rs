//! [`Follower`]: notices that a caller's own list of tools has become another one.

use std::{sync::Arc, time::Duration};

use http::request::Parts;
use jiff::Timestamp;
use rmcp::{
    RoleServer,
    service::{Peer, RequestContext, SubscriptionContext},
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use super::{
    authenticate::bearer,
    serving::{Served, Serving},
    who::Who,
};
use crate::caller::{Caller, credential::VERIFYING};

/// How long a subscription lasts at most: its client begins another one, with what has changed meanwhile.
const LONGEST: Duration = Duration::from_secs(3_600);
/// How long a notification may take to be sent.
const TELLING: Duration = Duration::from_secs(10);

/// A caller whose list is followed.
#[derive(Debug)]
pub(super) struct Follower {
    serving: Arc<Serving>,
    who: Who,
    /// Of a caller over HTTP: after a change of the rules it has to be good by the new ones.
    token: Option<SecretString>,
    replaced: watch::Receiver<u64>,
    known: Vec<u64>,
    /// Of a subscription; a client that shook hands is told for as long as it is there.
    end: Option<Instant>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// The list is another one.
    Changed,
    /// The caller is none by the rules that hold now.
    Refused,
    /// The time is over, or the server ends.
    Over,
}

impl Follower {
    /// Follows from what is served now.
    pub(super) async fn begin(
        serving: &Arc<Serving>,
        who: &Who,
        subscription: Option<(&Caller, &RequestContext<RoleServer>)>,
    ) -> Self {
        let mut follower = Self {
            // before anything is looked at, so that no change is missed
            replaced: serving.replacements(),
            serving: Arc::clone(serving),
            who: who.clone(),
            token: subscription.and_then(|(caller, context)| token(caller, context)),
            known: Vec::new(),
            end: subscription.map(|(caller, _)| Instant::now() + life(caller)),
        };
        // the caller may have been let in by rules that hold no more
        follower.known = follower.look().await.unwrap_or_default();
        follower
    }

    /// Tells a subscriber of each change, until the client ends it or it has to end.
    pub(super) async fn tell(mut self, subscription: &SubscriptionContext) {
        loop {
            let event = tokio::select! {
                () = subscription.cancelled() => return,
                event = self.next() => event,
            };
            if event != Event::Changed {
                return;
            }
            // a client that does not read is one that has gone
            let said = timeout(TELLING, subscription.sink().notify_tool_list_changed());
            if !matches!(said.await, Ok(Ok(()))) {
                return;
            }
        }
    }

    /// Tells a client of the older era of each change, for as long as it is there.
    pub(super) async fn tell_older(mut self, client: Peer<RoleServer>) {
        loop {
            match self.next().await {
                // a token that is no good now may be replaced by one that is
                Event::Refused => {}
                Event::Over => return,
                Event::Changed => {
                    let said = timeout(TELLING, client.notify_tool_list_changed());
                    if !matches!(said.await, Ok(Ok(()))) {
                        return;
                    }
                }
            }
        }
    }

    /// Waits for what happens next.
    async fn next(&mut self) -> Event {
        loop {
            let ending = self.serving.ending().clone();
            tokio::select! {
                () = ending.cancelled() => return Event::Over,
                () = at(self.end) => return Event::Over,
                replaced = self.replaced.changed() => if replaced.is_err() { return Event::Over },
            }
            match self.look().await {
                None => return Event::Refused,
                Some(list) if list == self.known => {}
                Some(list) => {
                    self.known = list;
                    return Event::Changed;
                }
            }
        }
    }

    async fn look(&self) -> Option<Vec<u64>> {
        let served = Arc::clone(&self.serving.now());
        let caller = self.caller(&served).await?;
        Some(served.fingerprint(&caller))
    }

    async fn caller(&self, served: &Served) -> Option<Arc<Caller>> {
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
}

async fn at(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}

fn token(caller: &Caller, context: &RequestContext<RoleServer>) -> Option<SecretString> {
    // of a caller without one, whatever the header says is nothing
    caller.token()?;
    let parts = context.extensions.get::<Parts>()?;
    bearer(&parts.headers, &parts.uri).ok().map(|token| token.to_owned().into())
}

fn life(caller: &Caller) -> Duration {
    let left = caller.token().map(|token| Timestamp::now().duration_until(token.expires));
    left.map_or(LONGEST, |left| Duration::try_from(left).unwrap_or_default().min(LONGEST))
}
