//! Projects.

use serde::Deserialize;

use super::{ListMeta, Listing, ObjectMeta, lenient, lenient_rows};

/// `V1ProjectsMetadata`: all of them at once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProjectsMetadata {
    /// The projects.
    #[serde(deserialize_with = "lenient_rows")]
    pub items: Vec<ProjectMetadata>,
}

/// `V1ProjectMetadata`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProjectMetadata {
    /// Name and uid.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
}

/// `V1ProjectsSummary`, of `POST /v1/dashboard/projects`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProjectSummaries {
    /// One page.
    #[serde(deserialize_with = "lenient_rows")]
    pub items: Vec<ProjectMetadata>,
    /// How it goes on.
    #[serde(deserialize_with = "lenient")]
    pub listmeta: ListMeta,
}

impl Listing for ProjectSummaries {
    type Row = ProjectMetadata;

    fn meta(&self) -> &ListMeta {
        &self.listmeta
    }

    fn rows(self) -> Vec<ProjectMetadata> {
        self.items
    }

    fn uid(row: &ProjectMetadata) -> &str {
        &row.metadata.uid
    }
}
