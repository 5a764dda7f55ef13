//! What came: a body within bounds, and JSON that does not blow up in memory.

use http::{HeaderMap, header};
use reqwest::Response;
use serde::de::DeserializeOwned;

use super::{super::fault::Fault, TIMES};
use crate::{
    kubernetes::{self, Budgeted, weight},
    remote,
};

/// The most that one answer may have, in bytes.
pub(super) const LARGEST: usize = 32 << 20;
/// What one answer may take in memory when it is read.
const HEAVIEST: usize = 256 << 20;

/// A body to its end, counted as it comes.
pub(super) async fn body(mut answer: Response, spent: &Budgeted) -> Result<Vec<u8>, Fault> {
    if answer.headers().get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Fault::Malformed("it comes compressed, which was not asked for".to_owned()));
    }
    let too_large = || Fault::Malformed(format!("it has more than {} MiB", LARGEST >> 20));
    if answer.content_length().is_some_and(|length| length > LARGEST as u64) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| broken(&error))? {
        spent.meter.received(chunk.len()).map_err(used_up)?;
        if body.len() + chunk.len() > LARGEST {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

pub(super) fn used_up(fault: kubernetes::Fault) -> Fault {
    match fault {
        kubernetes::Fault::Spent(what) => Fault::Spent(what),
        other => Fault::Spent(other.to_string()),
    }
}

pub(super) fn broken(error: &reqwest::Error) -> Fault {
    if error.is_timeout() && !error.is_connect() {
        return Fault::Timeout(TIMES.whole);
    }
    Fault::Unreachable(remote::said(error))
}

pub(super) fn is_page(headers: &HeaderMap, body: &[u8]) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    kind.to_ascii_lowercase().starts_with("text/html") || first == Some(&b'<')
}

/// A body as JSON, where it does not blow up in memory.
pub(super) fn read<T: DeserializeOwned>(body: &[u8], spent: &Budgeted) -> Result<T, Fault> {
    let weight = weight(body);
    if weight > HEAVIEST {
        return Err(Fault::Malformed("it would take more memory than any answer may".to_owned()));
    }
    spent.meter.keep(weight).map_err(used_up)?;
    serde_json::from_slice(body).map_err(|error| {
        // serde would quote what it met
        let (line, column) = (error.line(), error.column());
        Fault::Malformed(match error.classify() {
            serde_json::error::Category::Eof => {
                format!("it ends in the middle, after {} bytes", body.len())
            }
            serde_json::error::Category::Data => {
                format!("it is of another shape at line {line}, column {column}")
            }
            _ => format!("it is no JSON at line {line}, column {column}"),
        })
    })
}
