//! `issuers`: who may say who a caller is, and what their callers may do.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::problem::Wrong;
use crate::permission::Rule;

/// An OIDC issuer whose tokens are taken.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Issuer {
    /// The issuer, byte for byte as its tokens say it in `iss`: `https://…`; plain http only for
    /// loopback addresses. Its discovery document is below it.
    pub url: String,
    /// The audiences of which a token must name one; otherwise `http.url`.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// What is taken: `access` tokens (RFC 9068 `at+jwt`, or `JWT` where the issuer says no more), or
    /// `id` tokens too. Otherwise access tokens alone.
    #[serde(default)]
    pub tokens: Vec<TokenKind>,
    /// Values of the header `typ` that are taken, `none` for an absent one. Otherwise `at+jwt`, and
    /// `JWT` and an absent one too where ID tokens are taken.
    #[serde(default)]
    pub types: Vec<String>,
    /// Signature algorithms that are taken; otherwise RS256, PS256, ES256, ES384 and EdDSA.
    #[serde(default)]
    pub algorithms: Vec<String>,
    /// PEM file of the certificate authority of the issuer; otherwise the system's.
    pub ca_file: Option<PathBuf>,
    /// Seconds by which clocks may differ, at most 60; otherwise 30.
    pub leeway_seconds: Option<u64>,
    /// Which claim is the name of a caller, and how clusters get it.
    #[serde(default)]
    pub username: Mapped,
    /// Which claim holds the groups of a caller, and how clusters get them.
    #[serde(default)]
    pub groups: Mapped,
    /// Claims that clusters get as `Impersonate-Extra-…`, by the name of the extra.
    #[serde(default)]
    pub extra: BTreeMap<String, String>,
    /// Whether clusters get the subject as `Impersonate-Uid`.
    #[serde(default)]
    pub uid: bool,
    /// What callers may do by what their token says of them. All rules that match add up; deny wins.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// A claim that names permissions directly: a list, or a text with spaces between. Patterns may stand
    /// in it; what is no permission is left out.
    pub permissions_claim: Option<String>,
    /// Permissions, by the OAuth scope that gives them. Names or patterns.
    #[serde(default)]
    pub scopes: BTreeMap<String, Vec<String>>,
    /// OAuth scopes that a client is told to ask for beside those, as `openid`.
    #[serde(default)]
    pub ask_scopes: Vec<String>,
}

/// A kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TokenKind {
    /// An access token for us.
    Access,
    /// An ID token of a client that we are configured to trust as audience.
    Id,
}

/// A claim, and the prefix that its values get on their way to a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Mapped {
    /// The claim; otherwise `sub`, and `groups`.
    pub claim: Option<String>,
    /// What clusters get in front of its values, as the API server's `--oidc-username-prefix`.
    pub prefix: String,
}

impl Issuer {
    /// What no type can say alone.
    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        Ok(())
    }
}
