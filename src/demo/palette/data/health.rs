//! How a cluster is: health, conditions, use.

use serde::Deserialize;

/// `SpectroClusterHealthStatus`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Health {
    /// Empty: nothing is known of it.
    pub state: String,
    /// None: the agent was never heard.
    pub heartbeat: Option<i64>,
    /// Of the agent on the cluster.
    pub agent_version: String,
    /// In the order of the API.
    pub conditions: Vec<HealthCondition>,
}

/// `SpectroClusterHealthCondition`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct HealthCondition {
    /// As Palette writes it.
    pub kind: String,
    /// For people.
    pub message: String,
    /// The kind (`machine`, `pack`, …) and the name of what it is about.
    pub about: Option<(String, String)>,
}

/// `ClusterCondition`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Condition {
    /// As Palette writes it.
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word.
    pub reason: String,
    /// For people.
    pub message: String,
    /// Since when.
    pub since: i64,
}

/// `SpectroClusterMetrics`: millicores and KiB.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Metrics {
    /// Millicores.
    pub cpu: Usage,
    /// KiB.
    pub memory: Usage,
}

/// `ComputeMetrics`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Usage {
    /// The most.
    pub limit: f64,
    /// Asked for.
    pub request: f64,
    /// There is.
    pub total: f64,
    /// Used.
    pub usage: f64,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            state: "Healthy".into(),
            heartbeat: Some(1),
            agent_version: "4.8.12".into(),
            conditions: Vec::new(),
        }
    }
}

impl Condition {
    /// One that is `True`.
    pub fn met(kind: &str) -> Self {
        Self {
            kind: kind.into(),
            status: "True".into(),
            reason: "Completed".into(),
            since: 3 * 24 * 60,
            ..Self::default()
        }
    }

    /// One that is `False`.
    pub fn failed(kind: &str, reason: &str, message: &str) -> Self {
        Self {
            kind: kind.into(),
            status: "False".into(),
            reason: reason.into(),
            message: message.into(),
            since: 42,
        }
    }
}
