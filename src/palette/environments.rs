//! [`Environments`]: all that are configured. A name that none has is an error, never the first one.

use std::sync::Arc;

use super::{
    environment::{Environment, Settings},
    session::Limits,
};

/// The environments of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Environments {
    all: Vec<Arc<Environment>>,
    /// Of the process: whatever is configured next goes on within them.
    limits: Arc<Limits>,
}

impl Environments {
    /// Of their settings, in the order of the configuration. What is configured as `before` keeps its connections
    /// and what it knows; the vendor's limits are kept for all of them.
    pub fn new(settings: Vec<Settings>, before: Option<&Self>) -> Self {
        let limits = before.map(|before| Arc::clone(&before.limits)).unwrap_or_default();
        let known = |settings: &Settings| {
            let same = before?.all.iter().find(|environment| environment.is_of(settings))?;
            Some(Arc::clone(same))
        };
        let all = settings
            .into_iter()
            .map(|one| known(&one).unwrap_or_else(|| Arc::new(Environment::new(one, &limits))))
            .collect();
        Self { all, limits }
    }

    /// The one of exactly this name.
    pub fn named(&self, name: &str) -> Option<&Arc<Environment>> {
        self.all.iter().find(|environment| environment.name() == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Environment>> {
        self.all.iter()
    }

    /// Whether none is configured.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether exactly one takes callers' own tokens: then a header without a name can mean no other.
    pub(super) fn has_one_by_callers(&self) -> bool {
        self.all.iter().filter(|environment| environment.settings().is_by_callers()).count() == 1
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::*;

    fn settings(name: &str, key: Option<&str>) -> Settings {
        Settings {
            name: name.to_owned(),
            url: Url::parse("https://palette.example").expect("a URL"),
            tenant: None,
            api_token: key.map(|key| key.to_owned().into()),
            ca_file: None,
            admin_kubeconfig: false,
        }
    }

    #[test]
    fn what_is_configured_as_before_stays_what_it_is() {
        let before = Environments::new(vec![settings("a", Some("1")), settings("b", Some("1"))], None);
        let after = [settings("c", None), settings("a", Some("2")), settings("b", Some("1"))];
        let after = Environments::new(after.to_vec(), Some(&before));
        let same = |name: &str| {
            let [before, after] = [&before, &after].map(|all| all.named(name));
            before.zip(after).is_some_and(|(before, after)| Arc::ptr_eq(before, after))
        };
        assert!(same("b"));
        assert!(!same("a"), "another key, another session");
        assert!(after.named("d").is_none() && before.named("").is_none());
        assert!(Arc::ptr_eq(&before.limits, &after.limits));
        assert!(after.has_one_by_callers() && !before.has_one_by_callers());
    }
}
