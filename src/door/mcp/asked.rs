//! [`Asked`]: a request, who made it, and what is served to them.

use std::sync::Arc;

use http::request::Parts;
use rmcp::{RoleServer, service::RequestContext};
use serde_json::{Map, Value};

use crate::{
    Error,
    answer::Handing,
    caller::Caller,
    door::{
        http::{Client, Shortfall},
        serving::Served,
        stdio,
    },
    presented::Presented,
    telemetry::TraceContext,
    toolbox::{Progress, Request},
};

/// A request by a caller.
pub(super) struct Asked<'r> {
    pub(super) door: &'static str,
    pub(super) context: &'r RequestContext<RoleServer>,
    pub(super) served: Arc<Served>,
    pub(super) caller: Arc<Caller>,
}

impl Asked<'_> {
    /// A call of a tool that the request asks for.
    pub(super) fn request(&self, tool: &str, arguments: Map<String, Value>) -> Request {
        Request {
            door: self.door,
            caller: Arc::clone(&self.caller),
            tool: tool.to_owned(),
            arguments,
            cancel: self.context.ct.clone(),
            client: self.of_http::<Client>().map(|client| client.0),
            trace: self.trace(),
            progress: Progress::default(),
            patience: None,
            handing: self.handing(),
            presented: self.presented(),
        }
    }

    /// Tells the entrance what the caller lacked, which may ask for a better token.
    pub(super) fn lacks(&self, error: &Error) {
        if let (Some(cell), Some(lacking)) =
            (self.of_http::<Arc<Shortfall>>(), error.lacking.as_deref().cloned())
        {
            cell.tell(lacking);
        }
    }

    /// Whether it came over HTTP, where no request of ours finds its way back.
    pub(super) fn is_http(&self) -> bool {
        self.context.extensions.get::<Parts>().is_some()
    }

    /// Over stdio whoever asks has started this process; over HTTP the operator says.
    fn handing(&self) -> Handing {
        match self.door {
            stdio::DOOR => Handing::File,
            _ if self.served.terms.kubeconfigs => Handing::Content,
            _ => Handing::Withheld,
        }
    }

    /// The tokens for clusters that came with it.
    fn presented(&self) -> Arc<Presented> {
        let parts = self.context.extensions.get::<Parts>();
        parts.map(|parts| self.served.presented(&parts.headers)).unwrap_or_default()
    }

    /// What a layer in front put into the extensions of the HTTP request.
    fn of_http<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.context.extensions.get::<Parts>()?.extensions.get::<T>()
    }

    /// The trace that a call is part of: what `_meta` says (SEP-414) is nearer to the client than the
    /// headers of a proxy in between.
    fn trace(&self) -> Option<TraceContext> {
        let meta = &self.context.meta;
        let said =
            meta.get_traceparent().and_then(|parent| TraceContext::parse(parent, meta.get_tracestate()));
        said.or_else(|| TraceContext::from_headers(&self.context.extensions.get::<Parts>()?.headers))
    }
}
