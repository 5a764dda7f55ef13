//! The fleet index: every cluster of an environment, virtual ones too, from one sweep that many answers share.
//!
//! A sweep is made with the credential of the environment and sees more than a caller may; it never leaves this
//! module but through [`rows`], filtered by what the caller sees, gaps included.

pub mod exposure;
mod filter;
mod health;
mod kept;
mod listing;
pub mod pressure;
mod row;
mod sweep;
#[cfg(test)]
mod tests;
pub mod triage;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::join_all;

use self::sweep::Sweep;
use super::{access::Access, fault::Fault, find, place::Place};
use crate::{Error, answer::sanitise, nearest};

pub use self::{
    filter::Filter,
    health::{Health, Stage},
    row::{ClusterRow, Measure, More, Pack, Template, VirtualInfo},
};
pub(super) use kept::Kept;

/// Projects that an error suggests.
const NEAREST: usize = 5;

/// How much of each cluster has to be known: each listing tells what those before it tell, and costs more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Detail {
    /// Name, place, cloud, state, tags: 1 request, and 1 for the projects' names.
    Names,
    /// Health and pending updates too: 1 request.
    Health,
    /// Pending repaves too: 2 requests.
    Triage,
    /// Virtual clusters alone, with everything: a request for each 50 of them.
    Virtual,
    /// Templates, metrics, what virtual clusters run on: a request for each 50 clusters.
    Full,
}

impl Detail {
    /// The details whose sweeps tell all that this one's tells, cheapest first.
    fn answered_by(self) -> &'static [Self] {
        match self {
            Self::Names => &[Self::Names, Self::Health, Self::Triage, Self::Full],
            Self::Health => &[Self::Health, Self::Triage, Self::Full],
            Self::Triage => &[Self::Triage, Self::Full],
            Self::Virtual => &[Self::Virtual, Self::Full],
            Self::Full => &[Self::Full],
        }
    }
}

/// Which part of the fleet, and how new.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Only this project, by name or uid.
    pub project: Option<&'a str>,
    /// Nothing that was swept before.
    pub fresh: bool,
}

/// What the caller sees of the fleet of one or several environments.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The clusters, in the order of environments and as Palette lists them.
    pub rows: Vec<Arc<ClusterRow>>,
    /// What could not be read, a line each.
    pub gaps: Vec<String>,
    /// How old the oldest of it is.
    pub age: Duration,
    /// Whether the caller sees everything there is.
    pub whole: bool,
}

impl Fleet {
    /// `, as of 12 s ago`, where it is not of now.
    pub fn as_of(&self) -> String {
        match self.age.as_secs() {
            0 => String::new(),
            seconds => format!(", as of {seconds} s ago"),
        }
    }
}

/// The clusters that the caller sees in these environments. Those are asked at once; one that fails is a gap.
///
/// # Errors
/// None of them could be read; or there is no such project.
pub async fn rows(accesses: &[Access], detail: Detail, wanted: Wanted<'_>) -> Result<Fleet, Error> {
    let swept = join_all(accesses.iter().map(|access| swept(access, detail, wanted))).await;
    let mut fleet = Fleet { rows: Vec::new(), gaps: Vec::new(), age: Duration::ZERO, whole: true };
    let (mut first, mut read) = (None, false);
    let mut projects = BTreeMap::new();
    for (access, swept) in accesses.iter().zip(swept) {
        let environment = access.environment().name();
        fleet.whole &= access.view().sees_all();
        match swept {
            Ok(sweep) => {
                read = true;
                fleet.age = fleet.age.max(sweep.age());
                fleet.gaps.extend(sweep.told(access));
                let seen = sweep.rows.iter().filter(|row| row.is_seen(access));
                let meant =
                    |row: &&Arc<ClusterRow>| wanted.project.is_none_or(|name| row.place.is_called(name));
                fleet.rows.extend(seen.filter(meant).cloned());
                projects.extend(sweep.projects.clone());
            }
            Err(fault) => {
                fleet.gaps.push(format!("environment {environment}: {fault}"));
                first.get_or_insert_with(|| find::failed(access, fault));
            }
        }
    }
    match (first, wanted.project) {
        (Some(error), _) if !read => Err(error),
        (_, Some(project)) if fleet.rows.is_empty() && fleet.gaps.is_empty() => {
            exists(accesses, project).await?;
            Ok(fleet)
        }
        _ => Ok(fleet),
    }
}

/// All there is to know of one cluster from listings: of a sweep that is there, else 1 request.
///
/// # Errors
/// It is not there any more; or Palette could not be asked.
pub async fn full(found: &find::FoundCluster) -> Result<Arc<ClusterRow>, Error> {
    if let Some(row) = found.row.iter().find(|row| row.more.is_some()) {
        return Ok(Arc::clone(row));
    }
    let access = &found.access;
    let kept = access.environment().kept();
    let known = kept.peek(access, Detail::Virtual).or_else(|| kept.peek(access, Detail::Full));
    if let Some(row) = known.and_then(|sweep| sweep.with_uid(&found.uid)) {
        return settled(found, row);
    }
    let name = match found.name.is_empty() {
        false => found.name.clone(),
        true => {
            let names = swept(access, Detail::Names, Wanted::default()).await;
            let names = names.map_err(|fault| find::failed(access, fault))?;
            names.with_uid(&found.uid).map(|row| row.name.clone()).unwrap_or_default()
        }
    };
    let rows = named(access, &name, found.place.project_uid()).await;
    let rows = rows.map_err(|fault| find::failed(access, fault))?;
    let row = rows.with_uid(&found.uid).ok_or_else(|| find::missing(&found.uid))?;
    settled(found, row)
}

/// A row is held against what was presumed of its cluster: sweeps know clusters of every project.
fn settled(found: &find::FoundCluster, row: Arc<ClusterRow>) -> Result<Arc<ClusterRow>, Error> {
    let there = row.place.project_uid() == found.place.project_uid();
    // a listing that does not say where a cluster is tells it to nobody who does not see everything
    let unplaced = found.row.as_ref().is_some_and(|known| !known.placed);
    match row.is_seen(&found.access) && (there || unplaced) {
        true => Ok(row),
        false => Err(find::missing(&found.uid)),
    }
}

/// The sweep that answers, of those kept or a new one.
pub(super) async fn swept(access: &Access, detail: Detail, wanted: Wanted<'_>) -> Result<Arc<Sweep>, Fault> {
    access.environment().kept().sweep(access, detail, wanted).await
}

/// The clusters of exactly this name, and what is not known of them. `project`, by uid, is asked alone where the
/// credential may list neither the tenant's nor its projects.
pub(super) async fn named(access: &Access, name: &str, project: Option<&str>) -> Result<Sweep, Fault> {
    let question = listing::Question::Named(name.to_owned());
    match (sweep::sweep(access, &question, None).await, project.filter(|project| find::is_uid(project))) {
        (Err(fault), Some(uid)) if fault.is_forbidden() => {
            let only = Place::Project { uid: uid.to_owned(), name: None };
            sweep::sweep(access, &question, Some(&only)).await.map_err(|_| fault)
        }
        (swept, _) => swept,
    }
}

/// What is there already that tells names.
pub(super) fn peek(access: &Access) -> Option<Arc<Sweep>> {
    access.environment().kept().peek(access, Detail::Names)
}

/// What is there already that has this cluster.
pub(super) fn knowing(access: &Access, uid: &str) -> Option<Arc<Sweep>> {
    access.environment().kept().knowing(access, uid)
}

/// That the caller sees a project of this name or uid in one of these environments.
async fn exists(accesses: &[Access], project: &str) -> Result<(), Error> {
    let asked = join_all(accesses.iter().map(find::project_names)).await;
    let (mut names, mut unknown) = (Vec::new(), false);
    for (access, asked) in accesses.iter().zip(asked) {
        let Ok(asked) = asked else {
            unknown = true;
            continue;
        };
        for (uid, name) in asked {
            let place = Place::Project { uid, name: Some(name.clone()) };
            if access.sees(&place) {
                if place.is_called(project) {
                    return Ok(());
                }
                names.push(name);
            }
        }
    }
    if unknown {
        return Ok(());
    }
    Err(Error::not_found(format!("there is no Palette project {:?}", sanitise::short(project, 80)))
        .candidates(nearest::names(project, names.iter().map(String::as_str), NEAREST))
        .next("call palette_projects to see those that you may see"))
}
