//! Events of a cluster or an edge host.

use serde::Deserialize;

use super::{ListMeta, ObjectMeta, lenient, lenient_list};

/// `v1Events`, of `/v1/events/components/{objectKind}/{objectUid}`: one page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Events {
    /// The events.
    #[serde(deserialize_with = "lenient_list")]
    pub items: Vec<Event>,
    /// How the list goes on.
    #[serde(deserialize_with = "lenient")]
    pub listmeta: ListMeta,
}

/// `v1Event`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    /// When.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// `Error`, `Warning`, `Info`, …
    #[serde(deserialize_with = "lenient")]
    pub severity: String,
    /// A word for why.
    #[serde(deserialize_with = "lenient")]
    pub reason: String,
    /// In words.
    #[serde(deserialize_with = "lenient")]
    pub message: String,
    /// Who says it.
    #[serde(deserialize_with = "lenient")]
    pub source: Source,
}

/// `v1EventSource`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Source {
    /// The component.
    #[serde(deserialize_with = "lenient")]
    pub component: String,
}
