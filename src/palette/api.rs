//! Wire types: as much of the contract as is read. Lenient: a member that is absent, `null` or of another shape than
//! the contract says costs that member, not the answer.

pub mod account;
pub mod cluster;
pub mod event;
pub mod group;
pub mod notification;
pub mod oidc;
pub mod pack;
pub mod profile;
pub mod project;
pub mod repave;
pub mod search;
pub mod summary;
pub mod upgrade;
pub mod user;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};

use super::place::Place;

/// `V1ObjectMeta`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectMeta {
    /// What people call it.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// 24 hexadecimal characters.
    #[serde(deserialize_with = "lenient")]
    pub uid: String,
    /// `scope`, `projectUid`, `tenantUid`, `overlordUid`
    #[serde(deserialize_with = "lenient")]
    pub annotations: BTreeMap<String, String>,
    /// Tags are those with the value `spectro__tag`.
    #[serde(deserialize_with = "lenient")]
    pub labels: BTreeMap<String, String>,
    /// RFC 3339.
    #[serde(deserialize_with = "lenient")]
    pub creation_timestamp: String,
    /// RFC 3339.
    #[serde(deserialize_with = "lenient")]
    pub last_modified_timestamp: String,
}

impl ObjectMeta {
    /// Where it is; the project's name is not in the metadata. Where that is contradictory it is in a project: in an
    /// unknown one where none is named, which only who sees every project sees.
    pub fn place(&self) -> Place {
        let said =
            |key| self.annotations.get(key).map(String::as_str).filter(|value: &&str| !value.is_empty());
        match (said("scope"), said("projectUid")) {
            (_, Some(uid)) => Place::Project { uid: uid.to_owned(), name: None },
            (Some("tenant" | "system") | None, None) => Place::Tenant,
            (Some(_), None) => Place::Project { uid: String::new(), name: None },
        }
    }
}

/// `V1ListMetaData`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListMeta {
    /// The token of the next page; empty at the end.
    #[serde(rename = "continue", deserialize_with = "lenient")]
    pub next: Option<String>,
    /// Rows of all pages.
    #[serde(deserialize_with = "lenient")]
    pub count: Option<u64>,
}

/// An answer that is a list in pages.
pub trait Listing: DeserializeOwned + Send {
    /// One of it.
    type Row: Send;
    /// How the list goes on.
    fn meta(&self) -> &ListMeta;
    /// What came.
    fn rows(self) -> Vec<Self::Row>;
    /// What tells a row from others.
    fn uid(row: &Self::Row) -> &str;
}

/// A member as it should be, or nothing where it is `null` or something else.
///
/// # Errors
/// The JSON itself is broken.
pub fn lenient<'de, T: Default + DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// The rows of a list; one that is no row costs that row. Go writes an empty list as `null`.
///
/// # Errors
/// It is no list: what came is not the answer to the question.
pub fn lenient_rows<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Null => Ok(Vec::new()),
        serde_json::Value::Array(rows) => {
            Ok(rows.into_iter().filter_map(|row| serde_json::from_value(row).ok()).collect())
        }
        _ => Err(D::Error::custom("a list was expected")),
    }
}

/// A list within a row, as [`lenient_rows`]; what is no list is none, and costs not the row.
///
/// # Errors
/// The JSON itself is broken.
pub fn lenient_list<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(lenient_rows(value).unwrap_or_default())
}

/// A time, unless it is the zero time (`0001-01-01T00:00:00.000Z`), which stands for none.
pub fn moment(written: &str) -> Option<Timestamp> {
    let moment: Timestamp = written.parse().ok()?;
    (moment > Timestamp::UNIX_EPOCH).then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_is_in_a_project_and_never_the_tenants() {
        let place = |annotations: serde_json::Value| {
            let metadata = serde_json::json!({"annotations": annotations});
            serde_json::from_value::<ObjectMeta>(metadata).expect("lenient").place()
        };
        let project = |uid: &str| Place::Project { uid: uid.to_owned(), name: None };
        for (scope, uid, expected) in [
            ("tenant", "", Place::Tenant),
            ("system", "", Place::Tenant),
            ("", "", Place::Tenant),
            ("project", "p", project("p")),
            ("", "p", project("p")),
            ("tenant", "p", project("p")),
            ("system", "p", project("p")),
            ("project", "", project("")),
            ("Tenant", "", project("")),
        ] {
            let written = serde_json::json!({"scope": scope, "projectUid": uid});
            assert_eq!(place(written), expected, "{scope} {uid}");
        }
        assert_eq!(place(serde_json::json!({})), Place::Tenant);
    }
}
