//! [`Asked`]: one request to sign in, and the answer that a browser brings (RFC 6749 section 4.1, RFC 7636,
//! RFC 9207).

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Provider, SignInError, given::Given};
use crate::{answer::sanitise, caller::oidc::client};

/// What a parameter of the configuration must not say otherwise.
pub const OURS: [&str; 10] = [
    "response_type",
    "response_mode",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "resource",
];

/// Characters of what an issuer says of an error.
const LONGEST_SAID: usize = 200;

/// One request to sign in. Its `Debug` says nothing of it.
pub struct Asked {
    state: String,
    nonce: String,
    verifier: SecretString,
    redirect: String,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked")
    }
}

/// Why what a browser brought is no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// It answers another request: whoever waits goes on waiting.
    #[error("it answers another request than this one (its state is not ours)")]
    Foreign,
    /// It ends this one.
    #[error(transparent)]
    Ends(#[from] SignInError),
}

impl Asked {
    /// With new secrets; the browser is to be sent back to `redirect`.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn new(redirect: String) -> Result<Self, SignInError> {
        Ok(Self { state: random()?, nonce: random()?, verifier: random()?.into(), redirect })
    }

    /// Where the browser has to go.
    ///
    /// # Errors
    /// The issuer lets nobody sign in so.
    pub fn url(&self, provider: &Provider<'_>) -> Result<Url, SignInError> {
        if provider.lists("code_challenge_methods_supported", "S256") == Some(false) {
            let why = "it takes no code challenge of the method S256 (RFC 7636)";
            return Err(SignInError::Unfit(why.to_owned()));
        }
        let settings = provider.settings();
        let challenge =
            URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.expose_secret().as_bytes()).as_ref());
        let scopes = provider.scopes();
        let mut query = vec![
            ("response_type", "code"),
            ("client_id", &*settings.client_id),
            ("redirect_uri", &*self.redirect),
            ("scope", &*scopes),
            ("state", &*self.state),
            ("nonce", &*self.nonce),
            ("code_challenge", &*challenge),
            ("code_challenge_method", "S256"),
        ];
        query.extend(settings.resource.as_deref().map(|resource| ("resource", resource)));
        query.extend(settings.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let mut url = provider.authorization()?;
        let before = url.query().filter(|query| !query.is_empty()).map(|query| format!("{query}&"));
        url.set_query(Some(&format!("{}{}", before.unwrap_or_default(), client::form(&query))));
        Ok(url)
    }

    /// The code in what a browser brought.
    ///
    /// # Errors
    /// Why there is none.
    pub fn code(&self, provider: &Provider<'_>, query: &str) -> Result<SecretString, Unanswered> {
        let url = Url::parse(&format!("http://127.0.0.1/?{query}")).map_err(|_| Unanswered::Foreign)?;
        let all = |name: &str| -> Vec<String> {
            let named = url.query_pairs().filter(|(known, _)| known == name);
            named.map(|(_, value)| value.into_owned()).collect()
        };
        if all("state") != [self.state.as_str()] {
            return Err(Unanswered::Foreign);
        }
        let unfit = |why: &str| Err(SignInError::Unfit(why.to_owned()).into());
        match all("iss").as_slice() {
            [] if provider.says_who() => {
                return unfit(
                    "it does not say who it is (iss, RFC 9207), though the issuer says that it does",
                );
            }
            [said] if said != provider.settings().name() => {
                return unfit("it is of another issuer (iss, RFC 9207)");
            }
            [] | [_] => {}
            _ => return unfit("it says twice who it is (iss)"),
        }
        let said = all("error");
        if let Some(code) = said.first() {
            let about = all("error_description").into_iter().next().unwrap_or_default();
            let said = if about.is_empty() { code.clone() } else { format!("{code}: {about}") };
            return Err(SignInError::Refused(sanitise::short(&said, LONGEST_SAID)).into());
        }
        match <[String; 1]>::try_from(all("code")) {
            Ok([code]) if !code.is_empty() => Ok(code.into()),
            _ => unfit("it has no code, or several"),
        }
    }

    /// What the code is worth.
    ///
    /// # Errors
    /// The issuer does not take it, or gives what cannot be taken.
    pub async fn redeem(&self, provider: &Provider<'_>, code: &SecretString) -> Result<Given, SignInError> {
        let settings = provider.settings();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", &*self.redirect),
            ("code_verifier", self.verifier.expose_secret()),
        ];
        form.extend(settings.resource.as_deref().map(|resource| ("resource", resource)));
        let body = provider.ask(provider.token(), form, &[code, &self.verifier]).await;
        Given::read(&body.map_err(|failed| failed.error(settings))?)
    }

    /// What the ID token must say.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }
}

/// 32 random bytes, as they can stand anywhere: 43 characters, the fewest that a verifier may have.
fn random() -> Result<String, SignInError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|_| SignInError::Kept("the system gives no randomness".to_owned()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
