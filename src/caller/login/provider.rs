//! [`Provider`]: where an issuer lets people sign in, and asking it.

use reqwest::{Client, Url, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use super::{LoginSettings, SignInError};
use crate::{
    caller::oidc::{
        client::{self, encoded},
        discovery::Origin,
        exchange::answer,
        place,
    },
    remote, strict_json,
};

/// The most that an answer may have, in bytes.
const LARGEST: usize = 256 << 10;

/// The scope that makes it OpenID Connect, and the one that asks for a refresh token.
const OPENID: &str = "openid";
const OFFLINE: &str = "offline_access";

/// Where an issuer lets people sign in.
pub struct Provider<'s> {
    settings: &'s LoginSettings,
    client: Client,
    document: Map<String, Value>,
    token: Url,
}

/// Why a request brought nothing.
#[derive(Debug)]
pub(super) struct Failed {
    /// The code of OAuth, where it gave one.
    pub(super) code: Option<String>,
    pub(super) message: String,
    /// Whether the same may work later.
    pub(super) retryable: bool,
}

impl<'s> Provider<'s> {
    /// As the issuer says it.
    ///
    /// # Errors
    /// It does not say it, or says what cannot be used.
    pub async fn find(settings: &'s LoginSettings) -> Result<Self, SignInError> {
        let origin = Origin { issuer: settings.name().to_owned(), ca_file: settings.issuer.ca_file.clone() };
        let outage = |why| outage(settings, why);
        let document = origin.document().await.map_err(outage)?;
        let token = match &settings.token_endpoint {
            Some(written) => place::endpoint(written).map_err(outage)?,
            None => own(settings, &document, "token_endpoint")
                .map_err(outage)?
                .ok_or_else(|| outage("its discovery document has no token_endpoint".to_owned()))?,
        };
        let client = origin.client(&token).await.map_err(outage)?;
        Ok(Self { settings, client, document, token })
    }

    /// What it is for.
    pub fn settings(&self) -> &'s LoginSettings {
        self.settings
    }

    /// Where the browser is sent. It gets nothing secret, so it may be anywhere.
    pub(super) fn authorization(&self) -> Result<Url, SignInError> {
        let outage = |why: &str| outage(self.settings, why.to_owned());
        let written = self.document.get("authorization_endpoint").and_then(Value::as_str);
        let written = written.ok_or_else(|| outage("it lets nobody sign in (no authorization_endpoint)"))?;
        place::endpoint(written).map_err(|_| outage("its authorization_endpoint is no https:// URL"))
    }

    /// Whether it says who it is when it answers (RFC 9207).
    pub(super) fn says_who(&self) -> bool {
        let said = self.document.get("authorization_response_iss_parameter_supported");
        said.and_then(Value::as_bool).unwrap_or_default()
    }

    /// Whether a list of its discovery document has this entry; nothing where there is no such list.
    pub(super) fn lists(&self, list: &str, entry: &str) -> Option<bool> {
        let list = self.document.get(list)?.as_array()?;
        Some(list.iter().any(|listed| listed == entry))
    }

    /// Where codes for devices are had, if it has them.
    pub fn device(&self) -> Option<Url> {
        own(self.settings, &self.document, "device_authorization_endpoint").ok().flatten()
    }

    /// Where tokens are revoked, if they can be (RFC 7009).
    pub(super) fn revocation(&self) -> Option<Url> {
        own(self.settings, &self.document, "revocation_endpoint").ok().flatten()
    }

    pub(super) fn token(&self) -> &Url {
        &self.token
    }

    /// The scopes to ask for.
    pub(super) fn scopes(&self) -> String {
        let mut scopes: Vec<&str> = vec![OPENID];
        if self.settings.scopes.is_empty() && self.lists("scopes_supported", OFFLINE) == Some(true) {
            scopes.push(OFFLINE);
        }
        scopes.extend(self.settings.scopes.iter().map(String::as_str).filter(|scope| *scope != OPENID));
        scopes.join(" ")
    }

    /// Asks with a form, as our client. `secrets` of it are in no error.
    pub(super) async fn ask(
        &self,
        place: &Url,
        mut form: Vec<(&str, &str)>,
        secrets: &[&SecretString],
    ) -> Result<Vec<u8>, Failed> {
        let settings = self.settings;
        let lasting = |message| Failed { code: None, message, retryable: false };
        let secret = match &settings.secret {
            Some(secret) => Some(client::secret(secret, "login").await.map_err(lasting)?),
            None => None,
        };
        let posts = secret.is_none() || client::posts(&self.document).map_err(lasting)?;
        let mut request = self
            .client
            .post(place.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_ENCODING, "identity");
        match &secret {
            Some(secret) if !posts => {
                let id = encoded(&settings.client_id);
                request = request.basic_auth(id, Some(encoded(secret.expose_secret())));
            }
            _ => form.push(("client_id", &settings.client_id)),
        }
        form.extend(
            secret.as_ref().filter(|_| posts).map(|secret| ("client_secret", secret.expose_secret())),
        );
        let outage = |message| Failed { code: None, message, retryable: true };
        let answer = request.body(client::form(&form)).send().await;
        let answer = answer.map_err(|error| outage(remote::said(&error)))?;
        let status = answer.status();
        if status.is_redirection() {
            return Err(lasting(format!("it redirects ({}), which is not followed", status.as_u16())));
        }
        let body = remote::body(answer, "answer", LARGEST).await;
        if status == 200 {
            return body.map_err(outage);
        }
        let body = body.unwrap_or_default();
        let secrets: Vec<&SecretString> = secrets.iter().copied().chain(&secret).collect();
        let failed = answer::failed(status.as_u16(), &body, &secrets);
        let members = strict_json::object(&body).unwrap_or_default();
        let code = members.get("error").and_then(Value::as_str).map(str::to_owned);
        Err(Failed { code, message: failed.message, retryable: failed.retryable })
    }
}

impl Failed {
    pub(super) fn error(self, settings: &LoginSettings) -> SignInError {
        if self.retryable { outage(settings, self.message) } else { SignInError::Refused(self.message) }
    }
}

pub(super) fn outage(settings: &LoginSettings, why: String) -> SignInError {
    SignInError::Outage { issuer: settings.name().to_owned(), why }
}

/// An endpoint that gets secrets: where the issuer itself is, or where its configured token endpoint is.
fn own(settings: &LoginSettings, document: &Map<String, Value>, name: &str) -> Result<Option<Url>, String> {
    let Some(written) = document.get(name).and_then(Value::as_str) else { return Ok(None) };
    let url = Url::parse(written).map_err(|_| format!("its {name} is no URL"))?;
    let issuer = place::issuer(settings.name())?;
    let configured = settings.token_endpoint.as_deref().and_then(|written| Url::parse(written).ok());
    if [Some(&issuer), configured.as_ref()].into_iter().flatten().any(|known| known.origin() == url.origin())
    {
        return Ok(Some(url));
    }
    Err(format!("its {name} is not on its own origin; to send it there, write it as login.tokenEndpoint"))
}
