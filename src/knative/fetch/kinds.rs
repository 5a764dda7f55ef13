//! Which kinds are channels and sources: by the labels of their CRDs, so that those of vendors are among them.

use futures::join;

use super::Reader;
use crate::{
    knative::{group, parse, resource::Unread},
    kubernetes::{Fault, Kind, Kinds, Listed, Object, Selector, Taking},
};

/// What Knative's own controllers find channels by.
const CHANNEL: &str = "messaging.knative.dev/subscribable";
/// What they find sources by.
const SOURCE: &str = "duck.knative.dev/source";
/// What a source's kind can send, as a JSON list.
const EVENT_TYPES: &str = "registry.knative.dev/eventTypes";
/// Kinds with one of these labels that are read.
const MOST: usize = 100;
/// How gaps name what tells the kinds.
const CRD: &str = "CustomResourceDefinition";

/// The kinds of channels and sources.
#[derive(Default)]
pub(super) struct Labelled {
    pub(super) channels: Vec<Kind>,
    pub(super) sources: Vec<Announcing>,
    pub(super) unread: Vec<Unread>,
    pub(super) remarks: Vec<String>,
}

/// A kind of sources.
pub(super) struct Announcing {
    pub(super) kind: Kind,
    /// What its CRD says that it can send.
    pub(super) types: Vec<String>,
}

/// What is needed of a CRD: its name is `plural.group`.
struct Crd {
    name: String,
    event_types: Option<String>,
}

impl Reader<'_> {
    /// Reads which there are, with two LISTs of metadata.
    pub(super) async fn labelled(&self) -> Labelled {
        let (channels, sources) = join!(self.crds(CHANNEL), self.crds(SOURCE));
        let mut labelled = Labelled::default();
        match channels {
            Ok(crds) => {
                let crds = labelled.bounded(crds, CHANNEL);
                for crd in crds {
                    labelled.channels.extend(self.served(&crd, &mut labelled.remarks).await);
                }
            }
            Err(fault) => {
                labelled.channels = self.of_group(group::MESSAGING, "Subscription");
                labelled.unknown("channels", "", fault);
            }
        }
        match sources {
            Ok(crds) => {
                let crds = labelled.bounded(crds, SOURCE);
                for crd in crds {
                    if let Some(kind) = self.served(&crd, &mut labelled.remarks).await {
                        let types = announced(&crd, &mut labelled.remarks);
                        labelled.sources.push(Announcing { kind, types });
                    }
                }
            }
            Err(fault) => {
                let kinds = self.of_group(group::SOURCES, "");
                labelled.sources =
                    kinds.into_iter().map(|kind| Announcing { kind, types: Vec::new() }).collect();
                labelled.unknown("sources", ", nor which event types sources announce", fault);
            }
        }
        labelled
    }

    async fn crds(&self, label: &str) -> Result<Listed<Crd>, Fault> {
        let kind = Kind {
            group: "apiextensions.k8s.io".to_owned(),
            version: "v1".to_owned(),
            kind: CRD.to_owned(),
            plural: "customresourcedefinitions".to_owned(),
            singular: String::new(),
            short_names: Vec::new(),
            namespaced: false,
            listable: true,
        };
        // CRDs are in no namespace. What they name is shown only with objects that the caller sees.
        let access = self.access.unfiltered();
        let selector = Selector::all().label(label, "true");
        let make = |crd: Object| Crd {
            name: crd.name().to_owned(),
            event_types: crd.annotation(EVENT_TYPES).map(str::to_owned),
        };
        access.list_taking_as(&kind, None, &selector, Taking::METADATA, make).await
    }

    async fn served(&self, crd: &Crd, remarks: &mut Vec<String>) -> Option<Kind> {
        let (plural, group) = crd.name.split_once('.')?;
        let find = |kinds: &Kinds| {
            kinds.iter().find(|kind| kind.plural == plural && kind.group == group && kind.listable).cloned()
        };
        let kind = self.kind(find).await;
        let odd = match &kind {
            None => Some("the cluster does not serve it"),
            // who labels a CRD would have more than a mesh read, and rights for it given
            Some(kind) if !kind.namespaced || group.ends_with(".k8s.io") => {
                Some("its label makes it no part of a mesh: not read")
            }
            Some(_) => None,
        };
        if let Some(odd) = odd {
            remarks.push(format!("{CRD} {}: {odd}", crd.name));
            return None;
        }
        kind
    }

    /// All kinds of a group but one.
    fn of_group(&self, group: &str, but: &str) -> Vec<Kind> {
        let kinds = self.kinds();
        let of = kinds.iter().filter(|kind| kind.group == group && kind.kind != but && kind.listable);
        of.take(MOST).cloned().collect()
    }
}

impl Labelled {
    fn bounded(&mut self, listed: Listed<Crd>, label: &str) -> Vec<Crd> {
        let mut crds = listed.items;
        let count = crds.len();
        let many = (count > MOST)
            .then(|| format!("only the first {MOST} of {count} kinds with the label {label} were read"));
        crds.truncate(MOST);
        let gaps = listed.cut.into_iter().chain(many);
        self.unread.extend(gaps.map(|why| Unread { kind: CRD.to_owned(), why, fault: None }));
        crds
    }

    fn unknown(&mut self, what: &str, more: &str, fault: Fault) {
        let why = format!("which other kinds of {what} there are is not known{more}: {fault}");
        self.unread.push(Unread { kind: CRD.to_owned(), why, fault: Some(fault) });
    }
}

fn announced(crd: &Crd, remarks: &mut Vec<String>) -> Vec<String> {
    let Some(annotation) = &crd.event_types else { return Vec::new() };
    parse::announced(annotation).unwrap_or_else(|why| {
        remarks.push(format!(
            "{CRD} {}: the annotation {EVENT_TYPES} {why}, so which event types it announces is not known",
            crd.name
        ));
        Vec::new()
    })
}
