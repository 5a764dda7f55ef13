//! [`Refused`]: what the HTTP door turns away before it is a call, and how it says so.

use std::time::Duration;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// A request that is no call. Whoever sent it is told no more than how to send a better one.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    /// The code of the JSON-RPC error.
    code: i32,
    message: &'static str,
    again: Option<Duration>,
    challenge: Option<HeaderValue>,
}

impl Refused {
    fn new(status: StatusCode, code: i32, message: &'static str) -> Self {
        Self { status, code, message, again: None, challenge: None }
    }

    /// There is no credential, or none that is taken: the same for all of them, but for a challenge that
    /// says whether there was one.
    pub(super) fn unauthenticated(challenge: Option<HeaderValue>) -> Self {
        let message = "authentication is required: send a valid token as Authorization: Bearer";
        let challenge = challenge.or(Some(HeaderValue::from_static("Bearer")));
        Self { challenge, ..Self::new(StatusCode::UNAUTHORIZED, -32600, message) }
    }

    /// There is no token that a cluster could be shown, for this reason: whoever sent it is no caller of ours.
    pub(super) fn no_token(message: &'static str) -> Self {
        Self { message, ..Self::unauthenticated(None) }
    }

    /// Nothing can be said of the credential now.
    pub(super) fn outage() -> Self {
        let message = "tokens cannot be verified right now; try again";
        let again = Some(Duration::from_secs(5));
        Self { again, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, -32000, message) }
    }

    /// The credential is good, and what its owner may do cannot be had now.
    pub(super) fn undecided() -> Self {
        let message = "Backstage cannot say right now what the user may do; try again";
        Self { message, ..Self::outage() }
    }

    /// Too much was asked.
    pub(super) fn busy(again: Duration) -> Self {
        let message = "too many requests; try again later";
        Self { again: Some(again), ..Self::new(StatusCode::TOO_MANY_REQUESTS, -32000, message) }
    }

    /// A token with more scopes would do.
    pub(super) fn insufficient(challenge: HeaderValue) -> Self {
        let message = "the token has too few scopes for this call; WWW-Authenticate names them";
        Self { challenge: Some(challenge), ..Self::new(StatusCode::FORBIDDEN, -32600, message) }
    }

    /// It may not come from there.
    pub(super) fn forbidden(message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, -32600, message)
    }

    /// It is not as a request has to be.
    pub(super) fn malformed(status: StatusCode, message: &'static str) -> Self {
        Self::new(status, -32600, message)
    }
}

impl Refused {
    /// What is said to whoever sent it.
    pub(super) fn message(&self) -> &'static str {
        self.message
    }

    /// The answer, with a body in the form of whatever was asked.
    pub(super) fn saying(self, body: String) -> Response {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(again) = self.again {
            // whole seconds, upwards: sooner would be refused again
            let seconds = again.as_millis().div_ceil(1_000).max(1);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(u64::try_from(seconds).unwrap_or(60)));
        }
        response
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let error = json!({"code": self.code, "message": self.message});
        let body = json!({"jsonrpc": "2.0", "id": null, "error": error}).to_string();
        self.saying(body)
    }
}
