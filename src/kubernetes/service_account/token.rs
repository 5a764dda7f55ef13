//! Tokens of the account: short-lived ones by TokenRequest (`authentication.k8s.io/v1`), or the one of its secret.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Method;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    super::{
        access::{Access, Ask, parse},
        fault::Fault,
        sources::usable_token,
    },
    Rights,
    objects::kind,
};

/// How often a secret without a token is looked at again, and what is waited between.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);
const NO_TOKEN: &str = "has no token";

/// Which token is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// One that ends after so many seconds, and is renewed before.
    Short(u32),
    /// The one of the secret, which does not end.
    Lasting,
}

/// A token.
pub struct Given {
    /// For `Authorization`.
    pub token: SecretString,
    /// When it ends, where it does.
    pub until: Option<Timestamp>,
}

/// A token of the account, of the cluster's administrator.
///
/// # Errors
/// [`Fault::NotFound`] where there is no such account, or no token in its secret yet.
pub async fn token(admin: &Access, rights: &Rights, wanted: Token) -> Result<Given, Fault> {
    match wanted {
        Token::Short(seconds) => short(admin, rights, seconds).await,
        Token::Lasting => lasting(admin, rights).await,
    }
}

async fn short(admin: &Access, rights: &Rights, seconds: u32) -> Result<Given, Fault> {
    let account = kind("", "ServiceAccount", "serviceaccounts", true);
    let path = account.object_path(Some(&rights.namespace), &rights.account)?;
    let path = format!("{path}/token");
    let body = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"expirationSeconds": seconds},
    });
    let body = Some(("application/json", body.to_string().into_bytes()));
    let ask = Ask { method: Method::POST, uri: &path, accept: "application/json", body };
    let answer: Value = parse(&admin.once(ask).await?.body)?;
    let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str);
    let (Some(token), Some(until)) = (text("/status/token"), text("/status/expirationTimestamp")) else {
        return Err(Fault::Malformed("a TokenRequest without a token".to_owned()));
    };
    let until = until.parse().map_err(|_| Fault::Malformed("a token that ends at no time".to_owned()))?;
    Ok(Given { token: usable(token)?, until: Some(until) })
}

/// The cluster puts a token into a new secret a moment after that was made.
async fn lasting(admin: &Access, rights: &Rights) -> Result<Given, Fault> {
    let mut looks = 0;
    loop {
        match kept(admin, rights).await {
            Err(Fault::NotFound(why)) if why.ends_with(NO_TOKEN) && looks < LOOKS => looks += 1,
            found => return found,
        }
        sleep(PAUSE).await;
    }
}

async fn kept(admin: &Access, rights: &Rights) -> Result<Given, Fault> {
    let path = kind("", "Secret", "secrets", true).object_path(Some(&rights.namespace), &rights.secret)?;
    let secret: Value = parse(&admin.get_body(&path, &[], "application/json").await?)?;
    let annotation = secret.pointer("/metadata/annotations/kubernetes.io~1service-account.name");
    if annotation.and_then(Value::as_str) != Some(rights.account.as_str()) {
        return Err(Fault::NotFound(format!("secret {} is of another account", rights.secret)));
    }
    let token = secret.pointer("/data/token").and_then(Value::as_str).unwrap_or_default();
    let missing = || Fault::NotFound(format!("secret {} {NO_TOKEN}", rights.secret));
    let token = STANDARD
        .decode(token)
        .ok()
        .and_then(|token| String::from_utf8(token).ok())
        .filter(|token| !token.is_empty());
    Ok(Given { token: usable(&token.ok_or_else(missing)?)?, until: None })
}

fn usable(token: &str) -> Result<SecretString, Fault> {
    usable_token(&token.to_owned().into()).map_err(Fault::Malformed)
}
