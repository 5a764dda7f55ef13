//! The account with a cloud that a cluster is made with, from the listing that has no credentials.

use super::cloud::Cloud;
use crate::{
    Error, ErrorKind,
    answer::sanitise,
    nearest,
    palette::{Access, Ask, Place, api::account::CloudAccounts},
};

/// Names that an error suggests.
const NEAREST: usize = 5;

/// An account that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What the cluster refers to.
    pub uid: String,
    /// What people call it.
    pub name: String,
    /// Whether its credentials work, as Palette says.
    pub state: String,
}

/// The account of this name or uid that clusters of the place may be made with: one of the place, or of the tenant.
///
/// # Errors
/// None, several, or one of another cloud.
pub async fn account(access: &Access, place: &Place, cloud: Cloud, written: &str) -> Result<Account, Error> {
    let kind = cloud.account_kind().unwrap_or_default();
    let asked = Ask::get(&["cloudaccounts", "summary"]);
    let paged = access.pages::<CloudAccounts>(place, asked).await?;
    let usable = |of: &Place| *of == Place::Tenant || of.project_uid() == place.project_uid();
    let rows = paged.rows.into_iter().filter(|row| usable(&row.metadata.place()));
    let (mut meant, others): (Vec<_>, Vec<_>) =
        rows.partition(|row| row.metadata.uid == written || row.metadata.name == written);
    let shown = sanitise::short(written, 80);
    if meant.iter().any(|row| row.kind.eq_ignore_ascii_case(kind)) {
        meant.retain(|row| row.kind.eq_ignore_ascii_case(kind));
    }
    match (meant.pop(), meant.len(), &paged.gap) {
        (Some(row), 0, _) if row.kind.eq_ignore_ascii_case(kind) => {
            Ok(Account { uid: row.metadata.uid, name: row.metadata.name, state: row.status.state })
        }
        (Some(row), 0, _) => Err(Error::invalid_input(format!(
            "the argument \"account\": {shown:?} is of {}, and clusters of {} are made with accounts of {kind}",
            sanitise::short(&row.kind, 40),
            cloud.name()
        ))),
        (Some(row), ..) => {
            let uids = meant.into_iter().chain([row]).map(|row| row.metadata.uid);
            Err(Error::new(ErrorKind::Conflict, format!("the account name {shown:?} is ambiguous"))
                .candidates(uids)
                .next("pass one of these uids as account"))
        }
        (None, _, Some(gap)) => Err(Error::new(
            ErrorKind::Upstream { status: None, retryable: true },
            format!("no cloud account {shown:?} was found, and not all could be read: {gap}"),
        )),
        (None, ..) => {
            // what is the tenant's is told to who sees the tenant
            let seen = others
                .iter()
                .filter(|row| access.sees(&row.metadata.place()) || row.metadata.place() != Place::Tenant);
            let names =
                seen.filter(|row| row.kind.eq_ignore_ascii_case(kind)).map(|row| row.metadata.name.as_str());
            Err(Error::not_found(format!("there is no cloud account {shown:?} of {kind} for {place}"))
                .candidates(nearest::names(written, names, NEAREST))
                .next("call palette_cloud_accounts to see those that you may see"))
        }
    }
}
