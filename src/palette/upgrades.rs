//! Upgrades: which attached profiles have a newer version. Versions are compared as numbers; pre-releases and, where
//! they are known, drafts are none that a cluster on a release is offered.

pub mod catalog;
pub mod check;
pub mod pending;

use std::sync::Arc;

use self::catalog::{Catalog, Entry};
use super::{
    access::Access,
    api::{pack::PackRef, profile::ClusterProfile},
    ask::Ask,
    fault::Fault,
    fleet::ClusterRow,
    place::Place,
    version::{Version, order},
};

/// An attached profile that has a newer version.
#[derive(Clone, Debug)]
pub struct Upgrade {
    /// The cluster.
    pub row: Arc<ClusterRow>,
    /// The profile's name.
    pub profile: String,
    /// `system`, `tenant`, `project`
    pub scope: String,
    /// The version it is on.
    pub from: Entry,
    /// Newer ones, the newest first.
    pub newer: Vec<Entry>,
}

impl Upgrade {
    /// The newest.
    pub fn to(&self) -> &str {
        self.newer.first().map(|entry| entry.version.as_str()).unwrap_or_default()
    }

    /// Whether its target was read as no more than a version of that name: it may be a draft, or another profile's.
    pub fn is_unchecked(&self) -> bool {
        self.newer.first().is_some_and(|entry| entry.is_draft.is_none())
    }
}

/// What is known of the clusters' versions.
#[derive(Debug, Default)]
pub struct Found {
    /// Attached profiles with a newer version.
    pub upgrades: Vec<Upgrade>,
    /// Attached profiles of which it could not be told, `profile of cluster`.
    pub unknown: Vec<String>,
}

/// Compares what is attached with what there is.
pub fn found(rows: &[Arc<ClusterRow>], catalog: &Catalog) -> Found {
    let mut found = Found::default();
    for row in rows.iter().filter(|row| row.state != "Deleted") {
        for template in row.templates() {
            let unknown = || format!("{} of {}", template.name, row.qualified());
            let Some(from) = catalog.entry(&row.environment, &template.uid) else {
                found.unknown.push(unknown());
                continue;
            };
            let Some(newer) = newer(from, catalog.family(&row.environment, from)) else {
                found.unknown.push(unknown());
                continue;
            };
            if !newer.is_empty() {
                found.upgrades.push(Upgrade {
                    row: Arc::clone(row),
                    profile: template.name.clone(),
                    scope: template.scope.clone(),
                    from: from.clone(),
                    newer,
                });
            }
        }
    }
    found
}

/// The versions of a family that are newer, the newest first. Nothing where the version is none.
fn newer<'e>(from: &Entry, family: impl Iterator<Item = &'e Entry>) -> Option<Vec<Entry>> {
    let current = Version::parse(&from.version)?;
    let offered = |entry: &&Entry| {
        let version = Version::parse(&entry.version);
        entry.is_draft != Some(true)
            && version.is_some_and(|version| {
                current.is_before(&version) && (current.is_pre_release() || !version.is_pre_release())
            })
    };
    let mut newer: Vec<Entry> = family.filter(offered).cloned().collect();
    newer.sort_by(|one, other| order(&other.version, &one.version));
    Some(newer)
}

/// How a pack changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub pack: String,
    /// Before; nothing where it is added.
    pub from: Option<String>,
    /// After; nothing where it is removed.
    pub to: Option<String>,
}

/// The packs whose version differs.
pub fn changes(from: &[PackRef], to: &[PackRef]) -> Vec<Change> {
    let version = |pack: &PackRef| if pack.tag.is_empty() { pack.version.clone() } else { pack.tag.clone() };
    let of = |packs: &[PackRef], name: &str| packs.iter().find(|pack| pack.name == name).map(version);
    let mut changes = Vec::new();
    for pack in from {
        let (before, after) = (Some(version(pack)), of(to, &pack.name));
        if before != after {
            changes.push(Change { pack: pack.name.clone(), from: before, to: after });
        }
    }
    for pack in to.iter().filter(|pack| of(from, &pack.name).is_none()) {
        changes.push(Change { pack: pack.name.clone(), from: None, to: Some(version(pack)) });
    }
    changes
}

/// A version of a profile, read in the scope of the cluster that it is for.
///
/// # Errors
/// [`Fault`]
pub async fn whole(access: &Access, place: &Place, uid: &str) -> Result<ClusterProfile, Fault> {
    access.ask(place, Ask::get(&["clusterprofiles", uid])).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(version: &str) -> Entry {
        Entry { uid: format!("uid-{version}"), version: version.to_owned(), ..Entry::default() }
    }

    fn offered(from: &str, all: &[&str]) -> Option<Vec<String>> {
        let all: Vec<Entry> = all.iter().map(|version| entry(version)).collect();
        Some(newer(&entry(from), all.iter())?.into_iter().map(|entry| entry.version).collect())
    }

    #[test]
    fn the_newest_release_is_offered_and_no_pre_release() {
        let all = ["1.9.0", "1.10.0", "1.2.0", "2.0.0-rc.1", "1.11.0-draft", "latest"];
        assert_eq!(offered("1.2.0", &all), Some(vec!["1.10.0".to_owned(), "1.9.0".to_owned()]));
        assert_eq!(offered("1.10.0", &all), Some(Vec::new()));
        assert_eq!(offered("2.0.0-beta", &["2.0.0-rc.1"]), Some(vec!["2.0.0-rc.1".to_owned()]));
        assert_eq!(offered("latest", &all), None);
    }

    #[test]
    fn packs_are_changed_added_and_removed() {
        let pack =
            |name: &str, tag: &str| PackRef { name: name.into(), tag: tag.into(), ..PackRef::default() };
        let changes = changes(
            &[pack("k8s", "1.29"), pack("cni", "3"), pack("old", "1")],
            &[pack("k8s", "1.30"), pack("cni", "3"), pack("new", "2")],
        );
        let told: Vec<_> =
            changes.iter().map(|one| (one.pack.as_str(), one.from.as_deref(), one.to.as_deref())).collect();
        assert_eq!(
            told,
            [("k8s", Some("1.29"), Some("1.30")), ("old", Some("1"), None), ("new", None, Some("2"))]
        );
    }
}
