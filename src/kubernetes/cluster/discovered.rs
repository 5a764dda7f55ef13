//! What a cluster serves: read by the first caller, shared by all, and read again when it is old.

use std::{sync::Arc, time::Duration};

use tokio::{sync::OnceCell, time::Instant};

use super::{
    super::{access::Access, discovery, fault::Fault, kinds::Kinds},
    Cluster,
};

/// A younger discovery is not read again because a kind was not found in it.
const REFRESH_AFTER_MISS: Duration = Duration::from_secs(10);
/// An older discovery is read again at its next use.
const REFRESH_AFTER: Duration = Duration::from_secs(600);

/// One reading of the discovery documents, or the place where the first caller puts it.
pub(super) struct Discovered {
    kinds: OnceCell<(Arc<Kinds>, Instant)>,
}

impl Discovered {
    pub(super) fn empty() -> Arc<Self> {
        Arc::new(Self { kinds: OnceCell::new() })
    }
}

impl Cluster {
    /// The kinds it serves: read once by the first caller, shared, read again when old.
    pub(in crate::kubernetes) async fn kinds(&self, access: &Access) -> Result<Arc<Kinds>, Fault> {
        let current = self.discovery.load_full();
        match current.kinds.get() {
            Some((_, read)) if read.elapsed() > REFRESH_AFTER => self.refresh(access, &current).await,
            Some((kinds, _)) => Ok(Arc::clone(kinds)),
            None => self.read(access, &current).await,
        }
    }

    /// The kinds it serves now, read again unless they were read a moment ago: for a kind that a
    /// cached discovery does not know, or that answered 404 although it does.
    pub(in crate::kubernetes) async fn fresh_kinds(&self, access: &Access) -> Result<Arc<Kinds>, Fault> {
        let current = self.discovery.load_full();
        match current.kinds.get() {
            Some((kinds, read)) if read.elapsed() < REFRESH_AFTER_MISS => Ok(Arc::clone(kinds)),
            Some(_) => self.refresh(access, &current).await,
            None => self.read(access, &current).await,
        }
    }

    /// The kinds it serves, for a caller who has just made it serve another one.
    pub(in crate::kubernetes) async fn changed_kinds(&self, access: &Access) -> Result<Arc<Kinds>, Fault> {
        let current = self.discovery.load_full();
        self.refresh(access, &current).await
    }

    /// Replaces `old` by an empty place (once, whoever comes first) and fills that; when the server
    /// cannot say, what was known before stays in use.
    async fn refresh(&self, access: &Access, old: &Arc<Discovered>) -> Result<Arc<Kinds>, Fault> {
        let next = Discovered::empty();
        let previous = self.discovery.compare_and_swap(old, Arc::clone(&next));
        let place = if Arc::ptr_eq(&previous, old) { next } else { self.discovery.load_full() };
        match (self.read(access, &place).await, old.kinds.get()) {
            (Ok(kinds), _) => Ok(kinds),
            (Err(fault), Some((kinds, _))) => {
                // what one caller may not, or cannot now, takes nothing from the others
                self.discovery.compare_and_swap(&place, Arc::clone(old));
                if fault.is_transient() { Ok(Arc::clone(kinds)) } else { Err(fault) }
            }
            (Err(fault), None) => Err(fault),
        }
    }

    async fn read(&self, access: &Access, place: &Discovered) -> Result<Arc<Kinds>, Fault> {
        let (kinds, _) = place
            .kinds
            .get_or_try_init(|| async { Ok((Arc::new(discovery::read(access).await?), Instant::now())) })
            .await?;
        Ok(Arc::clone(kinds))
    }
}
