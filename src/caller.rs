//! [`Caller`]: who makes a call and what they may do.

pub mod backstage;
pub mod callers;
pub mod credential;
pub mod local;
pub mod login;
pub mod oidc;
pub mod places;
pub mod reader;
pub mod shown;
pub mod unverified;

use std::sync::Arc;

use jiff::Timestamp;

use oidc::exchange::Subject;

use crate::{
    kubernetes::{As, Cluster, Identity, Trusting, identity::Unfit},
    permission::PermissionSet,
};

pub use callers::Callers;
pub use credential::{Credential, TOKEN_VARIABLE, Unusable};
pub use oidc::Refusal;
pub use reader::Reader;
pub use shown::Shown;

/// Who makes a call. Made only by the rooms below this module: the local user, the owner of a token that [`oidc`]
/// verified, and the holder of one that only a cluster can verify.
#[derive(Clone, Debug)]
pub struct Caller {
    issuer: Option<Arc<str>>,
    subject: String,
    username: String,
    groups: Vec<String>,
    permissions: Arc<PermissionSet>,
    token: Option<Token>,
    identity: Identity,
    shown: Shown,
    scopes: Vec<String>,
    /// The token itself, where its issuer exchanges it for others.
    subject_token: Option<Subject>,
    /// Who sent the call on the caller's behalf.
    actor: Option<Arc<str>>,
    /// Whether we know that they are who they are said to be.
    verified: bool,
}

/// What may be said of a token: never the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The first 16 hexadecimal digits of its SHA-256.
    pub hash: String,
    /// Its `jti`, where it has one.
    pub id: Option<String>,
    /// When it ends; nothing is done for its owner after that.
    pub expires: Timestamp,
}

impl Caller {
    /// The issuer of the token; `None` for the local user.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The subject within the issuer.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The name that people know.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Groups, as the issuer says them.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// What the caller may do.
    pub fn permissions(&self) -> &PermissionSet {
        &self.permissions
    }

    /// The token that says so; `None` for the local user.
    pub fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// How clusters that configure nothing else are told who calls.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// How this cluster is told who calls. Of whom we know nothing, it gets the token that came for it, however it is
    /// configured: nothing of ours may stand for them.
    pub fn identity_on(&self, cluster: &Cluster) -> Identity {
        match self.verified {
            true => cluster.identity().unwrap_or(self.identity),
            false => Identity::CallerHeader,
        }
    }

    /// As whom clusters see the caller that are to see who calls.
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// As whom a cluster is asked that takes tokens of the caller's issuer with this audience.
    pub fn exchanged(&self, audience: Option<&str>) -> As {
        let why = match (&self.subject_token, audience) {
            (Some(token), Some(audience)) => return token.acting(audience),
            (Some(_), None) => "no audience is configured for the cluster",
            (None, _) if self.token.is_none() => "the local user has none",
            (None, _) => "this server is not configured to exchange tokens of its issuer",
        };
        As::nobody(Unfit::NoExchange(why))
    }

    /// The same, where the cluster's own settings say which audience that is.
    pub fn exchanged_for(&self, asked: &Arc<dyn Trusting>) -> As {
        match &self.subject_token {
            Some(token) => token.acting_for(asked),
            None => self.exchanged(None),
        }
    }

    /// The OAuth scopes that the token has: all that mean something here, and a few others.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Who made the call on the caller's behalf, as `plugin:mcp-actions`; `None` where the caller did.
    pub fn actor(&self) -> Option<&str> {
        self.actor.as_deref()
    }

    /// Who handles (cursors, plans) are bound to: the same person at the same issuer.
    pub fn binding(&self) -> [&str; 2] {
        [self.issuer.as_deref().unwrap_or_default(), &self.subject]
    }
}
