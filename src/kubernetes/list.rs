//! Reading a collection page by page, bounded.

use serde_json::{Value, value::RawValue};

use super::{
    access::{Access, parse},
    fault::Fault,
    kind::Kind,
    object::Object,
    raw::{self, Page},
    selector::Selector,
};

/// Objects asked for at once; kubectl's own chunk size.
const PAGE: usize = 500;
/// Objects after which a list is cut, withheld ones included: no tool can show more, and memory
/// stays flat.
const MOST: usize = 10_000;
/// Withheld objects that are kept: enough to tell withheld from missing.
const MOST_WITHHELD: usize = 1_000;
/// Pages of one list: a server may send fewer objects than asked for, but not for ever.
const MOST_PAGES: usize = 100;
/// Empty pages in a row: a server that filters may send one, with more to come.
const MOST_EMPTY: usize = 3;
/// Labels that are kept of a withheld object, and the longest value that Kubernetes allows one.
const MOST_LABELS: usize = 32;
const LONGEST_LABEL: usize = 63;
/// Objects without spec and status.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// The objects of one LIST.
#[derive(Debug)]
pub struct Listed<T = Object> {
    /// The objects, `apiVersion` and `kind` filled in (list items come without); or what was made of each.
    pub items: Vec<T>,
    /// Objects in scopes that the caller may not see, reduced to kind and kro's own labels, so that
    /// what is withheld is not taken for missing.
    pub withheld: Vec<Object>,
    /// Why the list is not complete, where it is not.
    pub cut: Option<String>,
    /// The version of the whole, from which on changes can be followed.
    pub version: Option<String>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { items: Vec::new(), withheld: Vec::new(), cut: None, version: None }
    }
}

impl<T> Listed<T> {
    /// Whether every object that matched is there.
    pub fn complete(&self) -> bool {
        self.cut.is_none()
    }
}

/// Cuts an object down; `false` where nothing of it is needed.
type Keep<'k> = &'k (dyn Fn(&mut Object) -> bool + Sync);

/// What is asked for of each object of a LIST, and what is kept of it.
#[derive(Clone, Copy)]
pub struct Taking<'k> {
    metadata: bool,
    keep: Option<Keep<'k>>,
    at_once: usize,
}

impl<'k> Taking<'k> {
    /// Whole objects, all of them.
    pub const WHOLE: Self = Self { metadata: false, keep: None, at_once: PAGE };

    /// The `metadata` of all of them.
    pub const METADATA: Self = Self { metadata: true, keep: None, at_once: PAGE };

    /// Of whole objects what `keep` leaves, and nothing of those that it answers `false` to: for
    /// collections that are larger than what is needed of them.
    pub fn whole(keep: Keep<'k>) -> Self {
        Self { keep: Some(keep), ..Self::WHOLE }
    }

    /// The same of objects of which only `metadata` is sent (`PartialObjectMetadataList`).
    pub fn metadata(keep: Keep<'k>) -> Self {
        Self { keep: Some(keep), ..Self::METADATA }
    }

    /// As many objects with each request: for collections that are read whole and of which little is kept. Where
    /// that makes an answer too large, fewer are asked for.
    #[must_use]
    pub fn at_once(self, objects: usize) -> Self {
        Self { at_once: objects, ..self }
    }

    fn accept(self) -> &'static str {
        match self.metadata {
            true => METADATA,
            false => "application/json",
        }
    }
}

impl std::fmt::Debug for Taking<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Taking").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}

/// What becomes of each object of a list.
pub(super) struct Take<'k, F> {
    taking: Taking<'k>,
    /// Whether the objects are kept as they are.
    whole: bool,
    make: F,
}

impl<'k> Take<'k, fn(Object) -> Object> {
    /// They are kept.
    pub(super) fn objects(taking: Taking<'k>) -> Self {
        Self { taking, whole: true, make: |object| object }
    }
}

impl<'k, T, F: Fn(Object) -> T> Take<'k, F> {
    /// Something smaller is made of each, no larger than its text, and the object let go.
    pub(super) fn parts(taking: Taking<'k>, make: F) -> Self {
        Self { taking, whole: false, make }
    }
}

pub(super) async fn read<T, F: Fn(Object) -> T>(
    access: &Access,
    kind: &Kind,
    namespace: Option<&str>,
    selector: &Selector,
    take: Take<'_, F>,
) -> Result<Listed<T>, Fault> {
    let path = kind.collection_path(namespace)?;
    let narrowed = selector.query()?;
    let mut taken = Taken::default();
    let mut token: Option<String> = None;
    let mut restarted = false;
    let mut at_once = take.taking.at_once;
    loop {
        let mut query = narrowed.clone();
        query.push(("limit", at_once.to_string()));
        query.extend(token.clone().map(|token| ("continue", token)));
        let next = match access.get_body(&path, &query, take.taking.accept()).await {
            Ok(body) => taken.page(access, kind, &take, &body),
            // the snapshot expired while we paged: once more from the start
            Err(Fault::Gone) if !restarted => {
                restarted = true;
                (taken, token) = (Taken::default(), None);
                continue;
            }
            Err(Fault::TooLarge(_)) if at_once > PAGE => {
                at_once = PAGE;
                continue;
            }
            Err(fault) => Err(fault),
        };
        let next = match next {
            Ok(Some(next)) => next,
            Ok(None) => return Ok(taken.finished(None)),
            Err(fault) if taken.seen == 0 => return Err(fault),
            Err(fault @ (Fault::Spent(_) | Fault::TooLarge(_))) => {
                return Ok(taken.finished(Some(Ended::Large(fault.to_string()))));
            }
            Err(fault) => return Ok(taken.finished(Some(Ended::Broken(fault.to_string())))),
        };
        if let Some(endless) = taken.endless(token.as_ref() == Some(&next)) {
            return Ok(taken.finished(Some(endless)));
        }
        token = Some(next);
    }
}

/// How many objects of a kind there are, with one request; `None` where the server does not say.
pub(super) async fn count(access: &Access, kind: &Kind) -> Result<Option<u64>, Fault> {
    let query = [("limit", "1".to_owned())];
    let body = access.get_body(&kind.collection_path(None)?, &query, METADATA).await?;
    let page: Page<'_> = parse(&body)?;
    Ok(page.count())
}

/// Why a list was not read to its end.
#[derive(Debug, PartialEq)]
enum Ended {
    /// There is more than is read, which tells how much others have.
    Large(String),
    /// It could not be read on.
    Broken(String),
}

/// What was taken of a list so far.
struct Taken<T = Object> {
    listed: Listed<T>,
    /// Objects that came, whoever may see them.
    seen: usize,
    /// Those that the caller may see, kept or not.
    shown: usize,
    pages: usize,
    /// Pages in a row that had nothing.
    empty: usize,
    /// Whether objects came that the caller may not see.
    hidden: bool,
    /// Objects that the caller might see, and that are too large to be expanded.
    too_large: usize,
}

impl<T> Default for Taken<T> {
    fn default() -> Self {
        Self { listed: Listed::default(), seen: 0, shown: 0, pages: 0, empty: 0, hidden: false, too_large: 0 }
    }
}

impl<T> Taken<T> {
    /// Moves a page's items over, expanding one at a time, and returns the token of the next page.
    fn page<F: Fn(Object) -> T>(
        &mut self,
        access: &Access,
        kind: &Kind,
        take: &Take<'_, F>,
        body: &[u8],
    ) -> Result<Option<String>, Fault> {
        let mut page: Page<'_> = parse(body)?;
        let (token, version) = page.metadata();
        self.listed.version = self.listed.version.take().or(version);
        let items = page.items().ok_or_else(|| Fault::Malformed("a list without items".to_owned()))?;
        self.pages += 1;
        self.empty = if items.raw.is_empty() { self.empty + 1 } else { 0 };
        for item in items.raw.into_iter().take((MOST + PAGE).saturating_sub(self.seen)) {
            self.item(access, kind, take, item)?;
            self.seen += 1;
        }
        self.seen += items.more;
        Ok(token)
    }

    fn item<F: Fn(Object) -> T>(
        &mut self,
        access: &Access,
        kind: &Kind,
        take: &Take<'_, F>,
        item: &RawValue,
    ) -> Result<(), Fault> {
        let json = item.get().as_bytes();
        let weight = raw::weight(json);
        if json.len() > raw::LARGEST || weight > raw::HEAVIEST {
            let seen = access.sees(raw::namespace(item).as_deref());
            self.too_large += usize::from(seen);
            self.hidden |= !seen;
            return Ok(());
        }
        let Some(mut object) = Object::from_value(parse(json)?) else { return Ok(()) };
        let members = object.members_mut();
        if take.taking.metadata {
            // they say that they are PartialObjectMetadata
            members.retain(|name, _| name == "metadata");
        }
        members.entry("apiVersion").or_insert_with(|| kind.api_version().into());
        members.entry("kind").or_insert_with(|| kind.kind.clone().into());
        if access.sees(object.namespace()) {
            self.shown += 1;
            access.take_secrets(&mut object);
            if take.taking.keep.is_none_or(|keep| keep(&mut object)) {
                access.keep(if take.whole { weight } else { json.len() })?;
                self.listed.items.push((take.make)(object));
            }
        } else {
            self.hidden = true;
            if self.listed.withheld.len() < MOST_WITHHELD {
                self.listed.withheld.push(anonymous(&object));
            }
        }
        Ok(())
    }

    /// Why there is no asking for another page, though the cluster says that there is one.
    fn endless(&self, same_token: bool) -> Option<Ended> {
        const ENDLESS: &str = "the cluster's list does not come to an end";
        if self.seen >= MOST {
            return Some(Ended::Large(format!("it has more than {MOST} objects")));
        }
        if self.pages >= MOST_PAGES {
            return Some(Ended::Large(ENDLESS.to_owned()));
        }
        (same_token || self.empty >= MOST_EMPTY).then(|| Ended::Broken(ENDLESS.to_owned()))
    }

    fn finished(mut self, ended: Option<Ended>) -> Listed<T> {
        let ended = ended.map(|ended| match ended {
            Ended::Large(_) if self.hidden => "not everything was read; name a namespace".to_owned(),
            Ended::Large(why) | Ended::Broken(why) => {
                format!("only the first {} were read: {why}", self.shown)
            }
        });
        let large = (self.too_large > 0).then(|| {
            format!(
                "{} too large to expand (over {} KiB of JSON, or far more in memory) were not read",
                self.too_large,
                raw::LARGEST >> 10
            )
        });
        let cuts: Vec<String> = ended.into_iter().chain(large).collect();
        self.listed.cut = (!cuts.is_empty()).then(|| cuts.join("; "));
        self.listed
    }
}

/// What may be known of an object that the caller may not see: that it exists, and whose child it is.
fn anonymous(object: &Object) -> Object {
    let labels: serde_json::Map<String, Value> = object
        .at(&["metadata", "labels"])
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter(|(key, _)| key.contains("kro.run/") || key.starts_with("applyset.kubernetes.io/"))
        .filter(|(_, value)| value.as_str().is_some_and(|text| text.len() <= LONGEST_LABEL))
        .take(MOST_LABELS)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut reduced = Object::default();
    let members = reduced.members_mut();
    members.insert("apiVersion".to_owned(), object.api_version().into());
    members.insert("kind".to_owned(), object.kind().into());
    members.insert("metadata".to_owned(), serde_json::json!({ "labels": labels }));
    reduced
}

#[cfg(test)]
#[path = "list/tests.rs"]
mod tests;
