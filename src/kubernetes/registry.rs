//! [`Registry`]: the clusters that are known now. Each source is read on its own schedule; what it finds joins
//! what the others found, and what it found last stays for as long as it cannot be read.

mod keeping;
mod source;
mod state;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;

pub use self::{
    source::{ClusterSource, Reading},
    state::State,
};
use super::{clusters::Clusters, sources::Found};
use crate::telemetry::Known;

/// The clusters that are known now.
#[derive(Debug)]
pub struct Registry {
    sources: Vec<Arc<dyn ClusterSource>>,
    /// The configured default, as written.
    wanted: Option<String>,
    now: ArcSwap<Clusters>,
    /// Held by whoever puts other clusters into `now`.
    joining: Mutex<()>,
    /// Changes with each reading that has ended.
    read: watch::Sender<()>,
    tasks: Mutex<Tasks>,
    known: Known,
}

#[derive(Debug, Default)]
struct Tasks {
    begun: Option<Instant>,
    running: Vec<AbortOnDropHandle<()>>,
    ended: bool,
}

impl Registry {
    /// Reads the sources that are files of this machine; the others are asked later. What was known `before` of
    /// sources that are configured as then is kept, and so are the connections to clusters that are as then.
    pub fn new(
        sources: Vec<Arc<dyn ClusterSource>>,
        wanted: Option<String>,
        before: Option<&Self>,
        known: Known,
    ) -> Self {
        let old = before.map(Self::now).unwrap_or_default();
        let states = sources
            .iter()
            .map(|source| {
                let mut state = State::unread(&**source);
                if let Some(then) = old.sources().iter().find(|then| then.is_of(&**source)) {
                    state = State::clone(then);
                }
                match source::of_files(&**source) {
                    Some((found, content)) => Arc::new(state.after(found, content, &**source, &old)),
                    None => Arc::new(state),
                }
            })
            .collect();
        let registry = Self { wanted, known, ..Self::of(Clusters::default()) };
        let registry = Self { sources, ..registry };
        registry.join(states);
        registry
    }

    /// Of these clusters, which do not change.
    pub fn of(clusters: Clusters) -> Self {
        Self {
            sources: Vec::new(),
            wanted: None,
            now: ArcSwap::from_pointee(clusters),
            joining: Mutex::default(),
            read: watch::Sender::new(()),
            tasks: Mutex::default(),
            known: Known::default(),
        }
    }

    /// What is known now.
    pub fn now(&self) -> Arc<Clusters> {
        self.now.load_full()
    }

    /// Begins to read the sources on their schedules, unless that is done already. Waits for nothing; needs a
    /// runtime.
    pub fn keep(self: &Arc<Self>) {
        let mut tasks = self.tasks.lock();
        if tasks.begun.is_some() || tasks.ended {
            return;
        }
        tasks.begun = Some(Instant::now());
        let keeping = |index| tokio::spawn(keeping::keeping(Arc::downgrade(self), index));
        tasks.running = (0..self.sources.len()).map(|index| AbortOnDropHandle::new(keeping(index))).collect();
    }

    /// Reads no more: another one has taken its place.
    pub fn end(&self) {
        let mut tasks = self.tasks.lock();
        tasks.ended = true;
        tasks.running.clear();
    }

    /// Waits until each source was read once, or has failed to be; no longer than this since it was first asked.
    pub async fn settled(self: &Arc<Self>, patience: Duration) {
        if self.now.load().sources().iter().all(|state| state.was_tried()) {
            return;
        }
        let mut read = self.read.subscribe();
        self.keep();
        let Some(begun) = self.tasks.lock().begun else { return };
        let tried = read.wait_for(|()| self.now.load().sources().iter().all(|state| state.was_tried()));
        let _late = timeout_at(begun + patience, tried).await;
    }

    /// What is broken, a line each, for whoever runs the server.
    pub fn problems(&self) -> Vec<String> {
        self.now.load().problems()
    }

    /// Keeps what a reading of a source brought.
    fn settle(&self, index: usize, found: Result<Found, String>, content: Option<source::Content>) {
        let _joining = self.joining.lock();
        let now = self.now();
        let (Some(source), Some(before)) = (self.sources.get(index), now.sources().get(index)) else {
            return;
        };
        let after = before.after(found, content, &**source, &now);
        after.tell(before);
        let mut states = now.sources().to_vec();
        if let Some(place) = states.get_mut(index) {
            *place = Arc::new(after);
        }
        self.join(states);
        self.read.send_replace(());
    }

    /// Keeps that a source still holds what it held.
    fn settle_same(&self, index: usize) {
        let _joining = self.joining.lock();
        let Some(source) = self.sources.get(index) else { return };
        let mut states = self.now().sources().to_vec();
        if let Some(place) = states.get_mut(index) {
            *place = Arc::new(place.again(&**source));
        }
        self.join(states);
    }

    fn join(&self, states: Vec<Arc<State>>) {
        for state in &states {
            let failing = states.iter().any(|other| other.source() == state.source() && other.is_failing());
            self.known.source(state.source().name(), failing);
        }
        let clusters = Clusters::joined(states, self.wanted.as_deref());
        self.known.clusters(clusters.iter().count());
        self.now.store(Arc::new(clusters));
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::of(Clusters::default())
    }
}
