//! [`Subject`]: what an answer is about, for whoever wants to hear when it changes. Who may read an answer may
//! follow it, and nobody else: it is decided and written down as a call of the tool that answers.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Process, Request, Toolbox, record::Record};
use crate::{
    Error,
    audit::Line,
    kubernetes::{Access, Selection},
};

/// What an answer is about.
#[derive(Clone, Debug)]
pub struct Subject {
    /// As whom it is watched.
    pub access: Access,
    /// What is watched. Without the first there is nothing to follow; of the others, what the cluster lets
    /// the caller watch.
    pub selections: Vec<Selection>,
}

/// Somebody follows a subject. That it began and that it ended stands in the audit log.
#[derive(Debug)]
pub struct Following {
    process: Arc<Process>,
    line: Line,
    began: Instant,
    looks: u64,
}

impl Toolbox {
    /// Lets a caller follow what the tool of `request` shows them, where it does.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn follow(self: &Arc<Self>, request: Request) -> Result<(Following, Subject), Error> {
        let entry = self.find(&request.caller, &request.tool);
        let mut record = Record::open(self, &request, entry.as_ref());
        record.line.follows = Some("begin");
        let result = self.written(&mut record, entry, request, |parsed, call| parsed.subject(call)).await;
        let (began, mut line) = (record.started, record.line.clone());
        record.close(result.as_ref().map(|_| None));
        let subject = result?;
        line.outcome = "ok";
        Ok((Following { process: Arc::clone(self.process()), line, began, looks: 0 }, subject))
    }

    /// Whether a caller may still follow it, by the rules and the rights that hold now.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn follow_on(self: &Arc<Self>, call: String, request: Request) -> Result<Subject, Error> {
        let entry = self.find(&request.caller, &request.tool);
        let mut record = Record::open(self, &request, entry.as_ref());
        record.line.call = call;
        let result = self.within(&mut record, entry, request, |parsed, call| parsed.subject(call)).await;
        // it has its lines: at the beginning and at the end
        record.forget();
        result
    }
}

impl Following {
    /// The number of the call by which it began.
    pub fn call(&self) -> &str {
        &self.line.call
    }

    /// The number of a further look.
    pub fn look(&mut self) -> String {
        self.looks += 1;
        format!("{}.{}", self.line.call, self.looks)
    }

    /// Says why it ends, where that is not the caller's own doing or the end of its time.
    pub fn refused(&mut self, error: &Error) {
        self.line.outcome = error.outcome();
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.line.follows = Some("end");
        self.line.lasted(self.began);
        self.process.audit().ended(&self.line);
    }
}
