//! [`Kept`]: the sweeps of one environment, kept for a short while, each made once however many wait for it.

use std::{cmp::Reverse, collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};

use super::{
    Detail, Wanted,
    listing::Question,
    sweep::{Sweep, sweep},
};
use crate::palette::{access::Access, fault::Fault, find, place::Place};

/// How long a sweep answers.
const LIFE: Duration = Duration::from_secs(30);
/// How long one answers that could not read everything.
const PARTIAL_LIFE: Duration = Duration::from_secs(10);
/// Sweeps kept at once: the oldest goes.
const MOST: usize = 64;

/// The sweeps of one environment.
#[derive(Debug, Default)]
pub(in crate::palette) struct Kept {
    flights: Mutex<HashMap<Key, Arc<Flight>>>,
}

/// Whose sweep, of what. Callers' own tokens see different things.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    credential: Vec<u8>,
    detail: Detail,
    /// Where only this one project can be asked.
    project: Option<String>,
}

#[derive(Debug)]
struct Flight {
    sweep: OnceCell<Arc<Sweep>>,
    started: Instant,
}

impl Flight {
    /// The sweep, once it is there and as long as it is good.
    fn landed(&self) -> Option<&Arc<Sweep>> {
        let life = |sweep: &Sweep| if sweep.is_partial() { PARTIAL_LIFE } else { LIFE };
        self.sweep.get().filter(|sweep| sweep.age() < life(sweep))
    }

    fn is_over(&self) -> bool {
        match self.sweep.initialized() {
            true => self.landed().is_none(),
            false => self.started.elapsed() > LIFE,
        }
    }
}

impl Kept {
    /// A sweep that is there and tells at least this much: the one that tells most, so that two tools that look at
    /// the same moment say the same.
    pub(super) fn peek(&self, access: &Access, detail: Detail) -> Option<Arc<Sweep>> {
        let credential = access.acting().owner().to_vec();
        let flights = self.flights.lock();
        let mine = flights.iter().filter(|(key, _)| key.credential == credential && key.project.is_none());
        let landed = mine.filter_map(|(_, flight)| flight.landed());
        let enough = landed.filter(|sweep| detail.answered_by().contains(&sweep.detail));
        enough.min_by_key(|sweep| (Reverse(sweep.detail), sweep.age())).cloned()
    }

    /// Forgets all sweeps: something was changed.
    pub(in crate::palette) fn clear(&self) {
        self.flights.lock().clear();
    }

    /// A sweep that is there and has this cluster, however much it tells.
    pub(super) fn knowing(&self, access: &Access, uid: &str) -> Option<Arc<Sweep>> {
        let credential = access.acting().owner();
        let flights = self.flights.lock();
        let mine = flights.iter().filter(|(key, _)| key.credential == credential);
        let landed = mine.filter_map(|(_, flight)| flight.landed());
        let known = landed.filter(|sweep| sweep.rows.iter().any(|row| row.uid == uid));
        known.min_by_key(|sweep| sweep.age()).cloned()
    }

    /// A sweep that tells at least this much: one that is there, one that others are making, or a new one. Where
    /// the credential may list neither the tenant's nor its projects, the project that is wanted by uid is asked.
    pub(super) async fn sweep(
        &self,
        access: &Access,
        detail: Detail,
        wanted: Wanted<'_>,
    ) -> Result<Arc<Sweep>, Fault> {
        if let Some(sweep) = self.peek(access, detail).filter(|_| !wanted.fresh) {
            return Ok(sweep);
        }
        let swept = self.fly(access, detail, None, wanted.fresh).await;
        let project = wanted.project.filter(|project| find::is_uid(project));
        match (swept, project) {
            (Err(fault), Some(uid)) if fault.is_forbidden() => {
                self.fly(access, detail, Some(uid), wanted.fresh).await.map_err(|_| fault)
            }
            (swept, _) => swept,
        }
    }

    async fn fly(
        &self,
        access: &Access,
        detail: Detail,
        project: Option<&str>,
        fresh: bool,
    ) -> Result<Arc<Sweep>, Fault> {
        let key =
            Key { credential: access.acting().owner().to_vec(), detail, project: project.map(str::to_owned) };
        let flight = self.join(key, fresh);
        let only = project.map(|uid| Place::Project { uid: uid.to_owned(), name: None });
        let started = Instant::now();
        let made = flight.sweep.get_or_try_init(async || {
            let made = sweep(access, &Question::All(detail), only.as_ref()).await?;
            Ok::<_, Fault>(Arc::new(made))
        });
        let made = timeout_at(access.spent().deadline, made).await;
        made.map_err(|_| Fault::Timeout(started.elapsed()))?.cloned()
    }

    /// The flight that is on its way, or a new one.
    fn join(&self, key: Key, fresh: bool) -> Arc<Flight> {
        let mut flights = self.flights.lock();
        flights.retain(|_, flight| !flight.is_over());
        if let Some(flight) = flights.get(&key).filter(|flight| !(fresh && flight.sweep.initialized())) {
            return Arc::clone(flight);
        }
        if flights.len() >= MOST {
            let oldest = flights.iter().min_by_key(|(_, flight)| flight.started).map(|(key, _)| key.clone());
            oldest.map(|key| flights.remove(&key));
        }
        let flight = Arc::new(Flight { sweep: OnceCell::new(), started: Instant::now() });
        flights.insert(key, Arc::clone(&flight));
        flight
    }
}
