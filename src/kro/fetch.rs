//! Reading an instance and what belongs to it, in the fewest requests.
//!
//! One GET for the instance, then in parallel its RGD and one LIST per kind of its ApplySet: 2 + the
//! number of kinds. Externals and nested instances follow, each level in parallel. The number of
//! requests on their way at once is bounded by [`Access`].

mod children;
mod class;
mod events;
mod find;
mod judge;
mod looks;
mod named_rgd;
mod parent;
mod referenced;
mod rgd;
mod used;

pub use events::Reported;
pub use find::{Wanted, instance_kinds};
pub use named_rgd::NamedRgd;
pub use parent::Parent;

use crate::kro::expression::Work;
use crate::kro::graph::{
    Collected, Home, Observed, Reference, Rgd, Unread, has_unread_references, unread_references,
};
use crate::kro::{applyset::GroupKind, labels};
use crate::kubernetes::{Access, Fault, Kind, Kinds, Object, Selector};
use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::OnceCell;

/// Nested instances that one call looks into.
const MOST_INSTANCES: usize = 100;
/// Rounds of external references: a name may come from another reference.
const ROUNDS: usize = 4;

/// Reads instances of one cluster for one call.
pub struct Reader {
    access: Access,
    kinds: Mutex<Arc<Kinds>>,
    rgds: Mutex<HashMap<String, Arc<OnceCell<rgd::Found>>>>,
    expanded: AtomicUsize,
    work: Work,
    may_name_rgds: bool,
    nameable: Option<Access>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader(..)")
    }
}

impl Reader {
    /// A reader of that cluster; the cluster's discovery is read if nobody has yet.
    ///
    /// # Errors
    /// Discovery failed.
    pub async fn new(access: &Access) -> Result<Self, Fault> {
        let kinds = access.kinds().await?;
        Ok(Self {
            access: access.clone(),
            kinds: Mutex::new(kinds),
            rgds: Mutex::default(),
            expanded: AtomicUsize::new(0),
            work: Work::default(),
            may_name_rgds: false,
            nameable: None,
        })
    }

    /// Whether errors may name RGDs and the kinds that they generate: not without being told.
    #[must_use]
    pub fn naming_rgds(mut self, may: bool) -> Self {
        self.may_name_rgds = may;
        self
    }

    /// Where errors may name objects that were not asked for: those that this sees.
    #[must_use]
    pub fn naming_objects(mut self, seen: Access) -> Self {
        self.nameable = Some(seen);
        self
    }

    /// The same, which sees only what `access` sees.
    #[must_use]
    pub fn over(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Whether errors and gaps may name RGDs.
    pub fn names_rgds(&self) -> bool {
        self.may_name_rgds
    }

    /// The cluster, as the caller.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// What the cluster serves, as known now.
    pub fn kinds(&self) -> Arc<Kinds> {
        Arc::clone(&self.kinds.lock())
    }

    /// The kind of that group and name; one that is not known may have come since, so discovery is
    /// read again (which [`Access`] does at most every ten seconds).
    pub async fn kind(&self, wanted: &GroupKind) -> Option<Kind> {
        if let Some(kind) = self.kinds().find(&wanted.group, &wanted.kind) {
            return Some(kind.clone());
        }
        let fresh = self.access.fresh_kinds().await.ok()?;
        *self.kinds.lock() = Arc::clone(&fresh);
        fresh.find(&wanted.group, &wanted.kind).cloned()
    }

    /// Everything that belongs to an instance, `depth` levels of nested instances deep.
    pub fn collect(&self, instance: Object, depth: u32) -> BoxFuture<'_, Collected> {
        self.gather(instance, depth, true)
    }

    /// The children alone, nested ones included, for which the RGDs and what they refer to are not needed.
    pub fn children(&self, instance: Object, depth: u32) -> BoxFuture<'_, Collected> {
        self.gather(instance, depth, false)
    }

    fn gather(&self, instance: Object, depth: u32, whole: bool) -> BoxFuture<'_, Collected> {
        async move {
            let mut collected = match whole {
                true => self.whole(instance).await,
                false => self.only_children(instance).await,
            };
            self.nested(&mut collected, depth, whole).await;
            collected
        }
        .boxed()
    }

    async fn whole(&self, instance: Object) -> Collected {
        let (found, marked) = futures::join!(self.rgd(&instance), children::marked(self, &instance));
        let mut collected = Collected::new(instance, found.rgd);
        collected.gaps.extend(found.gap);
        let children = match marked {
            Some(children) => children,
            None => children::of_older_kro(self, &collected).await,
        };
        children.into_collected(&mut collected);
        self.plurals(&mut collected);
        self.externals(collected).await
    }

    async fn only_children(&self, instance: Object) -> Collected {
        let Some(children) = children::marked(self, &instance).await else {
            return self.whole(instance).await;
        };
        let mut collected = Collected::new(instance, Rgd::Unknown);
        children.into_collected(&mut collected);
        collected
    }

    fn plurals(&self, collected: &mut Collected) {
        let kinds = self.kinds();
        let nodes = collected.rgd.definition().map(|definition| definition.nodes.as_slice());
        for node in nodes.unwrap_or_default() {
            let of = node.group_kind();
            if let Some(kind) = kinds.find(&of.group, &of.kind) {
                if kind.namespaced {
                    collected.namespaced.insert(of.clone());
                }
                collected.plurals.insert(of, kind.plural.clone());
            }
        }
    }

    async fn externals(&self, mut collected: Collected) -> Collected {
        for _ in 0..ROUNDS {
            if !has_unread_references(&collected) {
                break;
            }
            let shared = Arc::new(collected);
            let judged = Arc::clone(&shared);
            let references =
                self.judge(move |work| unread_references(&judged, work)).await.unwrap_or_default();
            collected = Arc::unwrap_or_clone(shared);
            if references.is_empty() {
                break;
            }
            let own = collected.instance.namespace().map(str::to_owned);
            let read = references.into_iter().map(|(id, reference)| {
                let own = own.clone();
                async move { (id, self.external(reference, own.as_deref()).await) }
            });
            collected.externals.extend(join_all(read).await);
        }
        collected
    }

    /// One external reference, with one request.
    pub async fn external(&self, reference: Reference, own: Option<&str>) -> Observed {
        let Some(kind) = self.kind(reference.kind()).await else {
            return Observed::Unread(Unread::NotServed);
        };
        match reference {
            Reference::Named { namespace, name, .. } => {
                let namespace = namespace.or_else(|| own.map(str::to_owned)).filter(|_| kind.namespaced);
                match self.access.get(&kind, namespace.as_deref(), &name).await {
                    Ok(object) => Observed::One(object),
                    Err(Fault::NotFound(_)) => Observed::Absent(namespace, name),
                    Err(Fault::Withheld { .. }) => Observed::Withheld,
                    Err(fault) => Observed::Unread(Unread::Failed(fault.to_string())),
                }
            }
            Reference::Selected { namespace, selector, .. } => {
                let selector = match selector.as_str() {
                    "" => Selector::all(),
                    _ => Selector::all().label_requirement(selector),
                };
                match self.access.list(&kind, namespace.as_deref(), &selector).await {
                    Ok(listed) if listed.items.is_empty() && !listed.withheld.is_empty() => {
                        Observed::Withheld
                    }
                    Ok(listed) => Observed::Many(listed.items),
                    Err(Fault::Withheld { .. }) => Observed::Withheld,
                    Err(fault) => Observed::Unread(Unread::Failed(fault.to_string())),
                }
            }
        }
    }

    async fn nested(&self, collected: &mut Collected, depth: u32, whole: bool) {
        let home = Home::of(&collected.instance);
        let nested = |child: &&Object| labels::is_instance(child) && home.has(child);
        let instances: Vec<&Object> = collected.children.iter().filter(nested).collect();
        let (inside, outside): (Vec<&Object>, Vec<&Object>) = instances
            .into_iter()
            .partition(|_| depth > 0 && self.expanded.fetch_add(1, Ordering::Relaxed) < MOST_INSTANCES);
        let unexpanded = outside.iter().map(|child| format!("{}/{}", child.kind(), child.name())).collect();
        let read = inside.into_iter().map(|child| async move {
            (child.uid().to_owned(), self.gather(child.clone(), depth.saturating_sub(1), whole).await)
        });
        let nested = join_all(read).await;
        collected.nested.extend(nested);
        collected.unexpanded = unexpanded;
    }
}
