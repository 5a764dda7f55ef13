//! Notifications: what waits for somebody to do it.

use serde::Deserialize;

use super::{ListMeta, ObjectMeta, lenient, lenient_list};

/// `v1Notifications`, of `/v1/notifications/{objectKind}/{objectUid}`: one page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Notifications {
    /// The notifications.
    #[serde(deserialize_with = "lenient_list")]
    pub items: Vec<Notification>,
    /// How the list goes on.
    #[serde(deserialize_with = "lenient")]
    pub listmeta: ListMeta,
}

/// `v1Notification`; its link and its map of events are not read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Notification {
    /// When.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// `NotificationPackUpdate`, …
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    /// What is to be done.
    #[serde(deserialize_with = "lenient")]
    pub action: Action,
}

/// `v1NotificationAction`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Action {
    /// `NotifyActionPacksUpdate`, …
    #[serde(deserialize_with = "lenient")]
    pub action_type: String,
    /// In words.
    #[serde(deserialize_with = "lenient")]
    pub action_message: String,
    /// Whether somebody has seen it.
    #[serde(deserialize_with = "lenient")]
    pub ack: bool,
    /// Whether it was done.
    #[serde(deserialize_with = "lenient")]
    pub is_done: bool,
}
