//! [`Hub`]: one watch for all who follow the same objects, whoever they are.
//!
//! A watch runs as one of those who take part; each of them is authorised by whoever lets them in, since all
//! that is passed on is that something changed. It ends when the last of them leaves.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{Detail, News, Selection, Watch};
use crate::kubernetes::{Access, Fault, Object, access::with_query};

/// How long somebody who joins waits until it is sure that no later change is missed.
const BEGINNING: Duration = Duration::from_secs(5);
/// Objects of one watch whose versions are remembered.
const MOST: usize = 10_000;

/// All watches that are shared.
#[derive(Debug, Default)]
pub struct Hub {
    watches: Mutex<HashMap<Key, Shared>>,
}

/// A cluster, by where it is in memory (whoever takes part keeps it there), and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key(usize, String);

#[derive(Debug)]
struct Shared {
    members: Vec<Member>,
    /// As whom it runs.
    leader: Option<u64>,
    next: u64,
    /// Whether changes are seen.
    begun: watch::Sender<bool>,
    /// Somebody came or left, so that it may have to run as another.
    moved: Arc<Notify>,
}

#[derive(Debug)]
struct Member {
    number: u64,
    access: Access,
    bell: Arc<Bell>,
    /// Whether there is nothing to follow for it without this.
    vital: bool,
    /// Joined without waiting for the beginning, so that it may have missed something.
    late: bool,
    /// The cluster does not let it watch.
    unfit: bool,
}

/// How somebody is told. Rings that nobody has heard yet are one.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Notify,
    refused: CancellationToken,
}

impl Bell {
    /// Waits until something has changed since the last time.
    pub async fn rung(&self) {
        self.rung.notified().await;
    }

    /// Says that something has changed.
    pub fn ring(&self) {
        self.rung.notify_one();
    }

    /// Whether the cluster refuses to let whoever it is of watch.
    pub fn is_refused(&self) -> bool {
        self.refused.is_cancelled()
    }

    fn refuse(&self) {
        self.refused.cancel();
        self.ring();
    }
}

/// A part in a shared watch, given up when dropped.
#[derive(Debug)]
pub struct Seat {
    hub: Arc<Hub>,
    key: Key,
    number: u64,
}

impl Hub {
    /// Rings `bell` when something of `selection` changes, as long as the seat is kept. With `vital` it hears
    /// that the cluster refuses to let it watch. `id` names the requests of the watch where it begins with this.
    ///
    /// # Errors
    /// A name that no request can carry.
    pub async fn join(
        self: &Arc<Self>,
        access: &Access,
        selection: &Selection,
        (bell, vital): (&Arc<Bell>, bool),
        id: impl FnOnce() -> String,
    ) -> Result<Seat, Fault> {
        let key = Key::of(access, selection)?;
        let (seat, mut begun) = self.take(key, access, selection, (bell, vital), id);
        let begins = async {
            tokio::select! {
                () = bell.refused.cancelled() => {}
                _ = begun.wait_for(|begun| *begun) => {}
            }
        };
        if timeout(BEGINNING, begins).await.is_err() {
            self.member(&seat.key, seat.number, |member| member.late = true);
        }
        Ok(seat)
    }

    fn take(
        self: &Arc<Self>,
        key: Key,
        access: &Access,
        selection: &Selection,
        (bell, vital): (&Arc<Bell>, bool),
        id: impl FnOnce() -> String,
    ) -> (Seat, watch::Receiver<bool>) {
        let mut watches = self.watches.lock();
        let shared = watches.entry(key.clone()).or_insert_with(|| {
            let moved = Arc::new(Notify::new());
            let task =
                Run { hub: Arc::clone(self), key: key.clone(), moved: Arc::clone(&moved), id: id().into() };
            tokio::spawn(task.run(selection.clone()));
            Shared { members: Vec::new(), leader: None, next: 0, begun: watch::Sender::new(false), moved }
        });
        let number = shared.next;
        shared.next += 1;
        // what is told is that something changed, and nothing of it: no view is looked through
        let (access, bell) = (access.unfiltered(), Arc::clone(bell));
        shared.members.push(Member { number, access, bell, vital, late: false, unfit: false });
        if shared.leader.is_none() {
            shared.moved.notify_one();
        }
        (Seat { hub: Arc::clone(self), key, number }, shared.begun.subscribe())
    }

    fn member(&self, key: &Key, number: u64, change: impl FnOnce(&mut Member)) {
        let mut watches = self.watches.lock();
        let members = watches.get_mut(key).map(|shared| &mut shared.members);
        if let Some(member) = members.into_iter().flatten().find(|member| member.number == number) {
            change(member);
        }
    }

    /// How many watches there are.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.watches.lock().len()
    }
}

impl Key {
    fn of(access: &Access, selection: &Selection) -> Result<Self, Fault> {
        let path = selection.kind.collection_path(selection.namespace.as_deref())?;
        let uri = with_query(&path, &selection.selector.query()?);
        Ok(Self(Arc::as_ptr(access.cluster()).addr(), uri))
    }
}

impl Seat {
    /// Whether it is of this.
    pub fn is_of(&self, access: &Access, selection: &Selection) -> bool {
        Key::of(access, selection).is_ok_and(|key| key == self.key)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut watches = self.hub.watches.lock();
        let Some(shared) = watches.get_mut(&self.key) else { return };
        shared.members.retain(|member| member.number != self.number);
        // what runs as somebody else is not disturbed
        if shared.leader == Some(self.number) {
            shared.leader = None;
            shared.moved.notify_one();
        }
        if shared.members.is_empty() {
            shared.moved.notify_one();
        }
        if shared.members.is_empty() {
            watches.remove(&self.key);
        }
    }
}

/// The task of one shared watch.
struct Run {
    hub: Arc<Hub>,
    key: Key,
    moved: Arc<Notify>,
    id: Arc<str>,
}

/// As whom it runs next.
enum Leader {
    Is(u64, Access),
    /// Nobody who takes part may watch.
    None,
    /// Nobody takes part.
    Over,
}

impl Run {
    async fn run(self, selection: Selection) {
        let (mut sent, mut from, mut known) = (0, None, Known::default());
        loop {
            let (number, access) = match self.lead() {
                Leader::Is(number, access) => (number, access),
                Leader::None => {
                    self.moved.notified().await;
                    continue;
                }
                Leader::Over => return,
            };
            let watch = Watch::new(access, selection.clone(), Detail::Metadata);
            let mut watch = watch.lasting(Arc::clone(&self.id), sent, from.take());
            loop {
                let news = tokio::select! {
                    biased;
                    () = self.moved.notified() => match self.leads(number) {
                        true => continue,
                        false => break,
                    },
                    news = watch.next() => news,
                };
                match news {
                    Ok(news) => self.tell(&mut known, &news),
                    Err(fault) => {
                        tracing::debug!(watch = &*self.id, %fault, "not as this one any more");
                        self.unfit(number);
                        break;
                    }
                }
            }
            (sent, from) = watch.ended();
        }
    }

    fn lead(&self) -> Leader {
        let mut watches = self.hub.watches.lock();
        // one of the same name may have begun anew
        let Some(shared) =
            watches.get_mut(&self.key).filter(|shared| Arc::ptr_eq(&shared.moved, &self.moved))
        else {
            return Leader::Over;
        };
        // the last to come: where many leave at once, they mostly do in the order in which they came
        let Some(member) = shared.members.iter().rfind(|member| !member.unfit) else { return Leader::None };
        shared.leader = Some(member.number);
        Leader::Is(member.number, member.access.clone())
    }

    fn leads(&self, number: u64) -> bool {
        let watches = self.hub.watches.lock();
        watches
            .get(&self.key)
            .is_some_and(|shared| Arc::ptr_eq(&shared.moved, &self.moved) && shared.leader == Some(number))
    }

    /// The cluster lets it watch no more.
    fn unfit(&self, number: u64) {
        let mut watches = self.hub.watches.lock();
        let Some(shared) = watches.get_mut(&self.key) else { return };
        shared.leader = None;
        if let Some(member) = shared.members.iter_mut().find(|member| member.number == number) {
            member.unfit = true;
            if member.vital {
                member.bell.refuse();
            }
        }
    }

    /// Rings where it is a change, and not only another look at the same.
    fn tell(&self, known: &mut Known, news: &News) {
        let (changed, begins) = (known.take(news), matches!(news, News::All(_)));
        let mut watches = self.hub.watches.lock();
        let Some(shared) = watches.get_mut(&self.key) else { return };
        for member in &mut shared.members {
            let missed = begins && std::mem::take(&mut member.late);
            if changed || missed {
                member.bell.ring();
            }
        }
        if begins {
            shared.begun.send_replace(true);
        }
    }
}

/// The versions of the objects that were seen.
#[derive(Debug, Default)]
struct Known {
    versions: Option<HashMap<String, String>>,
}

impl Known {
    /// Takes the news; whether they are any.
    fn take(&mut self, news: &News) -> bool {
        let version = |object: &Object| object.text(&["metadata", "resourceVersion"]).map(str::to_owned);
        let seen = |object: &Object| (object.uid().to_owned(), version(object).unwrap_or_default());
        match news {
            News::All(objects) => {
                let now: HashMap<String, String> = objects.iter().take(MOST).map(seen).collect();
                let before = self.versions.replace(now);
                before.is_some_and(|before| Some(&before) != self.versions.as_ref())
            }
            News::Is(object) => {
                let (uid, version) = seen(object);
                let versions = self.versions.get_or_insert_default();
                if versions.get(&uid) == Some(&version) {
                    return false;
                }
                if versions.len() < MOST || versions.contains_key(&uid) {
                    versions.insert(uid, version);
                }
                true
            }
            News::Gone(object) => {
                self.versions.get_or_insert_default().remove(object.uid());
                true
            }
            News::Lost(_) => false,
        }
    }
}

#[cfg(test)]
#[path = "hub/tests.rs"]
mod tests;
