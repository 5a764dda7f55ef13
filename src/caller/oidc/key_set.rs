//! [`KeySet`]: the usable keys of an issuer, and what was left out of its set.

use jsonwebtoken::Algorithm;
use serde_json::value::RawValue;

use super::key::Key;
use crate::{answer::sanitise, strict_json};

/// No issuer needs more keys.
const MOST: usize = 100;

/// The keys of an issuer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::caller) struct KeySet {
    keys: Vec<Key>,
    skipped: Vec<String>,
}

/// What a set has for a token.
#[derive(Debug)]
pub(super) enum Fit<'s> {
    /// These may have signed it.
    Keys(Vec<&'s Key>),
    /// The set has no key of that name: the issuer may have a new one.
    Unknown,
    /// The set has keys, and none that the token may mean.
    None,
}

impl KeySet {
    /// Reads a JWK set. One odd key spoils no other.
    pub(in crate::caller) fn read(body: &[u8]) -> Result<Self, String> {
        #[derive(serde::Deserialize)]
        struct Raw<'b> {
            #[serde(borrow)]
            keys: Vec<&'b RawValue>,
        }
        let raw: Raw<'_> =
            serde_json::from_slice(body).map_err(|_| "its key set is not a JWK set".to_owned())?;
        if raw.keys.len() > MOST {
            return Err(format!("its key set has more than {MOST} keys"));
        }
        let mut set = Self::default();
        for (index, jwk) in raw.keys.iter().enumerate() {
            let read = strict_json::object(jwk.get().as_bytes());
            let name = read.as_ref().ok().and_then(|jwk| jwk.get("kid")?.as_str());
            let name = name.map_or_else(
                || format!("number {}", index + 1),
                |kid| format!("{:?}", sanitise::short(kid, 60)),
            );
            match read.as_ref().map_err(|why| *why).and_then(Key::read) {
                Ok(key) => set.keys.push(key),
                Err(why) => set.skipped.push(format!("key {name}: {why}")),
            }
        }
        Ok(set)
    }

    /// The keys that a token with this header may be signed with.
    pub(super) fn fit(&self, id: Option<&str>, algorithm: Algorithm) -> Fit<'_> {
        let serving = self.keys.iter().filter(|key| key.serves(algorithm));
        let Some(id) = id else {
            let keys: Vec<&Key> = serving.collect();
            // several: to try them all would let a token choose its key
            return if keys.len() == 1 { Fit::Keys(keys) } else { Fit::None };
        };
        let keys: Vec<&Key> = serving.filter(|key| key.id.as_deref() == Some(id)).collect();
        match keys.is_empty() {
            false => Fit::Keys(keys),
            true if self.keys.iter().any(|key| key.id.as_deref() == Some(id)) => Fit::None,
            true => Fit::Unknown,
        }
    }

    /// How many keys serve one of these algorithms.
    pub(in crate::caller) fn serving(&self, algorithms: &[Algorithm]) -> usize {
        self.keys.iter().filter(|key| algorithms.iter().any(|algorithm| key.serves(*algorithm))).count()
    }

    /// Whether there is no usable key.
    pub(in crate::caller) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// What was left out and why, a line each.
    pub(in crate::caller) fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// Whether the usable keys are the same.
    pub(super) fn same_keys(&self, other: &Self) -> bool {
        self.keys == other.keys
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;

    fn key(id: Option<&str>) -> Value {
        let pair = Ed25519KeyPair::generate().expect("a key");
        let mut jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(pair.public_key())});
        if let Some(id) = id {
            jwk["kid"] = id.into();
        }
        jwk
    }

    fn set(keys: &[Value]) -> KeySet {
        KeySet::read(json!({ "keys": keys }).to_string().as_bytes()).expect("a set")
    }

    fn count(fit: &Fit<'_>) -> usize {
        if let Fit::Keys(keys) = fit { keys.len() } else { 0 }
    }

    #[test]
    fn odd_members_spoil_no_good_key() {
        let odd = [
            json!(null),
            json!("x"),
            json!([]),
            json!({}),
            json!({"kty": "EC", "crv": "P-999", "kid": "\u{1b}[1mq"}),
        ];
        let mut keys = odd.to_vec();
        keys.insert(2, key(Some("good")));
        let set = set(&keys);
        assert_eq!(set.skipped().len(), odd.len());
        assert!(set.skipped().iter().all(|line| !line.contains('\u{1b}')), "{:?}", set.skipped());
        assert_eq!(count(&set.fit(Some("good"), Algorithm::EdDSA)), 1);
        let twice = format!(r#"{{"keys":[{{"kty":"OKP","kty":"RSA"}},{}]}}"#, key(Some("a")));
        let set = KeySet::read(twice.as_bytes()).expect("a set");
        assert_eq!((set.serving(&[Algorithm::EdDSA]), set.skipped().len()), (1, 1));
    }

    #[test]
    fn what_is_no_set_is_none() {
        let many: Vec<Value> = (0..=MOST).map(|_| json!({})).collect();
        for body in ["", "<html>", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, r#"{"Keys":[]}"#]
        {
            assert!(KeySet::read(body.as_bytes()).is_err(), "{body}");
        }
        assert!(KeySet::read(json!({ "keys": many }).to_string().as_bytes()).is_err());
        assert!(KeySet::read(b"{\"keys\":[\"\xff\"]}").is_err());
    }

    #[test]
    fn a_token_without_a_key_name_may_mean_only_the_one_key_there_is() {
        let one = set(&[key(None)]);
        assert_eq!(count(&one.fit(None, Algorithm::EdDSA)), 1);
        assert!(matches!(one.fit(None, Algorithm::ES256), Fit::None));
        assert!(matches!(set(&[key(Some("a")), key(None)]).fit(None, Algorithm::EdDSA), Fit::None));
        assert!(matches!(one.fit(Some("a"), Algorithm::EdDSA), Fit::Unknown));
    }

    #[test]
    fn of_keys_with_one_name_all_that_serve_are_tried() {
        let set = set(&[key(Some("a")), key(Some("a")), key(Some("b"))]);
        assert_eq!(count(&set.fit(Some("a"), Algorithm::EdDSA)), 2);
        assert!(matches!(set.fit(Some("a"), Algorithm::RS256), Fit::None));
        assert!(matches!(set.fit(Some("A"), Algorithm::EdDSA), Fit::Unknown));
    }
}
