//! [`Session`]: the connections to one environment.

use std::{collections::HashSet, time::Duration};

use reqwest::{Client, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};

use super::{api::Listing, ask::Ask, environment::Settings, fault::Fault, place::Place};
use crate::{
    kubernetes::Budgeted,
    remote::{self, Times},
};

const TIMES: Times = Times { connect: Duration::from_secs(5), whole: Duration::from_secs(15) };
/// The most that one answer may have, in bytes.
const LARGEST: usize = 32 << 20;
/// Rows of a page: the vendor's most.
const PAGE: u64 = 50;
/// Pages of one list.
const MOST_PAGES: usize = 200;

/// Whose credential a request carries.
#[derive(Clone, Debug)]
pub enum Acting {
    /// The server's own API key.
    Key(SecretString),
    /// The token that the caller sent for this environment.
    Caller(SecretString),
    /// None can be had; why.
    Nobody(String),
}

/// The rows of all pages that came.
#[derive(Clone, Debug)]
pub struct Paged<R> {
    /// Each once.
    pub rows: Vec<R>,
    /// How many Palette says there are, where it says so.
    pub count: Option<u64>,
    /// What is missing of the list, in words.
    pub gap: Option<String>,
    /// When the oldest of it was asked for: a kept answer may be some seconds old.
    pub asked: Instant,
}

/// The connections to one environment.
#[derive(Debug)]
pub(super) struct Session {
    url: Url,
    ca_file: Option<std::path::PathBuf>,
    client: OnceCell<Client>,
}

impl Session {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { url: settings.url.clone(), ca_file: settings.ca_file.clone(), client: OnceCell::new() }
    }

    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        acting: &Acting,
        place: &Place,
        ask: &Ask,
        spent: &Budgeted,
    ) -> Result<T, Fault> {
        let body = self.bytes(acting, place, ask, spent).await?;
        serde_json::from_slice(&body).map_err(|error| Fault::Malformed(error.to_string()))
    }

    pub(super) async fn pages<L: Listing>(
        &self,
        acting: &Acting,
        place: &Place,
        ask: &Ask,
        spent: &Budgeted,
    ) -> Result<Paged<L::Row>, Fault> {
        let (mut rows, mut seen, mut tokens) = (Vec::new(), HashSet::new(), HashSet::new());
        let (asked, mut count) = (Instant::now(), None);
        let mut next = ask.clone().with("limit", PAGE.to_string());
        for page in 0..MOST_PAGES {
            let list: L = match self.json(acting, place, &next, spent).await {
                Ok(list) => list,
                Err(fault) if page == 0 => return Err(fault),
                Err(fault) => return Ok(Paged { rows, count, gap: Some(fault.to_string()), asked }),
            };
            let token = list.meta().next.clone();
            count = list.meta().count;
            rows.extend(list.rows().into_iter().filter(|row| seen.insert(L::uid(row).to_owned())));
            match token.filter(|token| !token.is_empty()) {
                None => return Ok(Paged { rows, count, gap: None, asked }),
                Some(token) if !tokens.insert(token.clone()) => {
                    let gap = Some("the pages do not come to an end".to_owned());
                    return Ok(Paged { rows, count, gap, asked });
                }
                Some(token) => next = next.with("continue", token),
            }
        }
        Ok(Paged { rows, count, gap: Some("there are more pages than are read".to_owned()), asked })
    }

    pub(super) async fn whole<L: Listing>(
        &self,
        acting: &Acting,
        place: &Place,
        ask: &Ask,
        spent: &Budgeted,
    ) -> Result<Paged<L::Row>, Fault> {
        let asked = Instant::now();
        let list: L = self.json(acting, place, ask, spent).await?;
        let (count, mut seen) = (list.meta().count, HashSet::new());
        let rows: Vec<L::Row> =
            list.rows().into_iter().filter(|row| seen.insert(L::uid(row).to_owned())).collect();
        let gap = count.filter(|count| *count != rows.len() as u64);
        let gap = gap.map(|count| format!("Palette counts {count} rows, and {} came", rows.len()));
        Ok(Paged { rows, count, gap, asked })
    }

    pub(super) async fn bytes(
        &self,
        acting: &Acting,
        place: &Place,
        ask: &Ask,
        spent: &Budgeted,
    ) -> Result<Vec<u8>, Fault> {
        let made = || remote::client(self.ca_file.clone(), &self.url, TIMES);
        let client = self.client.get_or_try_init(made).await.map_err(Fault::Configuration)?;
        spent.meter.request().map_err(|_| Fault::Spent("requests".to_owned()))?;
        let base = self.url.as_str().trim_end_matches('/');
        let mut url = Url::parse(&format!("{base}{}", ask.path()))
            .map_err(|error| Fault::Configuration(error.to_string()))?;
        if !ask.query().is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query());
        }
        let mut request = client.request(ask.method().clone(), url);
        request = match acting {
            Acting::Key(key) => request.header("ApiKey", key.expose_secret()),
            Acting::Caller(token) => request.header("Authorization", token.expose_secret()),
            Acting::Nobody(why) => return Err(Fault::Unfit(why.clone())),
        };
        if let Some(project) = place.project_uid() {
            request = request.header("ProjectUid", project);
        }
        if let Some(body) = ask.body() {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        let sent = async {
            let answer = request.send().await.map_err(|error| Fault::Unreachable(remote::said(&error)))?;
            let status = answer.status().as_u16();
            let body = remote::body(answer, "answer", LARGEST).await.map_err(Fault::Malformed)?;
            match status {
                200..=299 => Ok(body),
                401 => Err(Fault::Unauthorized(String::new())),
                403 => Err(Fault::Forbidden(String::new())),
                404 => Err(Fault::NotFound(String::new())),
                429 => Err(Fault::Throttled { retry_after: None }),
                status => Err(Fault::Status { status, message: String::new() }),
            }
        };
        let body = timeout_at(spent.deadline, sent).await.map_err(|_| Fault::Timeout(TIMES.whole))??;
        spent.meter.received(body.len()).map_err(|_| Fault::Spent("bytes".to_owned()))?;
        Ok(body)
    }
}
