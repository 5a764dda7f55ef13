//! [`Follower`]: notices that a caller's own list of tools has become another one.

use std::{sync::Arc, time::Duration};

use rmcp::{
    RoleServer,
    service::{Peer, SubscriptionContext},
};
use tokio::{sync::watch, time::timeout};

use super::subscriber::Subscriber;

/// How long a notification may take to be sent.
pub(super) const TELLING: Duration = Duration::from_secs(10);

/// A caller whose list is followed.
#[derive(Debug)]
pub(super) struct Follower {
    of: Subscriber,
    replaced: watch::Receiver<u64>,
    known: Vec<u64>,
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
    pub(super) async fn begin(of: Subscriber) -> Self {
        // before anything is looked at, so that no change is missed
        let replaced = of.serving.replacements();
        let mut follower = Self { of, replaced, known: Vec::new() };
        // the caller may have been let in by rules that hold no more
        follower.known = follower.look().await.unwrap_or_default();
        follower
    }

    /// Tells a subscriber of each change, until it has to end.
    pub(super) async fn tell(mut self, subscription: &SubscriptionContext) {
        while self.next().await == Event::Changed {
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
            tokio::select! {
                () = self.of.over() => return Event::Over,
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
        let served = Arc::clone(&self.of.serving.now());
        let caller = self.of.caller(&served).await?;
        Some(served.fingerprint(&caller))
    }
}
