//! Projects.

use serde::Deserialize;

use super::{ObjectMeta, lenient, lenient_rows};

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
