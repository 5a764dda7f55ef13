//! The claims that make a token one for us, now: audience, times, and the kind of token it is. Pure.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{refusal::Refusal, settings::IssuerSettings};

/// A token that would live longer than this, from now, is not taken: it could never be taken back.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24 * 366);

/// Claims of tokens that the same issuer signs for other ends, and those ends.
const FOREIGN: [(&str, &str); 9] = [
    ("events", "a security event or logout token"),
    ("token_introspection", "an introspection response"),
    ("response_type", "a request object"),
    ("redirect_uri", "a request object"),
    ("request_uri", "a request object"),
    ("code_challenge", "a request object"),
    ("htm", "a DPoP proof"),
    ("htu", "a DPoP proof"),
    ("jwks", "a statement about keys"),
];

/// Claims that only ID tokens have (OpenID Connect Core sections 3.1.3.6 and 3.3.2.11).
const OF_ID_TOKENS: [&str; 3] = ["at_hash", "c_hash", "s_hash"];

/// Checks that the token is of a kind that is taken, is for us, and holds at `now`. Answers its end.
pub(super) fn check(
    claims: &Map<String, Value>,
    settings: &IssuerSettings,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    kind(claims, settings)?;
    audience(claims, settings)?;
    times(claims, settings.leeway(), now)
}

fn kind(claims: &Map<String, Value>, settings: &IssuerSettings) -> Result<(), Refusal> {
    if claims.contains_key("cnf") {
        return Err(Refusal::Bound);
    }
    if let Some((_, kind)) = FOREIGN.iter().find(|(name, _)| claims.contains_key(*name)) {
        return Err(Refusal::Kind(kind));
    }
    // Keycloak says the kind in the claim typ, Cognito in token_use
    let mut says_access = false;
    for name in ["typ", "token_use"] {
        let Some(said) = claims.get(name) else { continue };
        let said = said.as_str().ok_or(Refusal::claim(name, "not a string"))?.to_ascii_lowercase();
        match said.as_str() {
            "bearer" | "access" | "jwt" | "at+jwt" => says_access = said == "bearer" || said == "access",
            "id" if settings.id_tokens => {}
            "id" => return Err(Refusal::Kind("an ID token")),
            _ => return Err(Refusal::Kind("a claim says that it is not for access")),
        }
    }
    if settings.id_tokens {
        return Ok(());
    }
    // older Keycloaks copy the nonce of the login to access tokens too
    let nonce = claims.contains_key("nonce") && !says_access;
    if nonce || OF_ID_TOKENS.iter().any(|name| claims.contains_key(*name)) {
        return Err(Refusal::Kind("an ID token"));
    }
    Ok(())
}

fn audience(claims: &Map<String, Value>, settings: &IssuerSettings) -> Result<(), Refusal> {
    let ours = |audience: &str| settings.audiences.iter().any(|ours| ours == audience);
    let wrong = || Refusal::claim("aud", "not a string or a list of strings");
    let meant = match claims.get("aud") {
        None => false,
        Some(Value::String(audience)) => ours(audience),
        Some(Value::Array(audiences)) => {
            let audiences: Vec<&str> =
                audiences.iter().map(|one| one.as_str().ok_or_else(wrong)).collect::<Result<_, _>>()?;
            audiences.into_iter().any(ours)
        }
        Some(_) => return Err(wrong()),
    };
    if meant { Ok(()) } else { Err(Refusal::Audience) }
}

/// Checks that it holds at `now`, and answers its end.
pub(in crate::caller) fn times(
    claims: &Map<String, Value>,
    leeway: SignedDuration,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    let ends = time(claims, "exp")?.ok_or(Refusal::claim("exp", "absent"))?;
    if ends.duration_until(now) >= leeway {
        return Err(Refusal::Expired);
    }
    if now.duration_until(ends) > LONGEST_LIFE {
        return Err(Refusal::Lifetime);
    }
    for name in ["nbf", "iat"] {
        if time(claims, name)?.is_some_and(|begins| now.duration_until(begins) > leeway) {
            return Err(Refusal::NotYet);
        }
    }
    Ok(ends)
}

/// A NumericDate (RFC 7519 section 2): seconds, perhaps with a fraction.
fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, Refusal> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().ok_or(Refusal::claim(name, "not a number"))?;
    // the last second that can be written; what is beyond it is as far away
    let seconds = seconds.clamp(-1e11, Timestamp::MAX.as_second() as f64);
    let time =
        Timestamp::from_second(seconds.floor() as i64).map_err(|_| Refusal::claim(name, "not a time"))?;
    Ok(Some(time))
}
