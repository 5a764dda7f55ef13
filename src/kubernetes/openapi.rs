//! The schemas of the kinds that a cluster serves, from its OpenAPI v3 documents: read as the server, as
//! discovery is, kept for all callers, a few kinds of each document and nothing but their shape.

mod lean;
mod shape;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use futures::future::join_all;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

pub use shape::{Schema, Shape};

use super::{access::Access, fault::Fault, kind::Kind};

/// What is older is asked for again: a CRD may have changed its schema.
const FRESH: Duration = Duration::from_secs(300);
/// What all kept schemas of a cluster may weigh, by the JSON they were made of.
const HEAVIEST: usize = 12 << 20;

/// A kind as a manifest writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wanted {
    /// `apps/v1`
    pub api_version: String,
    /// `Deployment`
    pub kind: String,
}

/// What is known of a kind's schema.
#[derive(Clone, Debug)]
pub enum Known {
    /// It is this.
    Schema(Arc<Schema>),
    /// Its group and version are served, and it is not among their kinds.
    NoKind,
    /// Its group and version are not among the documents.
    NoDocument,
    /// It could not be read: why.
    Unread(String),
}

/// A kind of a document; without a schema where the document has not the kind.
type Found = (Wanted, Option<Arc<Schema>>);

/// The schemas of one cluster that were asked for.
#[derive(Debug, Default)]
pub struct Schemas {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// The hash of each document, when last asked.
    index: BTreeMap<String, String>,
    asked: Option<Instant>,
    kinds: HashMap<Wanted, (String, Option<Arc<Schema>>)>,
}

impl Held {
    fn is_fresh(&self, within: Duration) -> bool {
        self.asked.is_some_and(|asked| asked.elapsed() < within)
    }

    fn known(&self, wanted: &Wanted) -> Option<Known> {
        let Some(hash) = self.index.get(&document(&wanted.api_version)) else {
            return Some(Known::NoDocument);
        };
        let (of, schema) = self.kinds.get(wanted)?;
        (of == hash).then(|| schema.clone().map_or(Known::NoKind, Known::Schema))
    }

    fn keep(&mut self, hash: &str, found: Vec<Found>) {
        let weight = |kinds: &HashMap<Wanted, (String, Option<Arc<Schema>>)>| -> usize {
            kinds.values().filter_map(|(_, schema)| schema.as_ref()).map(|schema| schema.weight()).sum()
        };
        for (wanted, schema) in found {
            self.kinds.insert(wanted, (hash.to_owned(), schema));
        }
        if weight(&self.kinds) > HEAVIEST {
            self.kinds.clear();
        }
    }
}

impl Schemas {
    /// What is known of the kinds. Where everything was read before, and not long ago, nothing is asked;
    /// with `within` zero, at least the index is.
    ///
    /// # Errors
    /// The index could not be read.
    pub(super) async fn of(
        &self,
        access: &Access,
        wanted: &BTreeSet<Wanted>,
        within: Duration,
    ) -> Result<HashMap<Wanted, Known>, Fault> {
        let mut found = self.held(wanted, within.min(FRESH));
        if found.len() == wanted.len() {
            return Ok(found);
        }
        let index = index(access).await?;
        {
            let mut held = self.held.lock();
            held.index = index.clone();
            held.asked = Some(Instant::now());
            let current =
                |wanted: &Wanted, hash: &String| index.get(&document(&wanted.api_version)) == Some(hash);
            held.kinds.retain(|wanted, (hash, _)| current(wanted, hash));
        }
        found = self.held(wanted, FRESH);
        let mut missing: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
        for wanted in wanted.iter().filter(|wanted| !found.contains_key(*wanted)) {
            missing.entry(document(&wanted.api_version)).or_default().push(wanted.clone());
        }
        let read = missing.into_iter().map(|(path, wanted)| async move {
            let kinds = lean::read(access, &path, &wanted).await;
            (path, wanted, kinds)
        });
        for (path, wanted, kinds) in join_all(read).await {
            match kinds {
                Ok(kinds) => {
                    let known =
                        |schema: &Option<Arc<Schema>>| schema.clone().map_or(Known::NoKind, Known::Schema);
                    found.extend(kinds.iter().map(|(wanted, schema)| (wanted.clone(), known(schema))));
                    let hash = index.get(&path).cloned().unwrap_or_default();
                    self.held.lock().keep(&hash, kinds);
                }
                Err(fault) => {
                    let why = fault.to_string();
                    found.extend(wanted.into_iter().map(|wanted| (wanted, Known::Unread(why.clone()))));
                }
            }
        }
        Ok(found)
    }

    fn held(&self, wanted: &BTreeSet<Wanted>, within: Duration) -> HashMap<Wanted, Known> {
        let held = self.held.lock();
        if !held.is_fresh(within) {
            return HashMap::new();
        }
        wanted.iter().filter_map(|wanted| Some((wanted.clone(), held.known(wanted)?))).collect()
    }
}

/// The index's name of the document that a kind is in.
fn document(api_version: &str) -> String {
    if api_version.contains('/') { format!("apis/{api_version}") } else { format!("api/{api_version}") }
}

async fn index(access: &Access) -> Result<BTreeMap<String, String>, Fault> {
    #[derive(Deserialize)]
    struct Index {
        paths: BTreeMap<String, Place>,
    }
    #[derive(Deserialize)]
    struct Place {
        #[serde(rename = "serverRelativeURL", default)]
        url: String,
    }
    let index = access.get_json("/openapi/v3", &[], "application/json").await?;
    let index: Index = serde_json::from_value(index).map_err(|error| Fault::Malformed(error.to_string()))?;
    let hash = |url: &str| url.split_once("hash=").map_or(String::new(), |(_, hash)| hash.to_owned());
    Ok(index.paths.into_iter().map(|(path, place)| (path, hash(&place.url))).collect())
}

impl Access {
    /// What is known of the schemas of kinds, read as the server unless all callers' cache has it:
    /// nothing older than `within` is used without asking whether it changed.
    ///
    /// # Errors
    /// The index of the OpenAPI documents could not be read.
    pub async fn schemas(
        &self,
        wanted: &BTreeSet<Wanted>,
        within: Duration,
    ) -> Result<HashMap<Wanted, Known>, Fault> {
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        self.cluster().schemas().of(&self.as_server()?, wanted, within).await
    }
}

/// The path of a document, where group and version can stand in one.
fn path(document: &str) -> Result<String, Fault> {
    let kind = |group: &str, version: &str| Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: String::new(),
        plural: "x".to_owned(),
        singular: String::new(),
        short_names: Vec::new(),
        namespaced: false,
        listable: false,
    };
    let mut parts = document.split('/').skip(1);
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let kind = second.map_or_else(|| kind("", first), |version| kind(first, version));
    let collection = kind.collection_path(None)?;
    Ok(format!("/openapi/v3{}", collection.strip_suffix("/x").unwrap_or(&collection)))
}

/// Whether a schema's `type` is this.
fn is_type(schema: &Value, kind: &str) -> bool {
    schema.get("type").and_then(Value::as_str) == Some(kind)
}
