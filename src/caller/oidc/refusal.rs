//! [`Refusal`]: why a token is not taken.

/// Why a token is not taken. For logs and audit lines: whoever sent the token is told only that it was
/// not taken, so that nobody learns how near a forgery came. Holds nothing of the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no JWT, or one that must not be taken whatever its signature.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// Its `iss` is absent, or no configured issuer byte for byte.
    #[error("no configured issuer issued it")]
    Issuer,
    /// Its `alg` is not taken from this issuer.
    #[error("its algorithm is not among those taken from this issuer")]
    Algorithm,
    /// Its header `typ` is not taken from this issuer.
    #[error("its header typ is not among those taken from this issuer")]
    Type,
    /// It is another kind of token than those that give access.
    #[error("another kind of token: {0}")]
    Kind(&'static str),
    /// It is bound to a key of its holder, and nothing proves that the sender has that key.
    #[error("bound to a key (cnf), which cannot be proven here")]
    Bound,
    /// It is meant for somebody else.
    #[error("none of its audiences is ours")]
    Audience,
    /// It has ended.
    #[error("expired")]
    Expired,
    /// It has not begun, or says that it was issued in the future.
    #[error("not valid yet")]
    NotYet,
    /// It lives longer than any token should.
    #[error("it would live for more than a year")]
    Lifetime,
    /// A claim is absent or not as it must be.
    #[error("claim {claim}: {why}")]
    Claim {
        /// The claim, as the standards or the configuration name it.
        claim: String,
        /// What is wrong with it; never its value.
        why: &'static str,
    },
    /// It names a user or group that only the API server's own may have.
    #[error("a name that begins with \"system:\": {0:?}")]
    System(String),
    /// The issuer has no key of its name.
    #[error("the issuer has no such key")]
    Key,
    /// No key of the issuer made its signature.
    #[error("the signature is not the issuer's")]
    Signature,
    /// It is of a plugin of Backstage that is not among those whose tokens are taken.
    #[error("its plugin is none of backstage.plugins")]
    Plugin,
    /// Backstage does not say who its user is or what they may do, so they may do nothing now.
    #[error("Backstage does not say what the user may do: {0}")]
    Undecided(String),
    /// Its keys cannot be had right now, so nothing can be said about it.
    #[error("the issuer {issuer} cannot be asked for its keys: {why}")]
    Unavailable {
        /// The configured issuer.
        issuer: String,
        /// What went wrong.
        why: String,
    },
}

impl Refusal {
    /// A word for metrics and audit lines. There are as many as there are kinds.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Issuer => "issuer",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::Kind(_) => "kind",
            Self::Bound => "bound",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYet => "not_yet_valid",
            Self::Lifetime => "lifetime",
            Self::Claim { .. } => "claim",
            Self::System(_) => "system_name",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Plugin => "plugin",
            Self::Undecided(_) => "undecided",
            Self::Unavailable { .. } => "unavailable",
        }
    }

    /// Whether the token may be good, and it is the issuer that cannot be asked: to be answered as an
    /// outage, which a client can wait out, and not as a bad credential.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Undecided(_))
    }

    pub(in crate::caller) fn claim(claim: &str, why: &'static str) -> Self {
        Self::Claim { claim: claim.to_owned(), why }
    }
}
