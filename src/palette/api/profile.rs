//! Cluster profiles, what waits to be applied of them, and who uses them.

use serde::Deserialize;

use super::{ListMeta, Listing, ObjectMeta, lenient, lenient_list, lenient_rows, pack::PackRef};

/// `v1ClusterProfilesSummary`, of `POST /v1/dashboard/clusterprofiles`: a row a version.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProfileSummaries {
    /// One page.
    #[serde(deserialize_with = "lenient_rows")]
    pub items: Vec<ProfileSummary>,
    /// How it goes on.
    #[serde(deserialize_with = "lenient")]
    pub listmeta: ListMeta,
}

impl Listing for ProfileSummaries {
    type Row = ProfileSummary;

    fn meta(&self) -> &ListMeta {
        &self.listmeta
    }

    fn rows(self) -> Vec<ProfileSummary> {
        self.items
    }

    fn uid(row: &ProfileSummary) -> &str {
        &row.metadata.uid
    }
}

/// `v1ClusterProfileSummary`: one version of a profile, and which others there are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProfileSummary {
    /// The uid is this version's.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// What it is.
    #[serde(deserialize_with = "lenient")]
    pub spec_summary: ProfileSpecSummary,
    /// Who uses it, and what is wrong with its packs.
    #[serde(deserialize_with = "lenient")]
    pub status: ProfileStatusSummary,
}

/// The member `specSummary` of `v1ClusterProfileSummary`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProfileSpecSummary {
    /// What is being edited.
    #[serde(deserialize_with = "lenient")]
    pub draft: Option<TemplateSummary>,
    /// What clusters get.
    #[serde(deserialize_with = "lenient")]
    pub published: Option<TemplateSummary>,
    /// Of this row.
    #[serde(deserialize_with = "lenient")]
    pub version: String,
    /// All there are.
    #[serde(deserialize_with = "lenient_list")]
    pub versions: Vec<ProfileVersion>,
}

impl ProfileSpecSummary {
    /// Whether no cluster can get this version yet.
    pub fn is_draft(&self) -> bool {
        self.published.is_none() && self.draft.is_some()
    }
}

/// `v1ClusterProfileTemplateSummary`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateSummary {
    /// `aws`, `vsphere`, `all`, …
    #[serde(deserialize_with = "lenient")]
    pub cloud_type: String,
    /// `cluster`, `infra`, `add-on`, `system`
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
}

/// `v1ClusterProfileVersion`
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct ProfileVersion {
    /// What clusters refer to.
    #[serde(deserialize_with = "lenient")]
    pub uid: String,
    /// `1.2.0`
    #[serde(deserialize_with = "lenient")]
    pub version: String,
}

/// `v1ClusterProfileStatusSummary`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProfileStatusSummary {
    /// Name and uid, without project.
    #[serde(deserialize_with = "lenient_list")]
    pub in_use_clusters: Vec<ObjectMeta>,
    /// Packs whose registry says something of them.
    #[serde(deserialize_with = "lenient")]
    pub pack: PackCounts,
}

/// `v1ClusterProfilePackSummary`
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct PackCounts {
    /// No longer in the registry.
    #[serde(deserialize_with = "lenient")]
    pub deleted: f64,
    /// To be replaced.
    #[serde(deserialize_with = "lenient")]
    pub deprecated: f64,
    /// Not to be used any more.
    #[serde(deserialize_with = "lenient")]
    pub disabled: f64,
}

/// `v1ClusterProfilesMetadata`: every version of every profile at once, without the places they are in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProfilesMetadata {
    /// A row a version.
    #[serde(deserialize_with = "lenient_rows")]
    pub items: Vec<ProfileMetadata>,
}

impl ProfilesMetadata {
    /// The version of this uid.
    pub fn of(&self, uid: &str) -> Option<String> {
        let found = self.items.iter().find(|item| item.metadata.uid == uid)?;
        Some(found.spec.version.clone()).filter(|version| !version.is_empty())
    }
}

/// `v1ClusterProfileMetadata`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProfileMetadata {
    /// Name and uid.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// Which version.
    #[serde(deserialize_with = "lenient")]
    pub spec: ProfileMetadataSpec,
}

/// The member `spec` of `v1ClusterProfileMetadata`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProfileMetadataSpec {
    /// `aws`, `vsphere`, `all`, …
    #[serde(deserialize_with = "lenient")]
    pub cloud_type: String,
    /// `1.2.0`
    #[serde(deserialize_with = "lenient")]
    pub version: String,
}

/// `v1ClusterProfile`: one version, whole.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClusterProfile {
    /// The uid is this version's.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// Its packs.
    #[serde(deserialize_with = "lenient")]
    pub spec: ClusterProfileSpec,
    /// Who uses it.
    #[serde(deserialize_with = "lenient")]
    pub status: ClusterProfileStatus,
}

impl ClusterProfile {
    /// Whether no cluster can get it yet.
    pub fn is_draft(&self) -> bool {
        self.status.is_published == Some(false)
            || (self.spec.published.is_none() && self.spec.draft.is_some())
    }

    /// What clusters get; of a draft what they would.
    pub fn packs(&self) -> &[PackRef] {
        let template = self.spec.published.as_ref().or(self.spec.draft.as_ref());
        template.map_or(&[], |template| &template.packs)
    }

    /// Whether that version is surely none of this profile's.
    pub fn is_another(&self, uid: &str) -> bool {
        let versions = &self.spec.versions;
        !versions.is_empty() && versions.iter().all(|version| version.uid != uid)
    }
}

/// `v1ClusterProfileSpec`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClusterProfileSpec {
    /// What is being edited.
    #[serde(deserialize_with = "lenient")]
    pub draft: Option<Template>,
    /// What clusters get.
    #[serde(deserialize_with = "lenient")]
    pub published: Option<Template>,
    /// Of this one.
    #[serde(deserialize_with = "lenient")]
    pub version: String,
    /// All there are.
    #[serde(deserialize_with = "lenient_list")]
    pub versions: Vec<ProfileVersion>,
}

/// `v1ClusterProfileTemplate`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Template {
    /// Of the version that is attached.
    #[serde(deserialize_with = "lenient")]
    pub uid: String,
    /// What people call the profile.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// `aws`, `vsphere`, `all`, …
    #[serde(deserialize_with = "lenient")]
    pub cloud_type: String,
    /// `cluster`, `infra`, `add-on`, `system`
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    /// `1.2.0`
    #[serde(deserialize_with = "lenient")]
    pub profile_version: String,
    /// With values.
    #[serde(deserialize_with = "lenient_list")]
    pub packs: Vec<PackRef>,
}

/// `v1ClusterProfileStatus`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterProfileStatus {
    /// The clusters on exactly this version.
    #[serde(deserialize_with = "lenient_list")]
    pub in_use_clusters: Vec<User>,
    /// Deprecated by the vendor: the same as uids alone.
    #[serde(deserialize_with = "lenient_list")]
    pub in_use_cluster_uids: Vec<String>,
    /// Cluster templates made of it.
    #[serde(deserialize_with = "lenient_list")]
    pub in_use_cluster_templates: Vec<User>,
    /// Whether clusters can get it.
    #[serde(deserialize_with = "lenient")]
    pub is_published: Option<bool>,
}

/// `v1SpectroClusterProfileUpdates`, of `/v1/spectroclusters/{uid}/profileUpdates`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProfileUpdates {
    /// What waits to be applied.
    #[serde(deserialize_with = "lenient_rows")]
    pub profiles: Vec<Template>,
}

/// `v1ObjectResReference`: something that uses a profile.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct User {
    /// `spectrocluster`, …
    #[serde(deserialize_with = "lenient")]
    pub kind: String,
    /// What people call it.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// 24 hexadecimal characters.
    #[serde(deserialize_with = "lenient")]
    pub uid: String,
    /// Where it is; empty is not told, not the tenant.
    #[serde(deserialize_with = "lenient")]
    pub project_uid: String,
}

/// `v1ClusterGroupsHostClusterSummary`, as far as it tells of profiles.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct GroupsUsing {
    /// The groups.
    #[serde(deserialize_with = "lenient_rows")]
    pub summaries: Vec<GroupUsing>,
}

/// `v1ClusterGroupSummary`, as far as it tells of profiles.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct GroupUsing {
    /// Name, uid and scope.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// The profiles.
    #[serde(deserialize_with = "lenient")]
    pub spec: GroupTemplates,
}

/// Of `v1ClusterGroupSummarySpec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupTemplates {
    /// What its virtual clusters get.
    #[serde(deserialize_with = "lenient_list")]
    pub cluster_profile_templates: Vec<Template>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_null_or_odd_costs_itself_alone() {
        let profile: ClusterProfile = serde_json::from_value(json!({
            "metadata": null,
            "spec": {"version": 1.5, "draft": null, "versions": [null, {"uid": "u1", "version": "1.0.0"}, 7],
                     "published": {"packs": [null, {"name": "k8s", "tag": null, "manifests": null}]}},
            "status": {"inUseClusters": "none"}
        }))
        .expect("read");
        let published = profile.spec.published.expect("there");
        assert_eq!((profile.spec.versions.len(), published.packs.len()), (1, 1));
        assert!(profile.spec.draft.is_none() && profile.status.in_use_clusters.is_empty());
    }
}
