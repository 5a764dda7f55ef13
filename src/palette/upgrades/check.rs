//! Targets read one by one where they are few: a draft is no target, and neither is a version of another profile of
//! the same name. A listing of all versions tells neither.

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};

use super::{Upgrade, whole};
use crate::palette::{access::Access, api::profile::ClusterProfile, place::Place};

/// Versions that are read at once; where there are more, none is.
const MOST: usize = 10;
/// How often the next newest are read, where the newest turned out to be none.
const ROUNDS: usize = 5;

/// Environment and uid.
type Key = (String, String);
/// Nothing stands for what could not be read.
type Reads = BTreeMap<Key, Option<ClusterProfile>>;

/// Leaves out what is no target. What stays [unchecked](Upgrade::is_unchecked) could not be read, or was too much.
pub async fn check(accesses: &[Access], upgrades: &mut Vec<Upgrade>) {
    let mut reads = Reads::new();
    for _ in 0..ROUNDS {
        let mut needed = BTreeMap::<Key, Place>::new();
        for upgrade in upgrades.iter_mut() {
            let Some(uid) = settle(upgrade, &reads) else { continue };
            let place = upgrade.row.place.clone();
            let key = (upgrade.row.environment.to_string(), uid);
            // a project's profile is read there; the tenant's anywhere
            match upgrade.scope == "project" {
                true => drop(needed.insert(key, place)),
                false => drop(needed.entry(key).or_insert(place)),
            }
        }
        upgrades.retain(|upgrade| !upgrade.newer.is_empty());
        if needed.is_empty() || needed.len() > MOST {
            return;
        }
        let asked = needed.into_iter().map(|(key, place)| async move {
            let access = accesses.iter().find(|access| access.environment().name() == key.0);
            let read = match access {
                Some(access) => whole(access, &place, &key.1).await.ok(),
                None => None,
            };
            (key, read)
        });
        reads.extend(stream::iter(asked).buffer_unordered(MOST).collect::<Vec<_>>().await);
    }
    for upgrade in upgrades.iter_mut() {
        settle(upgrade, &reads);
    }
    upgrades.retain(|upgrade| !upgrade.newer.is_empty());
}

/// Drops the newest as long as they are known to be no targets. The uid of what has to be read to know more.
fn settle(upgrade: &mut Upgrade, reads: &Reads) -> Option<String> {
    let environment = upgrade.row.environment.to_string();
    let read = |uid: &str| reads.get(&(environment.clone(), uid.to_owned()));
    loop {
        let newest = upgrade.newer.first_mut()?;
        if newest.is_draft.is_some() {
            return None;
        }
        match read(&newest.uid) {
            None => return Some(newest.uid.clone()),
            Some(Some(target)) if target.is_draft() || target.is_another(&upgrade.from.uid) => {}
            Some(Some(target)) => {
                newest.is_draft = Some(false);
                upgrade.newer.retain(|entry| !target.is_another(&entry.uid));
                return None;
            }
            // perhaps one of a place that this cluster has nothing to do with: its own profile tells
            Some(None) => match read(&upgrade.from.uid) {
                None => return Some(upgrade.from.uid.clone()),
                Some(Some(own)) if own.is_another(&newest.uid) => {}
                Some(_) => return None,
            },
        }
        upgrade.newer.remove(0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::{super::catalog::Entry, *};
    use crate::palette::{api::cluster::ClusterMeta, fleet::ClusterRow};

    fn upgrade(newer: &[&str]) -> Upgrade {
        let entry = |uid: &&str| Entry { uid: (*uid).to_owned(), ..Entry::default() };
        let meta: ClusterMeta = serde_json::from_value(json!({"metadata": {"uid": "c1"}})).expect("a row");
        let row = ClusterRow::of_meta(&"lab".into(), meta, &Place::Tenant);
        Upgrade {
            row: Arc::new(row),
            profile: "base".to_owned(),
            scope: "tenant".to_owned(),
            from: entry(&"old"),
            newer: newer.iter().map(entry).collect(),
        }
    }

    fn reads(of: serde_json::Value) -> Reads {
        let of: BTreeMap<String, Option<ClusterProfile>> = serde_json::from_value(of).expect("profiles");
        of.into_iter().map(|(uid, read)| (("lab".to_owned(), uid), read)).collect()
    }

    #[test]
    fn drafts_and_versions_of_another_profile_are_no_targets() {
        let mut one = upgrade(&["draft", "other", "new", "stray"]);
        assert_eq!(settle(&mut one, &Reads::new()).as_deref(), Some("draft"));
        let own = json!([{"uid": "old"}, {"uid": "new"}, {"uid": "draft"}]);
        let known = reads(json!({
            "draft": {"spec": {"draft": {}, "versions": own}},
            "other": {"spec": {"published": {}, "versions": [{"uid": "other"}]}},
            "new": {"spec": {"published": {}, "versions": own}},
        }));
        assert_eq!(settle(&mut one, &known), None);
        let left: Vec<&str> = one.newer.iter().map(|entry| entry.uid.as_str()).collect();
        assert_eq!((left, one.is_unchecked()), (vec!["new"], false));
    }

    #[test]
    fn of_a_target_that_cannot_be_read_the_attached_version_tells_whether_it_is_one() {
        let mut one = upgrade(&["hidden"]);
        let hidden = reads(json!({"hidden": null}));
        assert_eq!(settle(&mut one, &hidden).as_deref(), Some("old"));
        let mut mine = one.clone();
        let own = reads(
            json!({"hidden": null, "old": {"spec": {"versions": [{"uid": "old"}, {"uid": "hidden"}]}}}),
        );
        assert_eq!((settle(&mut mine, &own), mine.is_unchecked()), (None, true));
        let other = reads(json!({"hidden": null, "old": {"spec": {"versions": [{"uid": "old"}]}}}));
        assert_eq!((settle(&mut one, &other), one.newer.len()), (None, 0));
    }
}
