//! [`Passed`]: a request that a program sends to a cluster through us, and its answer as it comes. It is decided
//! and written down as a call is, and nothing of it is kept.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures::FutureExt as _;
use http::{Method, Response, StatusCode};
use kube::client::Body;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Call, Process, Request, Toolbox, entry::Parsed, reach::hides, record::Record};
use crate::{
    Error, ErrorKind,
    audit::Line,
    kubernetes::proxy::{self, Target, Wire},
    permission::Permission,
};

/// What answers it, for the gate.
const TOOL: &str = "kubernetes_pass";
/// Without which nothing is passed that changes something.
const WRITE: &str = "kubernetes_proxy_write";

/// What a cluster answers.
#[derive(Debug)]
pub struct Passed {
    /// The head, and the body as it comes.
    pub response: Response<Body>,
    /// To be held until the body has ended.
    pub passing: Passing,
}

/// An answer that is on its way. That it began stands in the audit log; where it may last, that it ended too.
#[derive(Debug)]
pub struct Passing {
    process: Arc<Process>,
    line: Line,
    began: Instant,
    lasts: bool,
    bytes: AtomicU64,
}

impl Toolbox {
    /// Passes a request on to the cluster that `request` names in the argument `cluster`, as its caller.
    ///
    /// # Errors
    /// As [`Self::call`]; [`ErrorKind::UnknownTool`] to a caller who may pass nothing anywhere.
    pub async fn pass(self: &Arc<Self>, mut request: Request, wire: Wire) -> Result<Passed, Error> {
        names(&mut request, &wire.method, &wire.target);
        let streams = wire.streams();
        let of_log = wire.target.resource().is_some_and(|one| one.subresource.as_deref() == Some("log"));
        request.arguments.insert("awaits".to_owned(), (streams && of_log).into());
        let entry = self.askable(&request.caller, TOOL);
        let mut record = Record::open(self, &request, entry.as_ref());
        record.line.follows = streams.then_some("begin");
        if entry.is_none()
            && let Some(hidden) = self.unlisted(TOOL)
        {
            record.line.decide(&hides(&request.caller, &hidden.contract.front.permission), "anywhere");
        }
        let withheld = self.withheld(&request, wire.changes());
        let handle = move |_: Box<dyn Parsed>, call: Call| {
            async move {
                match withheld {
                    Some(withheld) => Err(withheld),
                    None => proxy::pass(&call, wire).await,
                }
            }
            .boxed()
        };
        let result = self.written(&mut record, entry, request, handle).await;
        let lasts =
            streams || result.as_ref().is_ok_and(|answer| answer.status() == StatusCode::SWITCHING_PROTOCOLS);
        record.line.follows = (lasts && result.is_ok()).then_some("begin");
        let (began, mut line) = (record.started, record.line.clone());
        record.close(result.as_ref().map(|_| None));
        let response = result?;
        line.outcome = "ok";
        let process = Arc::clone(self.process());
        Ok(Passed { response, passing: Passing { process, line, began, lasts, bytes: AtomicU64::new(0) } })
    }

    /// Whether what lasts may go on, by the rules that hold now: it has its lines. `changes`: it may change
    /// something, as [`Wire::changes`] says.
    ///
    /// # Errors
    /// As [`Self::pass`].
    pub async fn passes_still(
        self: &Arc<Self>,
        mut request: Request,
        (method, target): (Method, Target),
        changes: bool,
    ) -> Result<(), Error> {
        names(&mut request, &method, &target);
        let entry = self.askable(&request.caller, TOOL);
        let mut record = Record::open(self, &request, entry.as_ref());
        let withheld = self.withheld(&request, changes);
        let handle = move |_: Box<dyn Parsed>, call: Call| {
            async move {
                match withheld {
                    Some(withheld) => Err(withheld),
                    None => proxy::permit(&call, call.cluster()?, &method, &target),
                }
            }
            .boxed()
        };
        let result = self.within(&mut record, entry, request, handle).await;
        record.forget();
        result
    }

    /// Whether whoever runs this server, or the caller's permissions, leave out everything that changes something.
    fn withheld(&self, request: &Request, changes: bool) -> Option<Error> {
        if !changes || self.exists(&request.caller, WRITE) {
            return None;
        }
        Some(match self.hidden(WRITE) {
            Some(_) => Error::denied(Permission::KubernetesProxyWrite.name(), "any cluster"),
            None => Error::new(ErrorKind::NotAllowed, "this server passes on only what reads"),
        })
    }
}

/// Says to the gate what is asked for.
fn names(request: &mut Request, method: &Method, target: &Target) {
    request.tool = TOOL.to_owned();
    let asked = [("method", method.as_str()), ("path", target.path())];
    request.arguments.extend(asked.map(|(name, value)| (name.to_owned(), Value::from(value))));
}

impl Passing {
    /// Whether it may last for as long as both ends like.
    pub fn lasts(&self) -> bool {
        self.lasts
    }

    /// Counts bytes that came from the cluster.
    pub fn brought(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        let bytes = *self.bytes.get_mut();
        self.process.measure().brought(bytes);
        if self.lasts {
            self.line.follows = Some("end");
            self.line.lasted(self.began);
            self.line.brought(bytes);
            self.process.audit().ended(&self.line);
        }
    }
}

/// The arguments that name a cluster, or none.
pub fn cluster(name: Option<&str>) -> Map<String, Value> {
    name.map(|name| ("cluster".to_owned(), Value::from(name))).into_iter().collect()
}
