//! A person's own sign-in at an issuer, with this program as the client: OpenID Connect by authorization code with
//! PKCE (RFC 7636, RFC 8252) or by device (RFC 8628), and what it brought, kept and renewed for the processes of
//! that person alone.
//!
//! An ID token is judged by the verifier that judges every other token ([`super::oidc`]). Nothing of a token, a code
//! or a secret is in an error, a log, a `Debug` or an argument of a program.

pub mod authorize;
pub mod device;
pub mod given;
pub mod keyring;
pub mod provider;
pub mod session;
pub mod settings;
pub mod store;
pub mod tokens;

pub use authorize::{Asked, Unanswered};
pub use provider::Provider;
pub use session::Session;
pub use settings::{LoginSettings, Shown, Storage};
pub use store::Store;
pub use tokens::Tokens;

/// Why nobody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// Nobody has signed in, or they signed out again.
    #[error("you are not signed in at {0}")]
    NotSignedIn(String),
    /// It cannot be renewed any more.
    #[error("your sign-in at {issuer} has ended: {why}")]
    Ended {
        /// Where.
        issuer: String,
        /// Why, in words that hold nothing secret.
        why: String,
    },
    /// The issuer cannot be asked now.
    #[error("the issuer {issuer} cannot be asked: {why}")]
    Outage {
        /// Which.
        issuer: String,
        /// Why.
        why: String,
    },
    /// The issuer does not want it.
    #[error("the issuer refuses it: {0}")]
    Refused(String),
    /// What the issuer answers cannot be taken.
    #[error("the issuer's answer is not taken: {0}")]
    Unfit(String),
    /// What is kept cannot be read or written.
    #[error("{0}")]
    Kept(String),
}

impl SignInError {
    /// A word for the audit log.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotSignedIn(_) => "not_signed_in",
            Self::Ended { .. } => "expired",
            Self::Outage { .. } => "unavailable",
            Self::Refused(_) | Self::Unfit(_) => "sign_in",
            Self::Kept(_) => "unreadable",
        }
    }

    /// Whether the same may work in a while.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Outage { .. })
    }

    /// Whether signing in again mends it.
    pub fn wants_sign_in(&self) -> bool {
        matches!(self, Self::NotSignedIn(_) | Self::Ended { .. } | Self::Unfit(_))
    }
}
