//! [`Refusal`]: an error body, with a code in words from the application or a number from its router.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

/// An answer that is not what was asked for.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    code: Value,
    message: String,
    /// The request is none that the contract knows.
    pub(super) breach: bool,
}

impl Refusal {
    /// An error of the application.
    pub(super) fn coded(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), breach: false }
    }

    /// An error of the router.
    pub(super) fn numeric(status: u16, message: impl Into<String>) -> Self {
        Self { status, code: status.into(), message: message.into(), breach: false }
    }

    /// 400 for what the contract does not have.
    pub(super) fn breach(message: impl Into<String>) -> Self {
        Self { breach: true, ..Self::coded(400, "InvalidRequest", message) }
    }

    /// 404 for a path that leads nowhere.
    pub(super) fn no_such_path(path: &str) -> Self {
        Self { breach: true, ..Self::numeric(404, format!("path {path} was not found")) }
    }

    /// 405
    pub(super) fn method(method: &str, allowed: &str) -> Self {
        let message = format!("method {method} is not allowed, but [{allowed}] are");
        Self { breach: true, ..Self::numeric(405, message) }
    }

    /// 401
    pub(super) fn unauthorized() -> Self {
        Self::coded(401, "UnAuthorizedAccess", "Unauthorized access: the credentials are not valid")
    }

    /// 403 for want of that permission in the scope of the request.
    pub(super) fn forbidden(permission: &str) -> Self {
        Self::coded(
            403,
            "OperationForbidden",
            format!("Operation forbidden: the permission '{permission}' is required in this scope"),
        )
    }

    /// 404
    pub(super) fn not_found(what: &str, uid: &str) -> Self {
        Self::coded(404, "ResourceNotFound", format!("{what} '{uid}' is not found"))
    }

    /// 429; the API sends no `Retry-After`.
    pub(super) fn too_many() -> Self {
        Self::coded(429, "TooManyRequests", "Too many requests, retry later")
    }

    /// What it says.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// With more to say.
    pub(super) fn saying(mut self, more: &str) -> Self {
        if !more.is_empty() {
            self.message = format!("{} {more}", self.message);
        }
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({"code": self.code, "message": self.message});
        if let (true, Some(body)) = (self.code.is_string(), body.as_object_mut()) {
            body.insert("details".into(), json!({}));
            body.insert("ref".into(), "3f2c9a1e".into());
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(body)).into_response()
    }
}
