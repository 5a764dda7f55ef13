//! Accounts with clouds: from the summary alone. The typed endpoints answer with their credentials, and are never
//! asked.

use super::{
    access::Access,
    api::account::CloudAccounts,
    ask::Ask,
    fault::Fault,
    find::{self, named},
    place::Place,
    scattered,
};

/// An account with a cloud.
#[derive(Clone, Debug)]
pub struct Account {
    /// 24 hexadecimal characters.
    pub uid: String,
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// `aws`, `azure`, `gcp`, `vsphere`, …
    pub cloud_type: String,
    /// What the cloud calls it.
    pub account: String,
    /// Whether its credentials work, as Palette says.
    pub state: String,
}

/// The accounts that the caller sees, perhaps of one project; and what could not be read.
///
/// # Errors
/// [`Fault`]
pub async fn seen(access: &Access, project: Option<&str>) -> Result<(Vec<Account>, Vec<String>), Fault> {
    let ask = |place: Place| async move {
        let paged = access.pages::<CloudAccounts>(&place, Ask::get(&["cloudaccounts", "summary"])).await?;
        Ok((paged.rows, paged.gap))
    };
    let scattered::Scattered { parts, gaps } = scattered::all(access, ask).await?;
    let names = find::project_names(access).await;
    let mut told = gaps;
    if let Err(fault) = &names {
        told.push(format!("environment {}: names of projects: {fault}", access.environment().name()));
    }
    let names = names.unwrap_or_default();
    let mut accounts = Vec::new();
    for (_, (rows, gap)) in parts {
        if gap.is_some() {
            told.push(format!("environment {}: not all accounts could be read", access.environment().name()));
        }
        for row in rows {
            let place = named(row.metadata.place(), &names);
            let known = accounts.iter().any(|known: &Account| known.uid == row.metadata.uid);
            if !known && access.sees(&place) && project.is_none_or(|project| place.is_called(project)) {
                accounts.push(Account {
                    uid: row.metadata.uid,
                    name: row.metadata.name,
                    place,
                    cloud_type: row.kind.to_lowercase(),
                    account: row.spec_summary.account_id,
                    state: row.status.state,
                });
            }
        }
    }
    Ok((accounts, told))
}
