//! From a name as people write it to one cluster that the caller may see: candidates where several have it, and
//! the same words for one that is not there and one that may not be seen.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::join_all;

use super::{
    access::Access,
    api::{ObjectMeta, project::ProjectsMetadata},
    ask::Ask,
    fault::Fault,
    fleet::{self, ClusterRow, Detail, Wanted},
    place::Place,
};
use crate::{Error, ErrorKind, answer::sanitise, nearest, toolbox::Call};

/// Names that an error suggests.
const NEAREST: usize = 5;
/// Candidates that an error lists.
const MOST_CANDIDATES: usize = 20;

/// A cluster, virtual or not, that was found.
#[derive(Clone, Debug)]
pub struct FoundCluster {
    /// Its environment.
    pub access: Access,
    /// Its uid.
    pub uid: String,
    /// Its name; empty where it was given by uid and project and nothing was read yet.
    pub name: String,
    /// Its scope: what uid-addressed requests have to name.
    pub place: Place,
    /// `nested` for a virtual cluster; empty as the name may be.
    pub cloud_type: String,
    /// What the index tells of it, where it was asked.
    pub row: Option<Arc<ClusterRow>>,
    /// Where there may be others of this name that could not be looked for.
    pub gaps: Vec<String>,
}

impl FoundCluster {
    /// `environment/project/name`, with `-` for the tenant: what tells it from all others.
    pub fn qualified(&self) -> String {
        let project = self.place.shown().unwrap_or("-");
        let name = if self.name.is_empty() { &self.uid } else { &self.name };
        format!("{}/{project}/{name}", self.access.environment().name())
    }

    /// Holds what was read of the cluster against what was presumed of it: for whoever read it by its uid, before
    /// anything of it is shown. Palette itself answers 403 to the uid of another project's; this does not rely
    /// on it.
    ///
    /// # Errors
    /// It is in another place than was asked for, or in one that the caller does not see: the words are those of a
    /// cluster that is not there.
    pub fn settle(&mut self, read: &ObjectMeta) -> Result<(), Error> {
        let elsewhere = match (&self.place, read.annotations.get("projectUid")) {
            (_, None) => false,
            (Place::Tenant, Some(uid)) => !uid.is_empty(),
            (Place::Project { uid: asked, .. }, Some(uid)) => !uid.is_empty() && asked != uid,
        };
        let other = !read.uid.is_empty() && read.uid != self.uid;
        if elsewhere || other || !self.is_seen() {
            return Err(missing(&self.uid));
        }
        if self.name.is_empty() {
            self.name.clone_from(&read.name);
        }
        Ok(())
    }

    /// A row that was placed was decided by its place when it was found; what could not be placed is for who sees
    /// everything.
    fn is_seen(&self) -> bool {
        match &self.row {
            Some(row) => row.is_seen(&self.access),
            None => self.access.sees(&self.place),
        }
    }

    fn of(access: &Access, row: &Arc<ClusterRow>) -> Self {
        Self {
            access: access.clone(),
            uid: row.uid.clone(),
            name: row.name.clone(),
            place: row.place.clone(),
            cloud_type: row.cloud_type.clone(),
            row: Some(Arc::clone(row)),
            gaps: Vec::new(),
        }
    }
}

/// The cluster of this name or uid, or `environment/project/name`, in the environments that the call reached and
/// perhaps one project. By name 1 request at most, by uid and project none, none where the index is warm.
///
/// # Errors
/// None, or several; or Palette could not be asked.
pub async fn cluster(call: &Call, written: &str, project: Option<&str>) -> Result<FoundCluster, Error> {
    let (accesses, written, project) = spelled(call.environments(), written, project);
    if let Some(found) = presumed(&accesses, written, project).await? {
        return Ok(found);
    }
    let sought = join_all(accesses.iter().map(|access| seek(access, written, project))).await;
    let (mut found, mut gaps, mut first) = (Vec::new(), Vec::new(), None);
    for (access, sought) in accesses.iter().zip(sought) {
        match sought {
            Ok((rows, told)) => {
                found.extend(rows.iter().map(|row| FoundCluster::of(access, row)));
                gaps.extend(told);
            }
            Err(fault) => {
                gaps.push(format!("environment {}: {fault}", access.environment().name()));
                first.get_or_insert_with(|| failed(access, fault));
            }
        }
    }
    let shown = sanitise::short(written, 80);
    match (found.len(), first) {
        (1, _) => {
            let only = found.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "one is none"))?;
            Ok(FoundCluster { gaps, ..only })
        }
        (0, Some(error)) if accesses.len() == 1 => Err(error),
        (0, _) if !gaps.is_empty() => Err(Error::new(
            ErrorKind::Upstream { status: None, retryable: true },
            format!(
                "no Palette cluster {shown:?} was found, and not everything could be read: {}",
                gaps.join("; ")
            ),
        )),
        (0, _) => Err(missing(written).candidates(near(&accesses, written, project).await)),
        (all, _) => {
            let mut candidates: Vec<String> = found.iter().map(FoundCluster::qualified).collect();
            candidates.sort();
            // one name twice in one project: only the uid tells them apart
            if candidates.windows(2).any(|two| two.first() == two.last()) {
                candidates = found.iter().map(|one| format!("{} ({})", one.qualified(), one.uid)).collect();
                candidates.sort();
            }
            candidates.truncate(MOST_CANDIDATES);
            let message = format!("the cluster name {shown:?} is ambiguous: {all} have it");
            Err(Error::new(ErrorKind::Conflict, message)
                .candidates(candidates)
                .next("name environment and project too, or pass the uid as cluster"))
        }
    }
}

/// That there is no such cluster, or none that the caller may see.
pub fn missing(written: &str) -> Error {
    Error::not_found(format!("there is no Palette cluster {:?}", sanitise::short(written, 80)))
        .next("call palette_clusters to see those that you may see")
}

/// A fault of one environment of perhaps several.
pub(super) fn failed(access: &Access, fault: Fault) -> Error {
    let mut error = Error::from(fault);
    error.message = format!("environment {}: {}", access.environment().name(), error.message);
    error
}

/// Whether it has the form of a uid.
pub fn is_uid(written: &str) -> bool {
    written.len() == 24 && written.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The names of projects by uid.
///
/// # Errors
/// [`Fault`]
pub async fn project_names(access: &Access) -> Result<BTreeMap<String, String>, Fault> {
    names_of_projects(access, &Place::Tenant).await
}

/// The same, asked in one scope.
pub(super) async fn names_of_projects(
    access: &Access,
    scope: &Place,
) -> Result<BTreeMap<String, String>, Fault> {
    let listed: ProjectsMetadata =
        access.ask(scope, Ask::get(&["dashboard", "projects", "metadata"])).await?;
    let items = listed.items.into_iter().map(|item| (item.metadata.uid, item.metadata.name));
    Ok(items.filter(|(uid, _)| !uid.is_empty()).collect())
}

/// With its project's name, where that is known.
pub fn named(place: Place, names: &BTreeMap<String, String>) -> Place {
    match place {
        Place::Project { uid, name: None } => {
            let name = names.get(&uid).cloned();
            Place::Project { uid, name }
        }
        place => place,
    }
}

/// `environment/project/name`, as candidates are written, taken apart; anything else stays as it is. A project
/// `-` is the tenant.
fn spelled<'a>(
    accesses: &[Access],
    written: &'a str,
    project: Option<&'a str>,
) -> (Vec<Access>, &'a str, Option<&'a str>) {
    let parts: Vec<&str> = written.split('/').collect();
    if let [environment, within, name] = parts.as_slice()
        && project.is_none_or(|project| project == *within)
        && let Some(access) = accesses.iter().find(|access| access.environment().name() == *environment)
    {
        return (vec![access.clone()], name, Some(within));
    }
    (accesses.to_vec(), written, project)
}

/// A uid with its project needs no index: what is read there tells the rest.
async fn presumed(
    accesses: &[Access],
    written: &str,
    project: Option<&str>,
) -> Result<Option<FoundCluster>, Error> {
    let ([access], Some(project), true) = (accesses, project, is_uid(written)) else { return Ok(None) };
    if fleet::knowing(access, written).is_some() {
        return Ok(None);
    }
    let place = match is_uid(project) {
        // who sees everything needs no name to be decided by
        true if access.view().sees_all() => Place::Project { uid: project.to_owned(), name: None },
        by_uid => {
            let names = match project_names(access).await {
                Ok(names) => names,
                Err(fault) if by_uid && fault.is_forbidden() => {
                    let scope = Place::Project { uid: project.to_owned(), name: None };
                    names_of_projects(&access.unfiltered(), &scope).await?
                }
                Err(fault) => return Err(fault.into()),
            };
            let called = |(uid, name): (&String, &String)| Place::Project {
                uid: uid.clone(),
                name: Some(name.clone()),
            };
            let mut places = names.iter().map(called).filter(|place| place.is_called(project));
            let Some(place) = places.next() else { return Err(missing(written)) };
            place
        }
    };
    if !access.sees(&place) {
        return Err(missing(written));
    }
    let (uid, access) = (written.to_owned(), access.clone());
    let (name, cloud_type) = (String::new(), String::new());
    Ok(Some(FoundCluster { access, uid, name, place, cloud_type, row: None, gaps: Vec::new() }))
}

/// What an environment has of this name or uid, of what the caller sees; and what of it could not be read.
async fn seek(
    access: &Access,
    written: &str,
    project: Option<&str>,
) -> Result<(Vec<Arc<ClusterRow>>, Vec<String>), Fault> {
    for sweep in fleet::peek(access).into_iter().chain(fleet::knowing(access, written)) {
        let rows = meant(access, &sweep.rows, written, project);
        if !rows.is_empty() {
            return Ok((rows, sweep.told(access)));
        }
    }
    if is_uid(written) {
        let sweep = fleet::swept(access, Detail::Names, Wanted { project, fresh: false }).await?;
        let rows = meant(access, &sweep.rows, written, project);
        if !rows.is_empty() {
            return Ok((rows, Vec::new()));
        }
    }
    let sweep = fleet::named(access, written, project).await?;
    Ok((meant(access, &sweep.rows, written, project), sweep.told(access)))
}

fn meant(
    access: &Access,
    rows: &[Arc<ClusterRow>],
    written: &str,
    project: Option<&str>,
) -> Vec<Arc<ClusterRow>> {
    let within = |row: &ClusterRow| match project {
        None => true,
        Some("-") => row.place == Place::Tenant,
        Some(project) => row.place.is_called(project),
    };
    let called = rows.iter().filter(|row| row.uid == written || row.name == written);
    let mut found: Vec<Arc<ClusterRow>> =
        called.filter(|row| within(row) && row.is_seen(access)).cloned().collect();
    // one that is gone leaves its name to the next
    if found.iter().any(|row| row.state != "Deleted") {
        found.retain(|row| row.state != "Deleted");
    }
    found
}

/// The names nearest to what was written, of clusters that the caller sees.
async fn near(accesses: &[Access], written: &str, project: Option<&str>) -> Vec<String> {
    let ask = |access| fleet::swept(access, Detail::Names, Wanted { project, fresh: false });
    let swept = join_all(accesses.iter().map(ask)).await;
    let mut names: Vec<String> = Vec::new();
    for (access, sweep) in accesses.iter().zip(swept) {
        let Ok(sweep) = sweep else { continue };
        let seen = sweep.rows.iter().filter(|row| row.is_seen(access));
        names.extend(seen.map(|row| row.name.clone()));
    }
    names.sort();
    names.dedup();
    nearest::names(written, names.iter().map(String::as_str), NEAREST)
}
