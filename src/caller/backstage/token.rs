//! One token of Backstage's: its header, its times, whom it is for, its signature.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Algorithm;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::LIMITED;
use crate::caller::oidc::{
    Refusal, Standing, claims, compact::Compact, header::Header, keys::Keys, signature,
};

/// By how much clocks may differ.
const LEEWAY: Duration = Duration::from_secs(10);
/// For how long a result may be used again at the most, whatever the token's end: as long as Backstage's tokens may
/// live (`auth.backstageTokenExpiration`).
const LONGEST_STANDING: SignedDuration = SignedDuration::from_hours(24);

/// What a token has to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'e> {
    /// `typ`, to the letter: Backstage's own backends compare it so, and would not take a token that only we take.
    pub(super) kind: &'e str,
    /// `aud`; none where the token must have none.
    pub(super) audience: Option<&'e str>,
    pub(super) algorithms: &'e [Algorithm],
}

/// What a token says whose signature, times and audience were checked.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) subject: String,
    pub(super) expires: Timestamp,
    pub(super) standing: Standing,
}

impl Signed {
    /// Checks a token. What needs no key is looked at first, so that what cannot be taken costs no fetch and does not
    /// look like an outage.
    pub(super) async fn check(
        token: &Compact<'_>,
        expected: Expected<'_>,
        keys: &Arc<Keys>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        if token.header.get("typ").and_then(Value::as_str) != Some(expected.kind) {
            return Err(Refusal::Type);
        }
        let header = Header::check(&token.header, expected.algorithms, |_| true)?;
        if header.key.is_none() {
            return Err(Refusal::Malformed("its header has no kid"));
        }
        let subject = subject(&token.claims)?.to_owned();
        if !is_for(&token.claims, expected.audience) {
            return Err(Refusal::Audience);
        }
        if !token.claims.contains_key("iat") {
            return Err(Refusal::claim("iat", "absent"));
        }
        let leeway = SignedDuration::try_from(LEEWAY).unwrap_or_default();
        let expires = claims::times(&token.claims, leeway, now)?;
        let generation = signature::signed(keys, "Backstage", token, &header).await?;
        let until = (expires + leeway).min(now + LONGEST_STANDING);
        Ok(Self { subject, expires, standing: Standing { keys: Arc::clone(keys), generation, until } })
    }
}

fn subject(claims: &Map<String, Value>) -> Result<&str, Refusal> {
    match claims.get("sub") {
        Some(Value::String(subject)) if !subject.is_empty() => Ok(subject),
        Some(_) => Err(Refusal::claim("sub", "not a text")),
        None => Err(Refusal::claim("sub", "absent")),
    }
}

/// One text: Backstage writes no lists.
fn is_for(claims: &Map<String, Value>, audience: Option<&str>) -> bool {
    match (claims.get("aud"), audience) {
        (Some(Value::String(said)), Some(audience)) => said == audience,
        (None, None) => true,
        _ => false,
    }
}

/// The plugin that a plugin token says it is of, and its place among those whose tokens are taken.
pub(super) fn plugin<'t>(token: &Compact<'_>, plugins: &'t [String]) -> Result<(usize, &'t str), Refusal> {
    let subject = subject(&token.claims)?;
    let known = plugins.iter().enumerate().find(|(_, plugin)| *plugin == subject);
    known.map(|(place, plugin)| (place, plugin.as_str())).ok_or(Refusal::Plugin)
}

/// The limited form of a user token: the same claims, without an audience, and the signature that the token brings
/// for it (`UserTokenHandler.createLimitedUserToken`: the order of the members is part of what was signed).
pub(super) fn limited(token: &Compact<'_>) -> Result<SecretString, Refusal> {
    let text = |json: &Map<String, Value>, name: &str| json.get(name).map(Value::to_string);
    let signature = token.claims.get("uip").and_then(Value::as_str);
    let signature =
        signature.ok_or(Refusal::claim("uip", "absent: Backstage is too old, or it is no string"))?;
    let header = [("alg", text(&token.header, "alg")), ("kid", text(&token.header, "kid"))];
    let header = members([("typ", Some(json!(LIMITED).to_string()))].into_iter().chain(header));
    let claims = members(["sub", "iat", "exp"].map(|name| (name, text(&token.claims, name))).into_iter());
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    Ok(format!("{}.{}.{signature}", part(header), part(claims)).into())
}

/// A JSON object of these members, in this order.
fn members<'m>(members: impl Iterator<Item = (&'m str, Option<String>)>) -> String {
    let written = members.filter_map(|(name, value)| Some(format!("\"{name}\":{}", value?)));
    format!("{{{}}}", written.collect::<Vec<_>>().join(","))
}
