//! The gate: the one way from a door to a handler. Decide, deadline, cancel, audit, measure.

use std::{net::IpAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::{FutureExt as _, future::BoxFuture};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{
    Progress, Toolbox,
    call::{Call, Inner, question},
    entry::{Entry, Parsed},
    reach::{EVERY, Reached, hides, lacking, reach},
    record::Record,
    tool::Reach,
};
use crate::{
    Error, ErrorKind, RefusedBy,
    answer::{self, Finished, Handing, redact::Learned, sanitise},
    audit::{Full, Line, Refused},
    caller::Caller,
    kubernetes::{Access, Budgeted, Clusters},
    permission::Decision,
    presented::Presented,
    telemetry::TraceContext,
};

/// What of a call's time is kept back, so that an upstream that does not answer in time is
/// an honest partial answer and not a lost call.
const TO_ANSWER: Duration = Duration::from_millis(500);

/// How long a call may follow something at most.
const LONGEST_FOLLOWED: Duration = Duration::from_secs(600);

/// How long a source of clusters may take until calls that name a cluster go on without it.
const FIRST_READING: Duration = Duration::from_secs(5);

/// Characters of an error's message; more is an upstream that talks.
const LONGEST_ERROR: usize = 2_000;
/// Names that an error suggests.
const MOST_CANDIDATES: usize = 50;

/// What is done with arguments that were decided for.
type Handled<T> = BoxFuture<'static, Result<T, Error>>;

/// A request to call a tool, as a door brings it.
#[derive(Debug)]
pub struct Request {
    /// Which door, for the audit line.
    pub door: &'static str,
    /// Who asks.
    pub caller: Arc<Caller>,
    /// The tool's name, as written.
    pub tool: String,
    /// The arguments, as written.
    pub arguments: Map<String, Value>,
    /// Fires when nobody waits for the answer any more.
    pub cancel: CancellationToken,
    /// Where it came from, where the door knows: a peer, or what a trusted proxy says of one.
    pub client: Option<IpAddr>,
    /// The trace it is part of.
    pub trace: Option<TraceContext>,
    /// Where it says how far it is.
    pub progress: Progress,
    /// How long whoever asks waits at most, where that is shorter than any call may take.
    pub patience: Option<Duration>,
    /// The tokens for clusters and for Palette that came with it.
    pub presented: Arc<Presented>,
    /// How credentials may be handed out to whoever asks.
    pub handing: Handing,
}

impl Toolbox {
    /// Calls a tool as a caller. Writes one audit line whatever happens.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownTool`] for a tool that does not exist for this caller; else what went wrong.
    pub async fn call(self: &Arc<Self>, request: Request) -> Result<Finished, Error> {
        let entry = self.find(&request.caller, &request.tool);
        self.through(entry, request).await
    }

    /// As [`Self::call`], of what is no tool: what a door asks on the caller's behalf.
    ///
    /// # Errors
    /// The same.
    pub async fn ask(self: &Arc<Self>, request: Request) -> Result<Finished, Error> {
        let entry = self.askable(&request.caller, &request.tool);
        self.through(entry, request).await
    }

    /// Keeps a call whose arguments the door could not read, for `why`: as any other, so that a tool that does not
    /// exist for the caller is unknown whatever came with its name.
    pub async fn unread(self: &Arc<Self>, request: Request, why: Error) -> Error {
        let entry = self.find(&request.caller, &request.tool);
        let mut record = Record::open(self, &request, entry.as_ref());
        let error = match (record.place().await, entry) {
            (Err(full), _) => unaudited(full),
            (Ok(()), None) => self.unknown(&mut record, &request),
            (Ok(()), Some(_)) => why,
        };
        record.close(Err(&error));
        error
    }

    async fn through(
        self: &Arc<Self>,
        entry: Option<Arc<Entry>>,
        request: Request,
    ) -> Result<Finished, Error> {
        let mut record = Record::open(self, &request, entry.as_ref());
        let result = self.written(&mut record, entry, request, |parsed, call| parsed.run(call)).await;
        record.close(result.as_ref().map(Some));
        result
    }

    /// As [`Self::within`], once there is room for its line.
    pub(super) async fn written<'t, T>(
        self: &'t Arc<Self>,
        record: &mut Record<'t>,
        entry: Option<Arc<Entry>>,
        request: Request,
        handle: impl FnOnce(Box<dyn Parsed>, Call) -> Handled<T>,
    ) -> Result<T, Error> {
        match record.place().await {
            Ok(()) => self.within(record, entry, request, handle).await,
            Err(full) => Err(unaudited(full)),
        }
    }

    /// Decides, and has `handle` do what was decided for.
    pub(super) async fn within<T>(
        self: &Arc<Self>,
        record: &mut Record<'_>,
        entry: Option<Arc<Entry>>,
        request: Request,
        handle: impl FnOnce(Box<dyn Parsed>, Call) -> Handled<T>,
    ) -> Result<T, Error> {
        let spent = Budgeted {
            meter: Arc::clone(&record.meter),
            learned: Arc::new(Learned::default()),
            deadline: record.started + self.limits().call_time.saturating_sub(TO_ANSWER),
            call_id: record.line.call.as_str().into(),
            span: record.span.clone(),
        };
        let result = match &entry {
            None => Err(self.unknown(record, &request)),
            Some(entry) => {
                let started = record.started;
                self.decided((entry, handle), request, &spent, started, &mut record.line).await
            }
        };
        result.map_err(|error| scrubbed(error, &spent.learned))
    }

    /// That there is no such tool for the caller, whether or not there is one.
    fn unknown(&self, record: &mut Record<'_>, request: &Request) -> Error {
        let hidden = self.hidden(&request.tool).map(|entry| &entry.contract.front.permission);
        unknown_tool(&request.tool).lacking(hidden.and_then(|requirement| {
            // the caller hears nothing of it, and the operator all
            let decision = hides(&request.caller, requirement);
            record.line.decide(&decision, "anywhere");
            lacking(&decision, requirement)
        }))
    }

    /// Keeps that a door refused a request: counted, and one audit line.
    pub fn refused(&self, refused: &Refused<'_>) {
        self.measure().refused(refused.reason);
        self.audit().refused(refused);
    }

    async fn decided<T>(
        self: &Arc<Self>,
        (entry, handle): (&Arc<Entry>, impl FnOnce(Box<dyn Parsed>, Call) -> Handled<T>),
        request: Request,
        spent: &Budgeted,
        started: Instant,
        line: &mut Line,
    ) -> Result<T, Error> {
        // only answers that come in pages, and changes, have a handle to bind
        let bound = entry
            .input_schema
            .get("properties")
            .is_some_and(|known| known.get("cursor").or_else(|| known.get("plan")).is_some());
        let question = if bound { question(&request.arguments) } else { String::new() };
        let limit = request.arguments.get("limit").and_then(Value::as_u64);
        let parsed = entry.parse(request.arguments)?;
        let time = self.limits().call_time + parsed.follows().unwrap_or_default().min(LONGEST_FOLLOWED);
        let time = request.patience.map_or(time, |patience| patience.min(time));
        let spent = Budgeted { deadline: started + time.saturating_sub(TO_ANSWER), ..spent.clone() };
        let asked = parsed.reach();
        if matches!(asked, Reach::Cluster { .. } | Reach::Clusters { .. }) {
            self.settled(started + time, &request.cancel).await;
        }
        let known = self.clusters();
        let every = matches!(&asked, Reach::Clusters { cluster: Some(name), .. } if name == EVERY);
        let there = (&*known, &**self.environments());
        let reached = reach(there, (&request.caller, &request.presented), entry, asked, &spent);
        let Reached { decision, scope, clusters, environments } = reached;
        line.decide(&decision, &scope);
        let clusters = clusters?;
        let place = match (clusters.as_slice(), environments.as_slice()) {
            ([one], _) => Some(format!("cluster {}", known.shown_name(one.cluster()))),
            (_, [one]) => Some(format!("environment {}", one.environment().name())),
            _ => None,
        };
        let call = Call(Arc::new(Inner {
            toolbox: Arc::clone(self),
            caller: request.caller,
            presented: request.presented,
            entry: Arc::clone(entry),
            unknown: if every { unknown(&known, &clusters) } else { Vec::new() },
            clusters,
            environments,
            spent,
            progress: request.progress,
            question,
            handing: request.handing,
            limit: limit.and_then(|limit| u32::try_from(limit).ok()),
        }));
        let deadline = started + time;
        let result = run(handle(parsed, call), deadline, &request.cancel, &line.call).await;
        let result = result.map_err(|error| match (&place, error.kind) {
            (
                Some(place),
                ErrorKind::Upstream { .. } | ErrorKind::Timeout | ErrorKind::RateLimited { .. },
            ) => Error { message: format!("{place}: {}", error.message), ..error },
            _ => error,
        });
        match result.as_ref().err().and_then(|error| error.refused_by.as_deref()) {
            Some(RefusedBy::Gate(decision)) => line.decide(decision, &scope),
            Some(RefusedBy::Cluster) => line.refused_by = Some("cluster"),
            Some(RefusedBy::Palette) => line.refused_by = Some("palette"),
            Some(RefusedBy::Identity) => line.refused_by = Some("identity"),
            None => {}
        }
        result
    }
}

impl Toolbox {
    /// Waits for sources of clusters that were never read, for a while: the call may be about any cluster.
    async fn settled(&self, deadline: Instant, cancel: &CancellationToken) {
        tokio::select! {
            biased;
            () = cancel.cancelled() => {}
            _late = timeout_at(deadline, self.registry().settled(FIRST_READING)) => {}
        }
    }
}

/// What is not known of all clusters there are, for a caller who sees these.
fn unknown(known: &Clusters, seen: &[Access]) -> Vec<String> {
    let mut unknown = known.gaps(seen.iter().map(|access| &**access.cluster()));
    unknown.extend(known.unread());
    unknown
}

/// Runs the handler until it answers, its time is over, its caller is gone, or it panics. Dropping
/// the handler's future drops its upstream requests.
async fn run<T>(
    handler: BoxFuture<'static, Result<T, Error>>,
    deadline: Instant,
    cancel: &CancellationToken,
    id: &str,
) -> Result<T, Error> {
    let handler = AssertUnwindSafe(handler).catch_unwind();
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::new(ErrorKind::Cancelled, "cancelled by the caller")),
        ended = timeout_at(deadline, handler) => match ended {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => Err(Error::new(
                ErrorKind::Internal,
                format!("a defect in this tool ended the call {id}; the server goes on"),
            )
            .next("report it with that number; other tools and arguments may work")),
            Err(_elapsed) => Err(Error::new(ErrorKind::Timeout, "the call took longer than it may")
                .next("narrow it to one cluster or namespace")),
        },
    }
}

/// What cannot be written down is not done.
fn unaudited(full: Full) -> Error {
    let kind = ErrorKind::RateLimited { retry_after: None };
    Error::new(kind, format!("{full}, so no call is made")).next("tell whoever runs this server")
}

/// The same words for a tool that does not exist and for one that is hidden from the caller.
fn unknown_tool(name: &str) -> Error {
    let name = sanitise::short(name, 64);
    Error::new(ErrorKind::UnknownTool, format!("there is no tool {name:?}"))
}

/// Errors quote upstreams, and upstreams quote anything.
fn scrubbed(mut error: Error, learned: &Learned) -> Error {
    let clean = |text: &str| {
        let text = sanitise::text(text);
        sanitise::cut(&learned.scrub(&text), LONGEST_ERROR)
    };
    error.message = clean(&error.message);
    error.candidates.truncate(MOST_CANDIDATES);
    error.candidates.iter_mut().for_each(|candidate| *candidate = clean(candidate));
    error.next = error.next.as_deref().map(clean);
    if let Some(structure) = &mut error.structure {
        answer::clean(structure, learned);
    }
    error
}

impl Line {
    pub(super) fn decide(&mut self, decision: &Decision, scope: &str) {
        self.decision = if decision.is_allowed() { "allow" } else { "deny" };
        self.rule = decision.rule().to_owned();
        self.scope = sanitise::short(scope, 200);
        self.missing = match decision {
            Decision::Allow { .. } => Vec::new(),
            Decision::Deny { missing, .. } => missing.iter().map(|permission| permission.name()).collect(),
        };
    }
}
