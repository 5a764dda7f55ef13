//! [`Given`]: what a token endpoint answers (RFC 6749 section 5.1), and what of it is taken.

use aws_lc_rs::digest::{self, Algorithm, SHA256, SHA384, SHA512};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use super::{LoginSettings, SignInError, Tokens, provider::outage, tokens::Held};
use crate::{
    caller::oidc::{Issuers, Refusal, compact::Compact, unverified},
    kubernetes::identity::is_b64token,
    strict_json,
};

/// The longest token, in bytes.
const LONGEST: usize = 64 << 10;
/// The longest life that is believed, in seconds.
const LONGEST_LIFE: i64 = 366 * 24 * 3_600;

/// Signatures that whoever can check could have made (RFC 7518 section 3.2).
const HMAC: [&str; 3] = ["HS256", "HS384", "HS512"];

/// What a token endpoint gave. Its `Debug` says nothing of it.
pub struct Given {
    access: SecretString,
    id: Option<SecretString>,
    /// For the one who keeps it, whatever becomes of the rest.
    pub(super) refresh: Option<SecretString>,
    life: Option<SignedDuration>,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Given")
    }
}

impl Given {
    /// Of the body of a 200.
    pub(super) fn read(body: &[u8]) -> Result<Self, SignInError> {
        let unfit = |why: &str| SignInError::Unfit(why.to_owned());
        let members = strict_json::object(body).map_err(unfit)?;
        let token = |name: &'static str| match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(token)) if token.is_empty() => Ok(None),
            Some(Value::String(token)) if token.len() > LONGEST => {
                Err(unfit("a token is longer than 64 KiB"))
            }
            // a refresh token may be anything that can be printed (RFC 6749 appendix A.17)
            Some(Value::String(token)) if name == "refresh_token" && !token.chars().any(char::is_control) => {
                Ok(Some(SecretString::from(token.clone())))
            }
            Some(Value::String(token)) if is_b64token(token) => Ok(Some(SecretString::from(token.clone()))),
            Some(_) => Err(unfit("a token has characters that no token has")),
        };
        let kind = members.get("token_type").and_then(Value::as_str);
        if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(unfit("its token_type is not Bearer"));
        }
        Ok(Self {
            access: token("access_token")?.ok_or_else(|| unfit("it has no access_token"))?,
            id: token("id_token")?,
            refresh: token("refresh_token")?,
            life: life(&members),
        })
    }

    /// The tokens, where they are good: of this issuer, for this client, of this request (`nonce`), and of the
    /// person whose tokens were there `before`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub async fn taken(
        self,
        settings: &LoginSettings,
        issuers: &Issuers,
        nonce: Option<&str>,
        before: Option<&Tokens>,
    ) -> Result<Tokens, SignInError> {
        let now = Timestamp::now();
        let unfit = |why: String| SignInError::Unfit(why);
        let (id, subject) = match (self.id, before) {
            (Some(id), _) => {
                let judged = issuers
                    .id_token(settings.name(), id.expose_secret(), &settings.client_id, now)
                    .await
                    .map_err(|refusal| match refusal.is_outage() {
                        true => outage(settings, refusal.to_string()),
                        false => unfit(not_good(&id, &refusal)),
                    })?;
                let (claims, ends) = judged;
                let subject = checked(&claims, settings, nonce).map_err(unfit)?;
                hashed(&id, &claims, &self.access).map_err(unfit)?;
                if before.is_some_and(|before| before.subject != subject) {
                    return Err(unfit("its ID token is somebody else's than the one before".to_owned()));
                }
                (Some(Held { token: id, ends: Some(ends) }), subject)
            }
            // OpenID Connect Core section 12.2
            (None, Some(before)) => (before.id.clone(), before.subject.clone()),
            (None, None) => return Err(unfit("it has no ID token".to_owned())),
        };
        let told = self.life.and_then(|life| now.checked_add(life).ok());
        let access = Held { ends: told.or_else(|| end(&self.access)), token: self.access };
        let refresh = self.refresh.or_else(|| before.and_then(|before| before.refresh.clone()));
        Ok(Tokens { access: Some(access), id, refresh, subject, since: now })
    }
}

/// Some issuers write the number as a text.
fn life(members: &Map<String, Value>) -> Option<SignedDuration> {
    let seconds = match members.get("expires_in")? {
        Value::String(text) => text.parse().ok()?,
        number => number.as_i64()?,
    };
    (seconds > 0).then(|| SignedDuration::from_secs(seconds.min(LONGEST_LIFE)))
}

/// When a token says that it ends, true or not: only to know when to ask for another.
pub(super) fn end(token: &SecretString) -> Option<Timestamp> {
    let claims = unverified(token.expose_secret()).ok()?;
    Timestamp::from_second(claims.get("exp")?.as_i64()?).ok()
}

/// What is wrong with an ID token.
fn not_good(id: &SecretString, refusal: &Refusal) -> String {
    let name = algorithm(id).filter(|name| *refusal == Refusal::Algorithm && HMAC.contains(&name.as_str()));
    match name {
        Some(name) => format!(
            "its ID token is signed with a secret ({name}), as session tokens of Palette are, and not with a key that \
             it publishes: it proves nothing of anybody"
        ),
        None => format!("its ID token is not good: {refusal}"),
    }
}

/// What it says that it is signed with.
fn algorithm(id: &SecretString) -> Option<String> {
    let parts = Compact::parse(id.expose_secret()).ok()?;
    parts.header.get("alg").and_then(Value::as_str).map(str::to_owned)
}

/// What the verifier knows nothing of (OpenID Connect Core section 3.1.3.7). Answers the subject.
fn checked(
    claims: &Map<String, Value>,
    settings: &LoginSettings,
    nonce: Option<&str>,
) -> Result<String, String> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let several = claims.get("aud").and_then(Value::as_array).is_some_and(|audiences| audiences.len() > 1);
    match () {
        () if nonce.is_some_and(|nonce| text("nonce") != Some(nonce)) => {
            Err("its ID token was not made for this request (nonce)".to_owned())
        }
        () if (several || claims.contains_key("azp")) && text("azp") != Some(&*settings.client_id) => {
            Err("its ID token was made for another client (azp)".to_owned())
        }
        () => match text("sub") {
            Some(subject) if !subject.is_empty() => Ok(subject.to_owned()),
            _ => Err("its ID token names nobody (sub)".to_owned()),
        },
    }
}

/// Whether the access token is the one that the ID token speaks of (section 3.1.3.8), where it speaks of one.
fn hashed(id: &SecretString, claims: &Map<String, Value>, access: &SecretString) -> Result<(), String> {
    let Some(said) = claims.get("at_hash") else { return Ok(()) };
    let name = algorithm(id).unwrap_or_default();
    let algorithm: &Algorithm = match name.as_str() {
        "EdDSA" => &SHA512,
        name if name.ends_with("512") => &SHA512,
        name if name.ends_with("384") => &SHA384,
        _ => &SHA256,
    };
    let hash = digest::digest(algorithm, access.expose_secret().as_bytes());
    let (half, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    match said.as_str() == Some(&URL_SAFE_NO_PAD.encode(half)) {
        true => Ok(()),
        false => Err("its ID token speaks of another access token (at_hash)".to_owned()),
    }
}
