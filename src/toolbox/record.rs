//! [`Record`]: what is kept of a call in the audit log, the metrics and the trace, whatever becomes of it.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Entry, Request, Toolbox};
use crate::{
    Error, ErrorKind,
    answer::{Finished, sanitise},
    audit::{Full, Line, Place},
    kubernetes::Meter,
    telemetry::CallSpan,
};

/// A call that is under way. Kept even where nobody waits for its end and it is dropped.
pub(super) struct Record<'t> {
    toolbox: &'t Toolbox,
    pub(super) line: Line,
    pub(super) started: Instant,
    pub(super) meter: Arc<Meter>,
    pub(super) span: CallSpan,
    /// The tool by a name of ours; `None` where it is none of the caller's.
    known: Option<String>,
    place: Option<Place<'t>>,
    closed: bool,
}

impl<'t> Record<'t> {
    /// Of a call that begins now.
    pub(super) fn open(toolbox: &'t Toolbox, request: &Request, entry: Option<&Arc<Entry>>) -> Self {
        let span = toolbox.process.spans().call(request.trace.as_ref());
        let mut line = Line::new(request, toolbox.next_call_id(), span.trace_id());
        let known = entry.map(|entry| entry.contract.name.clone());
        // no unknown name may become a label or fill a log
        line.tool = known.clone().unwrap_or_else(|| sanitise::short(&request.tool, 64));
        Self {
            toolbox,
            line,
            started: Instant::now(),
            meter: Arc::new(Meter::default()),
            span,
            known,
            place: None,
            closed: false,
        }
    }

    /// Waits for room in the audit log: what cannot be written down is not done.
    pub(super) async fn place(&mut self) -> Result<(), Full> {
        self.place = Some(self.toolbox.audit().place().await?);
        Ok(())
    }

    /// Keeps how it ended.
    pub(super) fn close(mut self, result: Result<Option<&Finished>, &Error>) {
        self.keep(result);
    }

    /// Keeps nothing: it is told by other lines.
    pub(super) fn forget(mut self) {
        self.closed = true;
    }

    fn keep(&mut self, result: Result<Option<&Finished>, &Error>) {
        self.closed = true;
        self.line.finish(self.started, &self.meter, result);
        let known = self.known.as_deref();
        self.toolbox.measure().call(known.unwrap_or("unknown"), &self.line, &self.meter);
        self.span.end(known, &self.line);
        if let Some(place) = self.place.take() {
            place.write(&self.line);
        }
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if !self.closed {
            self.keep(Err(&Error::new(ErrorKind::Cancelled, "nobody waits for it any more")));
        }
    }
}
