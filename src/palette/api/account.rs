//! Accounts with clouds, as the summary tells them: the typed endpoints carry credentials.

use serde::Deserialize;

use super::{ListMeta, Listing, ObjectMeta, lenient, lenient_rows};

/// `V1CloudAccountsSummary`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CloudAccounts {
    /// Those of this page.
    #[serde(deserialize_with = "lenient_rows")]
    pub items: Vec<CloudAccount>,
    /// How the list goes on.
    #[serde(deserialize_with = "lenient")]
    pub listmeta: ListMeta,
}

impl Listing for CloudAccounts {
    type Row = CloudAccount;

    fn meta(&self) -> &ListMeta {
        &self.listmeta
    }

    fn rows(self) -> Vec<CloudAccount> {
        self.items
    }

    fn uid(row: &CloudAccount) -> &str {
        &row.metadata.uid
    }
}

/// `V1CloudAccountSummary`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CloudAccount {
    /// `aws`, `azure`, …
    #[serde(deserialize_with = "lenient")]
    pub kind: String,
    /// Name, uid and scope.
    #[serde(deserialize_with = "lenient")]
    pub metadata: ObjectMeta,
    /// What is not secret of it.
    #[serde(deserialize_with = "lenient")]
    pub spec_summary: AccountSummary,
    /// Whether it works.
    #[serde(deserialize_with = "lenient")]
    pub status: AccountStatus,
}

/// What is not secret of an account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccountSummary {
    /// What the cloud calls it.
    #[serde(deserialize_with = "lenient")]
    pub account_id: String,
}

/// `V1CloudAccountStatus`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AccountStatus {
    /// As Palette says.
    #[serde(deserialize_with = "lenient")]
    pub state: String,
}
