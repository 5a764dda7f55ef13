//! Tokens of OIDC issuers: the only place that makes a [`Verified`].
//!
//! A token is taken apart ([`compact`], [`json`]), routed by `iss` to a configured issuer, judged by
//! what needs no key ([`header`], [`claims`]), then by its signature ([`keys`]), and at last read for who
//! its owner is ([`identity`]). Every rule is here because some server somewhere lacked it.

pub(crate) mod algorithm;
pub(super) mod claims;
pub(in crate::caller) mod client;
pub(super) mod compact;
pub(in crate::caller) mod discovery;
pub mod exchange;
pub(crate) mod header;
mod identity;
mod issuer;
mod key;
pub(super) mod key_set;
pub(super) mod keys;
pub(crate) mod place;
pub mod refusal;
mod search;
pub mod settings;
pub(super) mod signature;
pub mod verified;

#[cfg(test)]
pub(super) mod tests;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde_json::{Map, Value};

use compact::Compact;
use exchange::Exchanger;
pub use identity::Identity;
use issuer::Issuer;
pub use refusal::Refusal;
pub use settings::IssuerSettings;
pub use verified::{Standing, Verified};

/// The issuers whose tokens are taken, with their keys.
#[derive(Debug)]
pub struct Issuers {
    issuers: Vec<Issuer>,
}

/// What an issuer has when it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// How many of its keys serve a configured algorithm.
    pub usable: usize,
    /// What of its key set is left out and why, a line each.
    pub skipped: Vec<String>,
    /// Whether it says that it exchanges tokens, where that is configured; nothing where it does not say what
    /// it does.
    pub exchanges: Option<bool>,
}

impl Issuers {
    /// Issuers with these settings. Nothing is fetched before the first token comes. The keys of issuers
    /// that `before` asks at the same place are kept.
    pub fn new(settings: Vec<IssuerSettings>, before: Option<&Self>) -> Self {
        let before = before.map(|before| before.issuers.as_slice()).unwrap_or_default();
        Self { issuers: settings.into_iter().map(|settings| Issuer::new(settings, before)).collect() }
    }

    /// Their settings.
    pub fn settings(&self) -> impl Iterator<Item = &IssuerSettings> {
        self.issuers.iter().map(|issuer| &issuer.settings)
    }

    /// Begins to fetch keys, so that the first token need not wait for them. Returns at once; must be
    /// called within a runtime.
    pub fn warm(&self) {
        self.issuers.iter().for_each(|issuer| issuer.keys.keep());
    }

    /// Asks each issuer for its keys, once, beside the kept ones: for `check`.
    pub async fn reach(&self) -> Vec<(&IssuerSettings, Result<Reached, String>)> {
        let each = self.issuers.iter().map(async |issuer| {
            let reached = async {
                let keys = issuer.origin.fetch().await?;
                let exchanges = match issuer.settings.exchange {
                    Some(_) => exchange::is_offered(&issuer.origin).await?,
                    None => None,
                };
                let usable = keys.serving(&issuer.settings.algorithms);
                Ok(Reached { usable, skipped: keys.skipped().to_vec(), exchanges })
            };
            (&issuer.settings, reached.await)
        });
        futures::future::join_all(each).await
    }

    /// What an ID token says that this issuer made for this client, with its end. It says who signed in; whether it
    /// gives access here is for [`Self::verify`] to say.
    pub(super) async fn id_token(
        &self,
        issuer: &str,
        token: &str,
        client: &str,
        now: Timestamp,
    ) -> Result<(Map<String, Value>, Timestamp), Refusal> {
        let parts = Compact::parse(token)?;
        let said = parts.claims.get("iss").and_then(Value::as_str).ok_or(Refusal::Issuer)?;
        let known = self.issuers.iter().find(|known| &*known.name == issuer && said == issuer);
        known.ok_or(Refusal::Issuer)?.id_token(parts, client, now).await
    }

    /// Whether whoever shows this token here would be taken for its owner, given that its signature is good. Asks
    /// nobody.
    pub fn would_take(&self, token: &str, now: Timestamp) -> bool {
        let Ok(parts) = Compact::parse(token) else { return false };
        let said = parts.claims.get("iss").and_then(Value::as_str);
        self.issuers.iter().any(|known| said == Some(&*known.name) && known.would_take(&parts, now))
    }

    /// What exchanges the tokens of an issuer, where anything does.
    pub(super) fn exchanger(&self, issuer: &str) -> Option<&Arc<Exchanger>> {
        self.issuers.iter().find(|known| &*known.name == issuer)?.exchanger.as_ref()
    }

    /// Forgets tokens that were got in exchange and have ended.
    pub(super) fn forget(&self, now: Timestamp) {
        self.issuers.iter().filter_map(|issuer| issuer.exchanger.as_ref()).for_each(|held| held.forget(now));
    }

    /// What a token says, if one of the issuers says so.
    ///
    /// # Errors
    /// Why it is refused: for logs, never for whoever sent it.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, Refusal> {
        self.verify_parts(token, Compact::parse(token)?, now).await
    }

    /// As [`Self::verify`], of a token that was taken apart.
    pub(super) async fn verify_parts(
        &self,
        token: &str,
        parts: Compact<'_>,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        let issuer = parts.claims.get("iss").and_then(Value::as_str).ok_or(Refusal::Issuer)?;
        let issuer = self.issuers.iter().find(|known| &*known.name == issuer).ok_or(Refusal::Issuer)?;
        issuer.verify(parts, named(token.as_bytes()), now).await
    }
}

/// What a token says of itself, true or not: to explain it, and for nothing else.
///
/// # Errors
/// It is no token.
pub fn unverified(token: &str) -> Result<Map<String, Value>, Refusal> {
    Compact::parse(token).map(|parts| parts.claims)
}

/// The SHA-256 of a token: what it is known by, here and in logs.
pub(super) fn hash(token: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token).as_ref());
    hash
}

/// What logs call a credential, whatever it is: the first 16 hexadecimal digits of its SHA-256.
pub(crate) fn named(credential: &[u8]) -> String {
    hash(credential).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
