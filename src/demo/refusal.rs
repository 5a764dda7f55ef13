//! [`Refusal`]: an answer that is not what was asked for, as a Kubernetes `Status`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

/// Becomes a `Status` object with that code and reason.
#[derive(Debug)]
pub(super) struct Refusal {
    code: StatusCode,
    reason: &'static str,
    message: String,
    details: Value,
}

impl Refusal {
    fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: json!({}) }
    }

    /// 400
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 404 for a path that leads nowhere.
    pub(super) fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", "the server could not find the requested resource")
    }

    /// 404 for an object.
    pub(super) fn no_such_object(full_name: &str, group: &str, resource: &str, name: &str) -> Self {
        let details = if group.is_empty() {
            json!({"name": name, "kind": resource})
        } else {
            json!({"name": name, "group": group, "kind": resource})
        };
        let message = format!("{full_name} \"{name}\" not found");
        Self { details, ..Self::new(StatusCode::NOT_FOUND, "NotFound", message) }
    }

    /// 405
    pub(super) fn read_only() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource: the demo platform is a recording \
             and can only be read",
        )
    }

    /// 406
    pub(super) fn not_acceptable() -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "NotAcceptable",
            "only the following media types are accepted: application/json",
        )
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code.as_u16(),
        });
        (self.code, Json(body)).into_response()
    }
}
