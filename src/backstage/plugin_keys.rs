//! [`PluginKeys`]: the keys that our own plugin tokens are signed with: ES256, a new one each hour. They are made of
//! the key that plans are sealed with, so that every replica signs with the same and publishes the same, and none
//! has to be kept.

use std::sync::Arc;

use aws_lc_rs::{
    agreement::{self, ECDH_P256},
    digest::{SHA256, digest},
    error::Unspecified,
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// Seconds that a key signs.
const EPOCH: i64 = 3_600;
/// For how many epochs before its own and after it a key is published: tokens outlive the epoch that they were
/// signed in, and whoever keeps a key set for a while has the next key already.
const BEFORE: i64 = 2;
const AFTER: i64 = 1;
/// A random number is no private key about once in 2^32.
const TRIES: u8 = 8;

/// Makes keys.
pub struct PluginKeys {
    secret: [u8; 32],
    /// What was made of it last: whoever asks costs nothing.
    made: Mutex<Option<Made>>,
}

#[derive(Clone)]
struct Made {
    epoch: i64,
    signing: Arc<PluginKey>,
    public: Arc<Value>,
}

/// One key.
pub struct PluginKey {
    pair: EcdsaKeyPair,
    /// `kid`.
    pub id: String,
}

impl std::fmt::Debug for PluginKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PluginKeys(..)")
    }
}

impl PluginKeys {
    /// Of a secret that nobody else has.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret, made: Mutex::new(None) }
    }

    /// The key that signs at `now`.
    ///
    /// # Errors
    /// When the system's cryptography does not work.
    pub fn current(&self, now: Timestamp) -> Result<Arc<PluginKey>, Unspecified> {
        self.made(now).map(|made| made.signing)
    }

    /// The set of public keys (RFC 7517 section 5) that tokens of now are checked with.
    ///
    /// # Errors
    /// The same.
    pub fn public(&self, now: Timestamp) -> Result<Arc<Value>, Unspecified> {
        self.made(now).map(|made| made.public)
    }

    fn made(&self, now: Timestamp) -> Result<Made, Unspecified> {
        let epoch = now.as_second().div_euclid(EPOCH);
        let mut kept = self.made.lock();
        if let Some(made) = kept.as_ref().filter(|made| made.epoch == epoch) {
            return Ok(made.clone());
        }
        let keys = (epoch - BEFORE..=epoch + AFTER).map(|epoch| self.key(epoch)?.public());
        let public = json!({ "keys": keys.collect::<Result<Vec<_>, _>>()? });
        let made = Made { epoch, signing: Arc::new(self.key(epoch)?), public: Arc::new(public) };
        *kept = Some(made.clone());
        Ok(made)
    }

    fn key(&self, epoch: i64) -> Result<PluginKey, Unspecified> {
        (0..TRIES).find_map(|attempt| self.tried(epoch, attempt).ok()).ok_or(Unspecified)
    }

    fn tried(&self, epoch: i64, attempt: u8) -> Result<PluginKey, Unspecified> {
        let salt = Salt::new(HKDF_SHA256, b"platform-mcp Backstage plugin token key");
        let derived = salt.extract(&self.secret);
        let info = [&epoch.to_be_bytes()[..], &[attempt]];
        let mut private = [0; 32];
        derived.expand(&info, PrivateKey)?.fill(&mut private)?;
        let point = agreement::PrivateKey::from_private_key(&ECDH_P256, &private)?.compute_public_key()?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &private,
            point.as_ref(),
        )?;
        let id = URL_SAFE_NO_PAD.encode(digest(&SHA256, point.as_ref()).as_ref().get(..12).unwrap_or(&[]));
        Ok(PluginKey { pair, id })
    }
}

impl PluginKey {
    /// The signature of a message, as a JWS has it (RFC 7518 section 3.4).
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        Ok(self.pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec())
    }

    fn public(&self) -> Result<Value, Unspecified> {
        // an uncompressed point (SEC 1 section 2.3.3)
        let (x, y) = match self.pair.public_key().as_ref() {
            [4, point @ ..] if point.len() == 64 => point.split_at(32),
            _ => return Err(Unspecified),
        };
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Ok(json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id, "x": number(x), "y": number(y),
        }))
    }
}

/// As many bytes as a private key of P-256 has.
struct PrivateKey;

impl KeyType for PrivateKey {
    fn len(&self) -> usize {
        32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(set: &Value) -> Vec<String> {
        let keys = set["keys"].as_array().expect("keys");
        keys.iter().map(|key| key["kid"].as_str().expect("a name").to_owned()).collect()
    }

    #[test]
    fn replicas_sign_with_the_same_key_and_a_new_one_each_hour() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let (one, other) = (PluginKeys::new([7; 32]), PluginKeys::new([7; 32]));
        let now = at(1_795_000_000);
        assert_eq!(one.public(now).expect("keys"), other.public(now).expect("keys"));
        let first = one.current(now).expect("a key").id.clone();
        let later = at(1_795_000_000 + EPOCH);
        let second = one.current(later).expect("a key").id.clone();
        assert_ne!(first, second);
        for moment in [now, later] {
            let known = ids(&one.public(moment).expect("keys"));
            assert!(known.contains(&first) && known.contains(&second), "{known:?}");
        }
        let much_later = ids(&one.public(at(1_795_000_000 + 4 * EPOCH)).expect("keys"));
        assert!(!much_later.contains(&first), "{much_later:?}");
        assert_ne!(first, PluginKeys::new([8; 32]).current(now).expect("a key").id);
        assert!(!one.public(now).expect("keys").to_string().contains("\"d\""), "public parts alone");
    }
}
