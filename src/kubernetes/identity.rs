//! How an API server is told on whose behalf a request is made (design section 6).
//!
//! Identity is a layer over a cluster's one connection pool: headers that [`super::Access`] adds to each
//! request. There is never a client for a caller.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::time::Instant;

use super::fault::Fault;

/// What a header name may hold of the name of an extra; the rest is percent-encoded, `%` too (client-go,
/// `transport/round_trippers.go`, `legalHeaderByte`).
const EXTRA_NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'*')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// How the API server is told on whose behalf a request is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// The server's own credential: our permission set is then the only gate.
    #[default]
    Own,
    /// The server's own credential, and the caller's name and groups in `Impersonate-…`: the cluster's
    /// RBAC decides too, and its audit log names the caller.
    Impersonate,
    /// A token for this cluster that the caller's issuer gives for the caller's token (RFC 8693).
    Exchange,
    /// The token that the caller sends for this cluster beside their own, in
    /// `Backstage-Kubernetes-Authorization`.
    CallerHeader,
}

impl Identity {
    /// The word in configuration and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Impersonate => "impersonate",
            Self::Exchange => "exchange",
            Self::CallerHeader => "caller-header",
        }
    }
}

/// A token of the caller's own for one cluster. Its `Debug` says nothing of the token.
pub trait Bearer: std::fmt::Debug + Send + Sync {
    /// The token, which may have to be got first.
    fn token(&self, deadline: Instant) -> BoxFuture<'_, Result<SecretString, Fault>>;

    /// How the caller is shown to the cluster by it.
    fn identity(&self) -> Identity;

    /// The cluster did not take it.
    fn refused(&self) {}
}

/// Who the API server is asked to act as, with the configured prefixes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impersonation {
    /// `Impersonate-User`.
    pub user: String,
    /// `Impersonate-Group`, each.
    pub groups: Vec<String>,
    /// `Impersonate-Uid`.
    pub uid: Option<String>,
    /// `Impersonate-Extra-…`, by the name of the extra.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// As whom the requests of one call are made.
#[derive(Clone, Debug, Default)]
pub enum As {
    /// As the server.
    #[default]
    Server,
    /// As the caller, whom the server speaks for: these headers, checked.
    Caller(Arc<HeaderMap>),
    /// As the caller, by a token of their own and nothing of the server's.
    Bearer(Arc<dyn Bearer>),
    /// As nobody: nothing may be sent.
    Nobody(Arc<Unfit>),
}

/// Why a cluster cannot be shown who calls. Then nothing is sent: without it, the API server would take the
/// request for the server's own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The local user, whom no issuer vouches for.
    #[error("the local user has no identity that the cluster could be shown")]
    Nameless,
    /// A plugin of Backstage that calls for none of its users.
    #[error("a Backstage plugin that calls for no user has no identity that the cluster could be shown")]
    Service,
    /// No names are configured that this cluster knows users of Backstage by.
    #[error("no name is configured by which it knows users of Backstage")]
    NoTemplate,
    /// A user of Backstage who would be taken for one of its namespace `default`.
    #[error(
        "the names configured for it are for users of Backstage's namespace \"default\" alone, and you are of \
         {0:?}"
    )]
    Namespace(String),
    /// What no header can carry unchanged.
    #[error(
        "your {0} cannot be passed on to the cluster: empty, with a control character, or with space around it"
    )]
    NoHeader(&'static str),
    /// A name of Kubernetes's own.
    #[error("your {0} begins with \"system:\", which is Kubernetes's own")]
    System(&'static str),
    /// No token for this cluster came with the request; what is named is the header.
    #[error("no token of yours for it came in the header {0}")]
    NoToken(String),
    /// A token for this cluster came that is none.
    #[error("the header {0} {1}")]
    BadToken(String, &'static str),
    /// A token came that does not say whose it is, for a cluster that takes those of one issuer for one client.
    #[error("your token for it was not sent: it is no ID token (JWT) that names its issuer and audience")]
    NoIdToken,
    /// One of another issuer than the cluster's, which is named.
    #[error("your token for it was not sent: it is of another issuer than the cluster's, {0}")]
    OtherIssuer(String),
    /// One for another client than the cluster's, which is named.
    #[error("your token for it was not sent: it is not for the cluster's client, {0:?}")]
    OtherAudience(String),
    /// Nothing can be exchanged for a token for this cluster.
    #[error("your token cannot be exchanged for one for it: {0}")]
    NoExchange(&'static str),
}

/// Whether it may stand behind `Bearer` (RFC 6750 section 2.1).
pub fn is_b64token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !body.is_empty() && body.bytes().all(allowed)
}

impl Unfit {
    /// How the caller would have been shown.
    pub fn mode(&self) -> Identity {
        match self {
            Self::Nameless
            | Self::Service
            | Self::NoTemplate
            | Self::Namespace(_)
            | Self::NoHeader(_)
            | Self::System(_) => Identity::Impersonate,
            Self::NoToken(_)
            | Self::BadToken(..)
            | Self::NoIdToken
            | Self::OtherIssuer(_)
            | Self::OtherAudience(_) => Identity::CallerHeader,
            Self::NoExchange(_) => Identity::Exchange,
        }
    }
}

impl As {
    /// Nobody, and why.
    pub fn nobody(unfit: Unfit) -> Self {
        Self::Nobody(Arc::new(unfit))
    }

    /// The caller, impersonated.
    pub fn impersonated(impersonation: &Impersonation) -> Self {
        match impersonation.headers() {
            Ok(headers) => Self::Caller(Arc::new(headers)),
            Err(unfit) => Self::nobody(unfit),
        }
    }
}

impl Impersonation {
    /// Why no cluster can be asked to act so, where none can.
    pub fn unfit(&self) -> Option<Unfit> {
        self.headers().err()
    }

    /// The headers that ask for it.
    fn headers(&self) -> Result<HeaderMap, Unfit> {
        let mut headers = HeaderMap::with_capacity(self.groups.len() + self.extra.len() + 2);
        headers.insert("impersonate-user", named("username", &self.user)?);
        for group in &self.groups {
            headers.append("impersonate-group", named("groups", group)?);
        }
        if let Some(uid) = &self.uid {
            headers.insert("impersonate-uid", value("uid", uid)?);
        }
        for (name, values) in &self.extra {
            let name = utf8_percent_encode(&name.to_lowercase(), EXTRA_NAME).to_string();
            let name = HeaderName::try_from(format!("impersonate-extra-{name}"));
            let name = name.map_err(|_| Unfit::NoHeader("extra"))?;
            for extra in values {
                headers.append(&name, value("extra", extra)?);
            }
        }
        Ok(headers)
    }
}

/// The verifier refuses `system:` names already; this is the last place before they would count.
fn named(what: &'static str, text: &str) -> Result<HeaderValue, Unfit> {
    let value = value(what, text)?;
    if text.starts_with("system:") { Err(Unfit::System(what)) } else { Ok(value) }
}

/// A text as a header carries it unchanged. Servers drop space around a header's value, so that
/// ` system:masters` would become another group on its way; and an empty user is the server itself.
fn value(what: &'static str, text: &str) -> Result<HeaderValue, Unfit> {
    let kept = !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control);
    kept.then(|| HeaderValue::from_str(text).ok()).flatten().ok_or(Unfit::NoHeader(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> Impersonation {
        Impersonation {
            user: "oidc:alice".to_owned(),
            groups: vec!["oidc:team-a".to_owned(), "oidc:Jürgens Leute".to_owned()],
            uid: Some("4711".to_owned()),
            extra: [("Example.com/Scope%".to_owned(), vec!["a".to_owned(), "b".to_owned()])].into(),
        }
    }

    fn seen(acting: &As) -> Vec<(String, String)> {
        let As::Caller(headers) = acting else { panic!("{acting:?}") };
        let text = |value: &HeaderValue| String::from_utf8(value.as_bytes().to_vec()).expect("UTF-8");
        headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    #[test]
    fn a_caller_is_shown_whole() {
        let acting = As::impersonated(&alice());
        let expected = [
            ("impersonate-user", "oidc:alice"),
            ("impersonate-group", "oidc:team-a"),
            ("impersonate-group", "oidc:Jürgens Leute"),
            ("impersonate-uid", "4711"),
            ("impersonate-extra-example.com%2fscope%25", "a"),
            ("impersonate-extra-example.com%2fscope%25", "b"),
        ];
        assert_eq!(seen(&acting), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn who_cannot_be_shown_whole_is_nobody_and_never_the_server() {
        let nobody = |impersonation: &Impersonation| match As::impersonated(impersonation) {
            As::Nobody(unfit) => unfit,
            other => panic!("{other:?}"),
        };
        for odd in
            ["", " ", "a\r\nimpersonate-group: system:masters", "a\u{7f}", "a\tb", " alice", "alice\u{a0}"]
        {
            let odd = odd.to_owned();
            for wrong in [
                Impersonation { user: odd.clone(), ..alice() },
                Impersonation { groups: vec!["ok".to_owned(), odd.clone()], ..alice() },
                Impersonation { uid: Some(odd.clone()), ..alice() },
                Impersonation { extra: [("k".to_owned(), vec![odd.clone()])].into(), ..alice() },
            ] {
                assert!(matches!(*nobody(&wrong), Unfit::NoHeader(_)), "{wrong:?}");
            }
        }
        for system in ["system:masters", "system:", "system:serviceaccount:kube-system:x"] {
            let group = Impersonation { groups: vec![system.to_owned()], ..alice() };
            assert_eq!(*nobody(&group), Unfit::System("groups"));
            let user = Impersonation { user: system.to_owned(), ..alice() };
            assert_eq!(*nobody(&user), Unfit::System("username"));
        }
    }
}
