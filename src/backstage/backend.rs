//! [`Backend`]: where a Backstage backend is, and how it is asked.

use std::path::PathBuf;

use reqwest::{RequestBuilder, Response, Url, header};
use serde::de::DeserializeOwned;

use super::client::KeptClient;
use crate::remote;

/// The most that an answer may have, in bytes.
const LARGEST: usize = 1 << 20;

/// A Backstage backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Its base URL, as `https://backstage.example.com`; its plugins are below `/api`.
    pub url: Url,
    /// `iss` of the tokens of its users: the base URL of its auth plugin, as the world sees it.
    pub issuer: String,
    /// PEM file of its certificate authority; otherwise the system's.
    pub ca_file: Option<PathBuf>,
    /// What it is asked with.
    pub client: KeptClient,
}

impl Backend {
    /// A path of a plugin, encoded.
    pub fn path<'s>(&self, plugin: &'s str, path: impl IntoIterator<Item = &'s str>) -> Url {
        let mut url = self.url.clone();
        // a base URL always takes a path: the configuration takes http and https alone
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", plugin]).extend(path);
        }
        url
    }

    /// What a plugin answers, as JSON bytes.
    ///
    /// # Errors
    /// In words, without the address: it did not answer in time, or not with 200 and JSON.
    pub async fn bytes(
        &self,
        url: Url,
        what: &str,
        asking: impl FnOnce(reqwest::Client, Url) -> RequestBuilder,
    ) -> Result<Vec<u8>, String> {
        self.found(url, what, asking).await?.ok_or_else(|| format!("its {what} is not there"))
    }

    /// The same; `None` where there is nothing at that path: no such plugin, for one.
    ///
    /// # Errors
    /// As [`Self::bytes`], but for that.
    pub async fn found(
        &self,
        url: Url,
        what: &str,
        asking: impl FnOnce(reqwest::Client, Url) -> RequestBuilder,
    ) -> Result<Option<Vec<u8>>, String> {
        read(self.sent(url, asking).await?, what).await
    }

    /// Whatever a plugin answers, its body unread.
    ///
    /// # Errors
    /// In words, without the address: it did not answer in time.
    pub(super) async fn sent(
        &self,
        url: Url,
        asking: impl FnOnce(reqwest::Client, Url) -> RequestBuilder,
    ) -> Result<Response, String> {
        let client = self.client.get(self.ca_file.clone(), &self.url).await?;
        asking(client, url)
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_ENCODING, "identity")
            .send()
            .await
            .map_err(|error| remote::said(&error))
    }

    /// The same, read.
    ///
    /// # Errors
    /// As [`Self::bytes`], and an answer of another form.
    pub async fn json<T: DeserializeOwned>(
        &self,
        url: Url,
        what: &str,
        asking: impl FnOnce(reqwest::Client, Url) -> RequestBuilder,
    ) -> Result<T, String> {
        json(self.sent(url, asking).await?, what).await
    }
}

/// The JSON bytes of an answer; `None` where there is nothing at that path.
async fn read(answer: Response, what: &str) -> Result<Option<Vec<u8>>, String> {
    match answer.status().as_u16() {
        200 => remote::body(answer, what, LARGEST).await.map(Some),
        // 508: the gateway plugin finds nobody to send it on to but itself
        404 | 508 => Ok(None),
        status @ 300..=399 => Err(format!("its {what} redirects ({status}), which is not followed")),
        status => Err(format!("its {what} answers {status}")),
    }
}

/// An answer with 200, read.
///
/// # Errors
/// As [`Backend::json`].
pub(super) async fn json<T: DeserializeOwned>(answer: Response, what: &str) -> Result<T, String> {
    let body = read(answer, what).await?.ok_or_else(|| format!("its {what} is not there"))?;
    serde_json::from_slice(&body).map_err(|_| format!("its {what} has another form than it must have"))
}

/// The name of the error that an answer is of, in the form of Backstage's backends (`@backstage/errors`,
/// `ErrorResponseBody`); nothing where it has another.
pub(super) async fn error_name(answer: Response, what: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Body {
        error: Named,
    }
    #[derive(serde::Deserialize)]
    struct Named {
        name: String,
    }
    let body = remote::body(answer, what, LARGEST).await.ok()?;
    serde_json::from_slice(&body).ok().map(|body: Body| body.error.name)
}
