//! Makes tokens of any kind, good and bad, with keys that an issuer publishes or with others.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::keys::{Alg, Key};
use super::people::person;

/// The audience that tokens for this server have.
pub(crate) const AUDIENCE: &str = "https://platform-mcp.test/mcp";

/// Who signs as an issuer would.
#[derive(Clone, Debug)]
pub(crate) struct Forge {
    issuer: String,
    keys: Arc<Vec<Key>>,
}

/// What a token is signed with, whatever its header says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum With<'a> {
    /// The issuer's own key for this algorithm.
    Own(Alg),
    /// Any key, by an algorithm it can do.
    Key(&'a Key, Alg),
    /// A secret: `With::Hmac(hmac::HMAC_SHA256, pem.as_bytes())`.
    Hmac(hmac::Algorithm, &'a [u8]),
    /// These bytes as they are; none of them for an unsigned token.
    Bytes(&'a [u8]),
}

/// A part of a token: JSON, or bytes that are no JSON at all.
pub(crate) trait Part {
    /// The bytes before base64.
    fn bytes(&self) -> Vec<u8>;
}

impl Part for Value {
    fn bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl Part for str {
    fn bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl Part for [u8] {
    fn bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}

impl<const N: usize> Part for [u8; N] {
    fn bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}

impl Part for Vec<u8> {
    fn bytes(&self) -> Vec<u8> {
        self.clone()
    }
}

impl Part for String {
    fn bytes(&self) -> Vec<u8> {
        self.clone().into_bytes()
    }
}

impl Forge {
    /// Signs as this issuer, with these keys.
    pub(crate) fn new(issuer: impl Into<String>, keys: Arc<Vec<Key>>) -> Self {
        Self { issuer: issuer.into(), keys }
    }

    /// The issuer's name.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The issuer's own key for this algorithm, the newest one.
    ///
    /// # Panics
    /// Where it has none.
    #[track_caller]
    pub(crate) fn key(&self, alg: Alg) -> &Key {
        let found = self.keys.iter().find(|key| key.alg == alg);
        found.unwrap_or_else(|| panic!("{} has no key for {alg:?}", self.issuer))
    }

    /// The header of a good access token.
    #[track_caller]
    pub(crate) fn header(&self, alg: Alg) -> Value {
        json!({"alg": alg.name(), "typ": "at+jwt", "kid": self.key(alg).kid})
    }

    /// The claims of a good access token of a person in `people.rs`, for [`AUDIENCE`].
    #[track_caller]
    pub(crate) fn claims(&self, name: &str) -> Value {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut claims = person(name).claims();
        let jti = format!("forged-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let more = json!({
            "iss": self.issuer, "aud": AUDIENCE, "sub": name, "client_id": name, "jti": jti,
            "iat": now(), "exp": now() + 3600,
        });
        let (Value::Object(claims_of), Value::Object(more)) = (&mut claims, more) else { unreachable!() };
        claims_of.extend(more);
        claims
    }

    /// A good token, as the issuer itself would sign it.
    #[track_caller]
    pub(crate) fn good(&self, name: &str) -> String {
        let alg = person(name).alg;
        self.sign(&self.header(alg), &self.claims(name), With::Own(alg))
    }

    /// Signs these claims as the issuer would sign a good token, with RS256.
    #[track_caller]
    pub(crate) fn claiming(&self, claims: &(impl Part + ?Sized)) -> String {
        self.sign(&self.header(Alg::Rs256), claims, With::Own(Alg::Rs256))
    }

    /// Signs any header with any claims.
    #[track_caller]
    pub(crate) fn sign(
        &self,
        header: &(impl Part + ?Sized),
        claims: &(impl Part + ?Sized),
        with: With<'_>,
    ) -> String {
        let (header, claims) = (encode(&header.bytes()), encode(&claims.bytes()));
        let message = format!("{header}.{claims}");
        let signature = match with {
            With::Own(alg) => self.key(alg).sign(alg, message.as_bytes()),
            With::Key(key, alg) => key.sign(alg, message.as_bytes()),
            With::Hmac(algorithm, secret) => {
                hmac::sign(&hmac::Key::new(algorithm, secret), message.as_bytes()).as_ref().to_vec()
            }
            With::Bytes(bytes) => bytes.to_vec(),
        };
        format!("{message}.{}", encode(&signature))
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// Base64 as JWS has it.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The JSON of a part of a token: 0 the header, 1 the claims. Nothing is verified.
///
/// # Panics
/// Where it is none.
#[track_caller]
pub(crate) fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("three parts");
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}
