//! [`Passed`]: a request that a program sends to a cluster through us, and its answer as it comes. It is decided
//! and written down as a call is, and nothing of it is kept.

use std::sync::Arc;

use futures::FutureExt as _;
use http::{Response, StatusCode};
use kube::client::Body;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Call, Process, Request, Toolbox, entry::Parsed, record::Record};
use crate::{
    Error, ErrorKind,
    audit::Line,
    kubernetes::proxy::{self, Wire},
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
}

impl Toolbox {
    /// Passes a request on to the cluster that `request` names in the argument `cluster`, as its caller.
    ///
    /// # Errors
    /// As [`Self::call`]; [`ErrorKind::UnknownTool`] to a caller who may pass nothing anywhere.
    pub async fn pass(self: &Arc<Self>, mut request: Request, wire: Wire) -> Result<Passed, Error> {
        request.tool = TOOL.to_owned();
        let asked = [("method", wire.method.as_str()), ("path", wire.target.path())];
        request.arguments.extend(asked.map(|(name, value)| (name.to_owned(), Value::from(value))));
        let streams = wire.streams();
        let entry = self.askable(&request.caller, TOOL);
        let mut record = Record::open(self, &request, entry.as_ref());
        record.line.follows = streams.then_some("begin");
        let refused = self.withheld(&request, &wire);
        let handle = move |_: Box<dyn Parsed>, call: Call| {
            async move {
                match refused {
                    Some(refused) => Err(refused),
                    None => proxy::pass(&call, wire).await,
                }
            }
            .boxed()
        };
        let result = match record.place().await {
            Ok(()) => self.within(&mut record, entry, request, handle).await,
            Err(full) => Err(super::gate::unaudited(full)),
        };
        let lasts =
            streams || result.as_ref().is_ok_and(|answer| answer.status() == StatusCode::SWITCHING_PROTOCOLS);
        record.line.follows = lasts.then_some("begin");
        let (began, mut line) = (record.started, record.line.clone());
        record.close(result.as_ref().map(|_| None));
        let response = result?;
        line.outcome = "ok";
        Ok(Passed { response, passing: Passing { process: Arc::clone(self.process()), line, began, lasts } })
    }

    /// Whether whoever runs this server, or the caller's permissions, leave out everything that changes something.
    fn withheld(&self, request: &Request, wire: &Wire) -> Option<Error> {
        if !wire.target.changes(&wire.method) || self.exists(&request.caller, WRITE) {
            return None;
        }
        Some(match self.hidden(WRITE) {
            Some(_) => Error::denied(Permission::KubernetesProxyWrite.name(), "any cluster"),
            None => Error::new(ErrorKind::NotAllowed, "this server passes on only what reads"),
        })
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if self.lasts {
            self.line.follows = Some("end");
            self.line.lasted(self.began);
            self.process.audit().ended(&self.line);
        }
    }
}

/// The arguments that name a cluster, or none.
pub fn cluster(name: Option<&str>) -> Map<String, Value> {
    name.map(|name| ("cluster".to_owned(), Value::from(name))).into_iter().collect()
}
