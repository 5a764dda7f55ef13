//! [`Link`]: the way to one cluster. Whoever uses the cluster asks for it, and all who do at once wait for the same;
//! it is found to its end also where they have gone.

use std::{sync::Arc, time::Duration};

use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use jiff::Timestamp;
use kube::config::AuthInfo;
use parking_lot::Mutex;
use tokio::time::timeout;

use super::{
    Mode,
    ask::Asker,
    server,
    service_account::{self, Held},
    trust::Told,
};
use crate::{
    kubernetes::{Fault, Lease, Way},
    palette::{kubeconfig::Server, place::Place},
};

/// How long whoever has a way that is good waits for a newer one.
const SOON: Duration = Duration::from_secs(1);
/// For how long a way is taken that could not be had anew.
const STALE: Duration = Duration::from_secs(30);

/// The way to one cluster. Its `Debug` tells nothing secret.
pub(super) struct Link {
    pub(super) asker: Arc<Asker>,
    pub(super) uid: String,
    pub(super) place: Place,
    /// `environment/project/name`
    pub(super) name: String,
    pub(super) mode: Mode,
    flying: Mutex<Option<Flight>>,
    /// What is known, for when Palette is away.
    server: Mutex<Option<Server>>,
    held: Mutex<Option<Held>>,
    /// Whose tokens it takes.
    pub(super) told: Told,
}

type Flight = Shared<BoxFuture<'static, Result<Way, Fault>>>;

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("name", &self.name).field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn new(asker: Arc<Asker>, uid: String, place: Place, name: String, mode: Mode) -> Self {
        Self {
            asker,
            uid,
            place,
            name,
            mode,
            flying: Mutex::default(),
            server: Mutex::default(),
            held: Mutex::default(),
            told: Told::default(),
        }
    }

    /// The way, found anew.
    pub(super) fn way(self: &Arc<Self>) -> Flight {
        let mut flying = self.flying.lock();
        if let Some(flight) = flying.as_ref().filter(|flight| flight.peek().is_none()) {
            return flight.clone();
        }
        let (link, done) = (Arc::clone(self), Arc::clone(self));
        let mut finding = tokio::spawn(async move { link.find().await });
        let flight = async move {
            let found = match timeout(SOON, &mut finding).await {
                Ok(found) => found,
                // nobody waits for another token while this one is good
                Err(_elapsed) => match done.as_before().await {
                    Some(way) => Ok(Ok(way)),
                    None => finding.await,
                },
            };
            // what it holds is the connection's from now on
            done.flying.lock().take();
            found.unwrap_or_else(|_| Err(none("a defect while the way to it was looked for", true)))
        };
        let flight = flight.boxed().shared();
        *flying = Some(flight.clone());
        flight
    }

    async fn find(&self) -> Result<Way, Fault> {
        let patience = self.asker.settings.patience;
        let late =
            || none(&format!("the way to it could not be found within {} s", patience.as_secs()), true);
        let finding = async {
            let _place = self.asker.parallel.acquire().await;
            match self.mode {
                Mode::Oidc => self.to_callers().await,
                Mode::ServiceAccount => self.to_account().await,
            }
        };
        match timeout(patience, finding).await.unwrap_or_else(|_| Err(late())) {
            Err(fault) if fault.is_transient() => self.as_before().await.ok_or(fault),
            found => found,
        }
    }

    /// For callers who bring a token.
    async fn to_callers(&self) -> Result<Way, Fault> {
        let access = self.asker.access(self.asker.settings.patience);
        let server = server::server(&self.asker, &access, &self.place, &self.uid).await?;
        let lease = Lease { until: None };
        let way = Way::to(&server.url, &server.authorities, AuthInfo::default(), lease).await?;
        *self.server.lock() = Some(server);
        Ok(way)
    }

    /// With a token of the server's own.
    async fn to_account(&self) -> Result<Way, Fault> {
        let (server, held) = service_account::held(self).await?;
        let way = Way::to(&server.url, &server.authorities, held.user(), held.lease()).await?;
        *self.server.lock() = Some(server);
        *self.held.lock() = Some(held);
        Ok(way)
    }

    /// As it was known last, while nobody tells it.
    async fn as_before(&self) -> Option<Way> {
        let server = self.server.lock().clone()?;
        let again = Timestamp::now() + STALE;
        let (user, until) = match self.mode {
            Mode::Oidc => (AuthInfo::default(), again),
            Mode::ServiceAccount => {
                let held = self.held.lock();
                let held = held.as_ref()?;
                (held.user(), held.ends().map_or(again, |ends| ends.min(again)))
            }
        };
        let lease = Lease { until: Some(until) };
        Way::to(&server.url, &server.authorities, user, lease).await.ok().filter(|_| until > Timestamp::now())
    }
}

pub(super) fn none(message: &str, retryable: bool) -> Fault {
    Fault::NoWay { message: message.to_owned(), retryable }
}
