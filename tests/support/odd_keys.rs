//! What stands in key sets beside good keys: entries that nobody can read, and keys that must not be used.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::keys::{Alg, Key};

/// The secret of the entry of type `oct`.
pub(crate) const OCT: &[u8] = b"a secret that everybody can read, since it is published";

/// Keys that can sign, published in a way that says they must not, or too weak for it.
pub(crate) struct Unfit {
    /// RSA with 1024 bits.
    pub(crate) small: Key,
    /// `use: enc`.
    pub(crate) encrypts: Key,
    /// `key_ops: [encrypt]`.
    pub(crate) operates: Key,
    /// ES512 on P-521.
    pub(crate) large_curve: Key,
    /// `alg: RS512`, so RS256 is not for it.
    pub(crate) other_alg: Key,
}

impl Unfit {
    /// New ones.
    pub(crate) fn new() -> Self {
        Self {
            small: Key::rsa_1024("small"),
            encrypts: Key::new(Alg::Rs256, "encrypts"),
            operates: Key::new(Alg::Rs256, "operates"),
            large_curve: Key::new(Alg::Es512, "large-curve"),
            other_alg: Key::new(Alg::Rs256, "other-alg"),
        }
    }

    /// As a key set has them.
    pub(crate) fn entries(&self) -> Vec<Value> {
        vec![
            self.small.jwk(),
            with(&self.encrypts, &json!({"use": "enc", "alg": "RSA-OAEP"})),
            with(&self.operates, &json!({"use": null, "key_ops": ["encrypt"]})),
            self.large_curve.jwk(),
            with(&self.other_alg, &json!({"alg": "RS512"})),
            json!({"kty": "oct", "kid": "oct", "alg": "HS256", "use": "sig", "k": URL_SAFE_NO_PAD.encode(OCT)}),
        ]
    }
}

/// Entries that are no usable keys, each by what is wrong with it.
pub(crate) fn broken() -> Vec<(&'static str, Value)> {
    let rsa = Key::new(Alg::Rs256, "broken-rsa");
    let ec = Key::new(Alg::Es256, "broken-ec");
    let x = ec.jwk()["x"].clone();
    vec![
        ("null", Value::Null),
        ("a text", json!("key")),
        ("a list", json!([])),
        ("nothing in it", json!({})),
        ("no kty", with(&rsa, &json!({"kty": null}))),
        ("kty is a number", with(&rsa, &json!({"kty": 7}))),
        ("unknown kty", with(&rsa, &json!({"kty": "LATTICE"}))),
        ("no n", with(&rsa, &json!({"n": null}))),
        ("no e", with(&rsa, &json!({"e": null}))),
        ("n is no base64", with(&rsa, &json!({"n": "§§§"}))),
        ("n is empty", with(&rsa, &json!({"n": ""}))),
        ("n is 64 KiB", with(&rsa, &json!({"n": "x".repeat(64 << 10)}))),
        ("e is 0", with(&rsa, &json!({"e": "AA"}))),
        ("unknown curve", with(&ec, &json!({"crv": "P-999"}))),
        ("secp256k1", with(&ec, &json!({"crv": "secp256k1", "alg": "ES256K"}))),
        ("no curve", with(&ec, &json!({"crv": null}))),
        ("no y", with(&ec, &json!({"y": null}))),
        ("a point off the curve", with(&ec, &json!({"y": x}))),
        ("x is too short", with(&ec, &json!({"x": "AQ"}))),
        ("unknown alg", with(&rsa, &json!({"alg": "RS9000"}))),
        ("alg is a number", with(&rsa, &json!({"alg": 256}))),
        ("kid is a number", with(&rsa, &json!({"kid": 7}))),
        ("use is a number", with(&rsa, &json!({"use": 7}))),
        ("key_ops is a text", with(&rsa, &json!({"key_ops": "verify"}))),
        (
            "X25519",
            json!({"kty": "OKP", "crv": "X25519", "kid": "x25519", "use": "sig", "x": "A".repeat(43)}),
        ),
        ("a short Ed25519", json!({"kty": "OKP", "crv": "Ed25519", "kid": "ed", "use": "sig", "x": "AQ"})),
        ("ML-DSA", json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "akp", "pub": "AQ"})),
        ("x5c is no list", with(&rsa, &json!({"kid": "x5c", "x5c": "no", "x5t": 1}))),
    ]
}

/// Another key under the name of a good one.
pub(crate) fn twin_of(good: &Key) -> Key {
    Key::new(good.alg, &*good.kid)
}

/// The published half with some members changed, or gone where the change is null.
pub(crate) fn with(key: &Key, changes: &Value) -> Value {
    let mut jwk = key.jwk();
    if let (Some(jwk), Some(changes)) = (jwk.as_object_mut(), changes.as_object()) {
        for (name, value) in changes {
            if value.is_null() {
                jwk.remove(name);
            } else {
                jwk.insert(name.clone(), value.clone());
            }
        }
    }
    jwk
}
