//! Cluster groups: where virtual clusters are made, and what they are like.

pub mod settings;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    access::Access,
    api::group::{ClusterGroup, GroupSummaries, GroupSummary},
    ask::Ask,
    fault::Fault,
    find::{self, named},
    fleet::{self, Detail, Wanted},
    place::Place,
    scattered,
};
use crate::Error;

/// A group as the list tells it.
#[derive(Clone, Debug)]
pub struct Group {
    /// Where it is.
    pub place: Place,
    /// What the list tells.
    pub summary: GroupSummary,
    /// Its host clusters that the caller sees.
    pub hosts: Vec<String>,
    /// Whether those are all.
    pub all_hosts: bool,
}

/// The groups that the caller sees, perhaps of one project; and what could not be read.
///
/// # Errors
/// [`Fault`]
pub async fn seen(access: &Access, project: Option<&str>) -> Result<(Vec<Group>, Vec<String>), Fault> {
    let ask = |place: Place| async move {
        access.ask::<GroupSummaries>(&place, Ask::get(&["clustergroups", "hostCluster"])).await
    };
    let (listed, names) = tokio::join!(scattered::all(access, ask), find::project_names(access));
    let scattered::Scattered { parts, mut gaps } = listed?;
    if let Err(fault) = &names {
        gaps.push(format!("environment {}: names of projects: {fault}", access.environment().name()));
    }
    let names = names.unwrap_or_default();
    let mut groups: Vec<Group> = Vec::new();
    for row in parts.into_iter().flat_map(|(_, part)| part.summaries) {
        let place = named(row.metadata.place(), &names);
        let known = groups.iter().any(|known| known.summary.metadata.uid == row.metadata.uid);
        if !known && access.sees(&place) && project.is_none_or(|project| place.is_called(project)) {
            groups.push(group(access, row, place, &names));
        }
    }
    Ok((groups, gaps))
}

fn group(access: &Access, summary: GroupSummary, place: Place, names: &BTreeMap<String, String>) -> Group {
    let seen = |project: &str| {
        let at = match project.is_empty() {
            true => Place::Tenant,
            false => Place::Project { uid: project.to_owned(), name: names.get(project).cloned() },
        };
        access.sees(&at)
    };
    let all = &summary.spec.host_clusters;
    let hosts: Vec<String> =
        all.iter().filter(|host| seen(&host.project_uid)).map(|host| host.name.clone()).collect();
    let all_hosts = hosts.len() == all.len();
    Group { place, summary, hosts, all_hosts }
}

/// One group whole, with its host clusters as far as the caller sees them.
///
/// # Errors
/// It could not be read.
pub async fn whole(access: &Access, group: &Group) -> Result<(ClusterGroup, Vec<String>), Error> {
    let uid = &group.summary.metadata.uid;
    let mut read: ClusterGroup = access.ask(&group.place, Ask::get(&["clustergroups", uid])).await?;
    let elsewhere = |read: &str| match &group.place {
        Place::Tenant => !read.is_empty(),
        Place::Project { uid, .. } => !read.is_empty() && read != uid,
    };
    if read.metadata.annotations.get("projectUid").is_some_and(|uid| elsewhere(uid)) {
        return Err(Error::not_found("the cluster group is not where it was").next("call again"));
    }
    let mut gaps = Vec::new();
    if !access.view().sees_all() && !read.spec.cluster_refs.is_empty() {
        // references of a group name no projects
        let wanted = Wanted::default();
        match fleet::rows(std::slice::from_ref(access), Detail::Names, wanted).await {
            Ok(fleet) => {
                let uids: BTreeSet<&str> = fleet.rows.iter().map(|row| row.uid.as_str()).collect();
                read.spec.cluster_refs.retain(|host| uids.contains(host.cluster_uid.as_str()));
            }
            Err(error) => {
                gaps.push(format!("host clusters: {error}"));
                read.spec.cluster_refs.clear();
            }
        }
    }
    Ok((read, gaps))
}
