//! Signing in with a browser, without one: authorization code with PKCE at the OIDC provider.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use serde_json::Value;

use super::forge::{AUDIENCE, encode};
use super::oidc::{APP, Provider, percent};

/// Where the app listens; any port of the address would do.
const CALLBACK: &str = "http://127.0.0.1:8976/callback";

/// What it proves by PKCE.
const VERIFIER: &str = "a-verifier-of-the-tests-which-has-43-characters-at-least";

impl Provider {
    /// Does at an authorization URL what this person would do in a browser; the URL that the provider then
    /// sends the browser to, outside the provider.
    ///
    /// # Panics
    /// Where it sends nobody anywhere.
    pub(crate) async fn browse(&self, authorization_url: &str, person: &str) -> String {
        let http = self.http();
        let mut url = format!("{authorization_url}&login_hint={}", percent(person));
        let mut cookies = BTreeMap::new();
        for _ in 0..10 {
            let jar: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = http.get(&url).header("cookie", jar.join("; ")).send().await.expect("an answer");
            for cookie in answer.headers().get_all("set-cookie") {
                let cookie = cookie.to_str().expect("a cookie").split(';').next().unwrap_or_default();
                let (name, value) = cookie.split_once('=').expect("a cookie");
                cookies.insert(name.to_owned(), value.to_owned());
            }
            let Some(to) = answer.headers().get("location") else {
                panic!("{url}: {} {:?}", answer.status(), answer.text().await);
            };
            let to = to.to_str().expect("a URL");
            url = if to.starts_with('/') { format!("{}{to}", self.issuer()) } else { to.to_owned() };
            if !url.starts_with(self.issuer()) {
                return url;
            }
        }
        panic!("sent around in circles, at last to {url}");
    }

    /// Signs a person in at the app [`APP`], for [`AUDIENCE`]: `access_token`, `id_token`, `refresh_token`.
    ///
    /// # Panics
    /// Where the provider does not want that.
    pub(crate) async fn sign_in(&self, person: &str) -> Value {
        let challenge = encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()).as_ref());
        let url = format!(
            "{}/auth?client_id={APP}&response_type=code&redirect_uri={}&resource={}&scope={}&state=s&nonce=n\
             &code_challenge={challenge}&code_challenge_method=S256",
            self.issuer(),
            percent(CALLBACK),
            percent(AUDIENCE),
            percent("openid profile email groups mcp"),
        );
        let back = self.browse(&url, person).await;
        let code = back.split(['?', '&']).find_map(|part| part.strip_prefix("code="));
        let code = code.unwrap_or_else(|| panic!("no code in {back}"));
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", APP),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("resource", AUDIENCE),
        ];
        self.ask_for_tokens(None, &form).await
    }
}
