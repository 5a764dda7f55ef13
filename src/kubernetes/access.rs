//! [`Access`]: one cluster, as one caller, for the length of one call. Every upstream byte of a
//! caller passes here: paths are encoded, requests are counted, bounded in number, size and time.

mod get;
mod read;
mod send;
#[cfg(test)]
pub(crate) mod tests;
mod write;

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::Instant};

use super::{
    cluster::Cluster,
    fault::Fault,
    identity::{As, Identity},
    kind::Kind,
    kinds::Kinds,
    list::{Listed, Take, Taking},
    meter::Meter,
    object::Object,
    selector::Selector,
};
use crate::{answer::redact::Learned, telemetry::CallSpan};

pub(super) use read::Said;
pub(super) use send::{Ask, Reply, parse, with_query};
pub use write::{Basis, DryRun, Written};
pub(super) use write::{uncertain, warnings};

/// Requests of one call that are on their way at once.
const PARALLEL: usize = 8;

/// For a LIST of what outlives a call.
const LASTING: Duration = Duration::from_secs(20);

/// What a caller may see of one cluster, decided by the gate and asked by [`Access`] for every object.
pub trait View: Send + Sync {
    /// Whether objects of this namespace (`None`: cluster-scoped ones) may be shown.
    fn sees(&self, namespace: Option<&str>) -> bool;
    /// Whether values of Secrets in this namespace may be shown.
    fn reveals(&self, namespace: Option<&str>) -> bool;
    /// The fault that stands for an object of a namespace that may not be shown.
    fn withheld(&self, namespace: Option<&str>) -> Fault;
}

/// What a call spends and learns, shared by all the clusters it reads.
#[derive(Clone, Debug)]
pub struct Budgeted {
    /// Counts requests and bytes.
    pub meter: Arc<Meter>,
    /// Remembers secret values that came by, for the answer to scrub.
    pub learned: Arc<Learned>,
    /// Nothing is sent after it.
    pub deadline: Instant,
    /// Names the call in the `User-Agent`, so that the API server's audit log can be joined with ours.
    pub call_id: Arc<str>,
    /// The call's place in a trace, of which its requests become parts.
    pub span: CallSpan,
}

/// One cluster as one caller sees it during one call.
#[derive(Clone)]
pub struct Access {
    cluster: Arc<Cluster>,
    view: Option<Arc<dyn View>>,
    reveals: Arc<dyn View>,
    spent: Budgeted,
    parallel: Arc<Semaphore>,
    agent: Arc<str>,
    acting: As,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Access").field(&self.cluster).finish()
    }
}

impl Access {
    /// Opens `cluster` for a call, whose requests are made as `acting` says.
    pub fn new(cluster: Arc<Cluster>, view: Arc<dyn View>, acting: As, spent: Budgeted) -> Self {
        let agent = agent(&spent.call_id);
        Self {
            cluster,
            reveals: Arc::clone(&view),
            view: Some(view),
            spent,
            parallel: Arc::new(Semaphore::new(PARALLEL)),
            agent,
            acting,
        }
    }

    /// The same cluster without the filter by namespace: for what a tool must know to do its work
    /// but does not show as such (the RGD behind an instance, a CRD). What comes from it is shown
    /// only after another decision.
    #[must_use]
    pub fn unfiltered(&self) -> Self {
        Self { view: None, ..self.clone() }
    }

    /// The same cluster, of which another view is shown.
    #[must_use]
    pub fn through(&self, view: Arc<dyn View>) -> Self {
        Self { view: Some(view), ..self.clone() }
    }

    /// Keeps for the audit log which request it is that the caller wants sent.
    pub fn note(&self, method: &http::Method, path: &str) {
        self.spent.meter.note(method, path);
    }

    /// The cluster behind it.
    pub fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    /// How the caller is shown to the cluster.
    pub fn identity(&self) -> Identity {
        match &self.acting {
            As::Server => Identity::Own,
            As::Caller(_) => Identity::Impersonate,
            As::Bearer(bearer) => bearer.identity(),
            As::Nobody(unfit) => unfit.mode(),
        }
    }

    /// For what all callers share, and nothing else: the same cluster as the server itself. Where callers bring
    /// tokens of their own, as the one whose turn it is: what there is differs for nobody, and the server's
    /// credential, if it has one, may be good for nothing.
    pub(super) fn as_server(&self) -> Result<Self, Fault> {
        match &self.acting {
            As::Nobody(unfit) => Err(Fault::Unfit(Arc::clone(unfit))),
            As::Bearer(_) => Ok(self.clone()),
            As::Server | As::Caller(_) => Ok(Self { acting: As::Server, ..self.clone() }),
        }
    }

    /// What the cluster serves: from the cache that all callers share, or read now, as the server.
    ///
    /// # Errors
    /// What went wrong while reading it.
    pub async fn kinds(&self) -> Result<Arc<Kinds>, Fault> {
        self.cluster.kinds(&self.as_server()?).await
    }

    /// What the cluster serves now, for a name the cache does not know; read again at most every
    /// ten seconds.
    ///
    /// # Errors
    /// What went wrong while reading it.
    pub async fn fresh_kinds(&self) -> Result<Arc<Kinds>, Fault> {
        self.cluster.fresh_kinds(&self.as_server()?).await
    }

    /// What the cluster serves now, for a call that has just made it serve another kind: all callers know
    /// of it from then on.
    ///
    /// # Errors
    /// What went wrong while reading it.
    pub async fn changed_kinds(&self) -> Result<Arc<Kinds>, Fault> {
        self.cluster.changed_kinds(&self.as_server()?).await
    }

    /// All objects of a kind that match, of one namespace or all, page by page.
    ///
    /// # Errors
    /// The first page's fault; a later one ends the list early ([`Listed::cut`]).
    pub async fn list(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Result<Listed, Fault> {
        self.list_taking(kind, namespace, selector, Taking::WHOLE).await
    }

    /// As [`Self::list`], taking less of each object.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn list_taking(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selector: &Selector,
        taking: Taking<'_>,
    ) -> Result<Listed, Fault> {
        self.take(kind, namespace, selector, Take::objects(taking)).await
    }

    /// As [`Self::list`], of which only what `make` makes of each object stays in memory: for lists of
    /// thousands.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn list_as<T>(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selector: &Selector,
        make: impl Fn(Object) -> T,
    ) -> Result<Listed<T>, Fault> {
        self.list_taking_as(kind, namespace, selector, Taking::WHOLE, make).await
    }

    /// As [`Self::list_as`], taking less of each object, or more objects at once.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn list_taking_as<T>(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selector: &Selector,
        taking: Taking<'_>,
        make: impl Fn(Object) -> T,
    ) -> Result<Listed<T>, Fault> {
        self.take(kind, namespace, selector, Take::parts(taking, make)).await
    }

    /// How many objects of a kind there are in the cluster, with one request. A number cannot be filtered,
    /// so there is none for who has a view: only an [unfiltered](Self::unfiltered) access counts.
    ///
    /// # Errors
    /// What the API server answered.
    pub async fn count(&self, kind: &Kind) -> Result<Option<u64>, Fault> {
        match self.view {
            None => super::list::count(self, kind).await,
            Some(_) => Ok(None),
        }
    }

    async fn take<T, F: Fn(Object) -> T>(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selector: &Selector,
        take: Take<'_, F>,
    ) -> Result<Listed<T>, Fault> {
        if let (Some(view), Some(_)) = (&self.view, namespace)
            && !view.sees(namespace)
        {
            return Err(view.withheld(namespace));
        }
        super::list::read(self, kind, namespace, selector, take).await
    }

    /// The same cluster as the same caller, for one request of something that outlives the call: `number`
    /// tells it from the others that `id` makes.
    pub(super) fn outliving(&self, id: &str, number: u64) -> Self {
        let spent = Budgeted {
            meter: Arc::new(Meter::default()),
            learned: Arc::new(Learned::default()),
            deadline: Instant::now() + LASTING,
            call_id: format!("{id}.{number}").into(),
            span: CallSpan::default(),
        };
        Self { spent, agent: agent(id), parallel: Arc::new(Semaphore::new(PARALLEL)), ..self.clone() }
    }

    /// Counts bytes that came.
    pub(super) fn received(&self, bytes: usize) -> Result<(), Fault> {
        self.spent.meter.received(bytes)
    }

    /// Whether objects of this namespace (`None`: cluster-scoped) may be shown to the caller.
    pub fn sees(&self, namespace: Option<&str>) -> bool {
        self.view.as_ref().is_none_or(|view| view.sees(namespace))
    }

    /// Whether values of Secrets in this namespace may be shown to the caller.
    pub fn reveals(&self, namespace: Option<&str>) -> bool {
        self.reveals.reveals(namespace)
    }

    /// When the call has to have done its work.
    pub(super) fn deadline(&self) -> Instant {
        self.spent.deadline
    }

    /// Takes the values out of a Secret that the caller may not read.
    pub(super) fn take_secrets(&self, object: &mut Object) {
        if !self.reveals.reveals(object.namespace()) {
            self.spent.learned.from_object(object);
        }
    }

    /// Takes the values out of what is a Secret by where it came from, whatever it says that it is.
    pub(super) fn take_secret(&self, object: &mut Object) {
        self.spent.learned.from_secret(object);
    }

    /// Counts what an object will take in memory.
    pub(super) fn keep(&self, weight: usize) -> Result<(), Fault> {
        self.spent.meter.keep(weight)
    }
}

/// The `User-Agent`.
fn agent(id: &str) -> Arc<str> {
    format!("{}/{} call/{id}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")).into()
}
