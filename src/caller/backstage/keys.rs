//! [`Kept`]: the keys of Backstage: those of its users, and those of each plugin whose tokens are taken.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::FutureExt as _;

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
/// From one look that failed to the next, at the most: nobody calls from there while Backstage is down.
const RETRY: Duration = Duration::from_secs(4);

/// The keys, each kept fresh as those of an issuer are.
#[derive(Debug)]
pub(super) struct Kept {
    users: Arc<Keys>,
    plugins: BTreeMap<String, Arc<Keys>>,
}

impl Kept {
    /// Of users and of the plugins that are configured, with those of `before`.
    pub(super) fn new(settings: &BackstageSettings, before: Option<&Self>) -> Self {
        let users = before.map(|before| Arc::clone(&before.users));
        let users =
            users.unwrap_or_else(|| fetched(&settings.backend, "auth", &[".well-known", "jwks.json"]));
        let of_plugin = |plugin: &String| {
            let before = before.and_then(|before| before.plugins.get(plugin)).map(Arc::clone);
            let fetched = || fetched(&settings.backend, plugin, &[".backstage", "auth", "v1", "jwks.json"]);
            (plugin.clone(), before.unwrap_or_else(fetched))
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

fn fetched(backend: &Backend, plugin: &str, path: &[&str]) -> Arc<Keys> {
    let (asked, url) = (backend.clone(), backend.path(plugin, path.iter().copied()));
    let fetch = move || {
        let (asked, url) = (asked.clone(), url.clone());
        async move {
            let asking = |client: reqwest::Client, url| client.get(url);
            let keys = tokio::time::timeout(TIME, asked.bytes(url, "key set", asking)).await;
            let keys = keys.unwrap_or_else(|_| Err(format!("it did not answer in {} s", TIME.as_secs())))?;
            KeySet::read(&keys)
        }
        .boxed()
    };
    Keys::new(&format!("{} ({plugin})", backend.issuer), Box::new(fetch), Pace::retrying(RETRY))
}
