//! [`Callers`]: from a credential to a [`Caller`].

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Caller,
    oidc::{Issuers, Refusal, Verified},
};
use crate::{kubernetes::Identity, permission::Policy};

/// Everyone who may call: the local user, or the owners of the tokens of configured issuers.
#[derive(Debug)]
pub struct Callers {
    local: Option<Arc<Caller>>,
    issuers: Issuers,
    policies: BTreeMap<String, Policy>,
    identity: Identity,
}

impl Callers {
    /// The local user where there is one, and the owners of tokens, each issuer with its policy.
    /// `identity` is how clusters that configure nothing else are told who calls.
    pub fn new(
        local: Option<Arc<Caller>>,
        issuers: Issuers,
        policies: BTreeMap<String, Policy>,
        identity: Identity,
    ) -> Self {
        Self { local, issuers, policies, identity }
    }

    /// The local user; `None` where issuers are configured and the local user is not.
    pub fn local(&self) -> Option<&Arc<Caller>> {
        self.local.as_ref()
    }

    /// Whether callers need a token.
    pub fn need_token(&self) -> bool {
        self.issuers.settings().next().is_some()
    }

    /// The issuers.
    pub fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// The policy of an issuer.
    pub fn policy(&self, issuer: &str) -> Option<&Policy> {
        self.policies.get(issuer)
    }

    /// The owner of a token.
    ///
    /// # Errors
    /// Why it is refused: for logs, never for whoever sent it.
    pub async fn token(&self, token: &str) -> Result<Arc<Caller>, Refusal> {
        self.issuers.verify(token).await.map(|verified| Arc::new(self.caller(&verified)))
    }

    fn caller(&self, verified: &Verified) -> Caller {
        let permissions =
            self.policy(verified.issuer()).map(|policy| policy.bind(verified.claims())).unwrap_or_default();
        Caller {
            issuer: Some(verified.issuer().to_owned()),
            subject: verified.subject().to_owned(),
            username: verified.username().to_owned(),
            groups: verified.groups().to_vec(),
            permissions: Arc::new(permissions),
            token: Some(verified.token().clone()),
            identity: self.identity,
            impersonation: Some(Arc::new(verified.impersonation().clone())),
        }
    }
}
