//! [`Event`]: one line of a watch (apimachinery `metav1.WatchEvent`).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    super::{
        access::{Access, parse},
        fault::Fault,
        kind::Kind,
        object::Object,
        raw,
    },
    News,
};

/// What a line says.
pub(super) struct Event {
    /// Where to go on after it.
    pub(super) version: Option<String>,
    /// Nothing for a bookmark, and for what the caller may not see.
    pub(super) news: Option<News>,
}

#[derive(Deserialize)]
struct Line<'l> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'l, str>,
    #[serde(borrow)]
    object: &'l RawValue,
}

impl Event {
    /// Reads a line, expanding no more than any object may take.
    pub(super) fn read(line: &[u8], access: &Access, kind: &Kind) -> Result<Self, Fault> {
        let event: Line<'_> = parse(line)?;
        let json = event.object.get().as_bytes();
        if event.kind == "ERROR" {
            return Err(error(json));
        }
        let weight = raw::weight(json);
        if json.len() > raw::LARGEST || weight > raw::HEAVIEST {
            return Err(Fault::TooLarge(raw::LARGEST));
        }
        let not_one = || Fault::Malformed("an event without an object".to_owned());
        let mut object = Object::from_value(parse(json)?).ok_or_else(not_one)?;
        let version = object.text(&["metadata", "resourceVersion"]).map(str::to_owned);
        if event.kind == "BOOKMARK" || !access.sees(object.namespace()) {
            return Ok(Self { version, news: None });
        }
        access.keep(weight)?;
        named(&mut object, kind);
        access.take_secrets(&mut object);
        let news = match &*event.kind {
            "ADDED" | "MODIFIED" => Some(News::Is(object)),
            "DELETED" => Some(News::Gone(object)),
            _ => None,
        };
        Ok(Self { version, news })
    }
}

/// Metadata alone comes as a `PartialObjectMetadata`.
fn named(object: &mut Object, kind: &Kind) {
    let members = object.members_mut();
    members.insert("apiVersion".to_owned(), kind.api_version().into());
    members.insert("kind".to_owned(), kind.kind.clone().into());
}

/// The `Status` of an event that ends the stream.
fn error(json: &[u8]) -> Fault {
    #[derive(Deserialize)]
    struct Status {
        code: Option<u16>,
    }
    let code = parse::<Status>(json).ok().and_then(|status| status.code);
    Fault::from_response(code.unwrap_or(500), None, json)
}
