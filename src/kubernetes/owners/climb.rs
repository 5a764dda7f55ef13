//! Asking for owners: each kind of a namespace once, of each object its `metadata` alone.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::{Ownership, Reference};
use crate::kubernetes::{Access, Fault, Kind, Kinds, Listed, Named, Object, Selector, Taking};

/// Steps from an object to its root: Pod, ReplicaSet, Deployment, an operator's kind, another's.
const ROUNDS: usize = 5;
/// Lists of one walk.
const MOST_LISTS: usize = 16;
/// Labels and annotations are the most of `metadata`, and nobody here reads them.
const KEPT: [&str; 5] = ["name", "namespace", "uid", "creationTimestamp", "ownerReferences"];

/// What is asked of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Question {
    /// `Kind.group`
    kind: String,
    namespace: Option<String>,
    /// One object, or all.
    name: Option<String>,
}

/// A list to be made.
struct Ask {
    kind: Kind,
    namespace: Option<String>,
    names: BTreeSet<String>,
}

impl Question {
    /// The two that would find an object, where its kind is served: for all of its kind, and for it alone.
    pub(super) fn finding(kinds: &Kinds, of: &Reference) -> Option<[Self; 2]> {
        let kind = kind_of(kinds, of)?;
        let namespace = of.namespace.clone().filter(|_| kind.namespaced);
        let all = Self { kind: kind.group_kind(), namespace, name: None };
        Some([all.clone(), Self { name: Some(of.name.clone()), ..all }])
    }
}

/// A writer may have left the group out.
fn kind_of<'k>(kinds: &'k Kinds, of: &Reference) -> Option<&'k Kind> {
    let exact = kinds.find(&of.group, &of.kind);
    let found = match (exact, of.group.as_str()) {
        (None, "") if !of.kind.contains('.') => match kinds.named(&of.kind) {
            Named::One(kind) => Some(kind),
            Named::Several(_) | Named::None(_) => None,
        },
        (exact, _) => exact,
    };
    found.filter(|kind| kind.listable)
}

impl Ownership {
    /// Reads what is needed to tell of each of `wanted` whether a root owns it. One LIST for each kind and
    /// namespace on the way, all of one step in parallel; what has no uid is looked for by its name.
    pub async fn climb(&mut self, access: &Access, kinds: &Kinds, wanted: &[Reference]) {
        let mut next: Vec<Reference> = wanted.to_vec();
        for _ in 0..ROUNDS {
            let asks = self.asks(kinds, &next);
            let read = asks.into_iter().map(|ask| async move {
                let listed = ask.send(access).await;
                (ask, listed)
            });
            for (ask, listed) in join_all(read).await {
                self.take(&ask, listed);
            }
            next = self.unknown_above(wanted.iter().map(|wanted| wanted.uid.as_str()));
            if next.is_empty() {
                break;
            }
        }
    }

    /// The lists that tell of `wanted` what is not known yet.
    fn asks(&mut self, kinds: &Kinds, wanted: &[Reference]) -> Vec<Ask> {
        let mut asks: BTreeMap<Question, Ask> = BTreeMap::new();
        let unknown =
            |of: &&Reference| !self.links.contains_key(&of.uid) && !self.roots.contains_key(&of.uid);
        for of in wanted.iter().filter(unknown) {
            let (Some(kind), Some([all, one])) = (kind_of(kinds, of), Question::finding(kinds, of)) else {
                continue;
            };
            let nowhere = kind.namespaced && of.namespace.is_none();
            if nowhere || self.asked.contains(&all) || self.asked.contains(&one) {
                continue;
            }
            let namespace = all.namespace.clone();
            let ask = asks.entry(all);
            let ask = ask.or_insert_with(|| Ask { kind: kind.clone(), namespace, names: BTreeSet::new() });
            ask.names.insert(of.name.clone());
        }
        let lists = self.asked.len();
        let left_out = (lists + asks.len()).saturating_sub(MOST_LISTS);
        if left_out > 0 {
            self.gaps.insert(format!("owners of {left_out} more kinds of objects were not looked for"));
        }
        // what most objects are of is what most events are about
        let mut asks: Vec<Ask> = asks.into_values().collect();
        asks.sort_by_key(|ask| std::cmp::Reverse(ask.names.len()));
        asks.truncate(MOST_LISTS.saturating_sub(lists));
        self.asked.extend(asks.iter().map(Ask::question));
        asks
    }

    fn take(&mut self, ask: &Ask, listed: Result<Listed, Fault>) {
        let place = ask.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        let kind = ask.kind.group_kind();
        match listed {
            Ok(listed) => {
                if listed.complete() {
                    self.whole.insert(ask.question());
                }
                self.gaps.extend(listed.cut.map(|why| format!("{kind}{place}: {why}")));
                listed.items.iter().for_each(|object| self.learn(object));
            }
            // the kind went away meanwhile, and all of its objects with it
            Err(Fault::NotFound(_)) => {}
            Err(fault) => {
                self.gaps.insert(format!("{kind}{place}: {fault}"));
            }
        }
    }
}

impl Ask {
    fn question(&self) -> Question {
        Question {
            kind: self.kind.group_kind(),
            namespace: self.namespace.clone(),
            name: self.only().map(str::to_owned),
        }
    }

    /// The name, where it is about one object alone.
    fn only(&self) -> Option<&str> {
        self.names.first().filter(|_| self.names.len() == 1).map(String::as_str)
    }

    async fn send(&self, access: &Access) -> Result<Listed, Fault> {
        let selector = match self.only() {
            Some(name) => Selector::all().field("metadata.name", name),
            None => Selector::all(),
        };
        let taking = Taking::metadata(&lean);
        access.list_taking(&self.kind, self.namespace.as_deref(), &selector, taking).await
    }
}

fn lean(object: &mut Object) -> bool {
    if let Some(metadata) = object.members_mut().get_mut("metadata").and_then(|member| member.as_object_mut())
    {
        metadata.retain(|key, _| KEPT.contains(&key.as_str()));
    }
    true
}
