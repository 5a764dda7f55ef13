//! [`Cluster`]: one API server that is known, with its one connection pool and its one discovery.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};

use super::{
    access::Access,
    connection::{Connected, Credential, Own},
    discovery,
    endpoint::Endpoint,
    fault::Fault,
    identity::Identity,
    kinds::Kinds,
    openapi::Schemas,
    proxy::write::dry_run::DryRuns,
};

/// A younger discovery is not read again because a kind was not found in it.
const REFRESH_AFTER_MISS: Duration = Duration::from_secs(10);
/// An older discovery is read again at its next use.
const REFRESH_AFTER: Duration = Duration::from_secs(600);

/// What of a call's time is left to tell that there is no connection.
const TO_TELL: Duration = Duration::from_millis(100);

/// Where a cluster was found. Sources add up; a name that two of them claim is ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A context of a kubeconfig file.
    Kubeconfig,
    /// The service account of the Pod that we run in.
    InCluster,
    /// An entry of our own configuration.
    Static,
    /// An entity of a Backstage catalog.
    Backstage,
    /// The recorded platform of `demo`.
    Demo,
}

impl Source {
    /// Each of them.
    pub const ALL: [Self; 5] = [Self::Kubeconfig, Self::InCluster, Self::Static, Self::Backstage, Self::Demo];

    /// The name in `source/name`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubeconfig => "kubeconfig",
            Self::InCluster => "in-cluster",
            Self::Static => "static",
            Self::Backstage => "backstage",
            Self::Demo => "demo",
        }
    }
}

/// One API server. Shared by all callers; identity is added per call by [`Access`].
pub struct Cluster {
    name: String,
    source: Source,
    identity: Option<Identity>,
    audience: Option<String>,
    provider: Option<String>,
    default_namespace: String,
    made_of: Option<Digest>,
    endpoint: Option<Endpoint>,
    connect: Connect,
    client: Own,
    bare: OnceCell<Arc<Connected>>,
    discovery: ArcSwap<Discovered>,
    schemas: Schemas,
    dry_runs: DryRuns,
}

/// SHA-256 of everything that a connection is made of, secrets included.
pub type Digest = [u8; 32];

type Connect =
    Box<dyn Fn() -> futures::future::BoxFuture<'static, Result<kube::Config, Fault>> + Send + Sync>;

/// One reading of the discovery documents, or the place where the first caller puts it.
struct Discovered {
    kinds: OnceCell<(Arc<Kinds>, Instant)>,
}

impl Discovered {
    fn empty() -> Arc<Self> {
        Arc::new(Self { kinds: OnceCell::new() })
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("source", &self.source)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// A cluster that is connected to when it is first used.
    pub fn new<F>(
        name: impl Into<String>,
        source: Source,
        default_namespace: impl Into<String>,
        connect: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<kube::Config, Fault>> + Send + 'static,
    {
        Self {
            name: name.into(),
            source,
            identity: None,
            default_namespace: default_namespace.into(),
            made_of: None,
            endpoint: None,
            audience: None,
            provider: None,
            connect: Box::new(move || Box::pin(connect())),
            client: Own::default(),
            bare: OnceCell::new(),
            discovery: ArcSwap::new(Discovered::empty()),
            schemas: Schemas::default(),
            dry_runs: DryRuns::default(),
        }
    }

    /// The name within its source.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it was found.
    pub fn source(&self) -> Source {
        self.source
    }

    /// The same, with what is configured for how callers are shown to it.
    #[must_use]
    pub fn with_identity(self, identity: Option<Identity>) -> Self {
        Self { identity, ..self }
    }

    /// The same, for which tokens are exchanged that name this audience.
    #[must_use]
    pub fn with_audience(self, audience: Option<String>) -> Self {
        Self { audience, ..self }
    }

    /// The same, whose callers send their token for it in the header of this provider (`oidc-okta`, `google`).
    #[must_use]
    pub fn with_provider(self, provider: Option<String>) -> Self {
        Self { provider, ..self }
    }

    /// The same, known by what it is made of.
    #[must_use]
    pub fn made_of(self, made_of: Option<Digest>) -> Self {
        Self { made_of, ..self }
    }

    /// The same, known to be there.
    #[must_use]
    pub fn at(self, endpoint: Option<Endpoint>) -> Self {
        Self { endpoint, ..self }
    }

    /// Where its API server is, where that is known before it is connected to.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// Whether the other one would be connected to in the same way, and with the same rights.
    pub fn is_same(&self, other: &Self) -> bool {
        let known = |cluster: &Self| {
            let Self { name, source, identity, audience, provider, default_namespace, made_of, .. } = cluster;
            let shown = (*identity, audience.clone(), provider.clone());
            (name.clone(), *source, shown, default_namespace.clone(), *made_of)
        };
        self.made_of.is_some() && known(self) == known(other)
    }

    /// How callers are shown to it where that is configured; otherwise the door of each decides.
    pub fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// The audience of tokens that are exchanged for it.
    pub fn audience(&self) -> Option<&str> {
        self.audience.as_deref()
    }

    /// Whose header its callers send their token for it in, where it is not the one for all.
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    /// The namespace of its kubeconfig context, else `default`.
    pub fn default_namespace(&self) -> &str {
        &self.default_namespace
    }

    /// `source/name`, which is never ambiguous.
    pub fn qualified_name(&self) -> String {
        format!("{}/{}", self.source.name(), self.name)
    }

    /// Every name that means it: patterns of permissions match any of them.
    pub fn names(&self) -> Vec<String> {
        vec![self.name.clone(), self.qualified_name()]
    }

    /// The same connection, for requests that are made as somebody else.
    ///
    /// # Errors
    /// The credential is none to do that with.
    pub(super) async fn impersonator(&self, deadline: Instant) -> Result<Arc<Connected>, Fault> {
        let connected = self.connected_by(deadline).await?;
        match connected.credential {
            Credential::Own => Ok(connected),
            unfit => Err(Fault::Configuration(unfit.problem().to_owned())),
        }
    }

    /// The shared connection, with what is known of it. Made once: the first caller connects, the others
    /// wait for it.
    pub(super) async fn connected(&self) -> Result<Arc<Connected>, Fault> {
        self.client.connected(|| self.configured()).await
    }

    /// The same, in time for whoever asks to be told that it is not there.
    pub(super) async fn connected_by(&self, deadline: Instant) -> Result<Arc<Connected>, Fault> {
        let late = |_| Err(Fault::Configuration("the credential plugin did not answer in time".to_owned()));
        timeout_at(deadline - TO_TELL, self.connected()).await.unwrap_or_else(late)
    }

    /// Another connection, on which nothing of the server's own is shown: for callers who bring a token.
    pub(super) async fn bare(&self) -> Result<Arc<Connected>, Fault> {
        let connect = || async { Connected::bare(self.configured().await?).await.map(Arc::new) };
        self.bare.get_or_try_init(connect).await.cloned()
    }

    /// How to connect. Only whoever runs the server may have it start programs.
    async fn configured(&self) -> Result<kube::Config, Fault> {
        let config = (self.connect)().await?;
        let starts = config.auth_info.exec.is_some() || config.auth_info.auth_provider.is_some();
        if starts && self.source != Source::Kubeconfig {
            let why = "exec and auth-provider are taken from the server's own kubeconfig alone";
            return Err(Fault::Configuration(why.to_owned()));
        }
        Ok(config)
    }

    /// Which operations do dry runs, shared by all callers.
    pub(super) fn dry_runs(&self) -> &DryRuns {
        &self.dry_runs
    }

    /// The schemas of kinds that were asked for, shared by all callers.
    pub(super) fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    /// The kinds it serves: read once by the first caller, shared, read again when old.
    pub(super) async fn kinds(&self, access: &Access) -> Result<Arc<Kinds>, Fault> {
        let current = self.discovery.load_full();
        match current.kinds.get() {
            Some((_, read)) if read.elapsed() > REFRESH_AFTER => self.refresh(access, &current).await,
            Some((kinds, _)) => Ok(Arc::clone(kinds)),
            None => self.read(access, &current).await,
        }
    }

    /// The kinds it serves now, read again unless they were read a moment ago: for a kind that a
    /// cached discovery does not know, or that answered 404 although it does.
    pub(super) async fn fresh_kinds(&self, access: &Access) -> Result<Arc<Kinds>, Fault> {
        let current = self.discovery.load_full();
        match current.kinds.get() {
            Some((kinds, read)) if read.elapsed() < REFRESH_AFTER_MISS => Ok(Arc::clone(kinds)),
            Some(_) => self.refresh(access, &current).await,
            None => self.read(access, &current).await,
        }
    }

    /// The kinds it serves, for a caller who has just made it serve another one.
    pub(super) async fn changed_kinds(&self, access: &Access) -> Result<Arc<Kinds>, Fault> {
        let current = self.discovery.load_full();
        self.refresh(access, &current).await
    }

    /// Replaces `old` by an empty place (once, whoever comes first) and fills that; when the server
    /// cannot say, what was known before stays in use.
    async fn refresh(&self, access: &Access, old: &Arc<Discovered>) -> Result<Arc<Kinds>, Fault> {
        let next = Discovered::empty();
        let previous = self.discovery.compare_and_swap(old, Arc::clone(&next));
        let place = if Arc::ptr_eq(&previous, old) { next } else { self.discovery.load_full() };
        match (self.read(access, &place).await, old.kinds.get()) {
            (Ok(kinds), _) => Ok(kinds),
            (Err(fault), Some((kinds, _))) => {
                // what one caller may not, or cannot now, takes nothing from the others
                self.discovery.compare_and_swap(&place, Arc::clone(old));
                if fault.is_transient() { Ok(Arc::clone(kinds)) } else { Err(fault) }
            }
            (Err(fault), None) => Err(fault),
        }
    }

    async fn read(&self, access: &Access, place: &Discovered) -> Result<Arc<Kinds>, Fault> {
        let (kinds, _) = place
            .kinds
            .get_or_try_init(|| async { Ok((Arc::new(discovery::read(access).await?), Instant::now())) })
            .await?;
        Ok(Arc::clone(kinds))
    }
}
