//! Who asks, as Palette knows it.

use serde::Deserialize;

use super::lenient;

/// `V1UserInfo`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserInfo {
    /// The tenant's name.
    #[serde(deserialize_with = "lenient")]
    pub org_name: String,
    /// The tenant's uid.
    #[serde(deserialize_with = "lenient")]
    pub tenant_uid: String,
}
