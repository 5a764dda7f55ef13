//! Asking the catalog: `GET /api/catalog/entities/by-query`, page by page, within bounds of time, size and number.

use std::{collections::HashSet, time::Duration};

use jiff::Timestamp;
use reqwest::{Client, Url, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::{super::usable_token, Catalog, Credential};
use crate::remote::{self, Times};

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
/// Its id as a plugin.
const PLUGIN: &str = "catalog";
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
        let url = page_url(&catalog.url, next.as_deref())?;
        let page = page(&client, token.as_ref(), url, &catalog.credential).await?;
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
        .extend(["api", PLUGIN, "entities", "by-query"]);
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
    let token = token(&catalog.credential).await?;
    let token = token.as_ref().map(usable_token).transpose()?;
    let times = Times { connect: CONNECT, whole: PAGE };
    let client =
        remote::client(catalog.ca_file.clone(), &catalog.url, times).await.map_err(|why| of_catalog(&why))?;
    Ok((client, token.filter(|token| !token.expose_secret().is_empty())))
}

async fn token(credential: &Credential) -> Result<Option<SecretString>, String> {
    match credential {
        Credential::Nothing => Ok(None),
        Credential::Token(token) => Ok(Some(token.clone())),
        Credential::File(file) => {
            let file = file.clone();
            let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(file));
            let read = read.await.map_err(|_| "the token of the catalog could not be read".to_owned())?;
            read.map(|token| Some(token.into()))
                .map_err(|error| format!("the tokenFile of the catalog cannot be read: {error}"))
        }
        Credential::Plugin(plugin) => plugin
            .token(PLUGIN, None, Timestamp::now())
            .map(Some)
            .map_err(|_| "no token for the catalog could be made".to_owned()),
    }
}

/// Why a token is not taken, and what would mend that.
fn refused(credential: &Credential, status: u16) -> String {
    match credential {
        Credential::Nothing => format!(
            "the catalog wants a token ({status}): give it one, or leave out its url, where it is that of the \
             `backstage` block"
        ),
        Credential::Token(_) | Credential::File(_) => {
            format!("the catalog does not take the token ({status})")
        }
        Credential::Plugin(plugin) => format!(
            "the catalog does not take the token of our plugin ({status}): Backstage fetches the keys for it at its \
             discovery.endpoints of {:?}, from a server that serves with the same sealKey",
            plugin.id()
        ),
    }
}

fn of_catalog(why: &str) -> String {
    format!("the catalog: {why}")
}

async fn page(
    client: &Client,
    token: Option<&SecretString>,
    url: Url,
    credential: &Credential,
) -> Result<Page, String> {
    let mut request = client
        .get(url)
        .header(header::ACCEPT, "application/json")
        .header(header::ACCEPT_ENCODING, "identity");
    if let Some(token) = token {
        request = request.bearer_auth(token.expose_secret());
    }
    let answer = request.send().await.map_err(|error| of_catalog(&remote::said(&error)))?;
    match answer.status().as_u16() {
        200 => {}
        status @ (401 | 403) => return Err(refused(credential, status)),
        status @ 300..=399 => {
            return Err(format!("the catalog redirects ({status}), which is not followed"));
        }
        status => return Err(format!("the catalog answers {status}")),
    }
    let body = remote::body(answer, "page", LARGEST).await.map_err(|why| of_catalog(&why))?;
    serde_json::from_slice(&body).map_err(|_| "the catalog's answer is not a page of entities".to_owned())
}
