//! Asking an issuer for its keys, and for what else it says of itself: OpenID Connect Discovery 1.0 section 4,
//! then the JWK set, within bounds of time and size and from its own origin only.

use std::{path::PathBuf, time::Duration};

use reqwest::{Client, Url, header};

use serde_json::{Map, Value};

use super::{key_set::KeySet, place};
use crate::{
    remote::{self, Times},
    strict_json,
};

/// Until a connection stands.
const CONNECT_TIME: Duration = Duration::from_secs(2);

/// For everything that one look at the issuer takes.
pub(in crate::caller) const TIME: Duration = Duration::from_secs(5);

/// The most that either document may have, in bytes.
const LARGEST: usize = 256 * 1024;

/// Where an issuer's keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::caller) struct Origin {
    pub(in crate::caller) issuer: String,
    pub(in crate::caller) ca_file: Option<PathBuf>,
}

impl Origin {
    /// Reads the discovery document and the key set.
    pub(super) async fn fetch(&self) -> Result<KeySet, String> {
        within(self.keys()).await
    }

    /// Reads the discovery document.
    pub(in crate::caller) async fn document(&self) -> Result<Map<String, Value>, String> {
        within(async { Ok(self.read().await?.2) }).await
    }

    /// What to ask it with, where it is, and what it says of itself.
    async fn read(&self) -> Result<(Client, Url, Map<String, Value>), String> {
        let issuer = place::issuer(&self.issuer)?;
        // made anew each time: a changed authority is seen, and no connection is kept for ten minutes
        let client = self.client(&issuer).await?;
        let document = get(&client, discovery_url(&self.issuer, &issuer)?, "discovery document").await?;
        let document =
            strict_json::object(&document).map_err(|why| format!("its discovery document: {why}"))?;
        match document.get("issuer").and_then(|said| said.as_str()) {
            Some(said) if said == self.issuer => Ok((client, issuer, document)),
            Some(_) => Err("its discovery document names another issuer".to_owned()),
            None => Err("its discovery document names no issuer".to_owned()),
        }
    }

    async fn keys(&self) -> Result<KeySet, String> {
        let (client, issuer, document) = self.read().await?;
        let keys = document.get("jwks_uri").and_then(|uri| uri.as_str());
        let keys = keys.ok_or("its discovery document has no jwks_uri")?;
        let keys = Url::parse(keys).map_err(|_| "its jwks_uri is no URL")?;
        if keys.origin() != issuer.origin() {
            return Err("its jwks_uri is not on its own origin".to_owned());
        }
        let keys = KeySet::read(&get(&client, keys, "key set").await?)?;
        // a set without any entry takes all keys back; one with nothing but odd entries is a fault
        match keys.skipped() {
            [first, ..] if keys.is_empty() => Err(format!("none of its keys can be used: {first}")),
            _ => Ok(keys),
        }
    }

    /// A client for this place, which trusts whoever the issuer is trusted by.
    pub(in crate::caller) async fn client(&self, place: &Url) -> Result<Client, String> {
        remote::client(self.ca_file.clone(), place, Times { connect: CONNECT_TIME, whole: TIME }).await
    }
}

async fn within<T>(asking: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let slow = |_| Err(format!("it did not answer in {} s", TIME.as_secs()));
    tokio::time::timeout(TIME, asking).await.unwrap_or_else(slow)
}

/// `/.well-known/openid-configuration` below the issuer.
fn discovery_url(written: &str, issuer: &Url) -> Result<Url, String> {
    let below = written.strip_suffix('/').unwrap_or(written);
    let url = Url::parse(&format!("{below}/.well-known/openid-configuration"))
        .map_err(|_| "its discovery document has no URL")?;
    if url.origin() == issuer.origin() {
        Ok(url)
    } else {
        Err("its discovery document is elsewhere".to_owned())
    }
}

async fn get(client: &Client, url: Url, what: &str) -> Result<Vec<u8>, String> {
    let answer = client
        .get(url)
        .header(header::ACCEPT, "application/json, application/jwk-set+json")
        .header(header::ACCEPT_ENCODING, "identity")
        .send()
        .await
        .map_err(|error| remote::said(&error))?;
    let status = answer.status();
    if status.is_redirection() {
        return Err(format!("its {what} redirects ({}), which is not followed", status.as_u16()));
    }
    if status != 200 {
        return Err(format!("its {what} answers {}", status.as_u16()));
    }
    remote::body(answer, what, LARGEST).await
}
