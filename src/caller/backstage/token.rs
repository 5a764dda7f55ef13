//! One token of Backstage's: its header, its signature, its times.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Algorithm;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::LIMITED;
use crate::caller::oidc::{
    IssuerSettings, Refusal, Standing, claims, compact::Compact, header::Header, keys::Keys, signature,
};

/// By how much clocks may differ.
const LEEWAY: Duration = Duration::from_secs(10);
/// For how long a result may be used again at the most, whatever the token's end.
const LONGEST_STANDING: SignedDuration = SignedDuration::from_hours(24);

/// What a token says whose signature and times were checked.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) subject: String,
    audience: Option<String>,
    pub(super) expires: Timestamp,
    pub(super) standing: Standing,
}

impl Signed {
    /// Checks a token that has to be of this type.
    pub(super) async fn check(
        token: &Compact<'_>,
        kind: &str,
        keys: &Arc<Keys>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let header = Header::check(&token.header, &of_type(kind))?;
        if header.key.is_none() {
            return Err(Refusal::Malformed("its header has no kid"));
        }
        let text = |claim: &'static str| match token.claims.get(claim) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Refusal::claim(claim, "not a string")),
        };
        let subject = text("sub")?.filter(|text| !text.is_empty()).ok_or(Refusal::claim("sub", "absent"))?;
        let audience = text("aud")?;
        if token.claims.get("iat").is_none() {
            return Err(Refusal::claim("iat", "absent"));
        }
        let leeway = SignedDuration::try_from(LEEWAY).unwrap_or_default();
        let expires = claims::times(&token.claims, leeway, now)?;
        let generation = signature::signed(keys, "Backstage", token, &header).await?;
        let until = (expires + leeway).min(now + LONGEST_STANDING);
        Ok(Self {
            subject,
            audience,
            expires,
            standing: Standing { keys: Arc::clone(keys), generation, until },
        })
    }

    /// That it is meant for this audience.
    pub(super) fn is_for(&self, audience: &str) -> Result<(), Refusal> {
        if self.audience.as_deref() == Some(audience) { Ok(()) } else { Err(Refusal::Audience) }
    }
}

/// The rules for headers are those of OIDC issuers.
fn of_type(kind: &str) -> IssuerSettings {
    IssuerSettings {
        issuer: String::new(),
        audiences: Vec::new(),
        id_tokens: false,
        types: vec![Some(kind.to_owned())],
        algorithms: vec![Algorithm::ES256],
        ca_file: None::<PathBuf>,
        leeway: LEEWAY,
        username_claim: String::new(),
        username_prefix: String::new(),
        groups_claim: String::new(),
        groups_prefix: String::new(),
        extra: BTreeMap::new(),
        uid: false,
        exchange: None,
    }
}

/// The plugin that a plugin token says it is of, where tokens of that plugin are taken.
pub(super) fn plugin<'t>(token: &Compact<'_>, plugins: &'t [String]) -> Result<&'t str, Refusal> {
    let subject = token.claims.get("sub").and_then(Value::as_str).ok_or(Refusal::claim("sub", "absent"))?;
    plugins.iter().find(|plugin| *plugin == subject).map(String::as_str).ok_or(Refusal::Plugin)
}

/// The limited form of a user token: the same claims, without an audience, and the signature that the token brings
/// for it (`UserTokenHandler.createLimitedUserToken`: the order of the members is part of what was signed).
pub(super) fn limited(token: &Compact<'_>) -> Result<SecretString, Refusal> {
    let text = |json: &serde_json::Map<String, Value>, name: &str| json.get(name).map(Value::to_string);
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
