//! Claims to explain: of a token that is verified, of one that is not, or written by hand.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::super::Failure;
use crate::{
    answer::sanitise,
    caller::{
        Callers, Refusal, Token,
        oidc::{self, Identity, IssuerSettings},
    },
    nearest,
};

/// No file with a token or its claims is larger, in bytes.
const LARGEST: u64 = 1 << 20;

/// What is known of whom to explain.
#[derive(Debug)]
pub(super) struct Source {
    /// Why it would be refused.
    pub(super) refusal: Option<Refusal>,
    /// What may be said of the token, where one was verified.
    pub(super) token: Option<Token>,
    /// `iss`, as configured.
    pub(super) issuer: String,
    /// What the rules are held against.
    pub(super) claims: Map<String, Value>,
    /// Who that is, as far as the claims say it.
    pub(super) identity: Option<Identity>,
}

impl Source {
    /// A token of an issuer. One that is refused is read too, where it can be told which issuer it claims.
    pub(super) async fn token(token: &str, callers: &Callers) -> Result<Self, Failure> {
        let (refusal, verified) = match callers.issuers().verify(token, Timestamp::now()).await {
            Ok(verified) => (None, Some(verified)),
            Err(refusal) => (Some(refusal), None),
        };
        let refused = || {
            Failure::failed(
                refusal.as_ref().map_or_else(String::new, |why| format!("it would be refused: {why}")),
            )
        };
        let claims = match &verified {
            Some(verified) => verified.claims().clone(),
            None => oidc::unverified(token).map_err(|_| refused())?,
        };
        let named = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        let settings = settings(callers, named).map_err(|unknown| match refusal {
            Some(Refusal::Issuer) => Failure::failed(format!("it would be refused: {unknown}")),
            _ => refused(),
        })?;
        Ok(Self {
            token: verified.map(|verified| verified.token().clone()),
            issuer: settings.issuer.clone(),
            identity: Identity::of(&claims, settings).ok(),
            refusal,
            claims,
        })
    }

    /// Claims that were written by hand. The issuer may be left out where there is one, and so may the audience
    /// and the times, which no rule is held against.
    pub(super) fn claims(claims: Map<String, Value>, callers: &Callers) -> Result<Self, Failure> {
        let mut all = callers.issuers().settings();
        let settings = match (claims.get("iss"), all.next(), all.next()) {
            (Some(Value::String(named)), ..) => {
                settings(callers, named).map_err(|unknown| Failure::usage(format!("--claims: {unknown}")))?
            }
            (Some(_), ..) => return Err(Failure::usage("--claims: iss must be a string")),
            (None, Some(only), None) => only,
            (None, ..) => return Err(several(callers)),
        };
        let identity = Identity::of(&claims, settings);
        Ok(Self {
            refusal: identity.as_ref().err().cloned(),
            token: None,
            issuer: settings.issuer.clone(),
            claims,
            identity: identity.ok(),
        })
    }
}

/// Claims as they are written: JSON, or `@` and the file that holds it.
pub(super) fn object(written: &str) -> Result<Map<String, Value>, Failure> {
    let text = match written.strip_prefix('@') {
        Some(file) => read(Path::new(file))?,
        None => written.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| {
        let example = r#"{"sub": "me", "groups": ["team-a"]}"#;
        Failure::usage(format!("--claims: not a JSON object, as '{example}': {error}"))
    })
}

/// The token in a file.
pub(super) fn token_in(file: &Path) -> Result<String, Failure> {
    let text = read(file)?;
    let token = text.trim();
    Ok(token.strip_prefix("Bearer ").unwrap_or(token).trim().to_owned())
}

fn settings<'c>(callers: &'c Callers, named: &str) -> Result<&'c IssuerSettings, String> {
    let known = || callers.issuers().settings();
    known().find(|settings| settings.issuer == named).ok_or_else(|| {
        let near = nearest::name(named, known().map(|settings| settings.issuer.as_str()));
        let near = near.map_or_else(String::new, |near| format!("; the nearest is {near:?}"));
        format!("no configured issuer is {:?}, byte for byte{near}", sanitise::short(named, 200))
    })
}

fn several(callers: &Callers) -> Failure {
    let known: Vec<&str> = callers.issuers().settings().map(|settings| settings.issuer.as_str()).collect();
    Failure::usage(format!("--claims: iss must say which issuer is meant: {}", known.join(", ")))
}

fn read(file: &Path) -> Result<String, Failure> {
    // as every JWT begins: it must not be repeated on a terminal or in a log
    if file.to_string_lossy().contains("eyJ") {
        return Err(Failure::usage("--as takes the name of a file that holds the token, not the token"));
    }
    let read = |from: &mut dyn Read| {
        let mut text = String::new();
        from.take(LARGEST).read_to_string(&mut text).map(|_| text)
    };
    let text = match file.to_str() {
        Some("-") => read(&mut io::stdin().lock()),
        _ => File::open(file).and_then(|mut file| read(&mut file)),
    };
    text.map_err(|error| Failure::usage(format!("{} cannot be read: {error}", file.display())))
}
