//! Repaves: changes that replace the machines of a cluster, and wait for somebody to agree.

use serde::Deserialize;

use super::{lenient, lenient_list};

/// `v1SpectroClusterRepave`, of `/v1/spectroclusters/{uid}/repave/status`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Repave {
    /// Why.
    #[serde(deserialize_with = "lenient")]
    pub spec: RepaveSpec,
    /// How far.
    #[serde(deserialize_with = "lenient")]
    pub status: RepaveStatus,
}

/// Why there is a repave.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RepaveSpec {
    /// `user`, `hubble`, `palette`, `stylus`
    #[serde(deserialize_with = "lenient")]
    pub source: String,
    /// What leads to it.
    #[serde(deserialize_with = "lenient_list")]
    pub reasons: Vec<Reason>,
}

/// `v1SpectroClusterRepaveReason`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reason {
    /// A word.
    #[serde(deserialize_with = "lenient")]
    pub code: String,
    /// In words.
    #[serde(deserialize_with = "lenient")]
    pub message: String,
    /// The pack that changes.
    #[serde(deserialize_with = "lenient")]
    pub pack: PackDifference,
}

/// `v1SpectroClusterPackDiff`; the values themselves are not read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PackDifference {
    /// What runs.
    #[serde(deserialize_with = "lenient")]
    pub current: PackVersion,
    /// What is to run.
    #[serde(deserialize_with = "lenient")]
    pub target: PackVersion,
    /// The values that differ, by their keys.
    #[serde(deserialize_with = "lenient_list")]
    pub diff_config_keys: Vec<String>,
}

/// `v1PackRef`, as much as names it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PackVersion {
    /// Of the pack.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// Of the pack; some carry only a tag.
    #[serde(deserialize_with = "lenient")]
    pub version: String,
    /// As people choose it.
    #[serde(deserialize_with = "lenient")]
    pub tag: String,
}

/// `v1SpectroClusterRepaveStatus`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RepaveStatus {
    /// `Pending`, `Approved`, `Reverted`
    #[serde(deserialize_with = "lenient")]
    pub state: String,
    /// In words.
    #[serde(deserialize_with = "lenient")]
    pub message: String,
    /// RFC 3339.
    #[serde(deserialize_with = "lenient")]
    pub repave_transition_time: String,
}

/// `v1SpectroClusterRepaveValidationResponse`, of `/v1/spectroclusters/{uid}/validate/repave`: what a change would do.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RepaveAnswer {
    /// Whether machines would be replaced.
    #[serde(deserialize_with = "lenient")]
    pub is_repave_required: Option<bool>,
    /// Why.
    #[serde(deserialize_with = "lenient_list")]
    pub reasons: Vec<Reason>,
}
