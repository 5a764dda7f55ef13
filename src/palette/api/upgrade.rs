//! Versions of profiles, their packs by name, and what an upgrade would do: as much as upgrades need.

use serde::Deserialize;

use super::{
    ListMeta, Listing, ObjectMeta, lenient, lenient_list, lenient_rows,
    search::{PackMeta, TemplateMeta},
};

/// `V1ClusterProfilesMetadata`, of `/v1/dashboard/clusterprofiles/metadata`: every version of every profile at once,
/// without the places they are in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct VersionIndex {
    /// A row a version.
    #[serde(deserialize_with = "lenient_rows")]
    pub items: Vec<VersionMeta>,
}

/// `V1ClusterProfileMetadata`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct VersionMeta {
    /// The profile's name, the version's uid.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// Which version.
    #[serde(deserialize_with = "lenient")]
    pub spec: VersionSpec,
}

/// The member `spec` of `V1ClusterProfileMetadata`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VersionSpec {
    /// `all` for add-ons.
    #[serde(deserialize_with = "lenient")]
    pub cloud_type: String,
    /// `1.2.0`
    #[serde(deserialize_with = "lenient")]
    pub version: String,
}

/// `V1ClusterProfilesSummary`, of `POST /v1/dashboard/clusterprofiles`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct VersionRows {
    /// A row a version, or a profile.
    #[serde(deserialize_with = "lenient_rows")]
    pub items: Vec<VersionRow>,
    /// How it goes on.
    #[serde(deserialize_with = "lenient")]
    pub listmeta: ListMeta,
}

impl Listing for VersionRows {
    type Row = VersionRow;

    fn meta(&self) -> &ListMeta {
        &self.listmeta
    }

    fn rows(self) -> Vec<VersionRow> {
        self.items
    }

    fn uid(row: &VersionRow) -> &str {
        &row.metadata.uid
    }
}

/// `V1ClusterProfileSummary`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VersionRow {
    /// The version's uid, and the place it is in.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// What it is.
    #[serde(deserialize_with = "lenient")]
    pub spec_summary: VersionRowSpec,
}

/// The member `specSummary` of `V1ClusterProfileSummary`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct VersionRowSpec {
    /// What is being edited.
    #[serde(deserialize_with = "lenient")]
    pub draft: Option<serde::de::IgnoredAny>,
    /// What clusters get.
    #[serde(deserialize_with = "lenient")]
    pub published: Option<serde::de::IgnoredAny>,
    /// All there are.
    #[serde(deserialize_with = "lenient_list")]
    pub versions: Vec<VersionName>,
}

/// `V1ClusterProfileVersion`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct VersionName {
    /// What clusters refer to.
    #[serde(deserialize_with = "lenient")]
    pub uid: String,
}

/// `V1ClusterProfile`, as far as its packs' names and versions go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct VersionWhole {
    /// Its packs.
    #[serde(deserialize_with = "lenient")]
    pub spec: VersionWholeSpec,
    /// Whether clusters can get it.
    #[serde(deserialize_with = "lenient")]
    pub status: VersionStatus,
}

/// `V1ClusterProfileSpec`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct VersionWholeSpec {
    /// What clusters get.
    #[serde(deserialize_with = "lenient")]
    pub published: Option<TemplateMeta>,
    /// What is being edited.
    #[serde(deserialize_with = "lenient")]
    pub draft: Option<TemplateMeta>,
}

/// `V1ClusterProfileStatus`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VersionStatus {
    /// Whether clusters can get it.
    #[serde(deserialize_with = "lenient")]
    pub is_published: Option<bool>,
}

impl VersionWhole {
    /// Whether no cluster can get it yet.
    pub fn is_draft(&self) -> bool {
        self.status.is_published == Some(false)
            || (self.spec.published.is_none() && self.spec.draft.is_some())
    }

    /// What clusters get; of a draft what they would.
    pub fn packs(self) -> Vec<PackMeta> {
        self.spec.published.or(self.spec.draft).map(|template| template.packs).unwrap_or_default()
    }
}

/// `V1SpectroClusterProfileUpdates`, of `/v1/spectroclusters/{uid}/profileUpdates`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProfileUpdates {
    /// What waits to be applied.
    #[serde(deserialize_with = "lenient_rows")]
    pub profiles: Vec<ProfileUpdate>,
}

/// `V1ClusterProfileTemplate`, as far as it names a version.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProfileUpdate {
    /// The profile's.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// `1.2.0`
    #[serde(deserialize_with = "lenient")]
    pub profile_version: String,
}

/// `V1SpectroClusterRepaveValidationResponse`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RepaveAnswer {
    /// Whether machines would be replaced.
    #[serde(deserialize_with = "lenient")]
    pub is_repave_required: Option<bool>,
    /// Why.
    #[serde(deserialize_with = "lenient_list")]
    pub reasons: Vec<RepaveReason>,
}

/// `V1SpectroClusterRepaveReason`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RepaveReason {
    /// In words.
    #[serde(deserialize_with = "lenient")]
    pub message: String,
}
