//! The children of an instance: one LIST per kind.

use super::Reader;
use crate::kro::applyset::{self, GroupKind};
use crate::kro::graph::{Collected, Unread};
use crate::kro::{instance, labels};
use crate::kubernetes::{Fault, Kind, Listed, Object, Selector};
use futures::future::join_all;

/// What the lists gave.
#[derive(Debug, Default)]
pub(super) struct Children {
    items: Vec<Object>,
    withheld: Vec<Object>,
    unread: Vec<(GroupKind, Unread)>,
    gaps: Vec<String>,
}

impl Children {
    pub(super) fn into_collected(self, collected: &mut Collected) {
        collected.children = self.items;
        collected.withheld = self.withheld;
        collected.unread = self.unread.into_iter().collect();
        collected.gaps.extend(self.gaps);
    }

    fn add(&mut self, kind: &GroupKind, listed: Listed) {
        self.items.extend(listed.items);
        self.withheld.extend(listed.withheld);
        if let Some(why) = listed.cut {
            self.unread.push((kind.clone(), Unread::Cut(why)));
        }
    }

    /// Says that the ApplySet of `instance` names more than is looked at.
    fn left_out(&mut self, count: usize, what: &str, instance: &Object) {
        if count > 0 {
            let (kind, name) = (instance.kind(), instance.name());
            self.gaps.push(format!(
                "the ApplySet of {kind}/{name} names {count} more {what}, which were not read"
            ));
        }
    }

    fn join(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().fold(Self::default(), |mut all, part| {
            all.items.extend(part.items);
            all.withheld.extend(part.withheld);
            all.unread.extend(part.unread);
            all.gaps.extend(part.gaps);
            all
        })
    }
}

/// The children by their ApplySet; `None` where the instance has none.
pub(super) async fn marked(reader: &Reader, instance: &Object) -> Option<Children> {
    let kinds = applyset::group_kinds(instance)?;
    // The id's base64 may contain what `is_label_value` allows only: `-` and `_` inside.
    let selector = Selector::all().label(labels::PART_OF, &applyset::id(instance));
    let mut children = read(reader, instance, kinds.entries, selector).await;
    children.left_out(kinds.left_out, "kinds", instance);
    Some(children)
}

/// kro < 0.5: the kinds come from the RGD, the mark is the instance's uid.
pub(super) async fn of_older_kro(reader: &Reader, collected: &Collected) -> Children {
    let instance = &collected.instance;
    let Some(definition) = collected.rgd.definition().filter(|_| instance::is_observed(instance)) else {
        return Children::default();
    };
    let selector = Selector::all().label(labels::INSTANCE_ID, instance.uid());
    read(reader, instance, definition.child_kinds(), selector).await
}

async fn read(reader: &Reader, instance: &Object, kinds: Vec<GroupKind>, selector: Selector) -> Children {
    let lists = kinds.into_iter().map(|kind| {
        let selector = &selector;
        async move { of_kind(reader, instance, kind, selector).await }
    });
    Children::join(join_all(lists).await)
}

async fn of_kind(reader: &Reader, instance: &Object, wanted: GroupKind, selector: &Selector) -> Children {
    let mut children = Children::default();
    let Some(kind) = reader.kind(&wanted).await else {
        children.unread.push((wanted, Unread::NotServed));
        return children;
    };
    match reader.access().list(&kind, None, selector).await {
        Ok(listed) => children.add(&wanted, listed),
        Err(fault) if fault.is_not_found() => children.unread.push((wanted, Unread::NotServed)),
        Err(fault) if fault.is_forbidden() && kind.namespaced => {
            return by_namespace(reader, instance, &kind, wanted, selector).await;
        }
        Err(fault) => children.unread.push((wanted, Unread::Failed(fault.to_string()))),
    }
    children
}

/// Where all namespaces at once are not allowed: those that the ApplySet names, one by one.
async fn by_namespace(
    reader: &Reader,
    instance: &Object,
    kind: &Kind,
    wanted: GroupKind,
    selector: &Selector,
) -> Children {
    let namespaces = applyset::namespaces(instance);
    let lists = namespaces.entries.into_iter().map(|namespace| {
        let wanted = &wanted;
        async move {
            let mut children = Children::default();
            match reader.access().list(kind, Some(namespace), selector).await {
                Ok(listed) => children.add(wanted, listed),
                Err(Fault::Withheld { .. }) => children.unread.push((wanted.clone(), Unread::Withheld)),
                Err(fault) => {
                    children.unread.push((wanted.clone(), Unread::Failed(fault.to_string())));
                }
            }
            children
        }
    });
    let mut children = Children::join(join_all(lists).await);
    if namespaces.left_out > 0 {
        let why = format!("{} more namespaces of the ApplySet were not read", namespaces.left_out);
        children.unread.push((wanted, Unread::Cut(why)));
    }
    children
}
