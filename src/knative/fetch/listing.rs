//! One LIST of a kind, and what is done where it is refused or the kind is gone.

use super::Reader;
use crate::{
    knative::resource::{Resources, Unread},
    kubernetes::{Fault, Kind, Listed, Object, Selector, Taking},
};

/// Objects asked for at once: little is kept of each, so that a mesh of 2,000 triggers is one request.
const AT_ONCE: usize = 2_500;

/// What came of reading a kind.
pub(super) struct Read<T> {
    /// The objects.
    pub(super) items: Vec<T>,
    /// How much of them these are.
    pub(super) extent: Extent,
    /// The kind.
    of: (String, String),
    /// What could not be read.
    pub(super) unread: Option<Unread>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All that were asked for.
    Whole,
    /// All of the one namespace that was asked for.
    There,
    /// Some.
    Part,
    /// The cluster does not serve the kind.
    NotServed,
}

impl<T> Read<T> {
    pub(super) fn not_served(group: &str, kind: &str) -> Self {
        let of = (group.to_owned(), kind.to_owned());
        Self { items: Vec::new(), extent: Extent::NotServed, of, unread: None }
    }

    /// Whether the cluster serves the kind.
    pub(super) fn is_served(&self) -> bool {
        self.extent != Extent::NotServed
    }

    /// The objects; how much of them these are is noted.
    pub(super) fn noted(self, resources: &mut Resources) -> Vec<T> {
        match self.extent {
            Extent::Whole => _ = resources.whole.insert(self.of),
            Extent::There => _ = resources.whole_there.insert(self.of),
            Extent::Part | Extent::NotServed => {}
        }
        resources.unread.extend(self.unread);
        self.items
    }
}

impl Reader<'_> {
    /// The objects of a kind in a namespace or all; in the one that the caller asked for where not all may be read.
    pub(super) async fn list<T>(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        taking: Taking<'_>,
        make: impl Fn(Object) -> T,
    ) -> Read<T> {
        match self.list_once(kind, namespace, taking, &make).await {
            Err(Fault::NotFound(_)) => self.list_anew(kind, namespace, taking, &make).await,
            listed => self.judged(kind, namespace, listed, taking, &make).await,
        }
    }

    async fn list_once<T>(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        taking: Taking<'_>,
        make: &impl Fn(Object) -> T,
    ) -> Result<Listed<T>, Fault> {
        let taking = taking.at_once(AT_ONCE);
        // many of these run at once, and what runs at once is on one stack
        Box::pin(self.access.list_taking_as(kind, namespace, &Selector::all(), taking, make)).await
    }

    /// A kind that was served a while ago: its CRD is gone, or has another version now.
    async fn list_anew<T>(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        taking: Taking<'_>,
        make: &impl Fn(Object) -> T,
    ) -> Read<T> {
        self.refresh().await;
        let now = self.kinds().find(&kind.group, &kind.kind).cloned();
        let Some(now) = now.filter(|now| now != kind) else {
            return Read::not_served(&kind.group, &kind.kind);
        };
        match self.list_once(&now, namespace, taking, make).await {
            Err(Fault::NotFound(_)) => Read::not_served(&kind.group, &kind.kind),
            listed => self.judged(&now, namespace, listed, taking, make).await,
        }
    }

    async fn judged<T>(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        listed: Result<Listed<T>, Fault>,
        taking: Taking<'_>,
        make: &impl Fn(Object) -> T,
    ) -> Read<T> {
        match listed {
            Ok(listed) => Read::of(kind, listed, Extent::Whole),
            Err(fault) => match self.asked.namespace.filter(|_| fault.is_forbidden() && kind.namespaced) {
                Some(only) if namespace.is_none() => self.list_there(kind, only, &fault, taking, make).await,
                _ => Read::failed(kind, fault),
            },
        }
    }

    async fn list_there<T>(
        &self,
        kind: &Kind,
        only: &str,
        everywhere: &Fault,
        taking: Taking<'_>,
        make: &impl Fn(Object) -> T,
    ) -> Read<T> {
        match self.list_once(kind, Some(only), taking, make).await {
            Ok(listed) => {
                let mut read = Read::of(kind, listed, Extent::There);
                let cut = read.unread.take().map(|unread| format!("; {}", unread.why)).unwrap_or_default();
                let why = format!("namespaces other than {only} were not looked at: {everywhere}{cut}");
                read.unread = Some(Unread { kind: kind.group_kind(), why, fault: None });
                read
            }
            Err(fault) => Read::failed(kind, fault),
        }
    }
}

impl<T> Read<T> {
    fn of(kind: &Kind, listed: Listed<T>, extent: Extent) -> Self {
        let unread = listed.cut.map(|why| Unread { kind: kind.group_kind(), why, fault: None });
        Self {
            items: listed.items,
            extent: if unread.is_some() { Extent::Part } else { extent },
            of: (kind.group.clone(), kind.kind.clone()),
            unread,
        }
    }

    fn failed(kind: &Kind, fault: Fault) -> Self {
        let unread = Unread { kind: kind.group_kind(), why: fault.to_string(), fault: Some(fault) };
        let of = (kind.group.clone(), kind.kind.clone());
        Self { items: Vec::new(), extent: Extent::Part, of, unread: Some(unread) }
    }
}
