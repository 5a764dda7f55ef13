//! Passing a program's request on as it is, and its answer back as it comes.

use http::{HeaderMap, Method, Request, Response};
use kube::client::Body;

use super::{Query, Target, permit};
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
}

/// Sends it as the caller of `call`, where they may.
///
/// # Errors
/// The caller may not, or there was no answer. An answer that is an error is an answer.
pub async fn pass(call: &Call, wire: Wire) -> Result<Response<Body>, Error> {
    let access = call.cluster()?;
    access.note(&wire.method, wire.target.path());
    permit(call, access, &wire.method, &wire.target)?;
    let mut request = Request::builder().method(wire.method).uri(wire.query.behind(wire.target.path()));
    if let Some(headers) = request.headers_mut() {
        *headers = wire.headers;
    }
    let request = request.body(wire.body).map_err(|error| Fault::Configuration(error.to_string()))?;
    Ok(access.pass(request).await?)
}
