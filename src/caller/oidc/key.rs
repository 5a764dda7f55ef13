//! [`Key`]: one public key of an issuer (RFC 7517), if it is one that we can and may use.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

use super::algorithm;

/// The shortest RSA modulus, in bits (RFC 7518 section 3.3).
const SHORTEST_RSA: usize = 2048;

/// The longest, which still verifies in well under a millisecond.
const LONGEST_RSA: usize = 8192;

/// A public key that signatures can be checked with.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: Option<String>,
    /// What it may be used with, whatever a token says.
    algorithms: Vec<Algorithm>,
    /// Its numbers, to tell whether it is still the same.
    numbers: Vec<Vec<u8>>,
    decoding: DecodingKey,
}

impl Key {
    /// The key that a member of a set is, or why it cannot be used.
    pub(super) fn read(jwk: &Map<String, Value>) -> Result<Self, &'static str> {
        let id = match jwk.get("kid") {
            None => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return Err("its kid is not a string"),
        };
        for_signatures(jwk)?;
        let (numbers, decoding, mut algorithms) = match text(jwk, "kty")? {
            "RSA" => rsa(jwk)?,
            "EC" => elliptic(jwk)?,
            "OKP" => edwards(jwk)?,
            "oct" => return Err("a shared secret is no public key"),
            _ => return Err("its kty is not known"),
        };
        match jwk.get("alg") {
            None => {}
            Some(Value::String(only)) => {
                let only = algorithm::named(only).ok_or("its alg is not supported")?;
                algorithms.retain(|algorithm| *algorithm == only);
            }
            Some(_) => return Err("its alg is not a string"),
        }
        match algorithms.is_empty() {
            true => Err("its alg is none that its kind of key can have"),
            false => Ok(Self { id, algorithms, numbers, decoding }),
        }
    }

    pub(super) fn serves(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether it made this signature.
    pub(super) fn signed(&self, message: &str, signature: &str, algorithm: Algorithm) -> bool {
        self.serves(algorithm)
            && jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.decoding, algorithm)
                .unwrap_or(false)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, &self.algorithms, &self.numbers) == (&other.id, &other.algorithms, &other.numbers)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithms", &self.algorithms).finish()
    }
}

fn for_signatures(jwk: &Map<String, Value>) -> Result<(), &'static str> {
    if jwk.get("use").is_some_and(|purpose| purpose != "sig") {
        return Err("its use is not sig");
    }
    let verifies = |operations: &Value| {
        operations.as_array().is_some_and(|list| list.iter().any(|operation| operation == "verify"))
    };
    if jwk.get("key_ops").is_some_and(|operations| !verifies(operations)) {
        return Err("its key_ops do not have verify");
    }
    // whoever has read the set can sign with it
    if jwk.contains_key("d") {
        return Err("it is published with its private part");
    }
    Ok(())
}

type Material = (Vec<Vec<u8>>, DecodingKey, Vec<Algorithm>);

fn rsa(jwk: &Map<String, Value>) -> Result<Material, &'static str> {
    let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
    let zeros = n.first().map_or(0, |first| first.leading_zeros() as usize);
    match n.len() * 8 - zeros {
        0..SHORTEST_RSA => return Err("RSA of fewer than 2048 bits"),
        SHORTEST_RSA..=LONGEST_RSA => {}
        _ => return Err("RSA of more than 8192 bits"),
    }
    let small = e.len() == 1 && e.first().is_some_and(|byte| *byte < 3);
    if e.len() > 8 || small || e.last().is_none_or(|last| last % 2 == 0) {
        return Err("an RSA exponent that cannot be");
    }
    RsaPublicKeyComponents { n: &n, e: &e }
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .map_err(|_| "no valid RSA key")?;
    let decoding = DecodingKey::from_rsa_raw_components(&n, &e);
    Ok((vec![n, e], decoding, algorithm::RSA.to_vec()))
}

fn elliptic(jwk: &Map<String, Value>) -> Result<Material, &'static str> {
    let (size, algorithm) = match text(jwk, "crv")? {
        "P-256" => (32, Algorithm::ES256),
        "P-384" => (48, Algorithm::ES384),
        _ => return Err("its curve is not supported"),
    };
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    if x.len() != size || y.len() != size {
        return Err("a coordinate has not the length of its curve");
    }
    let point = [&[4], x.as_slice(), &y].concat();
    match algorithm {
        Algorithm::ES256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point),
        _ => ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &point),
    }
    .map_err(|_| "its point is not on its curve")?;
    let decoding = DecodingKey::from_ec_der(&point);
    Ok((vec![point], decoding, vec![algorithm]))
}

fn edwards(jwk: &Map<String, Value>) -> Result<Material, &'static str> {
    if text(jwk, "crv")? != "Ed25519" {
        return Err("its curve is not supported");
    }
    let x = bytes(jwk, "x")?;
    ParsedPublicKey::new(&ED25519, &x).map_err(|_| "no valid Ed25519 key")?;
    let decoding = DecodingKey::from_ed_der(&x);
    Ok((vec![x], decoding, vec![Algorithm::EdDSA]))
}

fn text<'j>(jwk: &'j Map<String, Value>, name: &str) -> Result<&'j str, &'static str> {
    jwk.get(name).and_then(Value::as_str).ok_or(match name {
        "kty" => "it has no kty",
        _ => "a member that its kind must have is absent or not a string",
    })
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, &'static str> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).map_err(|_| "a member is not base64url without padding")
}

/// A big-endian number. Some issuers put zeros in front, as DER has them.
fn number(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, &'static str> {
    let mut number = bytes(jwk, name)?;
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.drain(..zeros);
    Ok(number)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::json;

    use super::*;

    fn read(jwk: &Value) -> Result<Key, &'static str> {
        Key::read(jwk.as_object().expect("an object"))
    }

    /// A modulus of that many bits.
    fn modulus(bits: usize) -> String {
        let mut bytes = vec![0xff; bits / 8];
        bytes[0] = 0x80;
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn point() -> (String, String) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let point = pair.public_key().as_ref().to_vec();
        (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]))
    }

    #[test]
    fn keys_that_cannot_or_may_not_be_used_say_why() {
        let (x, y) = point();
        let other = point().1;
        let (n, e) = (modulus(2048), "AQAB");
        for (jwk, why) in [
            (json!({}), "no kty"),
            (json!({"kty": 1}), "no kty"),
            (json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}), "kty is not known"),
            (json!({"kty": "oct", "k": "AAAA"}), "shared secret"),
            (json!({"kty": "RSA", "e": e}), "absent"),
            (json!({"kty": "RSA", "n": n}), "absent"),
            (json!({"kty": "RSA", "n": 5, "e": e}), "absent or not a string"),
            (json!({"kty": "RSA", "n": "AA+/", "e": e}), "base64url"),
            (json!({"kty": "RSA", "n": "", "e": e}), "fewer than 2048"),
            (json!({"kty": "RSA", "n": modulus(1024), "e": e}), "fewer than 2048"),
            (json!({"kty": "RSA", "n": modulus(2040), "e": e}), "fewer than 2048"),
            (json!({"kty": "RSA", "n": modulus(16384), "e": e}), "more than 8192"),
            (json!({"kty": "RSA", "n": n, "e": "AQ"}), "exponent"),
            (json!({"kty": "RSA", "n": n, "e": "AQAA"}), "exponent"),
            (json!({"kty": "RSA", "n": n, "e": ""}), "exponent"),
            (json!({"kty": "RSA", "n": n, "e": e, "use": "enc"}), "use"),
            (json!({"kty": "RSA", "n": n, "e": e, "use": null}), "use"),
            (json!({"kty": "RSA", "n": n, "e": e, "key_ops": ["sign", "encrypt"]}), "key_ops"),
            (json!({"kty": "RSA", "n": n, "e": e, "key_ops": "verify"}), "key_ops"),
            (json!({"kty": "RSA", "n": n, "e": e, "d": "AAAA"}), "private"),
            (json!({"kty": "RSA", "n": n, "e": e, "kid": 7}), "kid"),
            (json!({"kty": "RSA", "n": n, "e": e, "alg": "HS256"}), "not supported"),
            (json!({"kty": "RSA", "n": n, "e": e, "alg": "none"}), "not supported"),
            (json!({"kty": "RSA", "n": n, "e": e, "alg": "RSA-OAEP"}), "not supported"),
            (json!({"kty": "RSA", "n": n, "e": e, "alg": "ES256"}), "none that its kind"),
            (json!({"kty": "RSA", "n": n, "e": e, "alg": ["RS256"]}), "not a string"),
            (json!({"kty": "EC", "crv": "P-521", "x": x, "y": y}), "curve is not supported"),
            (json!({"kty": "EC", "crv": "secp256k1", "x": x, "y": y}), "curve is not supported"),
            (json!({"kty": "EC", "x": x, "y": y}), "absent"),
            (json!({"kty": "EC", "crv": "P-256", "x": x}), "absent"),
            (json!({"kty": "EC", "crv": "P-256", "x": x, "y": other}), "not on its curve"),
            (json!({"kty": "EC", "crv": "P-384", "x": x, "y": y}), "length"),
            (json!({"kty": "OKP", "crv": "X25519", "x": x}), "curve is not supported"),
            (json!({"kty": "OKP", "crv": "Ed448", "x": x}), "curve is not supported"),
            (json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}), "Ed25519"),
        ] {
            let said = read(&jwk).expect_err(&jwk.to_string());
            assert!(said.contains(why), "{jwk}: {said}");
        }
    }

    #[test]
    fn a_key_serves_its_kinds_algorithms_or_the_one_it_names() {
        let rsa = json!({"kty": "RSA", "n": modulus(2048), "e": "AQAB", "key_ops": ["verify"], "use": "sig"});
        let key = read(&rsa).expect("a key");
        assert!(key.serves(Algorithm::RS256) && key.serves(Algorithm::PS512));
        assert!(!key.serves(Algorithm::ES256) && !key.serves(Algorithm::HS256));
        let only = json!({"kty": "RSA", "n": modulus(2048), "e": "AQAB", "alg": "PS256"});
        let key = read(&only).expect("a key");
        assert!(key.serves(Algorithm::PS256) && !key.serves(Algorithm::RS256));
        let (x, y) = point();
        let key = read(&json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})).expect("a key");
        assert!(key.serves(Algorithm::ES256) && !key.serves(Algorithm::ES384));
    }

    #[test]
    fn zeros_in_front_of_a_modulus_are_no_bits() {
        let padded = |bits: usize| {
            let mut bytes = vec![0];
            bytes.extend(URL_SAFE_NO_PAD.decode(modulus(bits)).expect("base64url"));
            json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(bytes), "e": "AAEAAQ"})
        };
        assert!(read(&padded(2048)).is_ok());
        assert!(read(&padded(2040)).is_err());
    }
}
