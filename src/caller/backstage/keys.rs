//! [`Kept`]: the keys of Backstage: those of its users, and those of each plugin whose tokens are taken.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::FutureExt as _;
use jsonwebtoken::Algorithm;

use super::{BackstageSettings, Refusal};
use crate::{
    backstage::Backend,
    caller::oidc::{
        key_set::KeySet,
        keys::{Keys, Pace},
    },
};

/// For one look at a key set.
const TIME: Duration = Duration::from_secs(5);
/// From one look for an unknown key to the next, in the long run: less than Backstage's list of our tools waits.
const SPACING: Duration = Duration::from_secs(2);
/// From one look that failed to the next, at the most: nobody calls from there while Backstage is down.
const RETRY: Duration = Duration::from_secs(4);

/// The keys, each kept fresh as those of an issuer are.
#[derive(Debug)]
pub(super) struct Kept {
    users: Arc<Keys>,
    plugins: BTreeMap<String, Arc<Keys>>,
}

/// A key set of Backstage when it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// How many of its keys serve a configured algorithm.
    pub usable: usize,
    /// Whether there is a key at all: a plugin that has signed nothing yet has none.
    pub has_any: bool,
    /// What of it is left out and why, a line each.
    pub skipped: Vec<String>,
}

impl Kept {
    /// Of users and of the plugins that are configured, with those of `before`.
    pub(super) fn new(settings: &BackstageSettings, before: Option<&Self>) -> Self {
        let users = before.map(|before| Arc::clone(&before.users));
        let users = users.unwrap_or_else(|| kept(&settings.backend, None));
        let of_plugin = |plugin: &String| {
            let before = before.and_then(|before| before.plugins.get(plugin)).map(Arc::clone);
            (plugin.clone(), before.unwrap_or_else(|| kept(&settings.backend, Some(plugin))))
        };
        Self { users, plugins: settings.plugins.iter().map(of_plugin).collect() }
    }

    pub(super) fn of_users(&self) -> &Arc<Keys> {
        &self.users
    }

    /// Those of a plugin that is configured: a token must not choose whom we ask.
    pub(super) fn of_plugin(&self, plugin: &str) -> Result<&Arc<Keys>, Refusal> {
        self.plugins.get(plugin).ok_or(Refusal::Plugin)
    }

    pub(super) fn warm(&self) {
        self.users.keep();
        self.plugins.values().for_each(Keys::keep);
    }
}

/// The key set of a plugin, or of users, asked for once; nothing where the plugin is not installed.
pub(super) async fn published(
    backend: &Backend,
    plugin: Option<&str>,
    algorithms: &[Algorithm],
) -> Result<Option<Published>, String> {
    let published = |set: KeySet| Published {
        usable: set.serving(algorithms),
        has_any: !set.is_empty() || !set.skipped().is_empty(),
        skipped: set.skipped().to_vec(),
    };
    fetched(backend, plugin).await.map(|set| set.map(published))
}

fn kept(backend: &Backend, plugin: Option<&str>) -> Arc<Keys> {
    let name = format!("{} ({})", backend.issuer, plugin.unwrap_or("users"));
    let asked = (backend.clone(), plugin.map(str::to_owned), Arc::new(AtomicBool::new(false)));
    let fetch = move || {
        let (backend, plugin, had) = asked.clone();
        async move {
            match fetched(&backend, plugin.as_deref()).await? {
                Some(keys) => {
                    had.store(true, Ordering::Relaxed);
                    Ok(keys)
                }
                // while Backstage starts, what is installed may not be there yet
                None if had.load(Ordering::Relaxed) => Err("its key set is not there".to_owned()),
                // a plugin that is not installed signs nothing, and is not asked again every few seconds
                None => Ok(KeySet::default()),
            }
        }
        .boxed()
    };
    Keys::new(&name, Box::new(fetch), Pace::near(SPACING, RETRY))
}

async fn fetched(backend: &Backend, plugin: Option<&str>) -> Result<Option<KeySet>, String> {
    let url = match plugin {
        Some(plugin) => backend.path(plugin, [".backstage", "auth", "v1", "jwks.json"]),
        None => backend.path("auth", [".well-known", "jwks.json"]),
    };
    let asking = |client: reqwest::Client, url| client.get(url);
    let keys = tokio::time::timeout(TIME, backend.found(url, "key set", asking)).await;
    let keys = keys.unwrap_or_else(|_| Err(format!("it did not answer in {} s", TIME.as_secs())))?;
    match keys {
        Some(keys) => KeySet::read(&keys).map(Some),
        None if plugin.is_some() => Ok(None),
        None => Err("its key set is not there".to_owned()),
    }
}
