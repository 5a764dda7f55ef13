//! [`Fault`]: what can go wrong between us and an API server, in words a caller can act on.

pub(super) mod quoted;

use std::{sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::identity::Unfit;
use crate::permission::Decision;

/// What the API server does not take, and why: its `Status` object (apimachinery `metav1.Status`).
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// HTTP status; 400, 409 or 422 in a [`Fault::Refused`].
    pub status: u16,
    /// `reason`: `Conflict`, `AlreadyExists`, `Invalid`, `BadRequest`.
    pub reason: String,
    /// `message`, shortened.
    pub message: String,
    /// `details.causes`
    pub causes: Vec<Cause>,
}

/// One cause of a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cause {
    /// `FieldValueInvalid`, `FieldManagerConflict`, …
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The path of the field, such as `.spec.replicas`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// In words: `conflict with "kubectl" using v1`, `must be greater than 0`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// A failed request to a cluster.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
pub enum Fault {
    /// A name that cannot be part of a request path; nothing was sent.
    #[error("{what} {value:?} is not a valid Kubernetes name: {why}")]
    InvalidName {
        /// Which part of the path.
        what: &'static str,
        /// The value, shortened.
        value: String,
        /// The rule it breaks.
        why: &'static str,
    },
    /// Outside what the caller's permissions cover; nothing was sent, so it may or may not exist.
    #[error("needs {needs} for {place}")]
    Withheld {
        /// The permissions that would have been needed.
        needs: String,
        /// The scope they would have been needed in.
        place: String,
        /// What was decided there, for the audit line.
        decision: Box<Decision>,
    },
    /// 404
    #[error("not found: {0}")]
    NotFound(String),
    /// 403, with the API server's own reason.
    #[error("forbidden by the cluster: {0}")]
    Forbidden(String),
    /// 403, not for what was asked but because the server may not act for the caller.
    #[error("the cluster does not let this server act for you: {0}")]
    MayNotImpersonate(String),
    /// The cluster must be shown the caller, and cannot be; nothing was sent.
    #[error("the cluster is to be shown who calls (identity: {mode}), and {0}", mode = .0.mode().name())]
    Unfit(Arc<Unfit>),
    /// 401: the token of the caller's own for this cluster is not taken.
    #[error("the cluster did not take your token for it (401): {0}")]
    TokenRefused(String),
    /// The issuer gave no token for this cluster.
    #[error("no token for the cluster could be had from your issuer: {message}")]
    NotExchanged {
        /// What it answered, without anything secret.
        message: String,
        /// Whether the same may work later.
        retryable: bool,
    },
    /// Whoever knows the way to this cluster does not tell it.
    #[error("{message}")]
    NoWay {
        /// What it answered, without anything secret.
        message: String,
        /// Whether the same may work later.
        retryable: bool,
    },
    /// 401: the credential for this cluster is missing, wrong or expired.
    #[error("the cluster refused the credential (401): {0}")]
    Unauthorized(String),
    /// 410: a list could not be continued.
    #[error("the list changed too much while it was read (410)")]
    Gone,
    /// 429 beyond our retries.
    #[error("the cluster asks to slow down (429)")]
    Throttled {
        /// The server's `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// Any other status that is not a success.
    #[error("the cluster answered {status}: {message}")]
    Status {
        /// HTTP status.
        status: u16,
        /// The `Status` object's message, or the start of the body.
        message: String,
    },
    /// 400, 409 or 422: the API server does not take what was sent.
    #[error("the cluster refused it: {0}")]
    Refused(Box<Refused>),
    /// A change was sent, and whether it was made is not known.
    #[error("the change was sent, and its answer did not come ({0}): it may or may not have been made")]
    Unanswered(String),
    /// No answer before the deadline.
    #[error("no answer within {:.1} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// The connection could not be made or broke.
    #[error("cannot reach the cluster: {0}")]
    Unreachable(String),
    /// A success status with a body that is not the expected JSON.
    #[error("the cluster's answer is not the JSON expected: {0}")]
    Malformed(String),
    /// A body over the limit; the rest was not read.
    #[error("the answer is larger than {} MiB, more than is read at once", *.0 as f64 / f64::from(1 << 20))]
    TooLarge(usize),
    /// The call has spent what one call may take of the cluster; nothing more is read for it.
    #[error("this call has used up its {0}; ask for less at once (one namespace, kind or name)")]
    Spent(String),
    /// The cluster's own configuration does not make a client.
    #[error("the cluster's connection settings do not work: {0}")]
    Configuration(String),
}

impl Fault {
    /// Whether the cluster said 403.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Forbidden(_))
    }

    /// Whether the cluster said 404.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
    }

    /// Whether the same request may succeed later without anything being changed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Throttled { .. } | Self::Timeout(_) | Self::Unreachable(_) | Self::Gone => true,
            Self::Status { status, .. } => *status >= 500,
            Self::NotExchanged { retryable, .. } | Self::NoWay { retryable, .. } => *retryable,
            _ => false,
        }
    }

    /// For a request that was made as somebody else: a refusal to do so is about the server's rights, any
    /// other about the caller's. The API server says `User "SERVER" cannot impersonate resource "users"…`;
    /// since 1.36 also `impersonate:MODE` and `impersonate-on:MODE:VERB` (KEP-5284).
    pub(super) fn of_impersonation(self) -> Self {
        match self {
            Self::Forbidden(message)
                if refused_verb(&message).is_some_and(|verb| verb.starts_with("impersonate")) =>
            {
                Self::MayNotImpersonate(message)
            }
            other => other,
        }
    }

    /// The fault that a response which is not a success stands for.
    ///
    /// `body` is untrusted and may be HTML of some proxy: only a Kubernetes `Status` is quoted whole.
    pub(super) fn from_response(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let message = message(status, body);
        match status {
            401 => Self::Unauthorized(message),
            403 => Self::Forbidden(message),
            404 => Self::NotFound(message),
            410 => Self::Gone,
            429 => Self::Throttled { retry_after },
            400 | 409 | 422 => Self::Refused(Box::new(refused(status, message, body))),
            status => Self::Status { status, message },
        }
    }
}

/// The verb in the message of a 403, `User "NAME" cannot VERB …`. Names in it are quoted as Go does, so that
/// one which looks like such a sentence has backslashes before its quotes.
fn refused_verb(message: &str) -> Option<&str> {
    let (_, user) = message.split_once("User \"")?;
    let mut escaped = false;
    let end = user.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    user.get(end + 1..)?.strip_prefix(" cannot ")?.split(' ').next()
}

impl Refused {
    /// What a response that is not a success says, whatever its status.
    pub(super) fn of_response(status: u16, body: &[u8]) -> Self {
        refused(status, message(status, body), body)
    }
}

fn message(status: u16, body: &[u8]) -> String {
    status_message(body).unwrap_or_else(|| match status {
        404 => "a 404 that is not a Kubernetes answer (is this the URL of an API server?)".to_owned(),
        _ => excerpt(body),
    })
}

/// Causes that are kept of one refusal.
const MOST_CAUSES: usize = 50;

fn refused(status: u16, message: String, body: &[u8]) -> Refused {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value, key: &str| -> String {
        let text = value.get(key).and_then(Value::as_str).unwrap_or_default();
        quoted::without_objects(text).chars().take(400).collect()
    };
    let causes = said.get("details").and_then(|details| details.get("causes")).and_then(Value::as_array);
    let cause = |cause: &Value| Cause {
        reason: text(cause, "reason"),
        field: text(cause, "field"),
        message: text(cause, "message"),
    };
    let causes = causes.into_iter().flatten().take(MOST_CAUSES).map(cause).collect();
    Refused { status, reason: text(&said, "reason"), message, causes }
}

fn status_message(body: &[u8]) -> Option<String> {
    let status: Value = serde_json::from_slice(body).ok()?;
    (status.get("kind")?.as_str()? == "Status").then(|| {
        let message = status.get("message").and_then(Value::as_str).unwrap_or_default();
        quoted::without_objects(message).chars().take(600).collect()
    })
}

/// The first words of a body that is not a `Status`, without markup.
pub(super) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..400).unwrap_or(body));
    if text.trim_start().starts_with('<') {
        return "an HTML page instead of an API answer (a proxy or login page in between?)".to_owned();
    }
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect();
    if line.is_empty() { "an empty body".to_owned() } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_object_is_quoted_and_a_page_is_not() {
        let body = br#"{"kind":"Status","message":"pods is forbidden: User \"x\" cannot list"}"#;
        assert_eq!(
            Fault::from_response(403, None, body).to_string(),
            "forbidden by the cluster: pods is forbidden: User \"x\" cannot list"
        );
        let page = Fault::from_response(502, None, b"<html><script>alert(1)</script>");
        assert!(page.to_string().contains("an HTML page"), "{page}");
        assert!(!page.to_string().contains("script"), "{page}");
        assert!(page.is_transient());
    }

    #[test]
    fn whose_rights_are_missing_is_told_apart() {
        let fault = |message: &str| Fault::Forbidden(message.to_owned()).of_impersonation();
        for ours in [
            r#"users "oidc:alice" is forbidden: User "system:serviceaccount:mcp:platform-mcp" cannot impersonate resource "users" in API group "" at the cluster scope"#,
            r#"pods is forbidden: User "platform-mcp" cannot impersonate-on:user-info:list resource "pods" in API group "" at the cluster scope"#,
            r#"groups.authentication.k8s.io "g" is forbidden: User "p" cannot impersonate:user-info resource "groups""#,
        ] {
            assert!(matches!(fault(ours), Fault::MayNotImpersonate(_)), "{ours}");
        }
        for theirs in [
            r#"pods is forbidden: User "oidc:alice" cannot list resource "pods" in API group "" in the namespace "x""#,
            r#"pods is forbidden: User "a\" cannot impersonate resource \"users" cannot list resource "pods""#,
            r#"forbidden: User "oidc:alice" cannot get path "/version""#,
            "quota exceeded: User cannot impersonate",
            r#"User ""#,
        ] {
            assert!(matches!(fault(theirs), Fault::Forbidden(_)), "{theirs}");
        }
    }
}
