//! [`Lease`]: for how long an answer may go on: until its caller's token ends, and what lasts only while the server
//! and the rules let it.

use std::{net::IpAddr, pin::Pin, sync::Arc, time::Duration};

use http::{Method, request::Parts};
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{DOOR, Entered, Progress};
use crate::{
    Error, ErrorKind,
    answer::Handing,
    caller::{
        Caller,
        places::{Full, Place},
    },
    door::{
        Who,
        serving::{Served, Serving},
        subscriber::{Subscriber, at},
    },
    kubernetes::proxy::Target,
    presented::Presented,
    telemetry::TraceContext,
    toolbox::{Request, pass},
};

/// An answer that is to have an end has this long to come to it, even where the token has ended a moment ago.
const ANSWER: Duration = Duration::from_secs(60);

/// Comes to its end when the answer has to.
pub(super) type Over = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What may go on, and for whom.
pub(super) struct Lease {
    pub(super) serving: Arc<Serving>,
    pub(super) served: Arc<Served>,
    pub(super) caller: Arc<Caller>,
    pub(super) client: IpAddr,
    pub(super) cluster: Option<String>,
    pub(super) presented: Arc<Presented>,
    pub(super) head: (Method, Target),
    /// Whether it may change something.
    pub(super) changes: bool,
    pub(super) lasts: bool,
}

impl Lease {
    /// Waits until it is over.
    pub(super) fn over(self, parts: &Parts) -> Over {
        let end = self.caller.token().map(|token| Timestamp::now().duration_until(token.expires));
        let left = end.map(|left| Duration::try_from(left).unwrap_or_default());
        if !self.lasts {
            return Box::pin(at(left.map(|left| Instant::now() + left.max(ANSWER))));
        }
        let end = left.map(|left| Instant::now() + left);
        let subscriber = Subscriber::new(&self.serving, &Who::EachRequest, &self.caller, Some(parts));
        Box::pin(async move {
            tokio::select! {
                () = at(end) => {}
                () = self.serving.ending().cancelled() => {}
                () = self.withdrawn(subscriber) => {}
            }
        })
    }

    /// Waits until the rules do not allow it any more.
    async fn withdrawn(&self, subscriber: Subscriber) {
        let mut replaced = self.serving.replacements();
        let mut known = Arc::clone(&self.served);
        loop {
            let served = Arc::clone(&self.serving.now());
            if !Arc::ptr_eq(&served, &known) {
                // whether values of Secrets are in it was decided when it began; whoever wants it asks again
                if self.head.1.is_secret() {
                    return;
                }
                let Some(caller) = subscriber.caller(&served).await else { return };
                let asked = (Arc::clone(&self.presented), None);
                let request = request(&caller, self.client, self.cluster.as_deref(), asked);
                let may = served.toolbox.passes_still(request, self.head.clone(), self.changes).await;
                if may.is_err() {
                    return;
                }
            }
            known = served;
            if replaced.changed().await.is_err() {
                return;
            }
        }
    }
}

/// A place among what lasts, of which there are so many: as subscriptions.
pub(super) fn place(serving: &Serving, entered: &Entered) -> Result<Place, Error> {
    let most = entered.served.terms.subscriptions;
    serving.subscriptions().place(&entered.caller, most).map_err(|full| {
        let whose = match full {
            Full::Yours(_) => "you have",
            Full::All => "there are",
        };
        let message =
            format!("{whose} as many watches, followed logs and channels at a time as there may be");
        Error::new(ErrorKind::RateLimited { retry_after: None }, message)
    })
}

/// For the gate.
pub(super) fn request(
    caller: &Arc<Caller>,
    client: IpAddr,
    cluster: Option<&str>,
    (presented, trace): (Arc<Presented>, Option<TraceContext>),
) -> Request {
    Request {
        door: DOOR,
        caller: Arc::clone(caller),
        tool: String::new(),
        arguments: pass::cluster(cluster),
        cancel: CancellationToken::new(),
        client: Some(client),
        trace,
        progress: Progress::default(),
        patience: None,
        handing: Handing::Withheld,
        presented,
    }
}
