//! [`Environment`]: one Palette tenant that is configured, shared by all callers.

use std::{path::PathBuf, sync::Arc};

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

pub use super::session::Acting;
use super::{
    fleet::Kept,
    same::Endpoints,
    session::{Limits, Session},
};

/// What is configured of an environment.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name, as arguments and rules say it.
    pub name: String,
    /// `https://api.spectrocloud.com` or a host of one's own; paths go below it.
    pub url: Url,
    /// The tenant, for people: the API key decides which it is.
    pub tenant: Option<String>,
    /// The server's own API key; without one, callers bring their token in a header.
    pub api_token: Option<SecretString>,
    /// PEM file of its certificate authority; otherwise the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether admin kubeconfigs may be handed out.
    pub admin_kubeconfig: bool,
}

/// One environment. Its `Debug` tells nothing secret.
#[derive(Debug)]
pub struct Environment {
    settings: Settings,
    session: Session,
    kept: Kept,
    endpoints: Endpoints,
}

impl Settings {
    /// Whether callers bring their own token.
    pub fn is_by_callers(&self) -> bool {
        self.api_token.is_none()
    }

    fn is(&self, other: &Self) -> bool {
        let key = |settings: &Self| settings.api_token.as_ref().map(|key| key.expose_secret().to_owned());
        let rest = |settings: &Self| {
            let Self { name, url, tenant, ca_file, admin_kubeconfig, .. } = settings.clone();
            (name, url, tenant, ca_file, admin_kubeconfig)
        };
        key(self) == key(other) && rest(self) == rest(other)
    }
}

impl Environment {
    /// Of its settings. Nothing is connected to.
    pub(super) fn new(settings: Settings, limits: &Arc<Limits>) -> Self {
        let session = Session::new(&settings, Arc::clone(limits));
        Self { settings, session, kept: Kept::default(), endpoints: Endpoints::default() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// What is configured of it.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where its clusters were found to be.
    pub(super) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Whether the same is configured of it.
    pub(super) fn is_of(&self, settings: &Settings) -> bool {
        self.settings.is(settings)
    }

    /// The connections to it, and what was kept of its answers.
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// The sweeps of its clusters that are good for a while.
    pub(super) fn kept(&self) -> &Kept {
        &self.kept
    }
}
