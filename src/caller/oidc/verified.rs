//! [`Verified`]: what a token says whose signature, issuer, audience and times were checked.

use serde_json::{Map, Value};

use super::super::Token;
use crate::kubernetes::Impersonation;

/// What a verified token says. Made only by the verifier.
#[derive(Clone, Debug)]
pub struct Verified {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) username: String,
    pub(super) groups: Vec<String>,
    pub(super) claims: Map<String, Value>,
    pub(super) token: Token,
    pub(super) impersonation: Impersonation,
}

impl Verified {
    /// `iss`.
    pub fn issuer(&self) -> &str {
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
}
