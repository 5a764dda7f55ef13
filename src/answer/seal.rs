//! [`Seal`]: handles that a caller carries for us (cursors, later plans): encrypted, bound to who
//! got them and for what, and with an end. Any replica with the same key opens them.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest,
    hkdf::{HKDF_SHA256, Salt},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;

/// Why a handle was not accepted. Callers are told only that it is not valid any more, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsealed {
    /// Not ours, altered, another caller's, or for another question.
    #[error("not a handle given to this caller for this question")]
    Foreign,
    /// Too old.
    #[error("expired")]
    Expired,
}

/// The key that handles are sealed with.
pub struct Seal {
    key: RandomizedNonceKey,
    secret: [u8; 32],
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(..)")
    }
}

impl Seal {
    /// From configured key material of any length (it is hashed); replicas share it.
    ///
    /// # Errors
    /// Never in practice: a digest always has the key's length.
    pub fn from_secret(secret: &[u8]) -> Result<Self, aws_lc_rs::error::Unspecified> {
        let key = digest::digest(&digest::SHA256, secret);
        let mut secret = [0; 32];
        secret.copy_from_slice(key.as_ref());
        Ok(Self { key: RandomizedNonceKey::new(&AES_256_GCM, key.as_ref())?, secret })
    }

    /// From randomness: handles end with this process.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut secret = [0; 32];
        // aws-lc's own generator seeds itself for 35 ms at its first use: too much for a start
        getrandom::fill(&mut secret).map_err(|_| aws_lc_rs::error::Unspecified)?;
        Self::from_secret(&secret)
    }

    /// A secret for another end, which says nothing of this key or of secrets for other ends. Replicas that share
    /// the key have the same.
    ///
    /// # Errors
    /// Never in practice: it is as long as a digest.
    pub fn derived(&self, end: &[u8]) -> Result<[u8; 32], aws_lc_rs::error::Unspecified> {
        let mut derived = [0; 32];
        let salt = Salt::new(HKDF_SHA256, b"platform-mcp seal");
        salt.extract(&self.secret).expand(&[end], HKDF_SHA256)?.fill(&mut derived)?;
        Ok(derived)
    }

    /// Seals `content` for `binding` (who and what for) until `expires`.
    ///
    /// # Errors
    /// When the cipher fails; never for contents of our size.
    pub fn seal(
        &self,
        binding: &[&str],
        expires: Timestamp,
        content: &str,
    ) -> Result<String, aws_lc_rs::error::Unspecified> {
        let mut sealed = expires.as_second().to_be_bytes().to_vec();
        sealed.extend_from_slice(content.as_bytes());
        let nonce = self.key.seal_in_place_append_tag(Aad::from(bound(binding)), &mut sealed)?;
        sealed.extend_from_slice(nonce.as_ref());
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What was sealed for this binding, if its time is not over.
    ///
    /// # Errors
    /// [`Unsealed::Foreign`] for anything that [`Self::seal`] did not make for this binding.
    pub fn open(&self, binding: &[&str], now: Timestamp, handle: &str) -> Result<String, Unsealed> {
        let mut sealed = URL_SAFE_NO_PAD.decode(handle).map_err(|_| Unsealed::Foreign)?;
        let at = sealed.len().checked_sub(NONCE_LEN).ok_or(Unsealed::Foreign)?;
        let nonce = sealed.split_off(at);
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| Unsealed::Foreign)?;
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(bound(binding)), &mut sealed)
            .map_err(|_| Unsealed::Foreign)?;
        let (expires, content) = plain.split_first_chunk::<8>().ok_or(Unsealed::Foreign)?;
        if i64::from_be_bytes(*expires) < now.as_second() {
            return Err(Unsealed::Expired);
        }
        String::from_utf8(content.to_vec()).map_err(|_| Unsealed::Foreign)
    }
}

/// Lengths go in front, so that no two bindings read the same.
fn bound(parts: &[&str]) -> Vec<u8> {
    let mut bound = Vec::new();
    for part in parts {
        bound.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bound.extend_from_slice(part.as_bytes());
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_handle_opens_only_for_whom_it_was_sealed_and_in_time() {
        let seal = Seal::from_secret(b"shared").expect("a key");
        let replica = Seal::from_secret(b"shared").expect("a key");
        let handle = seal.seal(&["alice", "kro_instances"], at(100), "after=x").expect("sealed");
        assert_eq!(replica.open(&["alice", "kro_instances"], at(100), &handle), Ok("after=x".to_owned()));
        assert_eq!(replica.open(&["alice", "kro_instances"], at(101), &handle), Err(Unsealed::Expired));
        for binding in [["bob", "kro_instances"], ["alice", "kro_graph"], ["alicekro_", "instances"]] {
            assert_eq!(replica.open(&binding, at(1), &handle), Err(Unsealed::Foreign));
        }
        let mut altered = handle.into_bytes();
        altered[3] ^= 1;
        let altered = String::from_utf8_lossy(&altered).into_owned();
        for odd in [altered.as_str(), "", "é", "AAAA", &"A".repeat(5000)] {
            assert_eq!(replica.open(&["alice", "kro_instances"], at(1), odd), Err(Unsealed::Foreign));
        }
        assert!(!seal.seal(&["a"], at(1), "after=x").expect("sealed").contains("after"));
    }
}
