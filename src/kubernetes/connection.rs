//! [`Connected`]: the one connection pool of a cluster, and what the server shows there of itself.

use kube::{Client, Config, config::AuthInfo};

use super::fault::Fault;
use crate::telemetry::Server;

/// The client that all callers of a cluster share.
pub(super) struct Connected {
    pub(super) client: Client,
    pub(super) credential: Credential,
    pub(super) server: Server,
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
    pub(super) fn new(mut config: Config) -> Result<Self, Fault> {
        config.default_retry = false;
        config.connect_timeout = Some(std::time::Duration::from_secs(5));
        let credential = Credential::of(&config);
        let url = &config.cluster_url;
        let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("http") { 80 } else { 443 });
        let server = Server { host: url.host().unwrap_or_default().to_owned(), port };
        let client = Client::try_from(config).map_err(|error| Fault::Configuration(error.to_string()))?;
        Ok(Self { client, credential, server })
    }

    /// The same API server without anything of the server's own: no token, no certificate, no user of a
    /// kubeconfig.
    pub(super) fn bare(mut config: Config) -> Result<Self, Fault> {
        config.auth_info = AuthInfo::default();
        Self::new(config)
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
