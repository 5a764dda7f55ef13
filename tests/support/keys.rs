//! Keys that sign, with all that a test wants of them: the public half in each form, and signatures by any
//! algorithm that the key can do.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// An algorithm of JWS by a key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alg {
    /// RSA PKCS#1 v1.5.
    Rs256,
    /// The same, SHA-384.
    Rs384,
    /// The same, SHA-512.
    Rs512,
    /// RSA PSS.
    Ps256,
    /// ECDSA, P-256.
    Es256,
    /// ECDSA, P-384.
    Es384,
    /// ECDSA, P-521.
    Es512,
    /// Ed25519.
    EdDsa,
}

impl Alg {
    /// As `alg` says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
        }
    }

    fn rsa(self) -> Option<&'static dyn RsaEncoding> {
        match self {
            Self::Rs256 => Some(&signature::RSA_PKCS1_SHA256),
            Self::Rs384 => Some(&signature::RSA_PKCS1_SHA384),
            Self::Rs512 => Some(&signature::RSA_PKCS1_SHA512),
            Self::Ps256 => Some(&signature::RSA_PSS_SHA256),
            _ => None,
        }
    }

    fn curve(self) -> (&'static EcdsaSigningAlgorithm, &'static str) {
        match self {
            Self::Es384 => (&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            Self::Es512 => (&ECDSA_P521_SHA512_FIXED_SIGNING, "P-521"),
            _ => (&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
        }
    }
}

/// A key pair.
#[derive(Debug)]
pub(crate) struct Key {
    /// Its `kid`.
    pub(crate) kid: String,
    /// Its `alg`.
    pub(crate) alg: Alg,
    pair: Pair,
}

#[derive(Debug)]
enum Pair {
    Rsa(rsa::KeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Small(super::small_rsa::SmallRsa),
}

impl Key {
    /// A new key for this algorithm: RSA keys have 2048 bits.
    pub(crate) fn new(alg: Alg, kid: impl Into<String>) -> Self {
        let pair = match alg {
            Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 => {
                Pair::Rsa(rsa::KeyPair::generate(KeySize::Rsa2048).expect("an RSA key"))
            }
            Alg::EdDsa => Pair::Ed(Ed25519KeyPair::generate().expect("an Ed25519 key")),
            _ => Pair::Ec(EcdsaKeyPair::generate(alg.curve().0).expect("an EC key")),
        };
        Self { kid: kid.into(), alg, pair }
    }

    /// A new RSA key of 1024 bits, which signs RS256.
    pub(crate) fn rsa_1024(kid: impl Into<String>) -> Self {
        let pair = Pair::Small(super::small_rsa::SmallRsa::new());
        Self { kid: kid.into(), alg: Alg::Rs256, pair }
    }

    /// Signs by any algorithm that the key can do.
    ///
    /// # Panics
    /// Where it cannot.
    pub(crate) fn sign(&self, alg: Alg, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding = alg.rsa().unwrap_or_else(|| panic!("an RSA key cannot sign {alg:?}"));
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature).expect("it signs");
                signature
            }
            Pair::Ec(pair) => pair.sign(&SystemRandom::new(), message).expect("it signs").as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Small(pair) => pair.sign(message),
        }
    }

    /// The private key, PKCS#8 DER.
    pub(crate) fn pkcs8(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => pair.as_der().expect("PKCS#8").as_ref().to_vec(),
            Pair::Ec(pair) => pair.to_pkcs8v1().expect("PKCS#8").as_ref().to_vec(),
            Pair::Ed(pair) => pair.to_pkcs8v1().expect("PKCS#8").as_ref().to_vec(),
            Pair::Small(_) => panic!("nobody but us signs with 1024 bits"),
        }
    }

    /// The public key as an issuer publishes it, with `kid`, `alg` and `use`.
    pub(crate) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let rsa = |n: &[u8], e: &[u8]| json!({"kty": "RSA", "n": text(n), "e": text(e)});
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                // RSAPublicKey in DER ends with n, then the five bytes that say e = 65537
                let der = pair.public_key().as_ref();
                let end = der.len() - 5;
                rsa(der.get(end - pair.public_modulus_len()..end).expect("n"), &[1, 0, 1])
            }
            Pair::Small(pair) => rsa(pair.modulus(), &[1, 0, 1]),
            Pair::Ec(pair) => {
                let point = pair.public_key().as_ref();
                // uncompressed: 4, then x and y
                let (x, y) = point.split_at(point.len().div_ceil(2));
                let x = x.get(1..).expect("a point");
                json!({"kty": "EC", "crv": self.alg.curve().1, "x": text(x), "y": text(y)})
            }
            Pair::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref())})
            }
        };
        jwk["kid"] = json!(self.kid);
        jwk["alg"] = json!(self.alg.name());
        jwk["use"] = json!("sig");
        jwk
    }

    /// The public key, DER (SubjectPublicKeyInfo).
    pub(crate) fn public_der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_der().expect("DER"),
            Pair::Ec(pair) => pair.public_key().as_der().expect("DER"),
            Pair::Ed(pair) => pair.public_key().as_der().expect("DER"),
            Pair::Small(pair) => return pair.public_der(),
        };
        der.as_ref().to_vec()
    }

    /// The public key, PEM: what is taken for a secret when HS256 stands in the header.
    pub(crate) fn public_pem(&self) -> String {
        let base64 = STANDARD.encode(self.public_der());
        let lines: Vec<&str> =
            base64.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }
}
