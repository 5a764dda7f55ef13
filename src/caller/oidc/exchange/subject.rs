//! [`Subject`]: a caller's token, kept to be exchanged and for nothing else.

use std::sync::{Arc, OnceLock};

use futures::{FutureExt as _, future::BoxFuture};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::{Exchanger, Key};
use crate::kubernetes::{As, Fault, Identity, Trusting, identity::Bearer};

/// A caller's token. Its `Debug` says nothing of it.
#[derive(Clone)]
pub(in crate::caller) struct Subject {
    token: Arc<SecretString>,
    hash: [u8; 32],
    expires: Timestamp,
    exchanger: Arc<Exchanger>,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subject")
    }
}

impl Subject {
    /// A token that was verified, and that this exchanger's issuer made.
    pub(in crate::caller) fn new(
        exchanger: &Arc<Exchanger>,
        token: &str,
        hash: [u8; 32],
        expires: Timestamp,
    ) -> Self {
        let token = Arc::new(token.to_owned().into());
        Self { token, hash, expires, exchanger: Arc::clone(exchanger) }
    }

    /// As whom clusters are asked that take tokens for this audience.
    pub(in crate::caller) fn acting(&self, audience: &str) -> As {
        As::Bearer(Arc::new(Exchanged { subject: self.clone(), audience: audience.into() }))
    }

    /// The same of the audience that a cluster's own settings name.
    pub(in crate::caller) fn acting_for(&self, asked: &Arc<dyn Trusting>) -> As {
        As::Bearer(Arc::new(Asking {
            subject: self.clone(),
            asked: Arc::clone(asked),
            known: OnceLock::new(),
        }))
    }

    /// The bytes that it keeps in use.
    pub(in crate::caller) fn weight(&self) -> usize {
        size_of::<SecretString>() + self.token.expose_secret().len()
    }

    pub(super) fn token(&self) -> &SecretString {
        &self.token
    }

    pub(super) fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    pub(super) fn expires(&self) -> Timestamp {
        self.expires
    }
}

/// What a cluster is shown instead of it.
#[derive(Debug)]
struct Exchanged {
    subject: Subject,
    audience: Arc<str>,
}

/// The same, before it is known what for.
#[derive(Debug)]
struct Asking {
    subject: Subject,
    asked: Arc<dyn Trusting>,
    known: OnceLock<Arc<str>>,
}

impl Asking {
    fn exchanged(&self, audience: &Arc<str>) -> Exchanged {
        Exchanged { subject: self.subject.clone(), audience: Arc::clone(audience) }
    }
}

impl Bearer for Asking {
    fn token(&self, deadline: Instant) -> BoxFuture<'_, Result<SecretString, Fault>> {
        let token = async move {
            let audience: Arc<str> = self.asked.trust(deadline).await?.client.into();
            self.exchanged(self.known.get_or_init(|| audience)).token(deadline).await
        };
        token.boxed()
    }

    fn identity(&self) -> Identity {
        Identity::Exchange
    }

    fn refused(&self) {
        if let Some(audience) = self.known.get() {
            self.exchanged(audience).refused();
        }
    }
}

impl Bearer for Exchanged {
    fn token(&self, deadline: Instant) -> BoxFuture<'_, Result<SecretString, Fault>> {
        self.subject.exchanger.token(&self.subject, &self.audience, deadline).boxed()
    }

    fn identity(&self) -> Identity {
        Identity::Exchange
    }

    fn refused(&self) {
        let key: Key = (self.subject.hash, Arc::clone(&self.audience));
        self.subject.exchanger.refused(&key);
    }
}
