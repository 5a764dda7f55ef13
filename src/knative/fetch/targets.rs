//! What is referred to and is of no kind that was read: Services, Knative Services, sinks.

mod referred;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::future::join_all;

use super::{
    Reader, Targets,
    listing::{Extent, Read},
};
use crate::{
    knative::{
        parse,
        resource::{Reference, Resource, Resources, Target, Unread},
    },
    kubernetes::{Fault, Kind, Object, Taking},
};

/// Objects of a kind that may not be listed of which each is asked for, beside those.
const MOST_UNLISTED: usize = 100;
/// Objects of which each is asked for; of a kind that has more, all are listed.
pub(in crate::knative) const MOST_EACH: usize = 150;
/// Kinds that are listed.
const MOST_KINDS: usize = 50;

/// By group and kind.
type ByKind = BTreeMap<(String, String), BTreeSet<Reference>>;

/// Looks at what is referred to, and notes which of it is not shown to the caller.
pub(super) async fn read(reader: &Reader<'_>, resources: &mut Resources) {
    let wanted = referred::to(resources, reader.asked.targets);
    resources.hidden = hidden(reader, resources, &wanted);
    let mut looked = Looked::default();
    let mut by_kind = ByKind::new();
    for reference in wanted {
        if !takes_events(&reference.group, &reference.kind) {
            looked.found.insert(reference, Target::NotAddressable);
        } else if resources.hidden.contains(&reference.namespace) {
            looked.found.insert(reference, Target::Unread);
        } else {
            let kind = (reference.group.clone(), reference.kind.clone());
            by_kind.entry(kind).or_default().insert(reference);
        }
    }
    let kinds = looked.served(reader, by_kind).await;
    match reader.asked.targets {
        Targets::ByKind => looked.list(reader, kinds).await,
        Targets::Each => looked.get(reader, kinds).await,
    }
    resources.targets.extend(looked.found);
    resources.unread.extend(looked.unread);
    resources.remarks.extend(looked.remarks);
    let forbidden = looked.forbidden.into_iter();
    resources.remarks.extend(forbidden.map(|(kind, (count, first))| match count {
        1 => format!("subscriber {first}"),
        _ => format!("{count} subscribers of {kind} may not be read; {first}"),
    }));
}

/// Whether objects of a kind can have an address: Services, and what CRDs may define. Whoever writes a Trigger may name
/// anything as its subscriber, so nothing else is read for it, a Secret least of all.
fn takes_events(group: &str, kind: &str) -> bool {
    // groups of Kubernetes itself have no dot or this domain, which CRDs may have only with its leave
    let is_builtin = !group.contains('.') || group.ends_with(".k8s.io");
    (group.is_empty() && kind == "Service") || !is_builtin
}

fn hidden(reader: &Reader<'_>, resources: &Resources, wanted: &BTreeSet<Reference>) -> BTreeSet<String> {
    let others = referred::everywhere(resources).map(|reference| &reference.namespace);
    let namespaces: BTreeSet<&String> = others.chain(wanted.iter().map(|wanted| &wanted.namespace)).collect();
    namespaces.into_iter().filter(|namespace| !reader.access.sees(Some(namespace))).cloned().collect()
}

/// What was found out.
#[derive(Default)]
struct Looked {
    found: BTreeMap<Reference, Target>,
    unread: Vec<Unread>,
    /// Of each kind how many objects may not be read, and what the cluster said of the first.
    forbidden: BTreeMap<String, (usize, String)>,
    /// What else there is to say.
    remarks: Vec<String>,
}

/// A kind, and the objects of it that are referred to.
struct OfKind {
    kind: Kind,
    wanted: BTreeSet<Reference>,
}

impl Looked {
    fn all(&mut self, wanted: BTreeSet<Reference>, target: &Target) {
        self.found.extend(wanted.into_iter().map(|reference| (reference, target.clone())));
    }

    /// The kinds that the cluster serves; those with the most objects first.
    async fn served(&mut self, reader: &Reader<'_>, by_kind: ByKind) -> Vec<OfKind> {
        if by_kind.keys().any(|(group, kind)| reader.kinds().find(group, kind).is_none()) {
            reader.refresh().await;
        }
        let known = reader.kinds();
        let mut served = Vec::new();
        for ((group, kind), wanted) in by_kind {
            match known.find(&group, &kind) {
                None => self.all(wanted, &Target::NoKind),
                Some(kind) if !kind.namespaced => self.all(wanted, &Target::NotAddressable),
                Some(kind) => served.push(OfKind { kind: kind.clone(), wanted }),
            }
        }
        served.sort_by_key(|of| std::cmp::Reverse(of.wanted.len()));
        served
    }

    /// One LIST of each kind.
    async fn list(&mut self, reader: &Reader<'_>, mut kinds: Vec<OfKind>) {
        let rest = kinds.split_off(MOST_KINDS.min(kinds.len()));
        for of in rest {
            let why = format!("objects of only {MOST_KINDS} kinds are looked at");
            self.unread.push(Unread { kind: of.kind.group_kind(), why, fault: None });
            self.all(of.wanted, &Target::Unread);
        }
        for (of, read) in join_all(kinds.into_iter().map(|of| list_kind(reader, of))).await {
            self.listed(of, read, reader);
        }
    }

    fn listed(&mut self, of: OfKind, read: Read<Option<Resource>>, reader: &Reader<'_>) {
        let found = read.items.into_iter().flatten().map(|resource| (resource.reference.clone(), resource));
        let mut found: HashMap<Reference, Resource> = found.collect();
        for reference in of.wanted {
            let is_read = match read.extent {
                Extent::Whole => true,
                Extent::There => reader.asked.namespace == Some(reference.namespace.as_str()),
                Extent::Part | Extent::NotServed => false,
            };
            let target = match found.remove(&reference) {
                Some(resource) => Target::Found(Box::new(resource)),
                None if read.extent == Extent::NotServed => Target::NoKind,
                None if is_read => Target::Missing,
                None => Target::Unread,
            };
            self.found.insert(reference, target);
        }
        self.unread.extend(read.unread);
    }

    /// One GET of each object, and one LIST of each kind that has too many.
    async fn get(&mut self, reader: &Reader<'_>, kinds: Vec<OfKind>) {
        let mut left = MOST_EACH;
        let mut many = Vec::new();
        let mut few = Vec::new();
        // the smallest first, so that as few kinds as can be are listed
        for of in kinds.into_iter().rev() {
            match left.checked_sub(of.wanted.len()) {
                Some(rest) => {
                    left = rest;
                    few.push(of);
                }
                None => many.push(of),
            }
        }
        let each = few.iter().flat_map(|of| of.wanted.iter().map(|wanted| (&of.kind, wanted)));
        let got = join_all(each.map(|(kind, wanted)| get_one(reader, kind, wanted))).await;
        for (kind, reference, answer) in got {
            self.got(kind, reference, answer);
        }
        for (of, read) in join_all(many.into_iter().map(|of| list_kind(reader, of))).await {
            let is_forbidden = |unread: &Unread| unread.fault.as_ref().is_some_and(Fault::is_forbidden);
            match read.unread.as_ref().is_some_and(is_forbidden) {
                true => self.get_some(reader, of).await,
                false => self.listed(of, read, reader),
            }
        }
    }

    /// So many of each namespace in turn: one in which many are named takes them from itself alone.
    async fn get_some(&mut self, reader: &Reader<'_>, of: OfKind) {
        let (kind, all) = (&of.kind, of.wanted.len());
        let mut turns: BTreeMap<&str, usize> = BTreeMap::new();
        let mut wanted: Vec<(usize, &Reference)> = Vec::with_capacity(all);
        for reference in &of.wanted {
            let turn = turns.entry(&reference.namespace).or_default();
            wanted.push((*turn, reference));
            *turn += 1;
        }
        wanted.sort();
        let rest: BTreeSet<Reference> = wanted
            .split_off(all.min(MOST_UNLISTED))
            .into_iter()
            .map(|(_, reference)| reference.clone())
            .collect();
        let got = join_all(wanted.iter().map(|(_, reference)| get_one(reader, kind, reference))).await;
        for (kind, reference, answer) in got {
            self.got(kind, reference, answer);
        }
        let named = kind.group_kind();
        let more = format!(
            "{} of {all} subscribers were looked at: {named} may not be listed, as so many need",
            wanted.len()
        );
        self.remarks.push(more);
        self.all(rest, &Target::Unread);
    }

    fn got(&mut self, kind: &Kind, reference: Reference, answer: Result<Object, Fault>) {
        let target = match answer {
            Ok(object) => Target::Found(Box::new(parse::resource(&object))),
            // no object can have a name that no path can carry
            Err(Fault::NotFound(_) | Fault::InvalidName { .. }) => Target::Missing,
            Err(fault) if fault.is_forbidden() => {
                let first = || (0, format!("{reference}: {fault}"));
                self.forbidden.entry(kind.group_kind()).or_insert_with(first).0 += 1;
                Target::Unread
            }
            Err(fault) => {
                let why = format!("{reference}: {fault}");
                self.unread.push(Unread { kind: kind.group_kind(), why, fault: Some(fault) });
                Target::Unread
            }
        };
        self.found.insert(reference, target);
    }
}

async fn get_one<'k>(
    reader: &Reader<'_>,
    kind: &'k Kind,
    wanted: &Reference,
) -> (&'k Kind, Reference, Result<Object, Fault>) {
    let answer = Box::pin(reader.access.get_metadata(kind, Some(&wanted.namespace), &wanted.name)).await;
    (kind, wanted.clone(), answer)
}

/// Of all namespaces, or of the one where all of them are. A Service has no conditions, so its metadata is enough.
async fn list_kind(reader: &Reader<'_>, of: OfKind) -> (OfKind, Read<Option<Resource>>) {
    let namespaces: BTreeSet<&str> = of.wanted.iter().map(|wanted| wanted.namespace.as_str()).collect();
    let only = namespaces.first().copied().filter(|_| namespaces.len() == 1);
    let is_plain = of.kind.group.is_empty() || reader.asked.targets == Targets::Each;
    let taking = if is_plain { Taking::METADATA } else { Taking::WHOLE };
    let make = |object: Object| {
        let resource = parse::resource(&object);
        of.wanted.contains(&resource.reference).then_some(resource)
    };
    let read = reader.list(&of.kind, only, taking, make).await;
    (of, read)
}
