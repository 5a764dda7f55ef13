//! What is recorded about a cluster.

use serde::Deserialize;

/// A repave that waits, or was decided upon.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Repave {
    /// `Pending`, `Approved` or `Reverted`.
    pub state: String,
    /// For people.
    pub message: String,
    /// Since when.
    pub since: i64,
    /// Why.
    pub reasons: Vec<RepaveReason>,
}

/// Why nodes must be replaced.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct RepaveReason {
    /// One word.
    pub code: String,
    /// For people.
    pub message: String,
    /// The pack that changes.
    pub pack: String,
    /// The layer of the pack.
    pub layer: String,
    /// The version now.
    pub from: String,
    /// The version then.
    pub to: String,
    /// What changes in its configuration.
    pub keys: Vec<String>,
}

/// Something to be done about a cluster or a profile.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Notification {
    /// `NotificationPackUpdate`, …; empty is that.
    pub kind: String,
    /// `NotifyActionClusterProfileUpdate`, …; empty is that.
    pub action: String,
    /// For people.
    pub message: String,
    /// Where more is to be had.
    pub link: String,
    /// Whether somebody has seen it.
    pub ack: bool,
    /// Whether it was seen to.
    pub done: bool,
    /// Its age.
    pub created: i64,
}

/// `Event`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Event {
    /// `Normal`, `Warning`, `Error`.
    pub severity: String,
    /// One word.
    pub reason: String,
    /// For people.
    pub message: String,
    /// Who says so.
    pub component: String,
    /// Its age.
    pub created: i64,
}

/// An entry of `status.upgrades`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Upgrade {
    /// Why.
    pub reasons: Vec<String>,
    /// When.
    pub at: i64,
}
