//! Makes tokens of Backstage's kinds, good and bad: with the keys that a backend signs with, or with others.
//!
//! What a good one looks like is `issueUserToken.ts` of `@backstage/plugin-auth-backend` and
//! `PluginTokenHandler.ts` of `@backstage/backend-defaults`.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::super::forge::{Forge, With, encode, now, part};
use super::super::keys::{Alg, Key};

/// What a backend signs with: users' tokens with one key, the tokens of all of its plugins with another.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    generation: u32,
    user: Arc<Key>,
    plugin: Arc<Key>,
}

impl Keys {
    /// New keys, whose names end with this number.
    pub(crate) fn new(generation: u32) -> Self {
        let key = |name: &str| Arc::new(Key::new(Alg::Es256, format!("{name}-{generation}")));
        Self { generation, user: key("user"), plugin: key("plugin") }
    }

    pub(super) fn next(&self) -> Self {
        Self::new(self.generation + 1)
    }

    /// Writes them for Backstage; gives the entries of `static.keys` for users and plugins.
    pub(super) fn write(&self, home: &Path) -> (Value, Value) {
        let entry = |key: &Key| {
            let (public, private) = (format!("{}.pub", key.kid), format!("{}.key", key.kid));
            let base64 = STANDARD.encode(key.pkcs8());
            let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
            std::fs::write(home.join(&public), key.public_pem()).expect("the folder takes a file");
            std::fs::write(home.join(&private), pem).expect("the folder takes a file");
            json!({
                "publicKeyFile": home.join(public), "privateKeyFile": home.join(private), "keyId": key.kid,
                "algorithm": "ES256",
            })
        };
        (entry(&self.user), entry(&self.plugin))
    }
}

/// Signs as a backend does.
#[derive(Clone, Debug)]
pub(crate) struct Mint {
    issuer: String,
    keys: Keys,
}

impl Mint {
    pub(super) fn new(issuer: String, keys: Keys) -> Self {
        Self { issuer, keys }
    }

    /// The key of users' tokens.
    pub(crate) fn user_key(&self) -> &Key {
        &self.keys.user
    }

    /// The key of all of Backstage's plugins.
    pub(crate) fn plugin_key(&self) -> &Key {
        &self.keys.plugin
    }

    /// A user's full token, good for an hour. Backstage knows nothing of the groups of a user who never
    /// signed in: its permission backend has no answer for them.
    pub(crate) fn user(&self, user: &str) -> Token {
        let (iat, exp) = (now(), now() + 3600);
        let header = self.header("vnd.backstage.user", &self.keys.user);
        let mut claims = json!({
            "iss": self.issuer, "sub": user, "aud": "backstage", "iat": iat, "exp": exp,
        });
        let limited = self.limited(user).claim("iat", iat).claim("exp", exp).sign();
        claims["uip"] = json!(limited.rsplit_once('.').expect("a signature").1);
        Token { header, claims, key: Arc::clone(&self.keys.user) }
    }

    /// A user's limited token, good for an hour: what stands in `obo`.
    pub(crate) fn limited(&self, user: &str) -> Token {
        Token {
            header: self.header("vnd.backstage.limited-user", &self.keys.user),
            claims: json!({"sub": user, "iat": now(), "exp": now() + 3600}),
            key: Arc::clone(&self.keys.user),
        }
    }

    /// A token of a plugin for another, good for an hour, of nobody until [`Token::obo`] says of whom.
    pub(crate) fn plugin(&self, from: &str, to: &str) -> Token {
        Token {
            header: self.header("vnd.backstage.plugin", &self.keys.plugin),
            claims: json!({"sub": from, "aud": to, "iat": now(), "exp": now() + 3600}),
            key: Arc::clone(&self.keys.plugin),
        }
    }

    fn header(&self, kind: &str, key: &Key) -> Value {
        json!({"typ": kind, "alg": "ES256", "kid": key.kid})
    }
}

/// A token before it is signed. Every part of it can be made wrong.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    header: Value,
    claims: Value,
    key: Arc<Key>,
}

impl Token {
    /// With this in its header.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        object(&mut self.header).insert(name.to_owned(), value.into());
        self
    }

    /// Without this in its header.
    #[must_use]
    pub(crate) fn without_header(mut self, name: &str) -> Self {
        object(&mut self.header).shift_remove(name);
        self
    }

    /// With this claim.
    #[must_use]
    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        object(&mut self.claims).insert(name.to_owned(), value.into());
        self
    }

    /// Without this claim.
    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        object(&mut self.claims).shift_remove(name);
        self
    }

    /// On behalf of the user of this limited token.
    #[must_use]
    pub(crate) fn obo(self, limited: &str) -> Self {
        self.claim("obo", limited)
    }

    /// Issued and over so many seconds from now; the past is negative.
    #[must_use]
    pub(crate) fn times(self, iat: i64, exp: i64) -> Self {
        let at = |seconds: i64| now().saturating_add_signed(seconds);
        self.claim("iat", at(iat)).claim("exp", at(exp))
    }

    /// Signed by this key in place of the one that its header names.
    #[must_use]
    pub(crate) fn by(mut self, key: &Arc<Key>) -> Self {
        self.key = Arc::clone(key);
        self
    }

    /// The token.
    pub(crate) fn sign(&self) -> String {
        self.sign_with(With::Key(&self.key, self.key.alg))
    }

    /// The token with a signature of any kind: see [`With`].
    pub(crate) fn sign_with(&self, with: With<'_>) -> String {
        Forge::new("", Arc::default()).sign(&self.header, &self.claims, with)
    }
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    value.as_object_mut().expect("a part of a token is an object")
}

/// The limited token in a user's token, as whoever holds that can make it: Backstage's `uip` is its signature.
///
/// # Panics
/// Where it is no token of a user.
pub(crate) fn limited_of(user_token: &str) -> String {
    let (header, claims) = (part(user_token, 0), part(user_token, 1));
    let signature = claims["uip"].as_str().expect("a user's token has a uip");
    assert!(URL_SAFE_NO_PAD.decode(signature).is_ok(), "{signature}");
    // The signature is over these bytes: the order of the keys counts.
    let header = json!({"typ": "vnd.backstage.limited-user", "alg": header["alg"], "kid": header["kid"]});
    let claims = json!({"sub": claims["sub"], "iat": claims["iat"], "exp": claims["exp"]});
    let (header, claims) = (header.to_string(), claims.to_string());
    format!("{}.{}.{signature}", encode(header.as_bytes()), encode(claims.as_bytes()))
}
