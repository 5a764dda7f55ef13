//! [`World`]: what of a cluster must be known to check an RGD.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::kro::applyset::GroupKind;
use crate::kro::definition::instance_kind;
use crate::kro::fetch::Reader;
use crate::kubernetes::openapi::{Known, Schema, Wanted};
use crate::kubernetes::{Object, Selector};

/// Kinds that are asked for: more are not in an RGD that people write.
const MOST_KINDS: usize = 200;
/// A schema read longer ago is asked for again before something is said against an RGD.
const SETTLED: Duration = Duration::from_secs(10);

/// The kinds that an RGD names, as the cluster serves them.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub(super) kinds: BTreeMap<Wanted, Served>,
    /// What could not be read, and is not checked: a line each.
    pub gaps: Vec<String>,
}

/// How a kind is served.
#[derive(Clone, Debug)]
pub(super) enum Served {
    /// It is.
    Yes { namespaced: bool, schema: Option<Arc<Schema>> },
    /// It is not. Other RGDs will generate it, if any: said so.
    No { generated: Option<String> },
    /// The kind is served, in other versions than this.
    OtherVersion(String),
}

impl World {
    /// Reads what the templates and external references of `rgd` name, from what is kept of the cluster
    /// where it is; what cannot be read is a gap.
    pub async fn read(reader: &Reader, rgd: &Object) -> Self {
        Self::within(reader, rgd, Duration::MAX).await
    }

    /// The same, without anything that was kept for more than a moment: before it is held against an RGD.
    pub async fn read_again(reader: &Reader, rgd: &Object) -> Self {
        Self::within(reader, rgd, SETTLED).await
    }

    async fn within(reader: &Reader, rgd: &Object, within: Duration) -> Self {
        let mut world = Self::default();
        let mut wanted = named(rgd);
        if wanted.len() > MOST_KINDS {
            world.gaps.push(format!("only the first {MOST_KINDS} kinds of {} were looked at", wanted.len()));
            wanted = wanted.into_iter().take(MOST_KINDS).collect();
        }
        let schemas = match reader.access().schemas(&wanted, within).await {
            Ok(schemas) => schemas,
            Err(fault) => {
                world.gaps.push(format!(
                    "the schemas of this cluster (OpenAPI v3) could not be read, so fields and types are not checked: {fault}"
                ));
                Default::default()
            }
        };
        for wanted in wanted {
            let group = wanted.api_version.split_once('/').map_or("", |(group, _)| group);
            let kind = reader.kind(&GroupKind::new(group, &wanted.kind)).await;
            let served = match (kind, schemas.get(&wanted)) {
                (None, _) => Served::No { generated: None },
                (Some(kind), Some(Known::Schema(schema))) => {
                    Served::Yes { namespaced: kind.namespaced, schema: Some(Arc::clone(schema)) }
                }
                (Some(kind), Some(Known::NoKind | Known::NoDocument))
                    if kind.api_version() != wanted.api_version =>
                {
                    Served::OtherVersion(kind.api_version())
                }
                (Some(kind), known) => {
                    let because = match known {
                        Some(Known::Unread(why)) => format!(": {why}"),
                        None if !world.gaps.is_empty() => String::new(),
                        _ => ": the cluster publishes none".to_owned(),
                    };
                    if !because.is_empty() {
                        world.gaps.push(format!(
                            "no schema of {} {}, whose fields and types are not checked{because}",
                            wanted.api_version, wanted.kind
                        ));
                    }
                    Served::Yes { namespaced: kind.namespaced, schema: None }
                }
            };
            world.kinds.insert(wanted, served);
        }
        world.generated(reader, rgd).await;
        world
    }

    /// Which of the kinds that are not served other RGDs will generate.
    async fn generated(&mut self, reader: &Reader, own: &Object) {
        if !self.kinds.values().any(|served| matches!(served, Served::No { .. })) {
            return;
        }
        let Some(kind) =
            reader.kind(&GroupKind::new(crate::kro::labels::GROUP, "ResourceGraphDefinition")).await
        else {
            return;
        };
        let Ok(rgds) = reader.access().unfiltered().list(&kind, None, &Selector::all()).await else { return };
        for rgd in rgds.items.iter().filter(|rgd| rgd.name() != own.name()) {
            let of = instance_kind(rgd);
            for (wanted, served) in &mut self.kinds {
                let group = wanted.api_version.split_once('/').map_or("", |(group, _)| group);
                if let Served::No { generated } = served
                    && of == GroupKind::new(group, &wanted.kind)
                {
                    let name = if reader.names_rgds() {
                        format!("RGD {}", rgd.name())
                    } else {
                        "another RGD".into()
                    };
                    *generated = Some(name);
                }
            }
        }
    }

    pub(super) fn kind(&self, api_version: &str, kind: &str) -> Option<&Served> {
        self.kinds.get(&Self::wanted(api_version, kind))
    }

    pub(super) fn wanted(api_version: &str, kind: &str) -> Wanted {
        Wanted { api_version: api_version.to_owned(), kind: kind.to_owned() }
    }

    /// A world of these kinds: `apiVersion`, `kind`, whether namespaced, schema.
    #[cfg(test)]
    pub(super) fn of(kinds: impl IntoIterator<Item = (&'static str, &'static str, bool, Value)>) -> Self {
        let kinds = kinds.into_iter().map(|(api_version, kind, namespaced, schema)| {
            let schema = Some(Arc::new(Schema::plain(schema)));
            (Self::wanted(api_version, kind), Served::Yes { namespaced, schema })
        });
        Self { kinds: kinds.collect(), gaps: Vec::new() }
    }
}

/// The kinds that an RGD's resources name.
fn named(rgd: &Object) -> BTreeSet<Wanted> {
    let mut found = BTreeSet::new();
    for resource in rgd.items(&["spec", "resources"]) {
        for object in ["template", "externalRef"].iter().filter_map(|key| resource.get(key)) {
            let text =
                |key: &str| object.get(key).and_then(Value::as_str).filter(|text| !text.contains("${"));
            if let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) {
                found.insert(Wanted { api_version: api_version.to_owned(), kind: kind.to_owned() });
            }
        }
    }
    found
}
