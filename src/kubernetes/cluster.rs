//! [`Cluster`]: one API server that is known, with its one connection pool and its one discovery.

mod discovered;
mod source;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, timeout_at};

use self::discovered::Discovered;
pub use self::source::Source;
use super::{
    connection::{Connected, Credential, Failed, Own},
    endpoint::Endpoint,
    fault::Fault,
    identity::Identity,
    openapi::Schemas,
    proxy::write::dry_run::DryRuns,
    trust::Trusting,
    way::Way,
};

/// What of a call's time is left to tell that there is no connection.
const TO_TELL: Duration = Duration::from_millis(100);

/// One API server. Shared by all callers; identity is added per call by [`Access`].
pub struct Cluster {
    name: String,
    short: Option<String>,
    source: Source,
    identity: Option<Identity>,
    audience: Option<String>,
    trusting: Option<Arc<dyn Trusting>>,
    provider: Option<String>,
    default_namespace: String,
    made_of: Option<Digest>,
    endpoint: Option<Endpoint>,
    connect: Connect,
    client: Own,
    bare: Own,
    discovery: ArcSwap<Discovered>,
    schemas: Schemas,
    dry_runs: DryRuns,
}

/// SHA-256 of everything that a connection is made of, secrets included.
pub type Digest = [u8; 32];

type Connect = Box<dyn Fn() -> futures::future::BoxFuture<'static, Result<Way, Fault>> + Send + Sync>;

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
        let connect = move || {
            let config = connect();
            async move { Ok(Way { config: config.await?, lease: None }) }
        };
        Self::leased(name, source, default_namespace, connect)
    }

    /// The same, where the way to it is good for a while only.
    pub fn leased<F>(
        name: impl Into<String>,
        source: Source,
        default_namespace: impl Into<String>,
        connect: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Way, Fault>> + Send + 'static,
    {
        Self {
            name: name.into(),
            short: None,
            source,
            identity: None,
            default_namespace: default_namespace.into(),
            made_of: None,
            endpoint: None,
            audience: None,
            trusting: None,
            provider: None,
            connect: Box::new(move || Box::pin(connect())),
            client: Own::default(),
            bare: Own::default(),
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

    /// The same, which may be called so where nothing else is. Permissions do not know that name: whoever made the
    /// cluster chose it.
    #[must_use]
    pub fn in_short(self, short: impl Into<String>) -> Self {
        Self { short: Some(short.into()), ..self }
    }

    /// What it may be called where nothing else is.
    pub fn short(&self) -> Option<&str> {
        self.short.as_deref()
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

    /// The same, whose own settings say whose tokens it takes: no other one is sent to it.
    #[must_use]
    pub fn with_trusting(self, trusting: Arc<dyn Trusting>) -> Self {
        Self { trusting: Some(trusting), ..self }
    }

    /// What knows whose tokens it takes, where its own settings say so.
    pub fn trusting(&self) -> Option<&Arc<dyn Trusting>> {
        self.trusting.as_ref()
    }

    /// Whether this token of a caller may be sent to it.
    ///
    /// # Errors
    /// It is not for it, or nobody says whether it is.
    pub(super) async fn takes(&self, token: &SecretString, deadline: Instant) -> Result<(), Fault> {
        let Some(trusting) = &self.trusting else { return Ok(()) };
        let trust = trusting.trust(deadline).await?;
        trust.takes(token.expose_secret()).map_err(|unfit| Fault::Unfit(Arc::new(unfit)))
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
        self.client.connected(|| async { Connected::new(self.way().await?).await }).await
    }

    /// The same, in time for whoever asks to be told that it is not there.
    pub(super) async fn connected_by(&self, deadline: Instant) -> Result<Arc<Connected>, Fault> {
        let late = |_| match self.source {
            Source::Palette => Err(Fault::NoWay {
                message: "Palette did not tell the way to it in time; it goes on being asked".to_owned(),
                retryable: true,
            }),
            _ => Err(Fault::Configuration("the credential plugin did not answer in time".to_owned())),
        };
        timeout_at(deadline - TO_TELL, self.connected()).await.unwrap_or_else(late)
    }

    /// Another connection, on which nothing of the server's own is shown: for callers who bring a token.
    pub(super) async fn bare(&self) -> Result<Arc<Connected>, Fault> {
        self.bare.connected(|| async { Connected::bare(self.way().await?).await }).await
    }

    /// Whether another credential than the one that was refused is shown at the next request.
    pub(super) fn is_left(&self) -> bool {
        self.client.is_left()
    }

    /// Whether the way to it is still being found, for the first time.
    pub(super) fn is_sought(&self) -> bool {
        self.source == Source::Palette && !self.client.is_tried() && !self.bare.is_tried()
    }

    /// How to connect. Palette is not asked at every call for what it just did not give.
    async fn way(&self) -> Result<Way, Failed> {
        let failed = |fault| match self.source {
            Source::Palette => Failed::Plugin(fault),
            _ => Failed::Lasting(fault),
        };
        self.configured().await.map_err(failed)
    }

    /// How to connect. Only whoever runs the server may have it start programs.
    async fn configured(&self) -> Result<Way, Fault> {
        let way = (self.connect)().await?;
        let config = &way.config;
        let starts = config.auth_info.exec.is_some() || config.auth_info.auth_provider.is_some();
        if starts && self.source != Source::Kubeconfig {
            let why = "exec and auth-provider are taken from the server's own kubeconfig alone";
            return Err(Fault::Configuration(why.to_owned()));
        }
        Ok(way)
    }

    /// Which operations do dry runs, shared by all callers.
    pub(super) fn dry_runs(&self) -> &DryRuns {
        &self.dry_runs
    }

    /// The schemas of kinds that were asked for, shared by all callers.
    pub(super) fn schemas(&self) -> &Schemas {
        &self.schemas
    }
}
