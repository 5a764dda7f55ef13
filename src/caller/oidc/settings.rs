//! [`IssuerSettings`]: what the verifier knows of an issuer before it asks it.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use jiff::SignedDuration;
use jsonwebtoken::Algorithm;
use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// An issuer as configured, with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct IssuerSettings {
    /// `iss`, byte for byte.
    pub issuer: String,
    /// A token must name one of these in `aud`.
    pub audiences: Vec<String>,
    /// Whether ID tokens are taken beside access tokens.
    pub id_tokens: bool,
    /// Values of `typ` that are taken, in lower case and without `application/`; `None` for an absent one.
    pub types: Vec<Option<String>>,
    /// Asymmetric algorithms only.
    pub algorithms: Vec<Algorithm>,
    /// PEM file of the certificate authority.
    pub ca_file: Option<PathBuf>,
    /// By how much clocks may differ.
    pub leeway: Duration,
    /// The claim that is the name of a caller.
    pub username_claim: String,
    /// What clusters get in front of it.
    pub username_prefix: String,
    /// The claim that holds groups.
    pub groups_claim: String,
    /// What clusters get in front of each.
    pub groups_prefix: String,
    /// Claims that clusters get as extra, by the name of the extra.
    pub extra: BTreeMap<String, String>,
    /// Whether clusters get the subject as uid.
    pub uid: bool,
    /// How tokens are exchanged for those of clusters, where they are.
    pub exchange: Option<ExchangeSettings>,
}

/// How this server exchanges tokens of callers at their issuer (RFC 8693).
#[derive(Clone, Debug, PartialEq)]
pub struct ExchangeSettings {
    /// The client that this server is there.
    pub client_id: String,
    /// What proves it.
    pub secret: ClientSecret,
    /// Where tokens are exchanged; otherwise the issuer says it.
    pub token_endpoint: Option<String>,
    /// What says for whom a token is wanted.
    pub parameter: Parameter,
    /// `scope` of what is wanted, where anything is asked for.
    pub scope: Option<String>,
    /// What the tokens of callers are.
    pub subject_token_type: SubjectTokenType,
}

/// The secret of a client.
#[derive(Clone, Debug)]
pub enum ClientSecret {
    /// As configured.
    Given(SecretString),
    /// In a file, read at each use.
    File(PathBuf),
}

impl PartialEq for ClientSecret {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Given(one), Self::Given(other)) => one.expose_secret() == other.expose_secret(),
            (Self::File(one), Self::File(other)) => one == other,
            _ => false,
        }
    }
}

/// What says for whom a token is wanted (RFC 8693 section 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Parameter {
    /// By the name that the issuer has for it.
    #[default]
    Audience,
    /// By its URI.
    Resource,
}

impl Parameter {
    /// The name of the parameter.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audience => "audience",
            Self::Resource => "resource",
        }
    }
}

/// What the tokens of callers are called when they are exchanged (RFC 8693 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SubjectTokenType {
    /// Access tokens.
    Access,
    /// ID tokens.
    Id,
    /// JWTs of whatever kind.
    Jwt,
}

impl SubjectTokenType {
    /// The identifier.
    pub fn urn(self) -> &'static str {
        match self {
            Self::Access => "urn:ietf:params:oauth:token-type:access_token",
            Self::Id => "urn:ietf:params:oauth:token-type:id_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
        }
    }
}

impl IssuerSettings {
    pub(super) fn leeway(&self) -> SignedDuration {
        SignedDuration::try_from(self.leeway).unwrap_or_default()
    }
}
