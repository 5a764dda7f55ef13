//! Who uses a profile: clusters and virtual clusters, cluster groups and cluster templates, by version.

use schemars::JsonSchema;
use serde::Serialize;

use super::Version;
use crate::palette::{
    Access, Place,
    api::profile::{ClusterProfile, GroupsUsing, User},
};

/// What uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum UserKind {
    /// A cluster, virtual or not where that is not told.
    Cluster,
    /// A virtual cluster.
    VirtualCluster,
    /// A cluster group: its virtual clusters get it.
    ClusterGroup,
    /// A cluster template.
    ClusterTemplate,
}

impl UserKind {
    /// As the structure has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::VirtualCluster => "virtual_cluster",
            Self::ClusterGroup => "cluster_group",
            Self::ClusterTemplate => "cluster_template",
        }
    }
}

/// Something that uses a version of a profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// What it is.
    pub kind: UserKind,
    /// What people call it.
    pub name: String,
    /// 24 hexadecimal characters.
    pub uid: String,
    /// The version it is on.
    pub version: String,
    /// Where it is; nothing where that is not told, and then only who sees everything sees it.
    pub place: Option<Place>,
}

impl Use {
    /// Whether the caller may see it.
    pub fn is_seen(&self, access: &Access) -> bool {
        match &self.place {
            Some(place) => access.sees(place),
            None => access.view().sees_all(),
        }
    }
}

/// Who uses exactly this version, as it tells itself.
pub fn of_version(whole: ClusterProfile, version: &str, named: impl Fn(Place) -> Place) -> Vec<Use> {
    let status = whole.status;
    let mut found: Vec<Use> = Vec::new();
    let place = |user: &User| {
        let uid = user.project_uid.clone();
        (!uid.is_empty()).then(|| named(Place::Project { uid, name: None }))
    };
    let clusters = status.in_use_clusters.into_iter().map(|user| {
        let told = user.kind.to_lowercase();
        let is_virtual = told.contains("virtual") || told.contains("nested");
        (if is_virtual { UserKind::VirtualCluster } else { UserKind::Cluster }, user)
    });
    let templates = status.in_use_cluster_templates.into_iter().map(|user| (UserKind::ClusterTemplate, user));
    for (kind, user) in clusters.chain(templates) {
        let place = place(&user);
        found.push(Use { kind, name: user.name, uid: user.uid, version: version.to_owned(), place });
    }
    // what only the deprecated member tells
    for uid in status.in_use_cluster_uids {
        if !found.iter().any(|known| known.uid == uid) {
            let version = version.to_owned();
            found.push(Use { kind: UserKind::Cluster, name: String::new(), uid, version, place: None });
        }
    }
    found
}

/// The cluster groups that have one of these versions.
pub fn of_groups(groups: GroupsUsing, versions: &[Version], named: impl Fn(Place) -> Place) -> Vec<Use> {
    let mut found = Vec::new();
    for group in groups.summaries {
        for template in &group.spec.cluster_profile_templates {
            let Some(version) = versions.iter().find(|version| version.uid == template.uid) else { continue };
            let kind = UserKind::ClusterGroup;
            let place = Some(named(group.metadata.place()));
            let (name, uid) = (group.metadata.name.clone(), group.metadata.uid.clone());
            found.push(Use { kind, name, uid, version: version.version.clone(), place });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn clusters_templates_and_groups_are_told_with_their_places() {
        let whole: ClusterProfile = serde_json::from_value(json!({"status": {
            "inUseClusters": [{"kind": "spectrocluster", "name": "a", "uid": "1", "projectUid": "p"}, {"name": "b", "uid": "2"},
                              {"kind": "VirtualCluster", "name": "v", "uid": "3", "projectUid": "p"}],
            "inUseClusterUids": ["1", "4"],
            "inUseClusterTemplates": [{"name": "t", "uid": "5", "projectUid": "p"}]}}))
        .expect("read");
        let found = of_version(whole, "1.0.0", |place| place);
        let told: Vec<_> =
            found.iter().map(|one| (one.kind.name(), one.uid.as_str(), one.place.is_some())).collect();
        assert_eq!(
            told,
            [
                ("cluster", "1", true),
                ("cluster", "2", false),
                ("virtual_cluster", "3", true),
                ("cluster_template", "5", true),
                ("cluster", "4", false)
            ]
        );
    }

    #[test]
    fn a_group_is_told_by_the_version_that_it_has() {
        let groups: GroupsUsing = serde_json::from_value(json!({"summaries": [
            {"metadata": {"name": "g", "uid": "9"}, "spec": {"clusterProfileTemplates": [{"uid": "u1"}, {"uid": "x"}]}},
            {"metadata": {"name": "h", "uid": "8"}, "spec": {"clusterProfileTemplates": null}}]}))
        .expect("read");
        let versions = [Version { uid: "u1".to_owned(), version: "1.0.0".to_owned(), told: None }];
        let found = of_groups(groups, &versions, |place| place);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].name.as_str(), found[0].version.as_str(), found[0].place.clone()),
            ("g", "1.0.0", Some(Place::Tenant))
        );
    }
}
