//! [`Provider`]: the clusters of one environment as clusters of the registry. They are found in the fleet index; the
//! way to each is asked for when it is used, and asked for again when it does not work any more.

mod ask;
mod discovery;
mod filter;
mod link;
mod onboarding;
mod server;
mod service_account;
mod trust;

use std::{sync::Arc, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};

use self::{ask::Asker, discovery::Memory};
pub use self::{
    filter::Filter,
    onboarding::{Aim, Target},
};
use super::environment::Environment;
use crate::kubernetes::{
    Source, Trust,
    cluster::Digest,
    registry::{ClusterSource, Reading},
    service_account::{Rights, Token},
    sources::{Shown, settings_of},
};

/// What is configured of the clusters of an environment.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which of them.
    pub filter: Filter,
    /// How they are reached, where [`Self::modes`] does not say otherwise.
    pub mode: Mode,
    /// How those of a project are reached, by the project's name.
    pub modes: Vec<(String, Mode)>,
    /// How clusters with OIDC are shown who calls.
    pub oidc: Shown,
    /// Patterns of the clients that clusters with OIDC may have; empty: any.
    pub client_ids: Vec<String>,
    /// Whose tokens those take of which Palette does not say it.
    pub trust: Option<Trust>,
    /// How clusters with a service account are shown who calls.
    pub own: Shown,
    /// The service account.
    pub account: Account,
    /// Patterns of the hosts that API servers may have; empty: any.
    pub hosts: Vec<String>,
    /// Whether the address by Palette's reverse proxy is wanted where there is one.
    pub proxied: bool,
    /// Whether the account is made in each cluster that is found, and kept as it is configured.
    pub manage: bool,
    /// From one good reading to the next.
    pub every: Duration,
    /// To find the way to one cluster, and to make what it needs there.
    pub patience: Duration,
}

/// How a cluster is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With the token of a service account of the server's own.
    ServiceAccount,
    /// With callers' own tokens.
    Oidc,
}

/// The service account of the server in each cluster.
#[derive(Clone, Debug)]
pub struct Account {
    /// The objects.
    pub rights: Rights,
    /// Which tokens are used.
    pub token: Token,
}

/// The clusters of one environment.
#[derive(Debug)]
pub struct Provider {
    asker: Arc<Asker>,
    memory: Arc<Memory>,
}

impl Provider {
    /// Of an environment with a key of the server's own. Nothing is asked yet.
    pub fn new(environment: Arc<Environment>, settings: Settings) -> Self {
        Self { asker: Arc::new(Asker::new(environment, settings)), memory: Arc::default() }
    }

    /// What it is of, for people.
    pub fn environment(&self) -> String {
        self.place()
    }

    /// The same without the filters of projects: what was onboarded may be left out by now.
    #[must_use]
    pub fn unfiltered(&self) -> Self {
        let settings = Settings { filter: Filter::default(), ..self.asker.settings.clone() };
        Self::new(Arc::clone(&self.asker.environment), settings)
    }

    /// The clusters as they are found now, whether or not they have the account of the server.
    ///
    /// # Errors
    /// Why Palette does not tell, in words.
    pub async fn targets(&self) -> Result<Vec<Target>, String> {
        let (_, links) = discovery::found(&self.asker, &self.memory, &self.settings()).await?;
        let target = |link: Arc<link::Link>| Target {
            name: link.name.clone(),
            short: link.name.rsplit('/').next().unwrap_or_default().to_owned(),
            uses_account: link.mode == Mode::ServiceAccount,
            link,
        };
        Ok(links.into_iter().map(target).collect())
    }
}

impl ClusterSource for Provider {
    fn source(&self) -> Source {
        Source::Palette
    }

    fn part(&self) -> Option<String> {
        Some(format!("environment {}", self.asker.environment.name()))
    }

    fn place(&self) -> String {
        format!("Palette environment {}", self.asker.environment.name())
    }

    fn settings(&self) -> Digest {
        let of = self.asker.environment.settings();
        let key = of.api_token.as_ref().map(SecretString::expose_secret);
        settings_of(&format!("{of:?} {key:?} {:?}", self.asker.settings))
    }

    fn every(&self) -> Duration {
        self.asker.settings.every
    }

    fn read(&self) -> Reading {
        let (asker, memory, made_of) = (Arc::clone(&self.asker), Arc::clone(&self.memory), self.settings());
        Reading::Asked(Box::pin(async move {
            let (found, links) = discovery::found(&asker, &memory, &made_of).await?;
            if asker.settings.manage {
                memory.see_to(&asker, links);
            }
            Ok(found)
        }))
    }
}
