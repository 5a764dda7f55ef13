//! Reads what a mesh is made of, as the caller.
//!
//! Two LISTs of CRDs tell which kinds are channels and sources; beside them and after them one LIST of each kind of
//! all namespaces at once, then what these refer to. What is on its way at once is bounded by [`Access`].

mod everything;
mod kinds;
mod listing;
mod targets;
#[cfg(test)]
mod tests;

pub(super) use targets::MOST_EACH;

use std::sync::Arc;

use parking_lot::Mutex;

use super::resource::Resources;
use crate::{
    Error,
    kubernetes::{Access, Fault, Kind, Kinds},
};

/// What is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// Where the caller may not read everywhere, this namespace alone is read.
    pub namespace: Option<&'a str>,
    /// How targets are looked at.
    pub targets: Targets,
}

/// How what is referred to is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Targets {
    /// One LIST of each kind that is referred to.
    #[default]
    ByKind,
    /// One GET of each subscriber and of nothing else: for who may `get` subscribers and not `list` them.
    Each,
}

/// Reads it: one LIST of each kind that a mesh is made of, all of them at once, then what these refer to.
///
/// # Errors
/// Nothing can be read of the cluster: it cannot be reached, or takes no credential of the caller's. What of it cannot
/// be read, and that Knative is not installed, is no error.
pub async fn read(access: &Access, asked: Asked<'_>) -> Result<Resources, Error> {
    let reader = Reader { access, asked, kinds: Mutex::new(Box::pin(access.kinds()).await?) };
    let mut resources = Box::pin(everything::read(&reader)).await;
    if let Some(fault) = hopeless(&resources) {
        return Err(fault.into());
    }
    Box::pin(targets::read(&reader, &mut resources)).await;
    Ok(resources)
}

/// What keeps the caller from everything, where something does. Being forbidden to read one kind says nothing of others.
fn hopeless(resources: &Resources) -> Option<Fault> {
    let faults = || resources.unread.iter().filter_map(|unread| unread.fault.as_ref());
    let refused = faults().find(|fault| {
        matches!(
            fault,
            Fault::TokenRefused(_)
                | Fault::Unauthorized(_)
                | Fault::MayNotImpersonate(_)
                | Fault::Unfit(_)
                | Fault::NotExchanged { .. }
        )
    });
    let is_nothing_read = resources.whole.is_empty() && resources.whole_there.is_empty();
    refused
        .or_else(|| faults().find(|fault| is_nothing_read && !fault.is_forbidden() && !fault.is_not_found()))
        .cloned()
}

/// Reads one cluster for one call.
struct Reader<'a> {
    access: &'a Access,
    asked: Asked<'a>,
    kinds: Mutex<Arc<Kinds>>,
}

impl Reader<'_> {
    fn kinds(&self) -> Arc<Kinds> {
        Arc::clone(&self.kinds.lock())
    }

    /// The first kind for which `find` answers, in what is known and else in what is served now, which [`Access`] asks
    /// for at most every ten seconds.
    async fn kind(&self, find: impl Fn(&Kinds) -> Option<Kind>) -> Option<Kind> {
        if let Some(kind) = find(&self.kinds()) {
            return Some(kind);
        }
        self.refresh().await;
        find(&self.kinds())
    }

    /// Asks anew what the cluster serves. Where it cannot say, what was known stays.
    async fn refresh(&self) {
        if let Ok(fresh) = Box::pin(self.access.fresh_kinds()).await {
            *self.kinds.lock() = fresh;
        }
    }
}
