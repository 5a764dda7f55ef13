//! [`LoginSettings`]: what this program knows of itself as a client of an issuer.

use std::collections::BTreeMap;

use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::oidc::{IssuerSettings, settings::ClientSecret};
use crate::remote::is_loopback;

/// Where a browser is sent back to where nothing else is configured: any free port.
pub const REDIRECT: &str = "http://127.0.0.1/callback";

/// How people sign in at an issuer.
#[derive(Clone, Debug, PartialEq)]
pub struct LoginSettings {
    /// The issuer, as its verifier knows it.
    pub issuer: IssuerSettings,
    /// The client that this program is there.
    pub client_id: String,
    /// What proves it, where anything does.
    pub secret: Option<ClientSecret>,
    /// The scopes to ask for; where there are none, `openid`, and `offline_access` where the issuer has it.
    pub scopes: Vec<String>,
    /// For whom the access token is wanted (RFC 8707).
    pub resource: Option<String>,
    /// What else the issuer is asked with.
    pub parameters: BTreeMap<String, String>,
    /// Where the browser is sent back to: a loopback address.
    pub redirect: String,
    /// Where codes are redeemed; otherwise the issuer says it.
    pub token_endpoint: Option<String>,
    /// Which of the tokens is shown to this server.
    pub shown: Shown,
    /// Where the tokens are kept.
    pub storage: Option<Storage>,
    /// Whether a cluster may be given a token that this server takes too.
    pub share_with_clusters: bool,
}

/// Which token of a sign-in is shown to this server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Shown {
    /// The access token.
    #[default]
    Access,
    /// The ID token.
    Id,
}

/// Where the tokens of a sign-in are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Storage {
    /// Sealed with a key in the system's keyring.
    Keyring,
    /// In a file that only their owner may read.
    File,
}

impl LoginSettings {
    /// The name of the issuer.
    pub fn name(&self) -> &str {
        &self.issuer.issuer
    }

    /// A public client of an issuer, of which nothing else is known.
    pub fn public(issuer: IssuerSettings, client_id: String, scopes: Vec<String>) -> Self {
        Self {
            issuer,
            client_id,
            secret: None,
            scopes,
            resource: None,
            parameters: BTreeMap::new(),
            redirect: REDIRECT.to_owned(),
            token_endpoint: None,
            shown: Shown::Id,
            storage: None,
            share_with_clusters: false,
        }
    }
}

/// Where a browser may be sent back to, or what is wrong with it.
///
/// # Errors
/// It is not on this machine by its very name (RFC 8252 section 7.3).
pub fn redirect(written: &str) -> Result<Url, String> {
    let url = Url::parse(written).map_err(|error| format!("must be a URL as {REDIRECT}: {error}"))?;
    let bare = url.username().is_empty() && url.password().is_none();
    match () {
        () if url.scheme() != "http" || !is_loopback(&url) => Err(format!(
            "must be http:// on a loopback address, as {REDIRECT}: the browser brings the code to this program"
        )),
        () if !bare || url.query().is_some() || url.fragment().is_some() => {
            Err("must have no credentials, no query and no fragment".to_owned())
        }
        () => Ok(url),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_browser_is_sent_back_to_this_machine_alone() {
        for good in [
            "http://127.0.0.1/callback",
            "http://localhost:8000",
            "http://[::1]:8000/a",
            "http://127.0.0.1:0",
        ] {
            assert!(super::redirect(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "https://127.0.0.1/callback",
            "http://0.0.0.0/callback",
            "http://example.com/callback",
            "http://127.0.0.1.example.com/callback",
            "http://u@127.0.0.1/callback",
            "http://127.0.0.1/callback?a",
            "http://127.0.0.1/callback#a",
            "app:/callback",
        ] {
            assert!(super::redirect(bad).is_err(), "{bad}");
        }
    }
}
