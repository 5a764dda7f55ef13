//! Reading a path of a caller's own choosing: whatever is answered is an answer.

use http::{HeaderMap, Method, Request, StatusCode, header};
use kube::client::Body;
use tokio::time::{Instant, timeout_at};

use super::{super::fault::Fault, Access, send::wait_before_retry};

/// What an API server answered.
pub(in crate::kubernetes) struct Said {
    pub(in crate::kubernetes) status: StatusCode,
    pub(in crate::kubernetes) headers: HeaderMap,
    pub(in crate::kubernetes) body: Vec<u8>,
    /// What it stands for, where it is no success.
    pub(in crate::kubernetes) fault: Option<Fault>,
}

impl Access {
    /// Reads a path and a query as they are, tried again like any read.
    ///
    /// # Errors
    /// There was no answer, or it was too large.
    pub(in crate::kubernetes) async fn read(
        &self,
        method: &Method,
        uri: &str,
        accept: &'static str,
    ) -> Result<Said, Fault> {
        let mut attempt = 0;
        loop {
            let started = Instant::now();
            let said = timeout_at(self.spent.deadline, self.said(method, uri, accept)).await;
            let said = said.map_err(|_| Fault::Timeout(started.elapsed())).flatten();
            let fault = match &said {
                Ok(said) => said.fault.as_ref(),
                Err(fault) => Some(fault),
            };
            let wait = fault.and_then(|fault| wait_before_retry(fault, attempt));
            match wait.filter(|wait| Instant::now() + *wait < self.spent.deadline) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return said,
            }
            attempt += 1;
        }
    }

    async fn said(&self, method: &Method, uri: &str, accept: &'static str) -> Result<Said, Fault> {
        let _permit = self.parallel.acquire().await.map_err(|_| Fault::Unreachable("closing".to_owned()))?;
        let request = Request::builder().method(method).uri(uri).header(header::ACCEPT, accept);
        let request = request.body(Body::empty()).map_err(|error| Fault::Configuration(error.to_string()))?;
        let (head, body) = self.sent(request).await?.into_parts();
        self.spent.meter.answered(head.status);
        let body = self.collect(body).await?;
        let fault = (!head.status.is_success()).then(|| self.fault(head.status, &head.headers, &body));
        Ok(Said { status: head.status, headers: head.headers, body, fault })
    }

    /// The whole of a body that came with [`Self::pass`], within the deadline.
    ///
    /// # Errors
    /// It broke off, took too long, or is too large.
    pub(in crate::kubernetes) async fn whole(&self, body: Body) -> Result<Vec<u8>, Fault> {
        self.whole_within(body, |_| Ok(())).await
    }

    /// The same, where `grow` is asked whether so many bytes may be held, before they are.
    ///
    /// # Errors
    /// As [`Self::whole`], or what `grow` says.
    pub(in crate::kubernetes) async fn whole_within<E: From<Fault>>(
        &self,
        body: Body,
        grow: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<Vec<u8>, E> {
        let started = Instant::now();
        let body = timeout_at(self.spent.deadline, self.collect_within(body, grow)).await;
        body.map_err(|_| Fault::Timeout(started.elapsed()))?
    }
}
