//! Secrets that are passed on to a program whose caller may not read their values: of every form in which an
//! API server answers them, so that clients can read it on.
//!
//! What is no JSON cannot be looked through, so JSON alone is asked for. A watch comes line by line, anything
//! else whole; what cannot be read ends the answer.

mod accept;
mod aside;
mod document;
mod held;
mod lines;
mod placeholder;
pub(super) mod status;

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kube::client::Body;
use tokio::time::timeout_at;

use super::{
    Wire, carried,
    json_patch::{self, reads_values},
};
use crate::{
    Error, ErrorKind,
    kubernetes::{Access, Fault, access::parse, raw},
    permission::{Extent, Permission},
    toolbox::Call,
};

/// Bytes of what a program writes: an API server takes no more (apiserver `config.go`, `MaxRequestBodyBytes`).
const LARGEST_WRITTEN: usize = 3 << 20;

/// How the answer to a request is redacted.
pub(super) struct Redaction {
    access: Access,
    /// The namespace in the path: its caller may not read Secrets there. `None` where each object says its own.
    namespace: Option<String>,
    watches: bool,
    head: bool,
}

impl Redaction {
    /// Of a request for Secrets some of which the caller may not read.
    pub(super) fn of(call: &Call, access: &Access, wire: &Wire) -> Option<Self> {
        let resource = wire.target.resource().filter(|_| wire.target.is_secret())?;
        let revealed = match &resource.namespace {
            Some(namespace) => access.reveals(Some(namespace)),
            None => {
                let cluster = Extent::Named(access.cluster().names());
                call.caller().permissions().covers_cluster(Permission::KubernetesSecretsRead, &cluster)
            }
        };
        (!revealed).then(|| Self {
            access: access.clone(),
            namespace: resource.namespace.clone(),
            watches: wire.watches(),
            head: wire.method == Method::HEAD,
        })
    }

    /// The request as it is sent, or the answer to what is not.
    pub(super) async fn request(
        &self,
        call: &Call,
        mut request: Request<Body>,
    ) -> Result<Result<Request<Body>, Response<Body>>, Error> {
        if request.headers().contains_key(header::UPGRADE) {
            return Err(Error::invalid_input(
                "Secrets are not followed over a WebSocket by a caller without kubernetes.secrets.read",
            )
            .next("watch without an upgrade: their values are redacted then"));
        }
        let Some(accepted) = accept::json_only(request.headers()) else {
            return Ok(Err(not_acceptable()));
        };
        request.headers_mut().insert(header::ACCEPT, accepted);
        request.headers_mut().remove(header::ACCEPT_ENCODING);
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok(Ok(request));
        }
        let (head, body) = request.into_parts();
        let body = timeout_at(self.access.deadline(), Limited::new(body, LARGEST_WRITTEN).collect()).await;
        let body =
            body.map_err(|_| Error::new(ErrorKind::Timeout, "the body of the request did not come"))?;
        let body = body.map_err(|broken| match broken.downcast_ref::<LengthLimitError>() {
            Some(_) => Error::invalid_input("the body is over 3 MiB, more than an API server takes"),
            None => Error::invalid_input("the body of the request broke off"),
        })?;
        let body = body.to_bytes();
        if placeholder::is_in(&body) {
            return Err(Error::invalid_input(
                "the body holds values that were redacted for you: written back, they would replace the Secret's own",
            )
            .next("send a PATCH with only the keys that change"));
        }
        if head.method == Method::PATCH {
            self.patch(call, &head.headers, &body)?;
        }
        Ok(Ok(Request::from_parts(head, Body::from(body.to_vec()))))
    }

    /// Lets through what could not tell a value.
    fn patch(&self, call: &Call, headers: &http::HeaderMap, body: &[u8]) -> Result<(), Error> {
        let reads = match json_patch::Kind::of(headers) {
            json_patch::Kind::Writing => return Ok(()),
            json_patch::Kind::JsonPatch => reads_values(body).map_err(|_| {
                Error::invalid_input(
                    "the body is no JSON patch: a list of operations, each with its op (RFC 6902)",
                )
            })?,
            json_patch::Kind::Unknown => {
                return Err(Error::invalid_input("the header Content-Type names no patch that is known")
                    .candidates(json_patch::Kind::known()));
            }
        };
        if !reads {
            return Ok(());
        }
        let needed = Permission::KubernetesSecretsRead;
        call.require(needed, &self.access, self.namespace.as_deref())?;
        // where it covers this and that, and not all that the path is about
        Err(Error::denied(needed.name(), "every namespace of this cluster"))
    }

    /// The answer as it is passed on.
    pub(super) async fn response(self, response: Response<Body>) -> Result<Response<Body>, Error> {
        let (mut head, body) = response.into_parts();
        // it is another length now, what it says of the bytes is not true of these, and a warning may quote a value
        for stale in [header::CONTENT_LENGTH, header::ETAG, header::CONTENT_RANGE, header::WARNING] {
            head.headers.remove(stale);
        }
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(unreadable("a channel").into());
        }
        if self.head {
            return Ok(Response::from_parts(head, Body::empty()));
        }
        if head.headers.contains_key(header::CONTENT_ENCODING) {
            return Err(unreadable("packed").into());
        }
        if self.watches && head.status.is_success() {
            let body = lines::each(body, move |line| self.redacted(line));
            return Ok(Response::from_parts(head, carried(body).await?));
        }
        let mut held = held::Held::nothing();
        let whole = self.access.whole_within(body, |bytes| held.grow(bytes)).await?;
        if whole.iter().all(u8::is_ascii_whitespace) {
            return Ok(Response::from_parts(head, Body::from(whole)));
        }
        if !head.status.is_success() && !status::is_page(head.status) && !status::is_one(&whole) {
            return Err(unreadable("no Status").into());
        }
        let (whole, redacted) = self.aside(whole).await?;
        drop(held);
        let body = match redacted {
            Ok(body) => body,
            // the page of something in between, or of an API server that is too busy for JSON: it holds no Secret
            Err(_) if status::is_page(head.status) && !is_json(&head.headers) => whole,
            Err(fault) => return Err(fault.into()),
        };
        Ok(Response::from_parts(head, Body::from(body)))
    }

    /// A document without the values that the caller may not read.
    fn redacted(&self, body: &[u8]) -> Result<Vec<u8>, Fault> {
        if raw::weight(body) > raw::HEAVIEST {
            return Err(Fault::TooLarge(raw::HEAVIEST));
        }
        let mut document = parse(body).map_err(|_| unreadable("no JSON"))?;
        let reveals = |namespace: Option<&str>| self.namespace.is_none() && self.access.reveals(namespace);
        document::redact(&mut document, &reveals);
        serde_json::to_vec(&document).map_err(|_| unreadable("no JSON"))
    }
}

fn is_json(headers: &http::HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.contains("json"))
}

fn unreadable(what: &str) -> Fault {
    Fault::Malformed(format!("an answer about Secrets that is {what} is not passed on"))
}

/// As the API server says it (apiserver `negotiation/errors.go`).
fn not_acceptable() -> Response<Body> {
    const STATUS: &str = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"only the following media types are accepted: application/json","reason":"NotAcceptable","code":406}"#;
    let mut response = Response::new(Body::from(STATUS.as_bytes().to_vec()));
    *response.status_mut() = StatusCode::NOT_ACCEPTABLE;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
