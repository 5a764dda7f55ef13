//! From a name as people write it to one cluster that the caller may see: candidates where several have it, and
//! the same words for one that is not there and one that may not be seen.

use std::collections::BTreeMap;

use super::{
    access::Access,
    api::{cluster::ClusterMeta, project::ProjectsMetadata},
    ask::Ask,
    fault::Fault,
    place::Place,
};
use crate::{Error, ErrorKind, answer::sanitise, toolbox::Call};

/// A cluster, virtual or not, that was found.
#[derive(Clone, Debug)]
pub struct FoundCluster {
    /// Its environment.
    pub access: Access,
    /// Its uid.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// Its scope: what uid-addressed requests have to name.
    pub place: Place,
    /// `nested` for a virtual cluster.
    pub cloud_type: String,
}

impl FoundCluster {
    /// `environment/project/name`, with `-` for the tenant: what tells it from all others.
    pub fn qualified(&self) -> String {
        let project = self.place.shown().unwrap_or("-");
        format!("{}/{project}/{}", self.access.environment().name(), self.name)
    }
}

/// The cluster of this name or uid, in the environments that the call reached and perhaps one project.
///
/// # Errors
/// None, or several; or Palette could not be asked.
pub async fn cluster(call: &Call, written: &str, project: Option<&str>) -> Result<FoundCluster, Error> {
    let mut found = Vec::new();
    for access in call.environments() {
        let clusters: Vec<ClusterMeta> =
            access.ask(&Place::Tenant, Ask::get(&["dashboard", "spectroclusters", "meta"])).await?;
        let names = project_names(access).await.unwrap_or_default();
        for row in clusters {
            let place = named(row.metadata.place(), &names);
            let meant = row.metadata.name == written || row.metadata.uid == written;
            if meant && access.sees(&place) && project.is_none_or(|project| place.is_called(project)) {
                let (uid, name, cloud_type) = (row.metadata.uid, row.metadata.name, row.spec.cloud_type);
                found.push(FoundCluster { access: access.clone(), uid, name, place, cloud_type });
            }
        }
    }
    match found.len() {
        0 => Err(Error::not_found(format!("there is no Palette cluster {:?}", sanitise::short(written, 80)))
            .next("call palette_clusters to see those that you may see")),
        1 => found.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "one is none")),
        _ => Err(Error::new(
            ErrorKind::Conflict,
            format!("the cluster name {:?} is ambiguous", sanitise::short(written, 80)),
        )
        .candidates(found.iter().map(FoundCluster::qualified))
        .next("name environment and project too, or pass the uid as cluster")),
    }
}

/// The names of projects by uid.
///
/// # Errors
/// [`Fault`]
pub async fn project_names(access: &Access) -> Result<BTreeMap<String, String>, Fault> {
    let listed: ProjectsMetadata =
        access.ask(&Place::Tenant, Ask::get(&["dashboard", "projects", "metadata"])).await?;
    Ok(listed.items.into_iter().map(|item| (item.metadata.uid, item.metadata.name)).collect())
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
