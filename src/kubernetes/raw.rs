//! JSON before it is expanded: how much memory it would take, and a list's page item by item.
//!
//! A byte of JSON can become ninety in memory (`[[0],[0],…]`), so nothing from upstream is expanded
//! before it was weighed.

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

/// A larger object is not expanded: etcd holds none (its limit is 1.5 MiB).
pub(super) const LARGEST: usize = 3 << 19;
/// What one object may take in memory; one of etcd's size takes a tenth of it.
pub(super) const HEAVIEST: usize = 64 << 20;
/// Items of one page that are looked at, where a server ignores `limit`.
pub(super) const MOST_ITEMS: usize = 10_000;

/// Memory beside its own value that an entry of a filled container takes: the first one allocates room
/// for four, and an object has a table of hashes too.
const FILLED_ARRAY: usize = 4 * size_of::<Value>();
const FILLED_OBJECT: usize = 4 * (size_of::<Value>() + 40) + 64;

/// What this JSON takes in memory when it is expanded, at most by a little.
pub(crate) fn weight(json: &[u8]) -> usize {
    let next = json.iter().skip(1).chain([&b' ']);
    json.iter().zip(next).fold(json.len(), |sum, (byte, next)| {
        sum + match (byte, next) {
            (b'[', b']') | (b'{', b'}') => 0,
            (b',', _) => size_of::<Value>() + 32,
            (b'[', _) => FILLED_ARRAY,
            (b'{', _) => FILLED_OBJECT,
            _ => 0,
        }
    })
}

/// A page of a list.
#[derive(Deserialize)]
pub(super) struct Page<'p> {
    kind: Option<String>,
    #[serde(borrow)]
    items: Option<Items<'p>>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "continue")]
    token: Option<String>,
    #[serde(rename = "resourceVersion")]
    version: Option<String>,
    #[serde(rename = "remainingItemCount")]
    remaining: Option<u64>,
}

impl<'p> Page<'p> {
    /// The items as they came. A server leaves them out of an empty list, or says `null` (a
    /// `PartialObjectMetadataList` does); `None` where this is no list at all.
    pub(super) fn items(&mut self) -> Option<Items<'p>> {
        let none = self.is_list().then(Items::none);
        self.items.take().or(none)
    }

    fn is_list(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind.ends_with("List"))
    }

    /// How many objects the whole collection has by this page, its first one; `None` where the server does
    /// not say.
    pub(super) fn count(&self) -> Option<u64> {
        let here = match &self.items {
            Some(items) => u64::try_from(items.raw.len() + items.more).ok()?,
            None if self.is_list() => 0,
            None => return None,
        };
        let metadata = self.metadata.as_ref();
        match metadata.and_then(|metadata| metadata.remaining) {
            Some(remaining) => here.checked_add(remaining),
            None => {
                let token = metadata.and_then(|metadata| metadata.token.as_deref());
                token.unwrap_or_default().is_empty().then_some(here)
            }
        }
    }

    /// The token of the next page, and the version of the whole.
    pub(super) fn metadata(&mut self) -> (Option<String>, Option<String>) {
        let Some(Metadata { token, version, .. }) = self.metadata.take() else { return (None, None) };
        (token.filter(|token| !token.is_empty()), version)
    }
}

/// The items of a page, unexpanded.
pub(super) struct Items<'p> {
    /// Those that are looked at.
    pub(super) raw: Vec<&'p RawValue>,
    /// How many more came.
    pub(super) more: usize,
}

impl Items<'_> {
    /// Of an empty list.
    pub(super) fn none() -> Self {
        Self { raw: Vec::new(), more: 0 }
    }
}

impl<'de: 'p, 'p> Deserialize<'de> for Items<'p> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ItemsVisitor(std::marker::PhantomData))
    }
}

struct ItemsVisitor<'p>(std::marker::PhantomData<&'p ()>);

impl<'de: 'p, 'p> Visitor<'de> for ItemsVisitor<'p> {
    type Value = Items<'p>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Items { raw: Vec::new(), more: 0 };
        while let Some(item) = seq.next_element::<&'de RawValue>()? {
            if items.raw.len() < MOST_ITEMS {
                items.raw.push(item);
            } else {
                items.more += 1;
            }
        }
        Ok(items)
    }
}

/// The namespace of an object that is not expanded.
pub(super) fn namespace(item: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Peek {
        metadata: Place,
    }
    #[derive(Deserialize)]
    struct Place {
        namespace: Option<String>,
    }
    let peek: Peek = serde_json::from_str(item.get()).ok()?;
    peek.metadata.namespace.filter(|namespace| !namespace.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_blows_up_weighs_more_than_what_does_not() {
        let zeros = format!("[{}0]", "0,".repeat(1 << 20));
        let nested = format!("[{}[0]]", "[0],".repeat(1 << 19));
        let text = format!("\"{}\"", "a".repeat(1 << 21));
        assert!(weight(zeros.as_bytes()) > HEAVIEST && weight(nested.as_bytes()) > HEAVIEST);
        assert!(weight(text.as_bytes()) < 3 << 20);
        assert_eq!(weight(b"{}"), 2);
    }

    #[test]
    fn a_page_is_read_without_its_items() {
        let text = r#"{"metadata":{"continue":"t","x":1,"resourceVersion":"7"},"items":[{"metadata":{"namespace":"a"}},7]}"#;
        let mut page: Page<'_> = serde_json::from_str(text).expect("a page");
        assert_eq!(page.metadata(), (Some("t".to_owned()), Some("7".to_owned())));
        let items = page.items.expect("items");
        assert_eq!((items.raw.len(), items.more), (2, 0));
        assert_eq!(
            items.raw.iter().map(|item| namespace(item)).collect::<Vec<_>>(),
            [Some("a".into()), None]
        );
        let count = |text: &str| serde_json::from_str::<Page<'_>>(text).expect("a page").count();
        assert_eq!(count(r#"{"metadata":{"continue":"t","remainingItemCount":41},"items":[7]}"#), Some(42));
        assert_eq!(count(r#"{"metadata":{"continue":"t"},"items":[7]}"#), None);
        assert_eq!(count(r#"{"metadata":{},"items":[7]}"#), Some(1));
        assert_eq!(count(r#"{"metadata":{}}"#), None);
        let many = format!(r#"{{"items":[{}0]}}"#, "0,".repeat(MOST_ITEMS + 4));
        let page: Page<'_> = serde_json::from_str(&many).expect("a page");
        assert_eq!(page.items.map(|items| (items.raw.len(), items.more)), Some((MOST_ITEMS, 5)));
    }
}
