//! [`Presented`]: the tokens for clusters that came with a request, beside the caller's own for us
//! (`Backstage-Kubernetes-Authorization` and its forms for providers).
//!
//! What is wrong with one is told to whoever asks a cluster that needs it, and to nobody else: a request that
//! asks another cluster is none the worse for it.

use std::{collections::BTreeMap, sync::Arc};

use aws_lc_rs::digest;
use futures::{FutureExt as _, future::BoxFuture};
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::{
    fault::Fault,
    identity::{As, Bearer, Identity, Unfit},
};

/// The header for whatever cluster is asked. Backstage's forms for providers go on with `-FRAMEWORK` and
/// perhaps `-PROVIDER`.
const HEADER: &str = "Backstage-Kubernetes-Authorization";
/// The same as it comes.
const LOWER: &str = "backstage-kubernetes-authorization";

/// Headers of one request that are looked at.
const MOST: usize = 16;

/// What came with a request. Its `Debug` says nothing of the tokens.
#[derive(Clone, Default)]
pub struct Presented {
    /// By what stands behind [`LOWER`] and `-`, in lower case; nothing for the header for all.
    tokens: BTreeMap<String, Result<SecretString, &'static str>>,
    more: bool,
}

impl std::fmt::Debug for Presented {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presented").field("tokens", &self.tokens.len()).finish_non_exhaustive()
    }
}

impl Presented {
    /// Of the headers of a request. `token` is what takes a token out of one, where it may be passed on.
    pub fn from_headers<'h>(
        headers: &'h HeaderMap,
        token: impl Fn(&'h HeaderValue) -> Result<&'h str, &'static str>,
    ) -> Self {
        let mut presented = Self::default();
        for name in headers.keys() {
            let Some(rest) = name.as_str().strip_prefix(LOWER) else { continue };
            let provider = match rest.strip_prefix('-') {
                Some(provider) if !provider.is_empty() => provider,
                None if rest.is_empty() => rest,
                _ => continue,
            };
            if presented.tokens.len() == MOST {
                presented.more = true;
                break;
            }
            let mut values = headers.get_all(name).iter();
            let token = match (values.next(), values.next()) {
                (Some(value), None) => token(value),
                _ => Err("came more than once"),
            };
            presented.tokens.insert(provider.to_owned(), token.map(|token| token.to_owned().into()));
        }
        presented
    }

    /// One token, for whatever cluster is asked.
    pub fn of(token: SecretString) -> Self {
        Self { tokens: [(String::new(), Ok(token))].into(), more: false }
    }

    /// As whom a cluster is asked whose callers bring their token in the header of `provider`, or in the one
    /// for all.
    pub fn acting(&self, provider: Option<&str>) -> As {
        let provider = provider.map(str::to_ascii_lowercase);
        let of_provider = provider.as_deref().and_then(|provider| self.tokens.get_key_value(provider));
        match of_provider.or_else(|| self.tokens.get_key_value("")) {
            Some((_, Ok(token))) => As::Bearer(Arc::new(Shown(token.clone()))),
            Some((provider, Err(why))) => As::nobody(Unfit::BadToken(header(Some(provider)), why)),
            None if self.more => {
                let why = "was not looked at: a request may have 16 of its kind";
                As::nobody(Unfit::BadToken(header(provider.as_deref()), why))
            }
            None => As::nobody(Unfit::NoToken(header(provider.as_deref()))),
        }
    }

    /// Adds what tells these tokens from others.
    pub(crate) fn add_to(&self, digest: &mut digest::Context) {
        for (provider, token) in &self.tokens {
            let token = token.as_ref().map_or("", |token| token.expose_secret());
            for part in [provider.as_str(), token] {
                digest.update(&(part.len() as u64).to_be_bytes());
                digest.update(part.as_bytes());
            }
        }
    }
}

/// The header that a cluster of this provider takes.
pub fn header(provider: Option<&str>) -> String {
    match provider {
        None | Some("") => HEADER.to_owned(),
        Some(provider) => format!("{HEADER}-{provider}"),
    }
}

/// A token that the caller shows a cluster.
struct Shown(SecretString);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shown")
    }
}

impl Bearer for Shown {
    fn token(&self, _deadline: Instant) -> BoxFuture<'_, Result<SecretString, Fault>> {
        std::future::ready(Ok(self.0.clone())).boxed()
    }

    fn identity(&self) -> Identity {
        Identity::CallerHeader
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn presented(headers: &[(&str, &[u8])]) -> Arc<crate::presented::Presented> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            map.append(name, HeaderValue::from_bytes(value).expect("a value"));
        }
        crate::presented::Presented::from_headers(&map, &["https://mcp.example".to_owned()])
    }

    async fn said(presented: &crate::presented::Presented, provider: Option<&str>) -> Result<String, Unfit> {
        match presented.clusters.acting(provider) {
            As::Bearer(bearer) => {
                assert_eq!(bearer.identity(), Identity::CallerHeader);
                let token = bearer.token(Instant::now()).await.expect("it is there");
                assert!(!format!("{bearer:?} {presented:?}").contains(token.expose_secret()));
                Ok(token.expose_secret().to_owned())
            }
            As::Nobody(unfit) => Err(Unfit::clone(&unfit)),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_cluster_is_shown_the_token_of_its_provider_or_the_one_for_all() {
        let presented = presented(&[
            ("backstage-kubernetes-authorization", b"Bearer for-all"),
            ("Backstage-Kubernetes-Authorization-Google", b"of.google"),
            ("backstage-kubernetes-authorization-OIDC-Okta", b"bearer   of-okta=="),
            ("backstage-kubernetes-authorization-", b"nobody's"),
            ("backstage-kubernetes-authorizations", b"nobody's"),
            ("authorization", b"Bearer ours"),
        ]);
        for (provider, token) in [
            (None, "for-all"),
            (Some("google"), "of.google"),
            (Some("oidc-OKTA"), "of-okta=="),
            (Some("aks"), "for-all"),
        ] {
            assert_eq!(said(&presented, provider).await.as_deref(), Ok(token), "{provider:?}");
        }
        let none = crate::presented::Presented::default();
        let missing = |header: &str| Err(Unfit::NoToken(header.to_owned()));
        assert_eq!(said(&none, None).await, missing("Backstage-Kubernetes-Authorization"));
        let header = missing("Backstage-Kubernetes-Authorization-oidc-okta");
        assert_eq!(said(&none, Some("oidc-okta")).await, header);
    }

    #[tokio::test]
    async fn what_is_no_token_is_none_for_that_header_alone() {
        for odd in [
            &b""[..],
            b" ",
            b"Bearer",
            b"Bearer ",
            b"Basic YTpi",
            b"Bearer a b",
            b"a,b",
            b"\"a\"",
            b"a\tb",
            b"=",
            b"\xc3\xa9",
            b"Bearer Bearer",
            &[b'a'; (16 << 10) + 1],
        ] {
            let presented = presented(&[
                ("backstage-kubernetes-authorization-google", odd),
                ("backstage-kubernetes-authorization-aks", b"good"),
            ]);
            let bad = said(&presented, Some("google")).await;
            if odd == b"Bearer Bearer" {
                // a strange token, and one
                assert!(bad.is_ok());
                continue;
            }
            let Err(Unfit::BadToken(header, _)) = &bad else { panic!("{odd:?}: {bad:?}") };
            assert_eq!(header, "Backstage-Kubernetes-Authorization-google");
            assert_eq!(said(&presented, Some("aks")).await.as_deref(), Ok("good"));
        }
        let twice = presented(&[
            ("backstage-kubernetes-authorization", b"a"),
            ("backstage-kubernetes-authorization", b"a"),
        ]);
        let bad = said(&twice, None).await;
        assert!(matches!(bad, Err(Unfit::BadToken(_, why)) if why.contains("more than once")), "{bad:?}");
    }

    #[tokio::test]
    async fn the_token_for_us_is_never_shown_to_a_cluster() {
        for ours in [&b"Bearer ours"[..], b"bearer  ours", b"ours", b"Bearer ours "] {
            let presented = presented(&[
                ("authorization", ours),
                ("backstage-kubernetes-authorization", b"Bearer ours"),
                ("backstage-kubernetes-authorization-google", b"theirs"),
            ]);
            let bad = said(&presented, None).await;
            assert!(
                matches!(bad, Err(Unfit::BadToken(_, why)) if why.contains("never passed on")),
                "{bad:?}"
            );
            assert_eq!(said(&presented, Some("google")).await.as_deref(), Ok("theirs"));
        }
    }

    #[tokio::test]
    async fn no_token_for_us_is_shown_to_a_cluster_whosever_it_is() {
        // {"aud":"https://mcp.example","sub":"x"}
        let another = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL21jcC5leGFtcGxlIiwic3ViIjoieCJ9.AAAA";
        for token in [another.to_owned(), format!("Bearer {another}="), format!("{another}A")] {
            let presented = presented(&[
                ("authorization", b"Bearer ours"),
                ("backstage-kubernetes-authorization-google", token.as_bytes()),
            ]);
            let bad = said(&presented, Some("google")).await;
            assert!(
                matches!(bad, Err(Unfit::BadToken(_, why)) if why.contains("a token for this server")),
                "{bad:?}"
            );
        }
    }

    #[tokio::test]
    async fn there_are_only_so_many_and_what_was_left_out_is_said() {
        let names: Vec<String> =
            (0..=MOST).map(|n| format!("backstage-kubernetes-authorization-p{n}")).collect();
        let headers: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"t"[..])).collect();
        let presented = presented(&headers);
        assert_eq!(presented.clusters.tokens.len(), MOST);
        let out = said(&presented, Some("elsewhere")).await;
        assert!(matches!(out, Err(Unfit::BadToken(_, why)) if why.contains("16")), "{out:?}");
    }

    #[test]
    fn other_tokens_have_another_fingerprint() {
        let of = |provider: &str, token: &str| {
            let name = format!("backstage-kubernetes-authorization{provider}");
            presented(&[(&name, token.as_bytes())]).fingerprint()
        };
        let all = [
            of("", "a"),
            of("", "b"),
            of("-x", "a"),
            of("", "="),
            crate::presented::Presented::default().fingerprint(),
        ];
        for (index, one) in all.iter().enumerate() {
            assert_eq!(all.iter().filter(|other| *other == one).count(), 1, "{index}");
        }
        assert_eq!(of("", "a"), of("", "Bearer a"));
    }
}
