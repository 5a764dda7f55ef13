//! [`Catalog`]: the clusters that a Backstage catalog describes: `Resource` entities of the type
//! `kubernetes-cluster` with the annotations of Backstage's own catalog locator
//! (`@backstage/plugin-kubernetes-backend`, `CatalogClusterLocator`).
//!
//! Whoever may write entities chooses names and addresses here. So nothing of the server's own is ever shown to
//! these clusters, addresses must be of configured hosts, and TLS is always verified.

mod entity;
mod query;

use std::{path::PathBuf, sync::Arc, time::Duration};

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::{
    super::{
        cluster::{Digest, Source},
        registry::{ClusterSource, Reading},
    },
    Found, Shown, settings_of,
};
use crate::{answer::sanitise, backstage::Plugin};

/// Entities that are told of one by one.
const MOST_PROBLEMS: usize = 20;

/// A Backstage catalog.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// Of the backend, as `https://backstage.example.com`.
    pub url: Url,
    /// Shown to the catalog, and to nobody else.
    pub credential: Credential,
    /// PEM file of the catalog's certificate authority; otherwise the system's.
    pub ca_file: Option<PathBuf>,
    /// From one good reading to the next.
    pub every: Duration,
    /// Patterns of the hosts that API servers may have.
    pub hosts: Vec<String>,
    /// How its clusters are shown who calls: [`Identity::Exchange`](super::Identity::Exchange) or
    /// [`Identity::CallerHeader`](super::Identity::CallerHeader).
    pub shown: Shown,
}

/// What a catalog is asked with.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Nothing.
    Nothing,
    /// A bearer token.
    Token(SecretString),
    /// A file that holds one, read at each reading.
    File(PathBuf),
    /// A token of this server's own as a plugin of that Backstage, made for each reading.
    Plugin(Arc<Plugin>),
}

impl ClusterSource for Catalog {
    fn source(&self) -> Source {
        Source::Backstage
    }

    fn place(&self) -> String {
        format!("Backstage catalog {}", self.url.origin().ascii_serialization())
    }

    fn settings(&self) -> Digest {
        let token = match &self.credential {
            Credential::Token(token) => Some(token.expose_secret()),
            _ => None,
        };
        settings_of(&format!("{self:?} {token:?}"))
    }

    fn every(&self) -> Duration {
        self.every
    }

    fn read(&self) -> Reading {
        let catalog = self.clone();
        Reading::Asked(Box::pin(async move { Ok(catalog.found(&query::entities(&catalog).await?)) }))
    }
}

impl Catalog {
    fn found(&self, entities: &[serde_json::Value]) -> Found {
        let mut found = Found::default();
        for entity in entities {
            match entity::cluster(entity, &self.hosts) {
                Ok(Some(cluster)) => found.clusters.push(self.shown.on(cluster)),
                Ok(None) => {}
                Err(why) => {
                    let named = sanitise::short(&entity::reference(entity), 140);
                    found.problems.push(format!("Backstage catalog: {named:?}: {why}"));
                }
            }
        }
        let mut found = found.without_doubles("Backstage catalog: the cluster");
        if found.problems.len() > MOST_PROBLEMS {
            let more = found.problems.split_off(MOST_PROBLEMS).len();
            found.problems.push(format!("Backstage catalog: {more} more entities are left out"));
        }
        found
    }
}
