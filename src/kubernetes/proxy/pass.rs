//! Passing a program's request on as it is, and its answer back as it comes.

use http::{HeaderMap, Method, Request, Response, header::UPGRADE};
use kube::client::Body;

use super::{Query, Target, permit, permit::permit_change, redact::Redaction};
use crate::{Error, kubernetes::Fault, toolbox::Call};

/// A request as a program sent it. Whatever is in it is sent.
#[derive(Debug)]
pub struct Wire {
    /// The method.
    pub method: Method,
    /// The path.
    pub target: Target,
    /// The query.
    pub query: Query,
    /// Every header that goes up, besides who asks.
    pub headers: HeaderMap,
    /// The body, as it comes.
    pub body: Body,
}

impl Wire {
    /// Whether its answer may be a stream without an end.
    pub fn streams(&self) -> bool {
        self.query.streams() || self.target.resource().is_some_and(|resource| resource.watch)
    }

    /// Whether it may change something. What a channel carries is not seen, whatever it is opened to.
    pub fn changes(&self) -> bool {
        self.target.changes(&self.method) || self.headers.contains_key(UPGRADE)
    }

    /// Whether its answer is the events of a watch: any value of `watch` but these two is a yes
    /// (apimachinery `Convert_Slice_string_To_bool`).
    pub(super) fn watches(&self) -> bool {
        let no = |value: &str| value == "0" || value.eq_ignore_ascii_case("false");
        self.target.resource().is_some_and(|resource| resource.watch)
            || self.query.values("watch").any(|value| !no(&value))
    }
}

/// Sends it as the caller of `call`, where they may. What they may not read of Secrets is taken out of the
/// answer.
///
/// # Errors
/// The caller may not, or there was no answer. An answer that is an error is an answer.
pub async fn pass(call: &Call, wire: Wire) -> Result<Response<Body>, Error> {
    let access = call.cluster()?;
    access.note(&wire.method, wire.target.path());
    permit(call, access, &wire.method, &wire.target)?;
    if wire.changes() {
        permit_change(call, access, &wire.method, &wire.target)?;
    }
    let redaction = Redaction::of(call, access, &wire);
    // a document of many lines could not be told from many documents
    let query = if redaction.is_some() { wire.query.without("pretty") } else { wire.query };
    let mut request = Request::builder().method(wire.method).uri(query.behind(wire.target.path()));
    if let Some(headers) = request.headers_mut() {
        *headers = wire.headers;
    }
    let request = request.body(wire.body).map_err(|error| Fault::Configuration(error.to_string()))?;
    let Some(redaction) = redaction else { return Ok(access.pass(request).await?) };
    match redaction.request(call, request).await? {
        Ok(request) => redaction.response(access.pass(request).await?).await,
        Err(refusal) => Ok(refusal),
    }
}
