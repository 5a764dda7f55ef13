//! [`Asker`]: asking Palette for what the server itself has to know of clusters, with the environment's own key.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::Instant};

use super::Settings;
use crate::{
    answer::redact::Learned,
    kubernetes::{Budgeted, Fault as NoWay, Meter},
    palette::{
        access::{Access, View},
        environment::{Acting, Environment},
        fault::Fault,
        place::Place,
    },
    permission::Decision,
    telemetry::CallSpan,
};

/// Clusters that a way is looked for at once.
const PARALLEL: usize = 128;

/// One environment, asked for the server.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) environment: Arc<Environment>,
    pub(super) settings: Settings,
    pub(super) parallel: Semaphore,
}

impl Asker {
    pub(super) fn new(environment: Arc<Environment>, settings: Settings) -> Self {
        Self { environment, settings, parallel: Semaphore::new(PARALLEL) }
    }

    /// The environment, for so long.
    pub(super) fn access(&self, time: Duration) -> Access {
        let acting = match &self.environment.settings().api_token {
            Some(key) => Acting::Key(key.clone()),
            None => Acting::Nobody("no API key is configured for it (apiToken)".to_owned()),
        };
        Access::new(Arc::clone(&self.environment), Arc::new(Server), acting, spent(time))
    }
}

/// What one look may take.
pub(super) fn spent(time: Duration) -> Budgeted {
    Budgeted {
        meter: Arc::new(Meter::default()),
        learned: Arc::new(Learned::default()),
        deadline: Instant::now() + time,
        call_id: "palette-clusters".into(),
        span: CallSpan::default(),
    }
}

/// The server itself, which shows nothing of what it sees.
struct Server;

impl View for Server {
    fn sees(&self, _place: &Place) -> bool {
        true
    }

    fn sees_all(&self) -> bool {
        true
    }

    fn withheld(&self, place: &Place) -> Fault {
        let decision = Box::new(Decision::Deny { missing: Vec::new(), hidden: false, rule: None });
        Fault::Withheld { needs: "nothing".to_owned(), place: place.to_string(), decision }
    }
}

/// Why Palette does not tell the way to a cluster.
pub(super) fn no_way(what: &str, fault: &Fault) -> NoWay {
    let retryable = match fault {
        Fault::Throttled { .. } | Fault::Timeout(_) | Fault::Unreachable(_) => true,
        Fault::Status { status, .. } => *status >= 500,
        _ => false,
    };
    NoWay::NoWay { message: format!("{what}: {}", plain(fault)), retryable }
}

/// In words for any caller: what Palette says to the server's own key is for whoever runs it.
pub(super) fn plain(fault: &Fault) -> String {
    match fault {
        Fault::Unauthorized(_) => "Palette refused the API key (401)".to_owned(),
        Fault::Forbidden(_) => "Palette refused it (403)".to_owned(),
        Fault::Status { status, .. } | Fault::Unserved { status, .. } => format!("Palette answered {status}"),
        Fault::Unreachable(_) => "Palette cannot be reached".to_owned(),
        Fault::Malformed(_) => "Palette's answer cannot be read".to_owned(),
        Fault::Throttled { .. } => "Palette's rate limit leaves no room for it now".to_owned(),
        Fault::Timeout(_) => "Palette did not answer in time".to_owned(),
        _ => "the connection settings of this environment do not work".to_owned(),
    }
}
