//! What stands in the file of a sign-in: whose it is for everybody who may read it, and the tokens, sealed where
//! there is a key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::super::{SignInError, Tokens, tokens::Written};

const VERSION: u32 = 1;

/// How it is kept.
#[derive(Clone)]
pub struct Kept {
    /// With what it is sealed.
    pub(super) key: Option<SecretString>,
}

impl Kept {
    /// Whether its key is in the system's keyring.
    pub fn is_sealed(&self) -> bool {
        self.key.is_some()
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("is_sealed", &self.is_sealed()).finish_non_exhaustive()
    }
}

/// The file. It has no `Debug`.
#[derive(Serialize, Deserialize)]
pub(super) struct Entry {
    version: u32,
    issuer: String,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<Written>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
}

/// A new key.
pub(super) fn key() -> Result<SecretString, SignInError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|_| SignInError::Kept("the system gives no randomness".to_owned()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}

pub(super) fn text(
    issuer: &str,
    client_id: &str,
    kept: &Kept,
    tokens: &Tokens,
) -> Result<String, SignInError> {
    let unsealed = || SignInError::Kept("the tokens could not be sealed".to_owned());
    let (tokens, sealed) = match &kept.key {
        None => (Some(Written::from(tokens)), None),
        Some(key) => {
            let mut bytes = serde_json::to_vec(&Written::from(tokens)).map_err(|_| unsealed())?;
            let key = cipher(key).ok_or_else(unsealed)?;
            let bound = Aad::from(bound(issuer, client_id));
            let nonce = key.seal_in_place_append_tag(bound, &mut bytes).map_err(|_| unsealed())?;
            bytes.extend_from_slice(nonce.as_ref());
            (None, Some(URL_SAFE_NO_PAD.encode(bytes)))
        }
    };
    let (issuer, client_id) = (issuer.to_owned(), client_id.to_owned());
    serde_json::to_string(&Entry { version: VERSION, issuer, client_id, tokens, sealed })
        .map_err(|_| unsealed())
}

pub(super) fn read(text: &SecretString) -> Result<Entry, &'static str> {
    let entry: Entry = serde_json::from_str(text.expose_secret()).map_err(|_| "it is no sign-in of ours")?;
    if entry.version == VERSION { Ok(entry) } else { Err("it is of another version of platform-mcp") }
}

impl Entry {
    pub(super) fn issuer(&self) -> &String {
        &self.issuer
    }

    pub(super) fn client_id(&self) -> &String {
        &self.client_id
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.sealed.is_some()
    }

    pub(super) fn open(self, key: Option<&SecretString>) -> Result<Tokens, &'static str> {
        let (sealed, key) = match (self.tokens, self.sealed, key) {
            (Some(tokens), None, _) => return Ok(tokens.into()),
            (None, Some(sealed), Some(key)) => (sealed, key),
            _ => return Err("it holds no tokens"),
        };
        let foreign = "it is not sealed with the key in the keyring";
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| foreign)?;
        let at = bytes.len().checked_sub(NONCE_LEN).ok_or(foreign)?;
        let nonce = Nonce::try_assume_unique_for_key(&bytes.split_off(at)).map_err(|_| foreign)?;
        let bound = Aad::from(bound(&self.issuer, &self.client_id));
        let key = cipher(key).ok_or(foreign)?;
        let plain = key.open_in_place(nonce, bound, &mut bytes).map_err(|_| foreign)?;
        serde_json::from_slice::<Written>(plain).map(Into::into).map_err(|_| foreign)
    }
}

fn cipher(key: &SecretString) -> Option<RandomizedNonceKey> {
    let key = URL_SAFE_NO_PAD.decode(key.expose_secret()).ok()?;
    RandomizedNonceKey::new(&AES_256_GCM, &key).ok()
}

fn bound(issuer: &str, client_id: &str) -> Vec<u8> {
    format!("{issuer}\n{client_id}").into_bytes()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::caller::login::Shown;

    fn tokens() -> Tokens {
        let held = crate::caller::login::tokens::Held { token: "planted".into(), ends: None };
        let since = Timestamp::from_second(1_000).expect("a time");
        Tokens {
            access: Some(held),
            id: None,
            refresh: Some("planted".into()),
            subject: "alice".into(),
            since,
        }
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_and_for_its_client_alone() {
        let kept = Kept { key: Some(key().expect("a key")) };
        let text: SecretString = text("https://a", "b", &kept, &tokens()).expect("sealed").into();
        assert!(!text.expose_secret().contains("planted") && !text.expose_secret().contains("alice"));
        let open =
            |text: &SecretString, key: Option<&SecretString>| read(text).and_then(|entry| entry.open(key));
        let opened = open(&text, kept.key.as_ref()).expect("opened");
        assert_eq!(opened.held(Shown::Access).map(|held| held.token.expose_secret()), Some("planted"));
        let other = key().expect("a key");
        assert!(open(&text, Some(&other)).is_err() && open(&text, None).is_err());
        let moved = text.expose_secret().replace("https://a", "https://x").into();
        assert!(open(&moved, kept.key.as_ref()).is_err(), "it is of another issuer now");
        for odd in ["", "{}", "[]", r#"{"version":2,"issuer":"a","client_id":"b"}"#] {
            assert!(open(&odd.into(), None).is_err(), "{odd}");
        }
    }

    #[test]
    fn without_a_key_it_is_plain() {
        let kept = Kept { key: None };
        let text: SecretString = text("https://a", "b", &kept, &tokens()).expect("written").into();
        let opened = read(&text).and_then(|entry| entry.open(None)).expect("opened");
        assert_eq!(opened.subject, "alice");
        assert!(!format!("{opened:?}{kept:?}").contains("planted"));
    }
}
