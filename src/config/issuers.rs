//! `issuers`: who may say who a caller is, and what their callers may do.

mod exchange;
mod login;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use schemars::JsonSchema;
use serde::Deserialize;

pub use exchange::Exchange;
pub use login::Login;

use super::problem::{Wrong, meant};
use crate::{
    caller::{
        login::LoginSettings,
        oidc::{IssuerSettings, algorithm, header::media_type, place},
    },
    permission::Rule,
};

/// By how much clocks may differ, in seconds, where nothing is configured; and at most.
const LEEWAY: u64 = 30;
const MOST_LEEWAY: u64 = 60;

/// `typ` of tokens that give no access to anyone, whoever signed them.
const NO_ACCESS: [&str; 9] = [
    "logout+jwt",
    "secevent+jwt",
    "dpop+jwt",
    "oauth-authz-req+jwt",
    "token-introspection+jwt",
    "client-authentication+jwt",
    "oauth-id-jag+jwt",
    "entity-statement+jwt",
    "statuslist+jwt",
];

/// An OIDC issuer whose tokens are taken.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Issuer {
    /// The issuer, byte for byte as its tokens say it in `iss`: `https://…`; plain http only for
    /// loopback addresses. Its discovery document is below it.
    pub url: String,
    /// The audiences of which a token must name one; otherwise `http.url`.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// What is taken: `access` tokens, `id` tokens, or both. Otherwise access tokens alone.
    #[serde(default)]
    pub tokens: Vec<TokenKind>,
    /// Values of the header `typ` that are taken, `none` for an absent one. Otherwise `at+jwt` (RFC 9068)
    /// for access tokens, and `JWT` and `none` where ID tokens are taken. Write `[at+jwt, JWT]` for an
    /// issuer that does not follow RFC 9068, as Keycloak, Entra ID and Okta: ID tokens are then still
    /// told apart, but by their claims alone, so give clients and this server different audiences.
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
    /// How its tokens are exchanged for those of clusters that have `identity: exchange`.
    pub exchange: Option<Exchange>,
    /// How people sign in there with `platform-mcp login`.
    pub login: Option<Login>,
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
    /// The claim, by its name or by a path with dots, as `realm_access.roles`. Otherwise `sub`, and `groups`.
    pub claim: Option<String>,
    /// What clusters get in front of its values, as the API server's `--oidc-username-prefix`.
    pub prefix: String,
}

impl Issuer {
    /// What no type can say alone.
    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        place::issuer(&self.url).map_err(|wrong| Wrong::new(wrong).below("url"))?;
        if let Some(index) = self.audiences.iter().position(String::is_empty) {
            return Err(Wrong::new("must not be empty").in_item(index).below("audiences"));
        }
        for (index, written) in self.types.iter().enumerate() {
            let wrong = match media_type(written.trim()).as_str() {
                "" => "must not be empty; write none where the header is absent".to_owned(),
                "jwe" => "is an encrypted token, which cannot be taken".to_owned(),
                foreign if NO_ACCESS.contains(&foreign) => {
                    format!("{written:?} is no token that gives access, and is never taken")
                }
                _ => continue,
            };
            return Err(Wrong::new(wrong).in_item(index).below("types"));
        }
        for (index, name) in self.algorithms.iter().enumerate() {
            if algorithm::named(name).is_none() {
                let known = meant(name, &algorithm::names(), "algorithms");
                let wrong = format!("{name:?} is not an asymmetric algorithm that is known{known}");
                return Err(Wrong::new(wrong).in_item(index).below("algorithms"));
            }
        }
        if self.leeway_seconds.is_some_and(|seconds| seconds > MOST_LEEWAY) {
            return Err(Wrong::new(format!("must be from 0 to {MOST_LEEWAY}")).below("leewaySeconds"));
        }
        self.username.coherent().map_err(|wrong| wrong.below("username"))?;
        self.groups.coherent().map_err(|wrong| wrong.below("groups"))?;
        if let Some(exchange) = &self.exchange {
            exchange.coherent().map_err(|wrong| wrong.below("exchange"))?;
        }
        if let Some(login) = &self.login {
            login.coherent(&self.tokens).map_err(|wrong| wrong.below("login"))?;
        }
        for (name, claim) in &self.extra {
            let wrong = match () {
                () if !is_extra_name(name) => {
                    "the name of an extra is made of lower-case letters, digits, and . - _ with perhaps a \
                     domain and / before it, as example.com/team"
                }
                () if is_kubernetes_own(name) => {
                    "names below k8s.io and kubernetes.io are the API server's own"
                }
                () if claim.is_empty() => "must name a claim",
                () => continue,
            };
            return Err(Wrong::new(wrong).below(name).below("extra"));
        }
        Ok(())
    }

    /// What the verifier needs. `resolved` says what a path means; `audience` is ours where none is
    /// configured.
    pub(super) fn settings(
        &self,
        resolved: impl Fn(&Path) -> PathBuf,
        audience: Option<&str>,
    ) -> IssuerSettings {
        let audiences = match self.audiences.is_empty() {
            true => audience.map(str::to_owned).into_iter().collect(),
            false => self.audiences.clone(),
        };
        let algorithms: Vec<_> = self.algorithms.iter().filter_map(|name| algorithm::named(name)).collect();
        IssuerSettings {
            issuer: self.url.clone(),
            audiences,
            id_tokens: self.tokens.contains(&TokenKind::Id),
            types: self.types(),
            algorithms: if algorithms.is_empty() { algorithm::DEFAULT.to_vec() } else { algorithms },
            ca_file: self.ca_file.as_deref().map(&resolved),
            leeway: Duration::from_secs(self.leeway_seconds.unwrap_or(LEEWAY)),
            username_claim: self.username.claim.clone().unwrap_or_else(|| "sub".to_owned()),
            username_prefix: self.username.prefix.clone(),
            groups_claim: self.groups.claim.clone().unwrap_or_else(|| "groups".to_owned()),
            groups_prefix: self.groups.prefix.clone(),
            extra: self.extra.clone(),
            uid: self.uid,
            exchange: self.exchange.as_ref().and_then(|exchange| exchange.settings(&self.tokens, resolved)),
        }
    }

    /// One of which nothing but its name is known.
    pub(super) fn named(url: &str) -> Result<Self, String> {
        place::issuer(url)?;
        let none = serde_json::json!({ "url": url });
        serde_json::from_value(none).map_err(|error| error.to_string())
    }

    /// How people sign in there, where they do.
    pub(super) fn login(
        &self,
        resolved: impl Fn(&Path) -> PathBuf,
        audience: Option<&str>,
    ) -> Option<LoginSettings> {
        let login = self.login.as_ref()?;
        Some(login.settings(self.settings(&resolved, audience), &self.tokens, &resolved))
    }

    fn types(&self) -> Vec<Option<String>> {
        let typed = |written: &String| Some(media_type(written.trim())).filter(|kind| kind != "none");
        if !self.types.is_empty() {
            return self.types.iter().map(typed).collect();
        }
        let mut types = Vec::new();
        if self.tokens.is_empty() || self.tokens.contains(&TokenKind::Access) {
            types.push(Some("at+jwt".to_owned()));
        }
        if self.tokens.contains(&TokenKind::Id) {
            types.extend([Some("jwt".to_owned()), None]);
        }
        types
    }
}

impl Mapped {
    fn coherent(&self) -> Result<(), Wrong> {
        if self.claim.as_ref().is_some_and(String::is_empty) {
            return Err(Wrong::new("must name a claim").below("claim"));
        }
        let wrong = match self.prefix.as_str() {
            "-" => "leave it out for no prefix",
            system if system.starts_with("system:") => {
                "names that begin with \"system:\" are the API server's own"
            }
            // HTTP drops white space around a header's value, and a prefix with it
            odd if odd.trim() != odd || odd.chars().any(char::is_control) => {
                "must have no white space around it and no control characters"
            }
            _ => return Ok(()),
        };
        Err(Wrong::new(wrong).below("prefix"))
    }
}

/// What no list item can say alone: `audience` is ours, for issuers that configure none.
pub(super) fn coherent(issuers: &[Issuer], audience: Option<&str>) -> Result<(), Wrong> {
    for (index, issuer) in issuers.iter().enumerate() {
        let wrong = match () {
            () if issuers.iter().take(index).any(|other| other.url == issuer.url) => {
                Wrong::new("another entry has the same url").below("url")
            }
            () if issuer.audiences.is_empty() && audience.is_none() => {
                let wrong = "must name whom tokens are for, or http.url must be given: \
                             a token for somebody else is never taken";
                Wrong::new(wrong).below("audiences")
            }
            () => match issuer.coherent() {
                Ok(()) => continue,
                Err(wrong) => wrong,
            },
        };
        return Err(wrong.in_item(index));
    }
    Ok(())
}

/// As it can stand in the name of a header, whose case is lost on the way.
fn is_extra_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    let whole = |part: &str| !part.is_empty() && part.chars().all(fits);
    name.len() <= 128 && name.splitn(2, '/').all(whole)
}

fn is_kubernetes_own(name: &str) -> bool {
    let domain = name.split_once('/').map_or("", |(domain, _)| domain);
    ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|own| domain.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

#[cfg(test)]
mod tests;
