//! [`Refusal`]: why a token is not taken.

/// Why a token is not taken. For logs and audit lines: whoever sent the token is told only that it was
/// not taken, so that nobody learns how near a forgery came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no JWT, or one that must not be taken whatever its signature.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// Its keys cannot be had right now, so nothing can be said about it.
    #[error("the issuer {issuer} cannot be asked for its keys: {why}")]
    Unavailable {
        /// The configured issuer.
        issuer: String,
        /// What went wrong.
        why: String,
    },
}
