//! [`Access`]: one environment, as one caller, for the length of one call. Every byte from Palette passes here.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use tokio::{sync::Semaphore, time::Instant};

pub use super::session::Paged;
use super::{
    api::Listing,
    ask::Ask,
    environment::Environment,
    fault::Fault,
    place::Place,
    session::{Acting, By},
};
use crate::kubernetes::Budgeted;

/// Requests of one call to one environment that are on their way at once.
const PARALLEL: usize = 8;

/// What a caller may see of one environment, decided by the gate and asked for every row.
pub trait View: Send + Sync {
    /// Whether what is in this place may be shown.
    fn sees(&self, place: &Place) -> bool;
    /// Whether everything in the environment may be shown, the tenant's own and every project's.
    fn sees_all(&self) -> bool;
    /// The fault that stands for something in a place that may not be shown.
    fn withheld(&self, place: &Place) -> Fault;
}

/// One environment as one caller sees it during one call.
#[derive(Clone)]
pub struct Access {
    environment: Arc<Environment>,
    view: Arc<dyn View>,
    acting: Acting,
    spent: Budgeted,
    parallel: Arc<Semaphore>,
    since: Option<Instant>,
    unfiltered: bool,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Access").field(&self.environment.name()).finish()
    }
}

impl Access {
    /// Opens `environment` for a call, whose requests are made as `acting` says.
    pub fn new(environment: Arc<Environment>, view: Arc<dyn View>, acting: Acting, spent: Budgeted) -> Self {
        // before anything is sent: what comes back may echo it
        acting.teach(&spent.learned);
        let parallel = Arc::new(Semaphore::new(PARALLEL));
        Self { environment, view, acting, spent, parallel, since: None, unfiltered: false }
    }

    /// The same environment, of which another view is shown.
    #[must_use]
    pub fn through(&self, view: Arc<dyn View>) -> Self {
        Self { view, unfiltered: false, ..self.clone() }
    }

    /// The same environment, asked in projects that the caller does not see, too: for what is shared by callers and
    /// filtered row by row before anything of it is shown.
    #[must_use]
    pub(super) fn unfiltered(&self) -> Self {
        Self { unfiltered: true, ..self.clone() }
    }

    /// The environment behind it.
    pub fn environment(&self) -> &Arc<Environment> {
        &self.environment
    }

    /// What the caller may see of it.
    pub fn view(&self) -> &Arc<dyn View> {
        &self.view
    }

    /// Whether what is in this place may be shown. Ask it of every row: requests are made with a credential that
    /// sees more.
    pub fn sees(&self, place: &Place) -> bool {
        self.view.sees(place)
    }

    /// That what is in this place may be shown.
    ///
    /// # Errors
    /// [`Fault::Withheld`], whether or not there is something.
    pub fn require(&self, place: &Place) -> Result<(), Fault> {
        if self.sees(place) { Ok(()) } else { Err(self.view.withheld(place)) }
    }

    /// Asks in the scope of `place` (`ProjectUid`), and reads the JSON that came. Kept for a short while.
    ///
    /// # Errors
    /// [`Fault`]
    pub async fn ask<T: DeserializeOwned>(&self, place: &Place, ask: Ask) -> Result<T, Fault> {
        Ok(self.dated(place, ask).await?.0)
    }

    /// The same, and when it was asked for: a kept answer may be some seconds old.
    ///
    /// # Errors
    /// [`Fault`]
    pub async fn dated<T: DeserializeOwned>(&self, place: &Place, ask: Ask) -> Result<(T, Instant), Fault> {
        self.environment.session().json(self.by(place)?, &ask).await
    }

    /// The same of what is no JSON and must not be kept (kubeconfigs).
    ///
    /// # Errors
    /// [`Fault`]
    pub async fn bytes(&self, place: &Place, ask: Ask) -> Result<Vec<u8>, Fault> {
        self.environment.session().bytes(self.by(place)?, &ask).await
    }

    /// Sends what changes something: once, however it fails, unless Palette said that it did not look at it (429) or
    /// no connection came about. Afterwards nothing is answered that was asked for before.
    ///
    /// # Errors
    /// [`Fault::Uncertain`] where it may have been done all the same.
    pub async fn send(&self, place: &Place, ask: Ask) -> Result<Vec<u8>, Fault> {
        let sent = self.environment.session().send(self.by(place)?, &ask).await;
        self.environment.kept().clear();
        sent
    }

    /// All pages of a list: query paging, with a guard against pages that do not end. What could not be read after
    /// the first page is told in [`Paged::gap`].
    ///
    /// # Errors
    /// [`Fault`], of the first page.
    pub async fn pages<L: Listing>(&self, place: &Place, ask: Ask) -> Result<Paged<L::Row>, Fault> {
        self.environment.session().pages::<L>(self.by(place)?, &ask).await
    }

    /// A list whose contract has no paging and which may be cut all the same: one request. Where Palette counts
    /// more rows than came, that is in [`Paged::gap`], and another listing has to be asked.
    ///
    /// # Errors
    /// [`Fault`]
    pub async fn whole<L: Listing>(&self, place: &Place, ask: Ask) -> Result<Paged<L::Row>, Fault> {
        self.environment.session().whole::<L>(self.by(place)?, &ask).await
    }

    /// The same environment, of which nothing is answered that was asked for before now.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self { since: Some(Instant::now()), ..self.clone() }
    }

    /// As whom it is asked. Nothing is asked in a project that the caller does not see: where something is, Palette
    /// said, and Palette may be wrong.
    fn by<'a>(&'a self, place: &'a Place) -> Result<By<'a>, Fault> {
        if !self.unfiltered && *place != Place::Tenant {
            self.require(place)?;
        }
        let Self { acting, spent, parallel, since, .. } = self;
        Ok(By { acting, place, spent, parallel, since: *since })
    }

    /// Whose credential its requests carry.
    pub(super) fn acting(&self) -> &Acting {
        &self.acting
    }

    /// What the call may take, and when it has to be over.
    pub fn spent(&self) -> &Budgeted {
        &self.spent
    }
}
