//! [`Presented`]: the Palette tokens that came with a request, beside the caller's own for us: in
//! `Palette-Authorization-<environment>`, or, where it can be meant for one environment alone, in
//! `Palette-Authorization` or the plugin's `X-SpectroCloud-Token`. One is shown to the environment it came for, and
//! to no other.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    environment::{Acting, Environment},
    environments::Environments,
    session::Shown,
};
use crate::caller::Caller;

/// The header for one environment goes on with `-` and [`slug`].
const HEADER: &str = "Palette-Authorization";
/// The same as it comes.
const LOWER: &str = "palette-authorization";
/// What the SpectroCloud plugin for Backstage sends.
const PLUGIN: &str = "x-spectrocloud-token";

/// Headers of one request that are looked at.
const MOST: usize = 16;

/// What came with a request. Its `Debug` says nothing of the tokens.
#[derive(Clone, Default)]
pub struct Presented {
    /// By the [`slug`] of the environment; nothing for the header without one.
    tokens: BTreeMap<String, Result<SecretString, &'static str>>,
}

impl std::fmt::Debug for Presented {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presented").field("tokens", &self.tokens.len()).finish()
    }
}

impl Presented {
    /// Of the headers of a request. `token` is what takes a token out of one, where it may be passed on.
    pub fn from_headers<'h>(
        headers: &'h HeaderMap,
        token: impl Fn(&'h HeaderValue) -> Result<&'h str, &'static str>,
    ) -> Self {
        let mut tokens: BTreeMap<String, Result<SecretString, &'static str>> = BTreeMap::new();
        for name in headers.keys() {
            let slug = match name.as_str().strip_prefix(LOWER) {
                Some("") => "",
                Some(rest) => match rest.strip_prefix('-') {
                    Some(slug) if !slug.is_empty() => slug,
                    _ => continue,
                },
                None if name.as_str() == PLUGIN => "",
                None => continue,
            };
            if tokens.len() == MOST {
                break;
            }
            let mut values = headers.get_all(name).iter();
            let found = match (values.next(), values.next()) {
                (Some(value), None) => token(value).map(|token| token.to_owned().into()),
                _ => Err("came more than once"),
            };
            // the plugin's header beside ours
            let found = if tokens.contains_key(slug) { Err("came more than once") } else { found };
            tokens.insert(slug.to_owned(), found);
        }
        Self { tokens }
    }

    /// As whom an environment is asked: as the server, or by the token that the caller brought for it.
    pub fn acting(&self, environment: &Environment, known: &Environments, caller: &Caller) -> Acting {
        if let Some(key) = &environment.settings().api_token {
            return Acting::Key(key.clone());
        }
        let slug = slug(environment.name());
        let own = self.tokens.get_key_value(slug.as_str());
        let plain = || self.tokens.get_key_value("").filter(|_| known.has_one_by_callers());
        let header = header(environment.name());
        match own.or_else(plain) {
            Some((_, Ok(token))) => {
                Acting::Caller(Shown { token: token.clone(), owner: owner(caller, token) })
            }
            Some((slug, Err(why))) => {
                let header = if slug.is_empty() { HEADER } else { &header };
                Acting::Nobody(format!("the header {header} {why}"))
            }
            None => Acting::Nobody(format!("no token of yours for it came in the header {header}")),
        }
    }

    /// Adds what tells these tokens from others.
    pub(crate) fn add_to(&self, digest: &mut digest::Context) {
        for (slug, token) in &self.tokens {
            let token = token.as_ref().map_or("", |token| token.expose_secret());
            for part in [slug.as_str(), token] {
                digest.update(&(part.len() as u64).to_be_bytes());
                digest.update(part.as_bytes());
            }
        }
    }
}

/// The header that callers send their token for this environment in.
pub fn header(environment: &str) -> String {
    format!("{HEADER}-{}", slug(environment))
}

/// A name as it can stand in a header's name, which has no case.
pub fn slug(environment: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    environment.chars().map(|c| if plain(c) { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// What is answered to a token is for its caller alone, and for that token.
fn owner(caller: &Caller, token: &SecretString) -> [u8; 32] {
    let mut digest = digest::Context::new(&digest::SHA256);
    let [issuer, subject] = caller.binding();
    for part in [issuer, subject, token.expose_secret()] {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finish().as_ref().try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::HeaderName;
    use reqwest::Url;

    use super::{super::environment::Settings, *};
    use crate::{caller::local, permission::PermissionSet, presented};

    fn environments(named: &[(&str, Option<&str>)]) -> Environments {
        let settings = named.iter().map(|(name, key)| Settings {
            name: (*name).to_owned(),
            url: Url::parse("https://palette.example").expect("a URL"),
            tenant: None,
            api_token: key.map(|key| key.to_owned().into()),
            ca_file: None,
            admin_kubeconfig: false,
        });
        Environments::new(settings.collect(), None)
    }

    fn presented(headers: &[(&str, &str)]) -> std::sync::Arc<presented::Presented> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            map.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        presented::Presented::from_headers(&map, &["https://mcp.example".to_owned()])
    }

    fn said(headers: &[(&str, &str)], known: &Environments, name: &str) -> Result<String, String> {
        let environment = known.named(name).expect("it is there");
        let caller = local::with_permissions(PermissionSet::default());
        let presented = presented(headers);
        match presented.environments.acting(environment, known, &caller) {
            Acting::Key(key) => Ok(format!("key {}", key.expose_secret())),
            Acting::Caller(shown) => {
                let token = shown.token.expose_secret().to_owned();
                assert!(!format!("{presented:?} {shown:?}").contains(&token));
                Ok(token)
            }
            Acting::Nobody(why) => Err(why),
            Acting::Anonymous => panic!("a call is somebody's"),
        }
    }

    #[test]
    fn a_token_is_shown_to_the_environment_it_came_for_and_to_no_other() {
        let two = environments(&[("Prod EU", None), ("lab", None), ("own", Some("k"))]);
        let headers = [
            ("palette-authorization-prod-eu", "of.prod"),
            ("Palette-Authorization", "for.whom"),
            ("x-spectrocloud-user-email", "ann@example.com"),
            ("palette-authorization-own", "of.own"),
        ];
        assert_eq!(said(&headers, &two, "Prod EU").as_deref(), Ok("of.prod"));
        let none = said(&headers, &two, "lab").expect_err("it may be meant for the other");
        assert!(none.contains("Palette-Authorization-lab"), "{none}");
        assert_eq!(
            said(&headers, &two, "own").as_deref(),
            Ok("key k"),
            "its own key is what it is asked with"
        );
    }

    #[test]
    fn a_header_without_a_name_is_for_the_only_one_it_can_mean() {
        let one = environments(&[("lab", None), ("own", Some("k"))]);
        for header in ["Palette-Authorization", "X-SpectroCloud-Token"] {
            assert_eq!(said(&[(header, "Bearer a.b.c")], &one, "lab").as_deref(), Ok("a.b.c"));
        }
        let both = [("palette-authorization", "a"), ("x-spectrocloud-token", "b")];
        for odd in [&both[..], &[("palette-authorization", "a"), ("palette-authorization", "a")]] {
            let odd = said(odd, &one, "lab").expect_err("which one?");
            assert!(odd.contains("more than once"), "{odd}");
        }
    }

    #[test]
    fn the_token_for_us_and_what_is_none_is_never_shown() {
        let one = environments(&[("lab", None)]);
        // {"aud":"https://mcp.example","sub":"x"}
        let another = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL21jcC5leGFtcGxlIiwic3ViIjoieCJ9.AAAA";
        for (value, why) in [
            ("ours", "your token for this server"),
            (another, "a token for this server"),
            ("Basic YTpi", "something else than Bearer"),
            ("", "is empty"),
            ("a b", "something else"),
        ] {
            let headers = [("authorization", "Bearer ours"), ("palette-authorization-lab", value)];
            let refused = said(&headers, &one, "lab").expect_err(value);
            assert!(refused.contains(why), "{value}: {refused}");
            assert!(value.is_empty() || value == "ours" || !refused.contains(value), "{refused}");
        }
    }

    #[test]
    fn another_caller_or_token_is_another_owner() {
        let caller = local::with_permissions(PermissionSet::default());
        let [a, b] = ["a", "b"].map(|token| owner(&caller, &token.to_owned().into()));
        assert_ne!(a, b);
        let digests = [&[][..], &[("palette-authorization", "a")], &[("palette-authorization", "b")]]
            .map(|headers| presented(headers).fingerprint());
        assert!(digests[0] != digests[1] && digests[1] != digests[2]);
    }
}
