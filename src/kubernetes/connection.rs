//! [`Connected`]: the one connection pool of a cluster, and what the server shows there of itself.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use kube::{Client, Config, config::AuthInfo};
use tokio::{sync::OnceCell, time::Instant};

use super::{
    fault::Fault,
    plugin::Plugin,
    way::{Lease, Way},
};
use crate::telemetry::Server;

/// Before its end a credential that a plugin gave is asked for anew.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// How long a plugin that failed is not run again; and one whose credential was refused, after it gave it.
const REST: Duration = Duration::from_secs(2);
/// How long a way that was asked for is not asked for anew where it leads nowhere.
const MOVED: Duration = Duration::from_secs(5);

/// The client that all callers of a cluster share.
pub(super) struct Connected {
    pub(super) client: Client,
    pub(super) credential: Credential,
    pub(super) server: Server,
    made: Instant,
    lease: Option<Lent>,
}

/// What is known of a connection that can be made anew: its credential was given for a while, or where it leads was.
struct Lent {
    until: Option<Timestamp>,
    /// Whether the place may be another one by now.
    moves: bool,
    doubted: AtomicBool,
}

impl Lent {
    fn for_plugin(until: Option<Timestamp>) -> Self {
        Self { until, moves: false, doubted: AtomicBool::new(false) }
    }

    fn of(lease: Lease) -> Self {
        Self { until: lease.until, moves: true, doubted: AtomicBool::new(false) }
    }
}

/// The connection with the server's own credential, made anew when a plugin has to give another one.
#[derive(Default)]
pub(super) struct Own(ArcSwap<OnceCell<Outcome>>);

/// A plugin that failed, and when, is not asked at every call.
type Outcome = Result<Arc<Connected>, (Instant, Fault)>;

impl Own {
    /// Whether the way is asked for anew at its next use.
    pub(super) fn is_left(&self) -> bool {
        let moves = |connected: &Connected| connected.lease.as_ref().is_some_and(|lease| lease.moves);
        let left = |outcome: &Outcome| outcome.as_ref().is_ok_and(|one| moves(one) && one.is_over());
        self.0.load().get().is_some_and(left)
    }

    /// Whether it was connected, or tried to be.
    pub(super) fn is_tried(&self) -> bool {
        self.0.load().get().is_some()
    }

    /// The connection: made by the first caller, for whom the others wait.
    pub(super) async fn connected<F>(&self, connect: impl Fn() -> F) -> Result<Arc<Connected>, Fault>
    where
        F: Future<Output = Result<Connected, Failed>>,
    {
        let known = self.0.load_full();
        let over = |outcome: &Outcome| match outcome {
            Ok(connected) => connected.is_over(),
            Err((failed, _)) => failed.elapsed() >= REST,
        };
        if known.get().is_some_and(over) {
            self.0.compare_and_swap(&known, Arc::default());
        }
        let connect = || async {
            Ok(match connect().await {
                Ok(connected) => Ok(Arc::new(connected)),
                Err(Failed::Plugin(fault)) => Err((Instant::now(), fault)),
                Err(Failed::Lasting(fault)) => return Err(fault),
            })
        };
        let outcome = self.0.load_full();
        outcome.get_or_try_init(connect).await?.clone().map_err(|(_, fault)| fault)
    }
}

/// Why there is no connection.
pub(super) enum Failed {
    /// Whoever was to give something did not: not asked at every call.
    Plugin(Fault),
    Lasting(Fault),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Lasting(fault)
    }
}

/// What the server shows an API server of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    /// Its own credential.
    Own,
    /// None at all.
    None,
    /// Its own, to act as another already (`as` of a kubeconfig's user). kube adds that to every request,
    /// behind our headers: the API server would take the first user and all of the groups.
    ActsAs,
}

impl Connected {
    /// Connects when it is first used, without kube's own retries: it would retry any method 15 times over
    /// minutes (kube 5 `RetryPolicy::server_retry`). Ours are in [`super::Access`].
    pub(super) async fn new(way: Way) -> Result<Self, Failed> {
        let Way { mut config, lease } = way;
        let credential = Credential::of(&config);
        let provider = config.auth_info.auth_provider.as_ref();
        if provider.is_some_and(|provider| provider.config.contains_key("cmd-path")) {
            let why = "the user's auth-provider starts a program, which Kubernetes itself gave up in 1.26; use exec";
            return Err(Failed::Lasting(Fault::Configuration(why.to_owned())));
        }
        let mut lent = lease.map(Lent::of);
        if let Some(plugin) = Plugin::take(&mut config.auth_info) {
            let provided = plugin.run().await.map_err(Failed::Plugin)?;
            let AuthInfo { token, client_certificate_data, client_key_data, .. } = provided.auth_info;
            let user = &mut config.auth_info;
            user.token = token;
            user.client_certificate_data = client_certificate_data.or(user.client_certificate_data.take());
            user.client_key_data = client_key_data.or(user.client_key_data.take());
            lent = Some(Lent::for_plugin(provided.until));
        }
        Ok(Self::over(config, credential, lent).await?)
    }

    async fn over(mut config: Config, credential: Credential, lease: Option<Lent>) -> Result<Self, Fault> {
        config.default_retry = false;
        config.connect_timeout = Some(Duration::from_secs(5));
        let url = &config.cluster_url;
        let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("http") { 80 } else { 443 });
        let server = Server { host: url.host().unwrap_or_default().to_owned(), port };
        // beside other work: without an authority of its own it reads all of the system's, for milliseconds
        let client = tokio::task::spawn_blocking(move || Client::try_from(config))
            .await
            .map_err(|_| Fault::Configuration("no client could be made".to_owned()))?
            .map_err(|error| Fault::Configuration(error.to_string()))?;
        Ok(Self { client, credential, server, made: Instant::now(), lease })
    }

    /// The same API server without anything of the server's own: no token, no certificate, no user of a
    /// kubeconfig.
    pub(super) async fn bare(way: Way) -> Result<Self, Failed> {
        let Way { mut config, lease } = way;
        config.auth_info = AuthInfo::default();
        Ok(Self::over(config, Credential::None, lease.map(Lent::of)).await?)
    }

    /// The API server did not take the credential: a plugin may have another one (as client-go does it).
    pub(super) fn refused(&self) {
        self.doubt(REST, |_| true);
    }

    /// The API server was not reached, or is not known by its authority: it may have moved.
    pub(super) fn missed(&self) {
        self.doubt(MOVED, |lease| lease.moves);
    }

    /// It is not made anew unless it is older than this.
    fn doubt(&self, rest: Duration, fits: impl Fn(&Lent) -> bool) {
        if let Some(lease) = self.lease.as_ref().filter(|lease| fits(lease) && self.made.elapsed() >= rest) {
            lease.doubted.store(true, Ordering::Relaxed);
        }
    }

    fn is_over(&self) -> bool {
        self.lease.as_ref().is_some_and(|lease| {
            let ends = lease.until.is_some_and(|until| until <= Timestamp::now() + MARGIN);
            ends || lease.doubted.load(Ordering::Relaxed)
        })
    }
}

impl Credential {
    fn of(config: &Config) -> Self {
        let AuthInfo {
            username,
            token,
            token_file,
            client_certificate,
            client_certificate_data,
            impersonate,
            impersonate_uid,
            impersonate_groups,
            impersonate_user_extra,
            auth_provider,
            exec,
            ..
        } = &config.auth_info;
        let acts_as = impersonate.is_some()
            || impersonate_uid.is_some()
            || impersonate_groups.is_some()
            || impersonate_user_extra.is_some();
        let some = username.is_some()
            || token.is_some()
            || token_file.is_some()
            || client_certificate.is_some()
            || client_certificate_data.is_some()
            || auth_provider.is_some()
            || exec.is_some();
        match (acts_as, some) {
            (true, _) => Self::ActsAs,
            (false, true) => Self::Own,
            (false, false) => Self::None,
        }
    }

    /// Why callers cannot be impersonated with it.
    pub(super) fn problem(self) -> &'static str {
        match self {
            Self::Own => "nothing",
            Self::None => {
                "to be shown who calls (identity: impersonate), it needs a credential of the server's own; \
                 none is configured for it"
            }
            Self::ActsAs => {
                "it is to be shown who calls (identity: impersonate), but its user in the kubeconfig acts as \
                 another already (as, as-groups, as-uid or as-user-extra); take that out, or set identity: own"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test]
    async fn a_way_that_leads_nowhere_or_is_refused_is_had_anew_and_not_at_once() {
        let (own, asked) = (Own::default(), AtomicUsize::default());
        let connected = async |age: Duration, moves: bool| {
            let connect = || async {
                asked.fetch_add(1, Ordering::Relaxed);
                let way = Way::to("https://127.0.0.1:1", "", AuthInfo::default(), Lease { until: None });
                let connected = Connected::new(way.await?).await?;
                let lease = Some(Lent { until: None, moves, doubted: AtomicBool::new(false) });
                let made = Instant::now().checked_sub(age).expect("some time ago");
                Ok(Connected { lease, made, ..connected })
            };
            own.connected(connect).await.expect("a connection")
        };
        let times = || asked.load(Ordering::Relaxed);
        let just = connected(Duration::ZERO, true).await;
        just.missed();
        just.refused();
        assert!(!own.is_left());
        let same = connected(MOVED, true).await;
        assert!(times() == 1 && Arc::ptr_eq(&just, &same), "it was only just had");
        own.0.store(Arc::default());
        connected(REST, true).await.missed();
        assert!(!own.is_left(), "who does not answer is given longer than who refuses");
        connected(MOVED, true).await.refused();
        assert!(own.is_left());
        connected(MOVED, true).await.missed();
        connected(MOVED, false).await.missed();
        assert_eq!(times(), 4, "one that may have moved");
        connected(MOVED, false).await.refused();
        assert!(!own.is_left(), "a plugin is run for the next call");
        connected(MOVED, false).await;
        assert_eq!(times(), 5, "one whose credential may be another one by now, and stays where it is");
    }
}
