//! [`Endpoint`]: where an issuer exchanges tokens, and asking it.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Url, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    Exchanger, GRANT,
    answer::{self, Failed, Given},
    subject::Subject,
};
use crate::{
    caller::oidc::{
        client::{self, encoded},
        discovery::Origin,
        place,
        settings::{ExchangeSettings, SubjectTokenType},
    },
    remote,
};

/// The most that an answer may have, in bytes.
const LARGEST: usize = 64 << 10;

/// Where an issuer exchanges tokens.
pub(super) struct Endpoint {
    client: Client,
    url: Url,
    /// Whether the client's secret goes into the form (`client_secret_post`).
    posts: bool,
    found: Instant,
}

impl Endpoint {
    /// As the issuer says it, or as configured.
    pub(super) async fn find(origin: &Origin, settings: &ExchangeSettings) -> Result<Self, String> {
        let document = origin.document().await;
        let (url, document) = match &settings.token_endpoint {
            // what it says besides is then not needed
            Some(written) => (place::endpoint(written)?, document.unwrap_or_default()),
            None => {
                let document = document?;
                let written = document.get("token_endpoint").and_then(Value::as_str);
                let written = written.ok_or("its discovery document has no token_endpoint")?;
                let url = Url::parse(written).map_err(|_| "its token_endpoint is no URL")?;
                if url.origin() != place::issuer(&origin.issuer)?.origin() {
                    let next = "to send it there, write it as exchange.tokenEndpoint";
                    return Err(format!("its token_endpoint is not on its own origin; {next}"));
                }
                (url, document)
            }
        };
        let posts = client::posts(&document)?;
        Ok(Self { client: origin.client(&url).await?, url, posts, found: Instant::now() })
    }

    pub(super) fn is_older_than(&self, time: Duration) -> bool {
        self.found.elapsed() >= time
    }

    /// Exchanges a token for one for this audience.
    pub(super) async fn exchange(
        &self,
        exchanger: &Exchanger,
        subject: &Subject,
        audience: &str,
    ) -> Result<Given, Failed> {
        let settings = &exchanger.settings;
        let secret = client::secret(&settings.secret, "exchange").await.map_err(Failed::lasting)?;
        let request = self.request(settings, &secret, subject.token(), audience);
        // the client has a bound of time for all of it
        let answer = request.send().await.map_err(|error| Failed::outage(remote::said(&error)))?;
        let status = answer.status();
        if status.is_redirection() {
            let why = format!("it redirects ({}), which is not followed", status.as_u16());
            return Err(Failed::lasting(why));
        }
        let body = remote::body(answer, "answer", LARGEST).await;
        match (status.as_u16(), body) {
            (200, Ok(body)) => answer::given(&body, subject.hash(), &exchanger.ours),
            (200, Err(why)) => Err(Failed::outage(why)),
            (status, body) => {
                Err(answer::failed(status, &body.unwrap_or_default(), &[subject.token(), &secret]))
            }
        }
    }

    fn request(
        &self,
        settings: &ExchangeSettings,
        secret: &SecretString,
        subject: &SecretString,
        audience: &str,
    ) -> RequestBuilder {
        let mut form = vec![
            ("grant_type", GRANT),
            ("subject_token", subject.expose_secret()),
            ("subject_token_type", settings.subject_token_type.urn()),
            ("requested_token_type", SubjectTokenType::Access.urn()),
            (settings.parameter.name(), audience),
        ];
        form.extend(settings.scope.as_deref().map(|scope| ("scope", scope)));
        let mut request = self
            .client
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_ENCODING, "identity");
        if self.posts {
            form.extend([("client_id", &*settings.client_id), ("client_secret", secret.expose_secret())]);
        } else {
            // encoded first: RFC 6749 section 2.3.1
            request = request.basic_auth(encoded(&settings.client_id), Some(encoded(secret.expose_secret())));
        }
        request.body(client::form(&form))
    }
}
