//! Whose tokens a cluster takes, by its OIDC settings in Palette: those of the issuer that they name, for the client
//! that they name.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt as _, future::BoxFuture};
use parking_lot::Mutex;
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};

use super::{
    ask::no_way,
    link::{Link, none},
};
use crate::{
    kubernetes::{Fault, Trust, Trusting},
    palette::{
        api::oidc::OidcSpec,
        ask::Ask,
        kubeconfig::{Login, NoLogin},
    },
    permission::scope::matches,
};

/// For how long it is known.
const KNOWN: Duration = Duration::from_secs(600);
/// For how long what could not be asked for anew is taken as it was.
const STALE: Duration = Duration::from_secs(30);

/// What was told, and what is being asked for.
#[derive(Debug, Default)]
pub(super) struct Told {
    now: Mutex<Arc<OnceCell<(Trust, Instant)>>>,
    before: Mutex<Option<Trust>>,
}

impl Told {
    /// The place of what is good still, or an empty one, which whoever comes first fills.
    fn place(&self) -> Arc<OnceCell<(Trust, Instant)>> {
        let mut now = self.now.lock();
        if now.get().is_some_and(|(_, until)| *until <= Instant::now()) {
            *now = Arc::default();
        }
        Arc::clone(&now)
    }
}

impl Link {
    async fn trusted(&self) -> Result<Trust, Fault> {
        let place = self.told.place();
        let asked = place.get_or_try_init(async || match self.ask_trust().await {
            Ok(trust) => {
                *self.told.before.lock() = Some(trust.clone());
                Ok((trust, Instant::now() + KNOWN))
            }
            Err(fault) if fault.is_transient() => {
                let before = self.told.before.lock().clone();
                before.map(|trust| (trust, Instant::now() + STALE)).ok_or(fault)
            }
            Err(fault) => Err(fault),
        });
        asked.await.map(|(trust, _)| trust.clone())
    }

    async fn ask_trust(&self) -> Result<Trust, Fault> {
        let settings = &self.asker.settings;
        let access = self.asker.access(settings.patience);
        // it holds a client's secret: never kept
        let ask = Ask::get(&["spectroclusters", &self.uid, "oidc"]).kept(Duration::ZERO);
        let spec = match access.ask::<Option<OidcSpec>>(&self.place, ask).await {
            Ok(spec) => spec.unwrap_or_default(),
            Err(fault) if fault.is_not_found() => OidcSpec::default(),
            Err(fault) => return Err(no_way("Palette does not tell whose tokens the cluster takes", &fault)),
        };
        let trust = match (Login::of(&spec), &settings.trust) {
            (Ok(login), _) => {
                Trust { issuer: login.issuer().to_owned(), client: login.client_id().to_owned() }
            }
            (Err(NoLogin::Absent), Some(trust)) => trust.clone(),
            (Err(why), _) => {
                let what = format!("no caller's token is sent to the cluster, since in Palette {why}");
                return Err(none(&what, false));
            }
        };
        let clients = &settings.client_ids;
        if clients.is_empty() || clients.iter().any(|pattern| matches(pattern, &trust.client)) {
            return Ok(trust);
        }
        Err(none("the cluster's OIDC client is none of clusterProvider.clientIds", false))
    }
}

impl Trusting for Link {
    fn trust(&self, deadline: Instant) -> BoxFuture<'_, Result<Trust, Fault>> {
        let began = Instant::now();
        let asked = timeout_at(deadline, self.trusted());
        async move { asked.await.unwrap_or_else(|_| Err(Fault::Timeout(began.elapsed()))) }.boxed()
    }
}
