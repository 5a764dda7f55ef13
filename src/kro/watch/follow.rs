//! [`Follow`]: one call that follows an instance until something is so, or its time is over.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{
    Ended, Timeline, Until,
    streams::{Of, Streams},
    timeline::{Seen, of_graph, short},
};
use crate::kro::{
    fetch::Reader,
    graph::{Graph, ROOT},
    instance::Standing,
};
use crate::kubernetes::{Access, Fault, Kind, Kinds, Object, watch::News};
use crate::toolbox::Call;

/// How deep nested instances are looked into.
const DEPTH: u32 = 3;
/// Changes come in swarms: one look at the graph for what comes within this.
const GATHER: Duration = Duration::from_millis(400);
/// Looks at the graph are at least so far apart.
const APART: Duration = Duration::from_secs(1);
/// How often is looked at an instance that may not be watched, and at what of a graph is in no watch.
const POLL: Duration = Duration::from_secs(5);
const SWEEP: Duration = Duration::from_secs(15);
/// How often it is said that nothing has changed.
const BEAT: Duration = Duration::from_secs(10);
/// What of a call's budget is kept for its last look.
const RESERVE: f64 = 0.1;
/// How long the last look may take.
const LAST_LOOK: Duration = Duration::from_secs(8);

/// What came of following.
#[derive(Debug)]
pub struct Followed {
    /// What became of the instance and its nodes.
    pub timeline: Timeline,
    /// Why it ended.
    pub ended: Ended,
    /// What could not be seen.
    pub gaps: Vec<String>,
    /// How long it was.
    pub time: Duration,
}

/// One call that follows an instance.
pub struct Follow<'c> {
    call: &'c Call,
    access: Access,
    kind: Kind,
    instance: Object,
    subtree: bool,
    until: Option<Until>,
    timeline: Timeline,
    streams: Streams,
    kinds: Arc<Kinds>,
    gaps: Vec<String>,
    /// Of the last look at the graph.
    unseen: Vec<String>,
    /// Whether the instance is told of by its watch.
    watched: bool,
    /// When to look at what is not told by itself.
    look: Option<Instant>,
    looked: Instant,
    /// What the last look took of the budget.
    cost: f64,
    /// Whether something changed since the last look.
    stale: bool,
    changed: bool,
    gone: Option<Ended>,
    began: Instant,
    end: Instant,
}

impl<'c> Follow<'c> {
    /// Follows `instance`, as it was just read, for `time`.
    pub(in crate::kro) fn new(
        call: &'c Call,
        reader: &Reader,
        kind: &Kind,
        instance: Object,
        (subtree, until, time): (bool, Option<Until>, Duration),
    ) -> Self {
        let access = reader.access().clone();
        let began = Instant::now();
        Self {
            call,
            streams: Streams::of(&access, kind, &instance),
            access,
            kind: kind.clone(),
            instance,
            subtree,
            until,
            timeline: Timeline::default(),
            kinds: reader.kinds(),
            gaps: Vec::new(),
            unseen: Vec::new(),
            watched: true,
            look: None,
            looked: began,
            cost: 0.0,
            stale: false,
            changed: false,
            gone: None,
            began,
            end: began + time,
        }
    }

    /// Follows it to the end.
    pub async fn to_the_end(mut self) -> Followed {
        self.look().await;
        self.changed = false;
        let mut beat = Instant::now() + BEAT;
        let ended = loop {
            if let Some(ended) = self.over() {
                break ended;
            }
            let before = self.timeline.count();
            tokio::select! {
                () = self.call.toolbox().process().ending() => break Ended::Server,
                () = sleep_until(self.end) => break Ended::Time,
                () = sleep_until(beat) => {
                    self.still();
                    beat += BEAT;
                }
                () = at(self.look) => self.look().await,
                (of, news) = self.streams.next() => self.heard(&of, news),
            }
            if self.timeline.count() > before {
                beat = Instant::now() + BEAT;
            }
        };
        if self.stale && ended == Ended::Time {
            self.end = Instant::now() + LAST_LOOK;
            self.look().await;
        }
        let ended = self.over().filter(|_| ended == Ended::Time).unwrap_or(ended);
        if matches!(ended, Ended::Deleted | Ended::Recreated)
            && let Some(change) = self.timeline.end(Timestamp::now())
        {
            self.call.tell(&change.line());
        }
        self.gaps.extend(std::mem::take(&mut self.streams.gaps));
        self.gaps.append(&mut self.unseen);
        Followed { timeline: self.timeline, ended, gaps: self.gaps, time: self.began.elapsed() }
    }

    fn over(&self) -> Option<Ended> {
        if self.gone.is_some() {
            return self.gone;
        }
        let state = self.timeline.root().map(|root| root.state);
        // what has just changed is judged before it counts
        let judged = !(self.subtree && self.stale);
        let holds = |until: Until| until.holds(state, self.changed);
        (judged && self.until.is_some_and(holds)).then_some(Ended::Reached)
    }

    fn heard(&mut self, of: &Of, news: Result<News, Fault>) {
        match (of, news) {
            (Of::Instance, Ok(News::All(objects))) => {
                let own = objects.into_iter().find(|object| object.name() == self.instance.name());
                match own {
                    Some(object) => self.is_now(object),
                    None => self.gone = Some(Ended::Deleted),
                }
            }
            (Of::Instance, Ok(News::Is(object))) => self.is_now(object),
            (Of::Instance, Ok(News::Gone(object))) if object.uid() == self.instance.uid() => {
                self.gone = Some(Ended::Deleted);
            }
            (Of::Children(_), Ok(News::All(_) | News::Is(_) | News::Gone(_))) => self.look_soon(),
            (_, Ok(News::Lost(fault))) => {
                let line = format!("nothing is heard of the cluster: {fault}");
                self.call.tell(&line);
                self.gap(line);
            }
            (_, Ok(_)) => {}
            (_, Err(fault @ Fault::Spent(_))) => {
                self.gap(fault.to_string());
                self.gone = Some(Ended::Spent);
            }
            (Of::Instance, Err(fault)) => {
                self.gap(format!(
                    "the instance is not watched, only looked at every {} s: {fault}",
                    POLL.as_secs()
                ));
                self.watched = false;
                self.look.get_or_insert(Instant::now() + POLL);
            }
            (Of::Children(children), Err(fault)) => {
                self.streams.refused(children, &fault, &self.instance, &self.kinds);
                self.look_soon();
            }
        }
    }

    fn is_now(&mut self, mut object: Object) {
        if object.uid() != self.instance.uid() {
            self.gone = Some(Ended::Recreated);
            return;
        }
        self.call.scrub(&mut object);
        let same = object == self.instance;
        self.instance = object;
        if self.subtree {
            if !same {
                self.look_soon();
            }
        } else {
            self.take(alone(&self.instance));
        }
    }

    /// Looks at what is not told by itself: the graph, and an instance that may not be watched.
    async fn look(&mut self) {
        self.look = None;
        let before = self.call.left();
        if before < self.cost {
            self.gap("the call has used up what it may read; what came later was not looked at".to_owned());
            return;
        }
        self.stale = false;
        let due = self.end + LAST_LOOK;
        if timeout_at(due, self.read()).await.is_err() {
            self.gap("the cluster does not answer in time".to_owned());
        }
        self.looked = Instant::now();
        self.cost = before - self.call.left();
        let again = if self.watched { SWEEP } else { POLL };
        if self.subtree || !self.watched {
            self.look_within(again);
        }
    }

    async fn read(&mut self) {
        if !self.watched {
            let (namespace, name) = (self.instance.namespace(), self.instance.name());
            match self.access.get(&self.kind, namespace, name).await {
                Ok(object) => self.is_now(object),
                Err(Fault::NotFound(_)) => self.gone = Some(Ended::Deleted),
                Err(fault) => self.gap(fault.to_string()),
            }
        }
        if !self.subtree {
            return self.take(alone(&self.instance));
        }
        // each look has its own: what a reader remembers and how long it may judge is meant for one
        let reader = match Reader::new(&self.access).await {
            Ok(reader) => reader,
            Err(fault) => return self.gap(fault.to_string()),
        };
        let mut collected = reader.collect(self.instance.clone(), DEPTH).await;
        self.kinds = reader.kinds();
        self.streams.children(&self.instance, &self.kinds);
        for nested in collected.nested.values() {
            self.streams.children(&nested.instance, &self.kinds);
        }
        let call = self.call.clone();
        let judged = reader.judge(move |work| {
            collected.each_object_mut(&mut |object| call.scrub(object));
            let graph = Graph::build(&collected, work);
            (of_graph(&graph), graph.gaps)
        });
        match judged.await {
            Ok((now, gaps)) => {
                self.unseen = gaps;
                self.take(now);
            }
            Err(error) => self.gap(error.to_string()),
        }
    }

    fn look_soon(&mut self) {
        self.stale = true;
        self.look_within(GATHER);
    }

    /// Looks again within this time, or later where the budget would not last to the end.
    fn look_within(&mut self, time: Duration) {
        let (now, left) = (Instant::now(), self.call.left() - RESERVE);
        let remaining = self.end.saturating_duration_since(now);
        let pace = if left > self.cost { remaining.mul_f64(self.cost / left) } else { remaining };
        let due = (now + time).max(self.looked + pace.max(APART));
        self.look = Some(self.look.map_or(due, |look| look.min(due)));
    }

    /// Says that nothing has changed, for clients that wait no longer than they hear something.
    fn still(&self) {
        if let Some(root) = self.timeline.root() {
            let (state, left) = (root.state, self.end.saturating_duration_since(Instant::now()).as_secs());
            self.call.tell(&format!("still {state}, {left} s left"));
        }
    }

    fn gap(&mut self, gap: String) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    fn take(&mut self, now: BTreeMap<String, Seen>) {
        let changes = self.timeline.take(now, Timestamp::now());
        self.changed |= !changes.is_empty();
        for change in changes {
            self.call.tell(&change.line());
        }
    }
}

/// An instance as kro's own words have it.
fn alone(instance: &Object) -> BTreeMap<String, Seen> {
    let standing = Standing::read(instance);
    let object = format!("{}/{}", instance.kind(), instance.name());
    let seen = Seen { object, state: standing.state, reason: standing.reason.as_deref().map(short) };
    BTreeMap::from([(ROOT.to_owned(), seen)])
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
