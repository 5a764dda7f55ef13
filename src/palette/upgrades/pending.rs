//! Updates that Palette has been told of and that a cluster has not got yet: another version of an attached profile,
//! or changes of the one that it is on. Listings tell that there are some; which, each cluster has to be asked.

use std::sync::Arc;

use futures::{StreamExt as _, stream};

use super::Upgrade;
use crate::palette::{
    access::Access, api::profile::ProfileUpdates, ask::Ask, fault::Fault, fleet::ClusterRow, version::order,
};

/// Clusters that are asked; where there are more, none is.
const MOST: usize = 10;

/// A cluster with updates that are pending.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The cluster.
    pub row: Arc<ClusterRow>,
    /// What is pending; nothing where that is not known.
    pub targets: Option<Vec<Target>>,
}

/// A version that a cluster is to get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Of the version.
    pub uid: String,
    /// The profile's.
    pub profile: String,
    /// `1.2.0`
    pub version: String,
}

impl Target {
    /// `name version`
    pub fn label(&self) -> String {
        format!("{} {}", self.profile, self.version).trim().to_owned()
    }
}

/// The clusters that have some, and what it is where they are few.
pub async fn pending(accesses: &[Access], rows: &[Arc<ClusterRow>], gaps: &mut Vec<String>) -> Vec<Pending> {
    let waiting: Vec<Arc<ClusterRow>> = rows.iter().filter(|row| row.updates_pending).cloned().collect();
    let few = waiting.len() <= MOST;
    let asked = waiting.into_iter().map(|row| async move {
        let access = accesses.iter().find(|access| *access.environment().name() == *row.environment);
        let read = match access.filter(|_| few) {
            Some(access) => targets(access, &row).await.map(Some),
            None => Ok(None),
        };
        (row, read)
    });
    let asked: Vec<_> = stream::iter(asked).buffered(MOST).collect().await;
    let told = asked.into_iter().map(|(row, read)| {
        let targets = read.unwrap_or_else(|fault| {
            gaps.push(format!("which update of {} is pending: {fault}", row.qualified()));
            None
        });
        Pending { row, targets }
    });
    told.collect()
}

async fn targets(access: &Access, row: &ClusterRow) -> Result<Vec<Target>, Fault> {
    let ask = Ask::get(&["spectroclusters", &row.uid, "profileUpdates"]);
    let read: ProfileUpdates = access.ask(&row.place, ask).await?;
    let named = read.profiles.into_iter().map(|profile| Target {
        uid: profile.uid,
        profile: profile.name,
        version: profile.profile_version,
    });
    Ok(named.filter(|target| !target.label().is_empty()).collect())
}

/// Leaves out the versions that were chosen already, and those before them.
pub fn chosen(upgrades: &mut Vec<Upgrade>, pending: &[Pending]) {
    for upgrade in upgrades.iter_mut() {
        let targets: Vec<&Target> = of(upgrade, pending).collect();
        for target in targets {
            upgrade
                .newer
                .retain(|entry| entry.uid != target.uid && order(&target.version, &entry.version).is_lt());
        }
    }
    upgrades.retain(|upgrade| !upgrade.newer.is_empty());
}

/// What is pending of the same profile on the same cluster.
pub fn of<'p>(upgrade: &Upgrade, pending: &'p [Pending]) -> impl Iterator<Item = &'p Target> + use<'p> {
    let (row, profile) = (Arc::clone(&upgrade.row), upgrade.profile.clone());
    let mine =
        pending.iter().filter(move |one| one.row.uid == row.uid && one.row.environment == row.environment);
    mine.flat_map(|one| one.targets.iter().flatten()).filter(move |target| target.profile == profile)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::catalog::Entry, *};
    use crate::palette::{api::cluster::ClusterMeta, place::Place};

    #[test]
    fn a_version_that_is_pending_is_not_offered_again_and_a_newer_one_is() {
        let meta: ClusterMeta = serde_json::from_value(json!({"metadata": {"uid": "c1"}})).expect("a row");
        let row = Arc::new(ClusterRow::of_meta(&"lab".into(), meta, &Place::Tenant));
        let upgrade = |profile: &str, newer: &[&str]| {
            let entry = |version: &&str| Entry {
                uid: (*version).into(),
                version: (*version).into(),
                ..Entry::default()
            };
            let newer = newer.iter().map(entry).collect();
            let (row, scope) = (Arc::clone(&row), "tenant".to_owned());
            Upgrade { row, profile: profile.to_owned(), scope, from: entry(&"1.0.0"), newer }
        };
        let target = |profile: &str| Target {
            uid: "1.10.0".into(),
            profile: profile.into(),
            version: "1.10.0".into(),
        };
        let targets = Some(vec![target("base"), target("last")]);
        let pending = [Pending { row: Arc::clone(&row), targets }];
        let mut upgrades = vec![
            upgrade("base", &["2.0.0", "1.10.0", "1.9.0"]),
            upgrade("last", &["1.10.0", "1.9.0"]),
            upgrade("other", &["1.10.0"]),
        ];
        chosen(&mut upgrades, &pending);
        let left: Vec<_> =
            upgrades.iter().map(|left| (left.profile.as_str(), left.to(), left.newer.len())).collect();
        assert_eq!(left, [("base", "2.0.0", 1), ("other", "1.10.0", 1)]);
    }
}
