//! [`Verified`]: what a token says whose signature, issuer, audience and times were checked.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{super::Token, keys::Keys};
use crate::kubernetes::Impersonation;

/// What a verified token says. Made only by the verifier.
#[derive(Clone, Debug)]
pub struct Verified {
    pub(super) issuer: Arc<str>,
    pub(super) subject: String,
    pub(super) username: String,
    pub(super) groups: Vec<String>,
    pub(super) claims: Map<String, Value>,
    pub(super) token: Token,
    pub(super) impersonation: Impersonation,
    pub(super) standing: Standing,
}

/// For how long a verification need not be repeated.
#[derive(Clone, Debug)]
pub struct Standing {
    pub(in crate::caller) keys: Arc<Keys>,
    pub(in crate::caller) generation: u64,
    pub(in crate::caller) until: Timestamp,
}

impl Standing {
    /// Whether the token still holds at `now`: it has not ended, and the issuer has the same keys as when
    /// it was verified.
    pub fn holds(&self, now: Timestamp) -> bool {
        now < self.until && self.keys.generation() == self.generation
    }
}

impl Verified {
    /// `iss`.
    pub fn issuer(&self) -> &Arc<str> {
        &self.issuer
    }

    /// `sub`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The configured claim.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The groups of the configured claim, without prefix.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// All claims, for the rules.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// What may be said of the token.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Who clusters are asked to act as.
    pub fn impersonation(&self) -> &Impersonation {
        &self.impersonation
    }

    /// For how long this need not be asked again.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }
}
