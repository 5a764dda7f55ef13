//! [`Updates`]: whoever subscribed to a resource is told when reading it again may give something else.
//!
//! Subscribers of one thing share a watch, whoever they are. Each is let in as if they read the resource, and
//! looked at again before they are told of a change, at most every ten seconds: a permission that has gone
//! ends the subscription, and so does a right in the cluster. What is told is the URI alone.

use std::{net::IpAddr, sync::Arc, time::Duration};

use futures::future::join_all;
use serde_json::{Map, Value};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    serving::Served,
    subscriber::{Subscriber, at},
    subscriptions::TooMany,
    verdicts::{LIFE, Question},
};
use crate::{
    Error, ErrorKind, RefusedBy,
    answer::Handing,
    caller::{Caller, places::Place},
    kubernetes::watch::hub::{Bell, Seat},
    presented::Presented,
    toolbox::{
        Following, Progress, Request, Subject,
        resources::{Target, not_found},
    },
};

/// Between two notifications of one resource; what happens meanwhile is told by the second.
const APART: Duration = Duration::from_secs(1);
/// When to look again at what could not be looked at, and how often before a refusal of the cluster is
/// believed: an API server that has just started knows neither roles nor custom kinds for a moment.
const AGAIN: Duration = Duration::from_secs(2);
const PATIENCE: u32 = 4;

/// A resource that somebody follows.
#[derive(Debug)]
pub(super) struct Updates {
    of: Subscriber,
    door: &'static str,
    client: Option<IpAddr>,
    /// As the client wrote it.
    pub(super) uri: String,
    target: Target,
    bell: Arc<Bell>,
    seats: Vec<Seat>,
    following: Following,
    replaced: watch::Receiver<u64>,
    _place: Place,
}

/// Why a resource is not followed.
#[derive(Debug)]
pub(super) enum NotFollowed {
    /// There are as many subscriptions as there may be.
    TooMany(TooMany),
    /// There is no such resource, for this caller, or it cannot be read.
    Error(Error),
}

impl From<Error> for NotFollowed {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// What a further look says.
enum Look {
    /// They may; whether it is a fresh look, and whether more is watched than before.
    May { fresh: bool, more: bool },
    /// There is nothing at present, which whoever could read it may know.
    Absent,
    /// They may not.
    Refused(Error),
    /// The cluster says that they may not, which may pass.
    RefusedThere(Error),
    /// It cannot be told now.
    Later,
}

impl Updates {
    /// Lets a caller follow a resource that they can read. No change after this is missed.
    pub(super) async fn begin(
        of: Subscriber,
        (served, caller): (&Served, &Arc<Caller>),
        (door, client): (&'static str, Option<IpAddr>),
        uri: String,
    ) -> Result<Self, NotFollowed> {
        let target = Target::parse(&uri).map_err(|_| not_found(&uri))?;
        if !served.toolbox.offers(caller, target.template) {
            return Err(not_found(&uri).into());
        }
        let replaced = of.serving.replacements();
        let place = of.serving.subscriptions().place(caller, served.terms.subscriptions);
        let place = place.map_err(|full| NotFollowed::TooMany(full.into()))?;
        let request = request(&target, (caller, &of.presented), (door, client));
        let (following, subject) = served.toolbox.follow(request).await?;
        let bell = Arc::new(Bell::default());
        let mut updates = Self {
            of,
            door,
            client,
            uri,
            target,
            bell,
            seats: Vec::new(),
            following,
            replaced,
            _place: place,
        };
        updates.sit(served, &subject).await;
        if updates.bell.is_refused() || updates.seats.is_empty() {
            let error = not_found(&updates.uri).refused_by(RefusedBy::Cluster);
            updates.following.refused(&error);
            return Err(error.into());
        }
        Ok(updates)
    }

    /// Takes part in the watches of what is shown now, and in no others; whether there is a new one.
    async fn sit(&mut self, served: &Served, subject: &Subject) -> bool {
        let hub = served.toolbox.process().hub();
        self.seats.retain(|seat| subject.selections.iter().any(|one| seat.is_of(&subject.access, one)));
        let missing = subject.selections.iter().enumerate();
        let missing =
            missing.filter(|(_, one)| !self.seats.iter().any(|seat| seat.is_of(&subject.access, one)));
        let (bell, call) = (&self.bell, self.following.call());
        let joining = missing.map(|(index, one)| async move {
            // without the first there is nothing to follow
            let id = || format!("{call}.w");
            hub.join(&subject.access, one, (bell, index == 0), id).await.ok()
        });
        let joined: Vec<Seat> = join_all(joining).await.into_iter().flatten().collect();
        let more = !joined.is_empty();
        self.seats.extend(joined);
        more
    }

    /// Tells of each change until it has to end. `tell` says whether somebody was there to be told.
    pub(super) async fn run<F: Future<Output = bool>>(mut self, tell: impl Fn(String) -> F) {
        let (mut untold, mut again, mut patience) = (false, None, 0);
        loop {
            tokio::select! {
                () = self.of.over() => return,
                replaced = self.replaced.changed() => if replaced.is_err() { return },
                () = self.bell.rung() => untold = true,
                () = at(again) => {}
            }
            again = None;
            let look = self.look().await;
            match look {
                Look::May { fresh, more } => {
                    patience = 0;
                    // the kinds of its children are those of then
                    again = (!fresh).then(|| Instant::now() + LIFE);
                    // what happened before they were watched was seen by nobody
                    untold |= more;
                }
                Look::Absent => patience = 0,
                Look::RefusedThere(error) if patience >= PATIENCE => return self.end(&error),
                Look::RefusedThere(_) | Look::Later => {
                    patience += 1;
                    again = Some(Instant::now() + AGAIN);
                    continue;
                }
                Look::Refused(error) => return self.end(&error),
            }
            if self.bell.is_refused() {
                let error = Error::new(ErrorKind::NotAllowed, "the cluster lets nobody of them watch it");
                return self.end(&error);
            }
            if std::mem::take(&mut untold) {
                if !tell(self.uri.clone()).await {
                    return;
                }
                sleep(APART).await;
            }
        }
    }

    fn end(&mut self, error: &Error) {
        tracing::debug!(call = self.following.call(), %error, "a subscription has ended");
        self.following.refused(error);
    }

    /// Looks whether they may still read it.
    async fn look(&mut self) -> Look {
        let rules = *self.replaced.borrow_and_update();
        let served = Arc::clone(&self.of.serving.now());
        let Some(caller) = self.of.caller(&served).await else {
            return Look::Refused(Error::new(ErrorKind::Unauthenticated, "the token is good no more"));
        };
        if !served.toolbox.offers(&caller, self.target.template) {
            return Look::Refused(not_found(&self.uri));
        }
        let question = Question::new(&caller, &self.of.presented, rules, self.target.uri());
        let request = request(&self.target, (&caller, &self.of.presented), (self.door, self.client));
        let (call, toolbox) = (self.following.look(), Arc::clone(&served.toolbox));
        let began = Instant::now();
        let verdicts = self.of.serving.verdicts();
        let (answer, asked) =
            verdicts.answer(question, || async move { toolbox.follow_on(call, request).await }).await;
        match answer {
            Ok(subject) => {
                let more = self.sit(&served, &subject).await;
                Look::May { fresh: asked >= began, more }
            }
            Err(error) => seen(error),
        }
    }
}

/// What an error says of whether they may.
fn seen(error: Error) -> Look {
    let there = matches!(error.refused_by.as_deref(), Some(RefusedBy::Cluster));
    match error.kind {
        ErrorKind::NotFound | ErrorKind::InvalidInput | ErrorKind::Conflict => Look::Absent,
        ErrorKind::NotAllowed if there => Look::RefusedThere(error),
        ErrorKind::Upstream { status: Some(401), .. } => Look::RefusedThere(error),
        ErrorKind::NotAllowed | ErrorKind::UnknownTool | ErrorKind::Unauthenticated => Look::Refused(error),
        _ => Look::Later,
    }
}

/// The call that reading the resource is.
fn request(
    target: &Target,
    (caller, presented): (&Arc<Caller>, &Arc<Presented>),
    (door, client): (&'static str, Option<IpAddr>),
) -> Request {
    let arguments: Map<String, Value> = target.arguments();
    Request {
        door,
        caller: Arc::clone(caller),
        tool: target.template.tool.to_owned(),
        arguments,
        cancel: CancellationToken::new(),
        client,
        trace: None,
        progress: Progress::default(),
        patience: None,
        handing: Handing::Withheld,
        presented: Arc::clone(presented),
    }
}
