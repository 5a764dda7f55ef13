//! A page of a list: `limit` and `continue`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{collection::text, refusal::Refusal};

/// The version that a token of the API server begins with.
const TOKEN: &str = "meta.k8s.io/v1";

/// Which part of a list is asked for.
#[derive(Default)]
pub(super) struct Page {
    limit: Option<usize>,
    after: Option<String>,
}

impl Page {
    /// Reads the two parameters; empty ones are as good as none.
    pub(super) fn parse(limit: &str, token: &str) -> Result<Self, Refusal> {
        let limit = match limit {
            "" => None,
            limit => Some(limit.parse::<i64>().map_err(|error| {
                Refusal::bad_request(format!("strconv.ParseInt: parsing \"{limit}\": {error}"))
            })?),
        };
        let after = match token {
            "" => None,
            token => Some(opened(token).ok_or_else(|| Refusal::bad_request("continue key is not valid"))?),
        };
        Ok(Self {
            limit: limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0),
            after,
        })
    }

    /// Cuts the page out of `items`, which are in order, and writes into `metadata` how to go on.
    /// How many remain is told only where nothing was selected, as the API server does.
    pub(super) fn cut<'a>(
        &self,
        items: Vec<&'a Value>,
        selected: bool,
        metadata: &mut Value,
    ) -> Vec<&'a Value> {
        let mut items = items;
        if let Some(after) = &self.after {
            items.retain(|item| key(item) > *after);
        }
        let Some(limit) = self.limit.filter(|limit| *limit < items.len()) else { return items };
        let remaining = items.len() - limit;
        items.truncate(limit);
        if let (Some(last), Some(metadata)) = (items.last(), metadata.as_object_mut()) {
            let token = json!({"v": TOKEN, "start": key(last)}).to_string();
            metadata.insert("continue".into(), URL_SAFE_NO_PAD.encode(token).into());
            if !selected {
                metadata.insert("remainingItemCount".into(), remaining.into());
            }
        }
        items
    }
}

/// Where an object stands in the order of a list.
pub(super) fn key(item: &Value) -> String {
    format!("{}/{}", text(item, &["metadata", "namespace"]), text(item, &["metadata", "name"]))
}

fn opened(token: &str) -> Option<String> {
    let token: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    (text(&token, &["v"]) == TOKEN).then(|| text(&token, &["start"]).to_owned())
}
