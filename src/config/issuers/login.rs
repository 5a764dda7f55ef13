//! `issuers[].login`: how people sign in at an issuer with `platform-mcp login`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{super::problem::Wrong, TokenKind};
use crate::caller::{
    login::{LoginSettings, Shown, Storage, authorize, settings},
    oidc::{IssuerSettings, place, settings::ClientSecret},
};

/// Characters of a scope, and how many there may be.
const LONGEST_SCOPE: usize = 256;
const MOST_SCOPES: usize = 64;

/// Signing in with `platform-mcp login`, for stdio, the shell and kubectl.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Login {
    /// The client that platform-mcp is at the issuer: one for native apps, with a loopback redirect.
    pub client_id: String,
    /// Its secret, where the issuer gives one even to native apps.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub client_secret: Option<SecretString>,
    /// File that holds its secret, read at each use.
    pub client_secret_file: Option<PathBuf>,
    /// Scopes to ask for beside `openid`; otherwise `offline_access`, where the issuer has it.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// For whom the access token is wanted (RFC 8707), where the issuer has to be told: one of `audiences`.
    pub resource: Option<String>,
    /// What else the issuer is asked with, as `audience` (Auth0), `access_type` (Google) or `login_hint`.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Where the browser is sent back to, as it is registered: a loopback address, any free port where none is
    /// written. Otherwise `http://127.0.0.1/callback`.
    pub redirect_url: Option<String>,
    /// Where codes are redeemed; otherwise the `token_endpoint` of the discovery document, which must then be on
    /// the issuer's own origin.
    pub token_endpoint: Option<String>,
    /// Which token is shown to this server: `access` or `id`. Otherwise `id` where `tokens: [id]`, and `access`.
    pub token: Option<Shown>,
    /// Where the tokens are kept: sealed with a key in the system's `keyring`, or in a `file` that only their
    /// owner may read. Otherwise with a keyring where there is one.
    pub storage: Option<Storage>,
    /// Whether `platform-mcp token` gives clusters a token that this server takes too. Whoever runs such a cluster
    /// can then call this server as the person.
    #[serde(default)]
    pub share_with_clusters: bool,
}

impl Login {
    pub(super) fn coherent(&self, taken: &[TokenKind]) -> Result<(), Wrong> {
        let wrong = |key: &str, what: &str| Err(Wrong::new(what).below(key));
        if self.client_id.trim().is_empty() {
            return wrong("clientId", "must not be empty");
        }
        match (&self.client_secret, &self.client_secret_file) {
            (Some(_), Some(_)) => {
                return wrong(
                    "clientSecretFile",
                    "clientSecret is given too, and only one of them can be meant",
                );
            }
            (Some(secret), None) if secret.expose_secret().is_empty() => {
                return wrong("clientSecret", "must not be empty; leave it out where the client has none");
            }
            _ => {}
        }
        if self.scopes.len() > MOST_SCOPES {
            return wrong("scopes", "must be 64 at the most");
        }
        // RFC 6749 appendix A.4
        let is_scope =
            |byte: u8| byte == 0x21 || (0x23..=0x5b).contains(&byte) || (0x5d..=0x7e).contains(&byte);
        let odd =
            |scope: &String| scope.is_empty() || scope.len() > LONGEST_SCOPE || !scope.bytes().all(is_scope);
        if let Some(index) = self.scopes.iter().position(odd) {
            return Err(Wrong::new("is no scope: one word without spaces, quotes and backslashes")
                .in_item(index)
                .below("scopes"));
        }
        let resource = self.resource.as_deref().map(reqwest::Url::parse);
        if resource.is_some_and(|url| url.is_err()) {
            return wrong("resource", "must be a URI (RFC 8707)");
        }
        for name in self.parameters.keys() {
            let what = match () {
                () if authorize::OURS.contains(&name.as_str()) => "is set by platform-mcp itself",
                () if name.is_empty()
                    || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)) =>
                {
                    "is no name of a parameter: letters, digits, and . - _"
                }
                () => continue,
            };
            return Err(Wrong::new(what).below(name).below("parameters"));
        }
        if let Some(Err(what)) = self.redirect_url.as_deref().map(settings::redirect) {
            return wrong("redirectUrl", &what);
        }
        if let Some(Err(what)) = self.token_endpoint.as_deref().map(place::endpoint) {
            return wrong("tokenEndpoint", &what);
        }
        let access = taken.is_empty() || taken.contains(&TokenKind::Access);
        match self.token {
            Some(Shown::Id) if !taken.contains(&TokenKind::Id) => {
                wrong("token", "is id, and ID tokens are not taken: write tokens: [id], or [access, id]")
            }
            Some(Shown::Access) if !access => {
                wrong("token", "is access, and access tokens are not taken: write tokens: [access, id]")
            }
            _ => Ok(()),
        }
    }

    pub(super) fn settings(
        &self,
        issuer: IssuerSettings,
        taken: &[TokenKind],
        resolved: impl Fn(&Path) -> PathBuf,
    ) -> LoginSettings {
        let secret = match (&self.client_secret, &self.client_secret_file) {
            (Some(secret), _) => Some(ClientSecret::Given(secret.clone())),
            (None, Some(file)) => Some(ClientSecret::File(resolved(file))),
            (None, None) => None,
        };
        let usual = if taken == [TokenKind::Id] { Shown::Id } else { Shown::Access };
        LoginSettings {
            issuer,
            client_id: self.client_id.clone(),
            secret,
            scopes: self.scopes.clone(),
            resource: self.resource.clone(),
            parameters: self.parameters.clone(),
            redirect: self.redirect_url.clone().unwrap_or_else(|| settings::REDIRECT.to_owned()),
            token_endpoint: self.token_endpoint.clone(),
            shown: self.token.unwrap_or(usual),
            storage: self.storage,
            share_with_clusters: self.share_with_clusters,
        }
    }
}
