//! Asking the catalog: `GET /api/catalog/entities/by-query`, page by page, within bounds of time, size and number.

use std::{collections::HashSet, path::PathBuf, time::Duration};

use reqwest::{Client, Url, header, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::{super::usable_token, Catalog};

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(3);
/// For one page.
const PAGE: Duration = Duration::from_secs(10);
/// For all of them.
const WHOLE: Duration = Duration::from_secs(25);
/// The most that one page may have, in bytes.
const LARGEST: usize = 8 << 20;
/// Entities of a page that is asked for, and of all of them.
const LIMIT: usize = 100;
const MOST: usize = 2_000;
/// What is asked of each entity.
const FIELDS: &str = "kind,metadata.name,metadata.namespace,metadata.annotations,spec.type";
/// Annotations are left to us: an entity that has some of those it needs is a mistake worth saying.
const FILTER: &str = "kind=resource,spec.type=kubernetes-cluster";

#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    #[serde(default, rename = "pageInfo")]
    info: Info,
}

#[derive(Default, Deserialize)]
struct Info {
    #[serde(rename = "nextCursor")]
    next: Option<String>,
}

/// The entities that may be clusters.
pub(super) async fn entities(catalog: &Catalog) -> Result<Vec<Value>, String> {
    tokio::time::timeout(WHOLE, ask(catalog))
        .await
        .unwrap_or_else(|_| Err(format!("the catalog did not answer in {} s", WHOLE.as_secs())))
}

async fn ask(catalog: &Catalog) -> Result<Vec<Value>, String> {
    // made anew each time: a changed authority or token is seen
    let (client, token) = prepared(catalog).await?;
    let (mut entities, mut cursors, mut next) = (Vec::new(), HashSet::new(), None);
    loop {
        let page = page(&client, token.as_ref(), page_url(&catalog.url, next.as_deref())?).await?;
        entities.extend(page.items);
        if entities.len() > MOST {
            return Err(format!("the catalog has more than {MOST} clusters"));
        }
        match page.info.next.filter(|cursor| !cursor.is_empty()) {
            None => return Ok(entities),
            Some(cursor) if !cursors.insert(cursor.clone()) || cursors.len() > MOST / 10 => {
                return Err("the catalog's pages do not come to an end".to_owned());
            }
            cursor => next = cursor,
        }
    }
}

fn page_url(base: &Url, cursor: Option<&str>) -> Result<Url, String> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| "the catalog's URL takes no path")?
        .pop_if_empty()
        .extend(["api", "catalog", "entities", "by-query"]);
    let mut query = url.query_pairs_mut();
    match cursor {
        Some(cursor) => query.append_pair("cursor", cursor),
        None => query.append_pair("filter", FILTER),
    };
    query.append_pair("fields", FIELDS).append_pair("limit", &LIMIT.to_string());
    drop(query);
    Ok(url)
}

async fn prepared(catalog: &Catalog) -> Result<(Client, Option<SecretString>), String> {
    let (ca_file, token_file) = (catalog.ca_file.clone(), catalog.token_file.clone());
    let (url, token) = (catalog.url.clone(), catalog.token.clone());
    // reads files: our authority, or the system's
    let made = tokio::task::spawn_blocking(move || {
        let token = match token_file {
            None => token,
            Some(file) => Some(
                std::fs::read_to_string(file)
                    .map_err(|error| format!("the tokenFile of the catalog cannot be read: {error}"))?
                    .into(),
            ),
        };
        let token = token.as_ref().map(usable_token).transpose()?;
        Ok((client(ca_file, &url)?, token.filter(|token| !token.expose_secret().is_empty())))
    });
    made.await.map_err(|_| "no client for the catalog could be made".to_owned())?
}

fn client(ca_file: Option<PathBuf>, url: &Url) -> Result<Client, String> {
    let mut builder = Client::builder()
        .user_agent(concat!("platform-mcp/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(PAGE)
        .redirect(redirect::Policy::none())
        .referer(false)
        .http1_only()
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .https_only(url.scheme() == "https");
    if super::entity::is_loopback(url) {
        builder = builder.no_proxy();
    }
    if let Some(file) = ca_file {
        let unusable = |why: &dyn std::fmt::Display| format!("the caFile of the catalog: {why}");
        let pem = std::fs::read(&file).map_err(|error| unusable(&error))?;
        let authorities = reqwest::Certificate::from_pem_bundle(&pem)
            .ok()
            .filter(|authorities| !authorities.is_empty())
            .ok_or_else(|| unusable(&"it has no certificate in PEM"))?;
        builder = builder.tls_certs_only(authorities);
    }
    builder.build().map_err(|error| chain(&error))
}

async fn page(client: &Client, token: Option<&SecretString>, url: Url) -> Result<Page, String> {
    let mut request = client
        .get(url)
        .header(header::ACCEPT, "application/json")
        .header(header::ACCEPT_ENCODING, "identity");
    if let Some(token) = token {
        request = request.bearer_auth(token.expose_secret());
    }
    let mut answer = request.send().await.map_err(|error| chain(&error))?;
    match answer.status().as_u16() {
        200 => {}
        status @ (401 | 403) => return Err(format!("the catalog does not take the token ({status})")),
        status @ 300..=399 => {
            return Err(format!("the catalog redirects ({status}), which is not followed"));
        }
        status => return Err(format!("the catalog answers {status}")),
    }
    let too_large = || format!("a page of the catalog has more than {} MiB", LARGEST >> 20);
    if answer.content_length().is_some_and(|length| length > LARGEST as u64) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| chain(&error))? {
        if body.len() + chunk.len() > LARGEST {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| "the catalog's answer is not a page of entities".to_owned())
}

/// The innermost cause, without the URL.
fn chain(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the catalog did not answer in time".to_owned();
    }
    let mut said = String::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        said = error.to_string();
        cause = error.source();
    }
    match said.is_empty() {
        true => "the catalog cannot be reached".to_owned(),
        false => format!("the catalog cannot be reached: {said}"),
    }
}
