//! A page of a list: `limit`, `offset` and `continue`, which stand in the query only.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{fault::Failure, refusal::Refusal};

/// The most rows of a page, and as many as come unasked.
const MOST: usize = 50;

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    limit: usize,
    offset: usize,
    /// It was come to with a token.
    later: bool,
}

impl Page {
    /// Reads the parameters; `query` answers empty for those that are not there.
    pub(super) fn parse<'a>(query: impl Fn(&str) -> &'a str) -> Result<Self, Refusal> {
        let number = |name: &str| match query(name) {
            "" => Ok(0),
            text => text
                .parse::<usize>()
                .map_err(|_| Refusal::breach(format!("query parameter '{name}' is no number: '{text}'"))),
        };
        let limit = match number("limit")? {
            0 => MOST,
            limit if limit > MOST => {
                return Err(Refusal::breach(format!(
                    "query parameter 'limit' is {limit}, the most is {MOST}"
                )));
            }
            limit => limit,
        };
        match query("continue") {
            "" => Ok(Self { limit, offset: number("offset")?, later: false }),
            token => {
                let offset = opened(token).ok_or_else(|| {
                    Refusal::breach("query parameter 'continue' is no token of this list".to_owned())
                })?;
                Ok(Self { limit, offset, later: true })
            }
        }
    }

    /// The list with its part of `rows` as `items`, as `failure` would have it.
    pub(super) fn of<T>(self, rows: &[T], failure: Option<&Failure>, row: impl Fn(&T) -> Value) -> Value {
        let end = (self.offset + self.limit).min(rows.len());
        let start = match failure {
            Some(Failure::Doubled) if self.later => self.offset.saturating_sub(1),
            Some(Failure::Lost) if self.later => self.offset + 1,
            _ => self.offset,
        };
        let items: Vec<Value> = rows.get(start.min(end)..end).unwrap_or_default().iter().map(row).collect();
        let next = match failure {
            Some(Failure::RepeatedContinue) => token(self.offset, rows.len()),
            _ if end < rows.len() => token(end, rows.len()),
            _ => String::new(),
        };
        json!({
            "items": items,
            "listmeta": {"continue": next, "count": rows.len(), "limit": self.limit, "offset": self.offset},
        })
    }
}

fn token(offset: usize, count: usize) -> String {
    STANDARD.encode(json!({"offset": offset, "count": count, "token": "d41d8cd9"}).to_string())
}

fn opened(token: &str) -> Option<usize> {
    let token: Value = serde_json::from_slice(&STANDARD.decode(token).ok()?).ok()?;
    token.get("offset")?.as_u64()?.try_into().ok()
}
