//! [`Watch`]: what changes of the objects of a kind, as it changes, for as long as somebody wants to know.
//!
//! A LIST for the resource version, then `?watch=1` from there (Kubernetes API concepts, "Efficient detection
//! of changes"). Where a stream ends or breaks it is taken up at the last version that was seen; where that is
//! too old (410), everything is listed again, and whoever follows compares.

mod event;
pub mod hub;
mod lines;

use std::{sync::Arc, time::Duration};

use futures::{Stream, stream};
use http::Method;
use tokio::time::{Instant, sleep, timeout};

pub use self::hub::Hub;
use self::{event::Event, lines::Lines};
use super::{
    access::{Access, Ask, with_query},
    fault::Fault,
    kind::Kind,
    list::Taking,
    object::Object,
    selector::Selector,
};

/// Until the head of the answer is there; the API server sends it at once.
const HEAD: Duration = Duration::from_secs(15);
/// How long the API server is asked to keep a stream open, in seconds; a little differs from stream to stream,
/// so that they do not all come back at once.
const STREAM: u64 = 240;
/// The first wait after a stream broke, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// A stream that ends sooner, and brought nothing, has failed.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Failures in a row after which everything is listed again, and after which it is told.
const STUBBORN: u32 = 3;
/// Refusals in a row that are waited out where it went well before: an API server that has just started knows
/// neither roles nor custom kinds for a moment.
const PATIENCE: u32 = 4;

/// Which objects are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Of this kind.
    pub kind: Kind,
    /// In this namespace; in all without one.
    pub namespace: Option<String>,
    /// Of those, the ones that match.
    pub selector: Selector,
}

impl Selection {
    /// One object, by its name.
    pub fn one(kind: &Kind, namespace: Option<&str>, name: &str) -> Self {
        Self {
            kind: kind.clone(),
            namespace: namespace.filter(|_| kind.namespaced).map(str::to_owned),
            selector: Selector::all().field("metadata.name", name),
        }
    }
}

/// How much of an object is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// All of it.
    Whole,
    /// Its metadata: enough to know that it changed.
    Metadata,
}

impl Detail {
    fn list(self) -> Taking<'static> {
        match self {
            Self::Whole => Taking::WHOLE,
            Self::Metadata => Taking::METADATA,
        }
    }

    fn stream(self) -> &'static str {
        match self {
            Self::Whole => "application/json",
            Self::Metadata => "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json",
        }
    }
}

/// What is new.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// All that there is: at the beginning, and where changes may have been missed.
    All(Vec<Object>),
    /// It was made or changed.
    Is(Object),
    /// It was deleted, or matches no more.
    Gone(Object),
    /// Nothing has been heard for some tries, which go on.
    Lost(Fault),
}

/// A watch. It sends requests of its [`Access`], one at a time.
pub struct Watch {
    access: Access,
    selection: Selection,
    detail: Detail,
    /// Where it outlives calls: its own number, and of its requests. Each has a budget of its own then.
    lasting: Option<(Arc<str>, u64)>,
    /// The last version that was seen; nothing where all is to be listed.
    from: Option<String>,
    open: Option<Open>,
    /// Whether a stream was opened once.
    begun: bool,
    failures: u32,
    refusals: u32,
}

struct Open {
    lines: Lines,
    since: Instant,
    heard: bool,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("selection", &self.selection).finish_non_exhaustive()
    }
}

impl Watch {
    /// Watches as the caller of `access`, within what their call may take.
    pub fn new(access: Access, selection: Selection, detail: Detail) -> Self {
        Self {
            access,
            selection,
            detail,
            lasting: None,
            from: None,
            open: None,
            begun: false,
            failures: 0,
            refusals: 0,
        }
    }

    /// The same for longer than any call lasts, from the version that another has seen last.
    fn lasting(mut self, id: Arc<str>, number: u64, from: Option<String>) -> Self {
        (self.lasting, self.from) = (Some((id, number)), from);
        self
    }

    /// The requests that were sent so far, and the last version that was seen.
    fn ended(&self) -> (u64, Option<String>) {
        (self.lasting.as_ref().map_or(0, |(_, number)| *number), self.from.clone())
    }

    fn renew(&mut self) {
        if let Some((id, number)) = &mut self.lasting {
            *number += 1;
            self.access = self.access.outliving(id, *number);
        }
    }

    /// All news, until something cannot be waited out.
    pub fn news(self) -> impl Stream<Item = Result<News, Fault>> {
        stream::unfold(Some(self), |watch| async {
            let mut watch = watch?;
            let news = watch.next().await;
            let watch = news.is_ok().then_some(watch);
            Some((news, watch))
        })
    }

    /// The next news. Not to be dropped half way and asked again, where that can be helped.
    ///
    /// # Errors
    /// What does not pass by waiting: the cluster refuses it, or the call has spent what it may.
    pub async fn next(&mut self) -> Result<News, Fault> {
        loop {
            match self.step().await {
                Ok(Some(news)) => return Ok(news),
                Ok(None) => {}
                Err(fault) => {
                    self.open = None;
                    if let Some(lost) = self.recover(fault).await? {
                        return Ok(lost);
                    }
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Option<News>, Fault> {
        let Some(from) = self.from.clone() else {
            self.renew();
            let Selection { kind, namespace, selector } = &self.selection;
            let listed =
                self.access.list_taking(kind, namespace.as_deref(), selector, self.detail.list()).await?;
            let version = listed.version.filter(|version| !version.is_empty());
            let none = || Fault::Malformed("a list without a resource version".to_owned());
            self.from = Some(version.ok_or_else(none)?);
            return Ok(Some(News::All(listed.items)));
        };
        if self.open.is_none() {
            let lines = self.open(&from).await?;
            (self.refusals, self.begun) = (0, true);
            self.open = Some(Open { lines, since: Instant::now(), heard: false });
        }
        let Some(open) = &mut self.open else { return Ok(None) };
        let Some(line) = open.lines.next(&self.access).await? else {
            let failed = !open.heard && open.since.elapsed() < AT_ONCE;
            self.open = None;
            return if failed {
                Err(Fault::Unreachable("the watch ended as soon as it began".to_owned()))
            } else {
                Ok(None)
            };
        };
        open.heard = true;
        let event = Event::read(&line, &self.access, &self.selection.kind)?;
        self.failures = 0;
        if let Some(version) = event.version {
            self.from = Some(version);
        }
        Ok(event.news)
    }

    async fn open(&mut self, from: &str) -> Result<Lines, Fault> {
        self.renew();
        let Selection { kind, namespace, selector } = &self.selection;
        let mut query = selector.query()?;
        let seconds = STREAM + u64::from(some_nanoseconds()) % 60;
        query.extend([
            ("watch", "1".to_owned()),
            ("allowWatchBookmarks", "true".to_owned()),
            ("resourceVersion", from.to_owned()),
            ("timeoutSeconds", seconds.to_string()),
        ]);
        let uri = with_query(&kind.collection_path(namespace.as_deref())?, &query);
        let ask = Ask { method: Method::GET, uri: &uri, accept: self.detail.stream(), body: None };
        let head = timeout(HEAD, self.access.open(ask)).await.map_err(|_| Fault::Timeout(HEAD))??;
        Ok(Lines::new(head.into_body(), Duration::from_secs(seconds)))
    }

    /// Waits until it may be tried again, or says why it may not.
    async fn recover(&mut self, fault: Fault) -> Result<Option<News>, Fault> {
        match &fault {
            Fault::Gone => self.from = None,
            Fault::Forbidden(_) | Fault::Unauthorized(_) | Fault::TokenRefused(_) | Fault::NotFound(_) => {
                self.refusals += 1;
                if !self.begun || self.refusals > PATIENCE {
                    return Err(fault);
                }
            }
            Fault::Refused(_) if self.begun => self.from = None,
            Fault::Malformed(_) | Fault::TooLarge(_) => {}
            Fault::Spent(_) if self.lasting.is_some() => {}
            fault if fault.is_transient() => {}
            _ => return Err(fault),
        }
        self.failures += 1;
        if self.failures.is_multiple_of(STUBBORN) {
            self.from = None;
        }
        let lost = (self.failures == STUBBORN).then_some(News::Lost(fault));
        if lost.is_none() {
            sleep(wait(self.failures)).await;
        }
        Ok(lost)
    }
}

/// Doubles with each failure, and differs from watch to watch.
fn wait(failures: u32) -> Duration {
    let doubled = FIRST_WAIT * 2_u32.saturating_pow(failures.saturating_sub(1).min(10));
    let most = doubled.min(LONGEST_WAIT);
    most / 2 + most.mul_f64(f64::from(some_nanoseconds() % 1_000) / 2_000.0)
}

fn some_nanoseconds() -> u32 {
    jiff::Timestamp::now().subsec_nanosecond().unsigned_abs()
}

#[cfg(test)]
#[path = "watch/tests.rs"]
mod tests;
