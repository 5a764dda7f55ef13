//! [`Callers`]: from a credential to a [`Caller`].

mod remembered;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use parking_lot::Mutex;
use quick_cache::sync::Cache;

pub(super) use remembered::weight;
use remembered::{Remembered, Weigh};

use super::{
    Caller, Reader, Shown,
    backstage::{Backstage, Kind},
    oidc::{self, Issuers, Refusal, Verified, compact::Compact, exchange::Subject},
};
use crate::{
    kubernetes::Identity,
    permission::{PermissionSet, Policy},
};

/// Different sets of permissions that are shared between callers.
const MOST_SHARED: usize = 64;

/// Everyone who may call: the local user, or the owners of the tokens of configured issuers and of Backstage.
#[derive(Debug)]
pub struct Callers {
    local: Option<Arc<Caller>>,
    issuers: Issuers,
    backstage: Option<Backstage>,
    reader: Option<Reader>,
    /// Of all issuers: what a token for this server names.
    audiences: Vec<String>,
    policies: BTreeMap<String, Policy>,
    identity: Identity,
    /// By the hash of the whole token. Only good ones: a bad one costs its sender as much each time.
    remembered: Cache<[u8; 32], Remembered, Weigh>,
    /// Most callers of an issuer may do what many others may.
    shared: Mutex<Vec<Arc<PermissionSet>>>,
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
        let remembered = remembered::none();
        let audiences = issuers.settings().flat_map(|settings| settings.audiences.clone()).collect();
        let (backstage, reader, shared) = (None, None, Mutex::default());
        Self { local, issuers, backstage, reader, audiences, policies, identity, remembered, shared }
    }

    /// And the users and plugins of a Backstage.
    #[must_use]
    pub fn with_backstage(self, backstage: Option<Backstage>) -> Self {
        let ours = backstage.iter().flat_map(Backstage::audiences);
        let audiences = self.audiences.iter().cloned().chain(ours).collect();
        Self { backstage, audiences, ..self }
    }

    /// And a program that reads catalog entities.
    #[must_use]
    pub fn with_reader(self, reader: Option<Reader>) -> Self {
        Self { reader, ..self }
    }

    /// The program that reads catalog entities with a token of its own, where there is one.
    pub fn reader(&self) -> Option<&Reader> {
        self.reader.as_ref()
    }

    /// The local user; `None` where issuers are configured and the local user is not.
    pub fn local(&self) -> Option<&Arc<Caller>> {
        self.local.as_ref()
    }

    /// Whether callers need a token.
    pub fn need_token(&self) -> bool {
        self.issuers.settings().next().is_some() || self.backstage.is_some()
    }

    /// Backstage, where its users and plugins may call.
    pub fn backstage(&self) -> Option<&Backstage> {
        self.backstage.as_ref()
    }

    /// Begins to fetch the keys of everyone who issues tokens.
    pub fn warm(&self) {
        self.issuers.warm();
        if let Some(backstage) = &self.backstage {
            backstage.warm();
        }
    }

    /// The issuers.
    pub fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// The audiences that tokens for this server name, whoever issues them.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
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
        self.token_at(token, Timestamp::now()).await
    }

    async fn token_at(&self, token: &str, now: Timestamp) -> Result<Arc<Caller>, Refusal> {
        let hash = oidc::hash(token.as_bytes());
        if let Some(known) = self.remembered.get(&hash) {
            if let Some(caller) = known.at(now) {
                return Ok(caller);
            }
            self.remembered.remove(&hash);
        }
        let parts = Compact::parse(token)?;
        if let Some((backstage, kind)) = self.backstage.as_ref().zip(Kind::of(&parts.header)) {
            let (caller, standing) = backstage.caller(kind, parts, now).await?;
            if let Some(known) = standing.and_then(|standing| Remembered::new(&caller, &standing)) {
                self.remembered.insert(hash, known);
            }
            return Ok(caller);
        }
        let verified = self.issuers.verify_parts(token, parts, now).await?;
        let exchanger = self.issuers.exchanger(verified.issuer());
        let subject =
            exchanger.map(|exchanger| Subject::new(exchanger, token, hash, verified.token().expires));
        let caller = Arc::new(Caller { subject_token: subject, ..self.caller(&verified) });
        if let Some(known) = Remembered::new(&caller, verified.standing()) {
            self.remembered.insert(hash, known);
        }
        Ok(caller)
    }

    /// Forgets the tokens that do not hold any more, which nobody may ever send again, and those that were got in
    /// exchange.
    pub fn forget(&self) {
        self.forget_at(Timestamp::now());
    }

    fn forget_at(&self, now: Timestamp) {
        self.remembered.retain(|_, known| known.holds(now));
        self.issuers.forget(now);
        if let Some(backstage) = &self.backstage {
            backstage.forget(now);
        }
    }

    fn caller(&self, verified: &Verified) -> Caller {
        let policy = self.policy(verified.issuer());
        let permissions = policy.map(|policy| policy.bind(verified.claims())).unwrap_or_default();
        let scopes = policy.map(|policy| policy.scopes_had(verified.claims())).unwrap_or_default();
        Caller {
            issuer: Some(Arc::clone(verified.issuer())),
            subject: verified.subject().to_owned(),
            username: verified.username().to_owned(),
            groups: verified.groups().to_vec(),
            permissions: self.share(permissions),
            token: Some(verified.token().clone()),
            identity: self.identity,
            shown: Shown::Everywhere(Arc::new(verified.impersonation().clone())),
            scopes,
            subject_token: None,
            actor: None,
            verified: true,
        }
    }

    /// The same set that another caller has, where one has it.
    fn share(&self, permissions: PermissionSet) -> Arc<PermissionSet> {
        let mut shared = self.shared.lock();
        if let Some(same) = shared.iter().find(|other| ***other == permissions) {
            return Arc::clone(same);
        }
        if shared.len() == MOST_SHARED {
            shared.remove(0);
        }
        let permissions = Arc::new(permissions);
        shared.push(Arc::clone(&permissions));
        permissions
    }
}

#[cfg(test)]
mod tests;
