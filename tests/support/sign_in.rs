//! Signing in with a browser, without one: authorization code with PKCE at the OIDC provider.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use reqwest::RequestBuilder;
use serde_json::Value;

use super::forge::{AUDIENCE, encode};
use super::oidc::{APP, Provider, percent};

/// Where the app listens; any port of the address would do.
const CALLBACK: &str = "http://127.0.0.1:8976/callback";

/// What it proves by PKCE.
const VERIFIER: &str = "a-verifier-of-the-tests-which-has-43-characters-at-least";

/// What a browser remembers.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// The page that comes at last, or the URL outside the provider that the browser is sent to.
    async fn follow(&mut self, provider: &Provider, request: RequestBuilder) -> Result<String, String> {
        let mut request = request;
        for _ in 0..12 {
            let jar: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = request.header("cookie", jar.join("; ")).send().await.expect("an answer");
            for cookie in answer.headers().get_all("set-cookie") {
                let cookie = cookie.to_str().expect("a cookie").split(';').next().unwrap_or_default();
                let (name, value) = cookie.split_once('=').expect("a cookie");
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let Some(to) = answer.headers().get("location") else {
                let (status, url) = (answer.status(), answer.url().clone());
                let page = answer.text().await.expect("a page");
                assert!(status.is_success(), "{url}: {status} {page}");
                return Ok(page);
            };
            let to = to.to_str().expect("a URL");
            let url = if to.starts_with('/') { format!("{}{to}", provider.issuer()) } else { to.to_owned() };
            if !url.starts_with(provider.issuer()) {
                return Err(url);
            }
            request = provider.http().get(url);
        }
        panic!("sent around in circles");
    }
}

impl Provider {
    /// Does at an authorization URL what this person would do in a browser; the URL that the provider then
    /// sends the browser to, outside the provider.
    ///
    /// # Panics
    /// Where it sends nobody anywhere.
    pub(crate) async fn browse(&self, authorization_url: &str, person: &str) -> String {
        let mut browser = Browser::default();
        let url = format!("{authorization_url}&login_hint={}", percent(person));
        browser.follow(self, self.http().get(url)).await.expect_err("it sends the browser back")
    }

    /// Agrees to the sign-in of a device, as whoever the device named in `login_hint`; the page that is shown at
    /// last.
    ///
    /// # Panics
    /// Where the provider does not want that.
    pub(crate) async fn agree(&self, verification_uri: &str) -> String {
        let mut browser = Browser::default();
        let page = browser.follow(self, self.http().get(verification_uri)).await.expect("a page");
        let value = |name: &str| {
            let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("a form");
            rest.split('"').next().unwrap_or_default().to_owned()
        };
        let (_, code) = verification_uri.split_once("user_code=").expect("the code");
        let body = format!("xsrf={}&user_code={code}&confirm=yes", percent(&value("xsrf")));
        let form = self.http().post(format!("{}/device", self.issuer())).body(body);
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        browser.follow(self, form).await.expect("a page")
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
