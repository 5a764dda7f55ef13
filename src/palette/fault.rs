//! [`Fault`]: what can go wrong between us and Palette, in words a caller can act on.

use std::time::Duration;

use crate::permission::Decision;

/// A failed request to Palette.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
pub enum Fault {
    /// Outside what the caller's permissions cover; nothing is shown, so it may or may not exist.
    #[error("needs {needs} for {place}")]
    Withheld {
        /// The permissions that would have been needed.
        needs: String,
        /// The scope they would have been needed in.
        place: String,
        /// What was decided there, for the audit line.
        decision: Box<Decision>,
    },
    /// The environment is to be shown the caller's own token, and cannot be; nothing was sent.
    #[error("{0}")]
    Unfit(String),
    /// 404 of Palette itself.
    #[error("not found in Palette: {0}")]
    NotFound(String),
    /// 404 or 405 of its router, or of something in between: says nothing of what there is.
    #[error("this Palette does not serve what was asked ({status}): {message}")]
    Unserved {
        /// HTTP status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// 403: also what Palette answers to the uid of a resource of another project.
    #[error("Palette refused it (403): {0}")]
    Forbidden(String),
    /// 401: the server's API key is not taken.
    #[error("Palette refused the credential (401): {0}")]
    Unauthorized(String),
    /// 401: the token that the caller brought is not taken.
    #[error("Palette did not take your token for it (401): {0}")]
    TokenRefused(String),
    /// 429 beyond our retries, or the vendor's limit leaves no room before the deadline.
    #[error("Palette's rate limit leaves no room for it now")]
    Throttled {
        /// When to try again, where known.
        retry_after: Option<Duration>,
    },
    /// Any other status that is not a success.
    #[error("Palette answered {status}: {message}")]
    Status {
        /// HTTP status.
        status: u16,
        /// The error's `message`, or the start of the body.
        message: String,
    },
    /// No answer before the deadline.
    #[error("no answer from Palette within {:.1} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// The connection could not be made or broke.
    #[error("Palette: {0}")]
    Unreachable(String),
    /// What was to change something was sent, and its answer did not come or tells nothing: it may have been done.
    #[error("whether it was done is not known: {0}")]
    Uncertain(Box<Fault>),
    /// A success with a body that is not the expected JSON.
    #[error("Palette's answer is not what its contract says: {0}")]
    Malformed(String),
    /// The call has spent what one call may take; nothing more is read for it.
    #[error("this call has used up its {0}; ask for less at once")]
    Spent(String),
    /// The configuration does not make a client.
    #[error("the connection settings of this environment do not work: {0}")]
    Configuration(String),
}

impl Fault {
    /// Whether Palette said 404.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
    }

    /// Whether Palette said 403.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Forbidden(_))
    }
}
