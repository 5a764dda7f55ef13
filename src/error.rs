//! [`Error`]: the one error of a call, and its one mapping to MCP, to Backstage and to HTTP.

mod palette;

use std::time::Duration;

use serde_json::Value;

use crate::{
    kubernetes::{Fault, identity::Unfit},
    permission::{Decision, Requirement},
};

/// What kind of failure it is. Decides how each door says it (design section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// An argument is wrong.
    InvalidInput,
    /// The caller lacks a permission, or the upstream refused the caller.
    NotAllowed,
    /// It does not exist, or not for this caller.
    NotFound,
    /// No such tool, or not for this caller: the two are answered alike.
    UnknownTool,
    /// It changed meanwhile, or the name stands for several things.
    Conflict,
    /// An upstream failed.
    Upstream {
        /// Its HTTP status, where it answered.
        status: Option<u16>,
        /// Whether the same call may work later.
        retryable: bool,
    },
    /// The call took longer than it may.
    Timeout,
    /// Too many calls, here or upstream.
    RateLimited {
        /// When to try again, where known.
        retry_after: Option<Duration>,
    },
    /// No caller could be made from the credential.
    Unauthenticated,
    /// The caller went away; nobody reads this.
    Cancelled,
    /// A defect of ours.
    Internal,
}

/// Who said no to a call, for the audit line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusedBy {
    /// Our own gate, once the call was under way and it came out what it was about.
    Gate(Decision),
    /// The API server, with a 403.
    Cluster,
    /// Palette, with a 403.
    Palette,
    /// Nobody: the cluster is to be shown who calls, and cannot be.
    Identity,
}

/// A failed call: what failed, what is allowed instead, and what to do next.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The kind, for the doors.
    pub kind: ErrorKind,
    /// One or two sentences for the model.
    pub message: String,
    /// Allowed values, or the nearest names that the caller may see.
    pub candidates: Vec<String>,
    /// The next call or change that would help.
    pub next: Option<String>,
    /// What the caller lacks and more permissions would mend: for doors that can ask for a better token,
    /// never for the text. Nothing where a rule takes it away.
    pub lacking: Option<Box<Requirement>>,
    /// Who refused it, where the gate had let it pass: for the audit line, never for the text.
    pub refused_by: Option<Box<RefusedBy>>,
    /// The same for readers of structure, in the form that the tool's answers have.
    pub structure: Option<Box<Value>>,
}

impl Error {
    /// An error of that kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            candidates: Vec::new(),
            next: None,
            lacking: None,
            refused_by: None,
            structure: None,
        }
    }

    /// A wrong argument; `message` names it.
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// Something that is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// A permission that the caller lacks in this place. The words do not depend on whether the
    /// target exists.
    pub fn denied(needs: &str, place: &str) -> Self {
        Self::new(ErrorKind::NotAllowed, format!("you need the permission {needs} for {place}"))
            .next("call whoami to see what you may do and where")
    }

    /// With the values that would have worked.
    #[must_use]
    pub fn candidates(mut self, candidates: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.candidates = candidates.into_iter().map(Into::into).collect();
        self
    }

    /// With what the caller lacks.
    #[must_use]
    pub fn lacking(mut self, lacking: Option<Requirement>) -> Self {
        self.lacking = lacking.map(Box::new);
        self
    }

    /// With who refused it.
    #[must_use]
    pub fn refused_by(mut self, by: RefusedBy) -> Self {
        self.refused_by = Some(Box::new(by));
        self
    }

    /// With the same for readers of structure.
    #[must_use]
    pub fn structure(mut self, structure: impl serde::Serialize) -> Self {
        self.structure = serde_json::to_value(structure).ok().map(Box::new);
        self
    }

    /// With what to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// The text of a tool error: everything a model needs to act.
    pub fn text(&self) -> String {
        let mut text = self.message.trim_end_matches('.').to_owned();
        if !text.ends_with(['?', '!']) {
            text.push('.');
        }
        if !self.candidates.is_empty() {
            let what = if self.kind == ErrorKind::NotFound { " Nearest: " } else { " Possible: " };
            text.push_str(what);
            text.push_str(&self.candidates.join(", "));
            text.push('.');
        }
        match self.kind {
            ErrorKind::Upstream { retryable: true, .. } | ErrorKind::Timeout => {
                text.push_str(" Retryable: the same call may work later.");
            }
            ErrorKind::RateLimited { retry_after } => {
                let when =
                    retry_after.map_or("later".to_owned(), |wait| format!("in {} s", wait.as_secs().max(1)));
                text.push_str(&format!(" Retryable: try again {when}."));
            }
            _ => {}
        }
        if let Some(next) = &self.next {
            text.push_str(" Next: ");
            text.push_str(next.trim_end_matches('.'));
            text.push('.');
        }
        text
    }

    /// The word in audit lines and metrics.
    pub fn outcome(&self) -> &'static str {
        match self.kind {
            ErrorKind::InvalidInput => "invalid_input",
            ErrorKind::NotAllowed => "not_allowed",
            ErrorKind::NotFound => "not_found",
            ErrorKind::UnknownTool => "unknown_tool",
            ErrorKind::Conflict => "conflict",
            ErrorKind::Upstream { .. } => "upstream",
            ErrorKind::Timeout => "timeout",
            ErrorKind::RateLimited { .. } => "rate_limited",
            ErrorKind::Unauthenticated => "unauthenticated",
            ErrorKind::Cancelled => "cancelled",
            ErrorKind::Internal => "internal",
        }
    }

    /// The HTTP status of the same failure.
    pub fn http_status(&self) -> u16 {
        match self.kind {
            ErrorKind::InvalidInput => 400,
            ErrorKind::Unauthenticated => 401,
            ErrorKind::NotAllowed => 403,
            ErrorKind::NotFound | ErrorKind::UnknownTool => 404,
            ErrorKind::Conflict => 409,
            ErrorKind::RateLimited { .. } => 429,
            ErrorKind::Cancelled => 499,
            ErrorKind::Internal => 500,
            ErrorKind::Upstream { .. } => 502,
            ErrorKind::Timeout => 504,
        }
    }

    /// The name and the status of the same failure in Backstage's actions protocol: of other names its clients drop
    /// the message.
    pub fn backstage(&self) -> (&'static str, u16) {
        match self.backstage_name() {
            "InputError" => ("InputError", 400),
            "AuthenticationError" => ("AuthenticationError", 401),
            "NotAllowedError" => ("NotAllowedError", 403),
            "NotFoundError" => ("NotFoundError", 404),
            "ConflictError" => ("ConflictError", 409),
            _ => ("ServiceUnavailableError", 503),
        }
    }

    /// The name of the same failure in Backstage (`@backstage/errors`).
    pub fn backstage_name(&self) -> &'static str {
        match self.kind {
            ErrorKind::InvalidInput => "InputError",
            ErrorKind::Unauthenticated => "AuthenticationError",
            ErrorKind::NotAllowed => "NotAllowedError",
            ErrorKind::NotFound | ErrorKind::UnknownTool => "NotFoundError",
            ErrorKind::Conflict => "ConflictError",
            ErrorKind::Upstream { .. }
            | ErrorKind::Timeout
            | ErrorKind::RateLimited { .. }
            | ErrorKind::Cancelled => "ServiceUnavailableError",
            ErrorKind::Internal => "Error",
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let message = fault.to_string();
        match fault {
            Fault::InvalidName { .. } => Self::invalid_input(message),
            Fault::NotFound(_) => Self::not_found(message),
            Fault::Withheld { needs, place, decision } => {
                Self::denied(&needs, &place).refused_by(RefusedBy::Gate(*decision))
            }
            Fault::Forbidden(_) => Self::new(ErrorKind::NotAllowed, message)
                .refused_by(RefusedBy::Cluster)
                .next("ask whoever administers that cluster's RBAC; our own permissions allowed the call"),
            Fault::MayNotImpersonate(_) => Self::new(
                ErrorKind::Upstream { status: Some(403), retryable: false },
                message,
            )
            .refused_by(RefusedBy::Cluster)
            .next(
                "ask whoever runs this server: its credential needs the RBAC verb impersonate for your \
                     user and each of your groups (examples/rbac/impersonate.yaml)",
            ),
            Fault::Unfit(unfit) => Self::new(ErrorKind::NotAllowed, message).refused_by(RefusedBy::Identity).next(match *unfit {
                Unfit::NoToken(_) | Unfit::BadToken(..) => {
                    "call over HTTP (stdio has no headers) with a token that the cluster takes in that header; \
                     your token for this server is never passed on"
                }
                Unfit::NoIdToken | Unfit::OtherIssuer(_) | Unfit::OtherAudience(_) => {
                    "sign in with the cluster's issuer as its client, and send the ID token; your token for this \
                     server is never passed on"
                }
                Unfit::NoExchange(_) => {
                    "ask whoever runs this server: issuers[].exchange, and the cluster's audience"
                }
                Unfit::NoTemplate | Unfit::Namespace(_) => {
                    "ask whoever runs this server: `backstage.impersonate` says as whom clusters know users of \
                     Backstage, with {namespace} in it those of other namespaces too; or `identity: own` for the \
                     cluster"
                }
                Unfit::Service => {
                    "call as a user of Backstage; or whoever runs this server sets `identity: own` for the cluster"
                }
                _ => {
                    "call with a token that names you; or whoever runs this server sets `identity: own` for \
                     the cluster"
                }
            }),
            Fault::TokenRefused(_) => {
                Self::new(ErrorKind::Upstream { status: Some(401), retryable: false }, message)
                    .next("get a token that this cluster takes: its issuer and audience, and not expired")
            }
            Fault::NotExchanged { retryable, .. } => {
                let error = Self::new(ErrorKind::Upstream { status: None, retryable }, message);
                match retryable {
                    true => error,
                    false => error.next(
                        "get a new token; if that does not help, ask whoever runs this server: its client at \
                         the issuer must be allowed to exchange your token for the cluster's audience",
                    ),
                }
            }
            Fault::NoWay { retryable, .. } => {
                Self::new(ErrorKind::Upstream { status: None, retryable }, message)
            }
            Fault::Unauthorized(_) => {
                Self::new(ErrorKind::Upstream { status: Some(401), retryable: false }, message).next(
                    "run `platform-mcp check`: the credential configured for this cluster does not work",
                )
            }
            Fault::Gone => Self::new(ErrorKind::Upstream { status: Some(410), retryable: true }, message),
            Fault::Throttled { retry_after } => Self::new(ErrorKind::RateLimited { retry_after }, message),
            Fault::Refused(refused) => match refused.status {
                409 => Self::new(ErrorKind::Conflict, message),
                _ => Self::invalid_input(message),
            },
            Fault::Unanswered(_) => {
                Self::new(ErrorKind::Upstream { status: None, retryable: false }, message)
                    .next("look at the object before you try again")
            }
            Fault::Timeout(_) => Self::new(ErrorKind::Timeout, message),
            Fault::Status { status, .. } => {
                Self::new(ErrorKind::Upstream { status: Some(status), retryable: status >= 500 }, message)
            }
            Fault::Unreachable(_) => {
                Self::new(ErrorKind::Upstream { status: None, retryable: true }, message)
            }
            Fault::Malformed(_) | Fault::TooLarge(_) | Fault::Spent(_) | Fault::Configuration(_) => {
                Self::new(ErrorKind::Upstream { status: None, retryable: false }, message)
            }
        }
    }
}
