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
    /// What the API server leaves out where it refused before it knew what was asked for.
    details: Option<Value>,
}

impl Refusal {
    fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None }
    }

    /// 400
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 404 for a path that leads nowhere.
    pub(super) fn no_such_path() -> Self {
        let message = "the server could not find the requested resource";
        Self { details: Some(json!({})), ..Self::new(StatusCode::NOT_FOUND, "NotFound", message) }
    }

    /// 404 for an object.
    pub(super) fn no_such_object(full_name: &str, group: &str, resource: &str, name: &str) -> Self {
        let details = if group.is_empty() {
            json!({"name": name, "kind": resource})
        } else {
            json!({"name": name, "group": group, "kind": resource})
        };
        let message = format!("{full_name} \"{name}\" not found");
        Self { details: Some(details), ..Self::new(StatusCode::NOT_FOUND, "NotFound", message) }
    }

    /// 405
    pub(super) fn read_only() -> Self {
        let message = "the server does not allow this method on the requested resource: the demo platform is a \
                       recording and can only be read";
        let refusal = Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message);
        Self { details: Some(json!({})), ..refusal }
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
        let mut body = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code.as_u16(),
        });
        if let (Some(body), Some(details)) = (body.as_object_mut(), self.details) {
            body.insert("details".into(), details);
        }
        (self.code, Json(body)).into_response()
    }
}
