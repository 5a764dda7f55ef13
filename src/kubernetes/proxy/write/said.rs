//! What an API server says instead of doing it, in text and structure, with its status and reason.

use std::borrow::Cow;

use crate::{
    Error, ErrorKind,
    answer::sanitise,
    kubernetes::{
        Access, Cause, Fault, Refused,
        access::Reply,
        proxy::{Target, redact::status::without_values},
    },
};

/// Causes that are told.
const MOST: usize = 20;
/// Characters of a cause.
const LONGEST: usize = 300;

/// An answer that is no success.
pub struct Said {
    /// HTTP status, `reason`, `message`, causes.
    pub refused: Refused,
    fault: Fault,
    no_dry_run: bool,
}

impl Said {
    /// What such an answer to a request for `target` says. What it says of a Secret may quote it.
    pub(in crate::kubernetes) fn of(access: &Access, target: &Target, reply: &Reply) -> Self {
        let status = reply.status.as_u16();
        // of a webhook (apiserver `webhook/errors/statuserror.go`, `NewDryRunUnsupportedErr`)
        let no_dry_run = status == 400
            && Refused::of_response(status, &reply.body).message.contains("does not support dry run");
        let namespace = target.resource().and_then(|resource| resource.namespace.as_deref());
        let body = match target.is_secret() && !access.reveals(namespace) {
            true => Cow::Owned(without_values(reply.status, &reply.body)),
            false => Cow::Borrowed(&reply.body),
        };
        let fault = access.fault(reply.status, &reply.headers, &body);
        let mut refused = Refused::of_response(status, &body);
        refused.causes.dedup();
        refused.causes.truncate(MOST);
        Self { refused, fault, no_dry_run }
    }

    /// Whether other managers hold fields of it.
    pub fn is_conflict(&self) -> bool {
        self.refused.causes.iter().any(|cause| cause.reason == "FieldManagerConflict")
    }

    /// Whether the state that was meant is not the present one any more, and looking again may help. `tested`:
    /// the state stood in a test operation, whose failure is told as nothing but a 422.
    pub fn is_stale(&self, tested: bool) -> bool {
        let Refused { status, reason, causes, .. } = &self.refused;
        match status {
            409 => !self.is_conflict() && reason != "AlreadyExists",
            // a list of that version is not kept any more
            410 => true,
            422 => tested && causes.is_empty(),
            _ => false,
        }
    }

    /// Whether something in between (a webhook) can do no dry run.
    pub fn is_no_dry_run(&self) -> bool {
        self.no_dry_run
    }

    /// As the error that the caller can act on. `made`: whether it may have been made all the same.
    pub fn error(&self, what: &str, made: bool) -> Error {
        let Refused { status, reason, message, causes } = &self.refused;
        let ours = matches!(
            self.fault,
            Fault::MayNotImpersonate(_) | Fault::Unauthorized(_) | Fault::TokenRefused(_)
        );
        let mut error = Error::from(self.fault.clone());
        if ours {
            return error;
        }
        let reason = if reason.is_empty() { String::new() } else { format!(" {reason}") };
        let more: Vec<String> =
            causes.iter().filter(|cause| !message.contains(&cause.message)).map(told).collect();
        let more = if more.is_empty() { String::new() } else { format!("; {}", more.join("; ")) };
        error.message = format!("{what}: the cluster answered {status}{reason}: {message}{more}");
        error.kind = match status {
            405 | 406 | 413 | 415 => ErrorKind::InvalidInput,
            // fields that the schema does not have (Kubernetes 1.36, server-side apply)
            500 if message.starts_with("failed to create typed patch object") => ErrorKind::InvalidInput,
            500.. if made => ErrorKind::Upstream { status: Some(*status), retryable: false },
            _ => error.kind,
        };
        if made && *status >= 500 {
            error.message.push_str("; it may or may not have been made");
            return error.next("look at the object before you try again");
        }
        match (status, self.is_conflict()) {
            (409, true) => error.next(
                "leave these fields out of the body, or take them over with query {\"force\": \"true\"}",
            ),
            (415, _) => error.next(
                "kinds that are not built in take application/merge-patch+json, json-patch or apply-patch",
            ),
            _ => error,
        }
    }
}

fn told(cause: &Cause) -> String {
    let text = match cause.field.trim_start_matches('.') {
        "" => cause.message.clone(),
        field => format!("{field}: {}", cause.message),
    };
    sanitise::short(&text, LONGEST)
}
