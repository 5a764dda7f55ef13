//! `issuers[].exchange`: how tokens of callers are exchanged for those of clusters.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{super::problem::Wrong, TokenKind};
use crate::caller::oidc::{
    place,
    settings::{ClientSecret, ExchangeSettings, Parameter, SubjectTokenType},
};

/// Exchanging tokens of callers for those of clusters (RFC 8693), for clusters with `identity: exchange`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Exchange {
    /// The client that this server is at the issuer. It must be allowed to exchange tokens.
    pub client_id: String,
    /// Its secret.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub client_secret: Option<SecretString>,
    /// File that holds its secret, read at each use.
    pub client_secret_file: Option<PathBuf>,
    /// Where tokens are exchanged; otherwise the `token_endpoint` of the discovery document, which must then be
    /// on the issuer's own origin.
    pub token_endpoint: Option<String>,
    /// What says for which cluster a token is wanted: `audience`, or `resource` for issuers that want a URI.
    #[serde(default)]
    pub parameter: Parameter,
    /// OAuth scopes to ask for, with spaces between.
    pub scope: Option<String>,
    /// What callers' tokens are: `access` or `id` tokens, or `jwt`. Otherwise `id` where `tokens: [id]`, and
    /// `access`.
    pub subject_token_type: Option<SubjectTokenType>,
}

impl Exchange {
    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        let wrong = |key: &str, what: &str| Err(Wrong::new(what).below(key));
        if self.client_id.is_empty() {
            return wrong("clientId", "must not be empty");
        }
        match (&self.client_secret, &self.client_secret_file) {
            (None, None) => return wrong("clientSecret", "must be given, or clientSecretFile"),
            (Some(_), Some(_)) => {
                return wrong(
                    "clientSecretFile",
                    "clientSecret is given too, and only one of them can be meant",
                );
            }
            (Some(secret), None) if secret.expose_secret().is_empty() => {
                return wrong("clientSecret", "must not be empty");
            }
            _ => {}
        }
        if self.scope.as_ref().is_some_and(|scope| scope.trim().is_empty()) {
            return wrong("scope", "must not be empty; leave it out to ask for none");
        }
        match self.token_endpoint.as_deref().map(place::endpoint) {
            Some(Err(what)) => wrong("tokenEndpoint", &what),
            _ => Ok(()),
        }
    }

    pub(super) fn settings(
        &self,
        tokens: &[TokenKind],
        resolved: impl Fn(&Path) -> PathBuf,
    ) -> Option<ExchangeSettings> {
        let secret = match (&self.client_secret, &self.client_secret_file) {
            (Some(secret), _) => ClientSecret::Given(secret.clone()),
            (None, Some(file)) => ClientSecret::File(resolved(file)),
            (None, None) => return None,
        };
        let usual = if tokens == [TokenKind::Id] { SubjectTokenType::Id } else { SubjectTokenType::Access };
        Some(ExchangeSettings {
            client_id: self.client_id.clone(),
            secret,
            token_endpoint: self.token_endpoint.clone(),
            parameter: self.parameter,
            scope: self.scope.clone(),
            subject_token_type: self.subject_token_type.unwrap_or(usual),
        })
    }
}
