//! [`Holdings`]: what an environment holds, of what the caller sees and the configuration takes: all of that, or an
//! error. What could not be read would look as if it were gone.

use std::{collections::HashSet, sync::Arc};

use futures::future::try_join4;
use serde_json::json;

use super::super::{entity::Class, settings::Provider};
use crate::{
    Error, ErrorKind,
    palette::{
        Access, Ask, Fault, Place,
        api::project::ProjectSummaries,
        fleet::{self, ClusterRow, Detail, Wanted},
        groups::{self, Group},
        profiles::{Profile, listing},
    },
};

/// What an environment holds.
#[derive(Debug, Default)]
pub struct Holdings {
    /// The projects.
    pub projects: Vec<Project>,
    /// The clusters, virtual ones too.
    pub clusters: Vec<Arc<ClusterRow>>,
    /// The profiles.
    pub profiles: Vec<Profile>,
    /// The cluster groups.
    pub groups: Vec<Group>,
    /// Whether the caller sees everything, so that whatever is referred to may be told.
    pub sees_all: bool,
    known: HashSet<(Class, String)>,
}

/// A project.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// 24 hexadecimal characters.
    pub uid: String,
    /// What people call it.
    pub name: String,
    /// As its annotations have it, as a rule empty or `tenant`.
    pub scope: String,
    /// The uid of the tenant.
    pub tenant: String,
}

impl Holdings {
    /// Of these.
    pub fn new(
        projects: Vec<Project>,
        clusters: Vec<Arc<ClusterRow>>,
        profiles: Vec<Profile>,
        groups: Vec<Group>,
    ) -> Self {
        let uids = clusters.iter().map(|row| (Class::Cluster, row.uid.clone()));
        let groups_known =
            groups.iter().map(|group| (Class::ClusterGroup, group.summary.metadata.uid.clone()));
        let known = uids.chain(groups_known).collect();
        Self { projects, clusters, profiles, groups, sees_all: false, known }
    }

    /// Whether the caller may hear of it.
    pub fn tells(&self, class: Class, uid: &str) -> bool {
        self.sees_all || self.known.contains(&(class, uid.to_owned()))
    }
}

/// Reads what is exported of an environment.
///
/// # Errors
/// Any part of it could not be read.
pub async fn read(access: &Access, provider: &Provider) -> Result<Holdings, Error> {
    let read = try_join4(
        projects(access),
        clusters(access, provider),
        profiles(access, provider),
        cluster_groups(access, provider),
    );
    let (mut projects, mut clusters, mut profiles, mut groups) =
        read.await.map_err(|error| of_environment(access, error))?;
    projects.retain(|project| {
        provider.takes(&Place::Project { uid: project.uid.clone(), name: Some(project.name.clone()) })
            && !(provider.without_tenant && project.scope == "tenant")
    });
    clusters.retain(|row| provider.takes(&row.place));
    profiles.retain(|profile| provider.takes(&profile.place));
    groups.retain(|group| provider.takes(&group.place));
    let sees_all = access.view().sees_all();
    Ok(Holdings { sees_all, ..Holdings::new(projects, clusters, profiles, groups) })
}

async fn projects(access: &Access) -> Result<Vec<Project>, Error> {
    let ask = Ask::search(&["dashboard", "projects"], json!({"filter": {}, "sort": []}));
    let listed = access.pages::<ProjectSummaries>(&Place::Tenant, ask).await?;
    whole(&listed.gap.map(|gap| format!("projects: {gap}")).into_iter().collect::<Vec<_>>())?;
    let mut projects = Vec::new();
    for row in listed.rows {
        let mut metadata = row.metadata;
        identified("project", &metadata.uid)?;
        let mut said = |key| metadata.annotations.remove(key).unwrap_or_default();
        let (scope, tenant) = (said("scope"), said("tenantUid"));
        let place = Place::Project { uid: metadata.uid.clone(), name: Some(metadata.name.clone()) };
        if access.sees(&place) {
            projects.push(Project { uid: metadata.uid, name: metadata.name, scope, tenant });
        }
    }
    Ok(projects)
}

async fn clusters(access: &Access, provider: &Provider) -> Result<Vec<Arc<ClusterRow>>, Error> {
    let detail = match (provider.exports(Class::Cluster), provider.exports(Class::VirtualCluster)) {
        (false, false) => return Ok(Vec::new()),
        (false, true) => Detail::Virtual,
        (true, _) => Detail::Full,
    };
    let mut fleet = fleet::rows(std::slice::from_ref(access), detail, Wanted::default()).await?;
    whole(&fleet.gaps)?;
    fleet.rows.retain(|row| !row.state.eq_ignore_ascii_case("deleted"));
    fleet.rows.iter().try_for_each(|row| identified("cluster", &row.uid))?;
    Ok(fleet.rows)
}

async fn profiles(access: &Access, provider: &Provider) -> Result<Vec<Profile>, Error> {
    if !provider.exports(Class::ClusterProfile) {
        return Ok(Vec::new());
    }
    let listed = listing::listed(access, None).await?;
    whole(&listed.gaps)?;
    let seen = listed.profiles.into_iter().filter(|profile| access.sees(&profile.place));
    Ok(seen.collect())
}

async fn cluster_groups(access: &Access, provider: &Provider) -> Result<Vec<Group>, Error> {
    if !provider.exports(Class::ClusterGroup) {
        return Ok(Vec::new());
    }
    let (groups, gaps) = groups::seen(access, None).await?;
    whole(&gaps)?;
    groups.iter().try_for_each(|group| identified("cluster group", &group.summary.metadata.uid))?;
    Ok(groups)
}

/// That nothing is missing.
fn whole(gaps: &[String]) -> Result<(), Error> {
    if gaps.is_empty() {
        return Ok(());
    }
    let missing = format!("not everything could be read, so nothing is exported: {}", gaps.join("; "));
    Err(Error::new(ErrorKind::Upstream { status: None, retryable: true }, missing))
}

/// That it can be told from others. One without a uid may be any that was exported before.
fn identified(what: &str, uid: &str) -> Result<(), Error> {
    match uid {
        "" => Err(Fault::Malformed(format!("a {what} without a uid is listed")).into()),
        _ => Ok(()),
    }
}

fn of_environment(access: &Access, error: Error) -> Error {
    let name = access.environment().name();
    match error.message.starts_with(&format!("environment {name}")) {
        true => error,
        false => Error { message: format!("environment {name}: {}", error.message), ..error },
    }
}
