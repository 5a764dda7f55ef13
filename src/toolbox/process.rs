//! [`Process`]: what the process has once, whatever its configuration becomes.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use tokio_util::sync::CancellationToken;

use super::spent::Spent;
use crate::{
    answer::seal::Seal,
    audit::Audit,
    caller::places::Places,
    kubernetes::Hub,
    telemetry::{Measure, Spans},
};

/// What every toolbox of the process shares: a changed configuration makes a new toolbox, and cursors stay
/// good, no audit line gets lost, counters go on and no number of a call comes twice.
#[derive(Debug)]
pub struct Process {
    seal: Seal,
    audit: Audit,
    measure: Measure,
    spans: Spans,
    hub: Arc<Hub>,
    following: Arc<Places>,
    ending: OnceLock<CancellationToken>,
    spent: Spent,
    started: u32,
    calls: AtomicU64,
}

impl Process {
    /// With the key of cursors and plans, and the places of audit lines and of spans.
    pub fn new(seal: Seal, audit: Audit, spans: Spans) -> Self {
        let started = jiff::Timestamp::now().subsec_nanosecond().unsigned_abs() ^ std::process::id();
        let mut measure = Measure::default();
        measure.audit(audit.lost());
        Self {
            spent: Spent::default(),
            seal,
            audit,
            measure,
            spans,
            hub: Arc::default(),
            following: Arc::default(),
            ending: OnceLock::new(),
            started,
            calls: AtomicU64::new(0),
        }
    }

    /// The key of cursors and plans.
    pub(super) fn seal(&self) -> &Seal {
        &self.seal
    }

    /// The secret that the keys of our own plugin tokens for Backstage are made of.
    ///
    /// # Errors
    /// Never in practice.
    pub(crate) fn plugin_secret(&self) -> Result<[u8; 32], aws_lc_rs::error::Unspecified> {
        self.seal.derived(b"Backstage plugin tokens")
    }

    /// The plans that were carried out.
    pub(super) fn spent(&self) -> &Spent {
        &self.spent
    }

    /// Where audit lines go.
    pub(crate) fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Where measurements go.
    pub fn measure(&self) -> &Measure {
        &self.measure
    }

    /// Where spans go.
    pub(super) fn spans(&self) -> &Spans {
        &self.spans
    }

    /// The watches that subscriptions share.
    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The calls that follow something for a while.
    pub(crate) fn following(&self) -> &Arc<Places> {
        &self.following
    }

    /// What follows something has to come to its end when this fires; nothing else has.
    pub(crate) fn ends_with(&self, ending: &CancellationToken) {
        let _ = self.ending.set(ending.clone());
    }

    /// Waits until what follows something has to come to its end: the process ends, or its client has gone.
    pub(crate) async fn ending(&self) {
        match self.ending.get() {
            Some(ending) => ending.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// A number that no other call of this process has, and hardly one of another.
    pub(crate) fn next_call_id(&self) -> String {
        format!("{:08x}-{:x}", self.started, self.calls.fetch_add(1, Ordering::Relaxed))
    }
}
