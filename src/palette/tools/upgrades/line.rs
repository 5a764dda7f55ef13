//! A row of the answer: an upgrade that can be chosen, an update that is pending, or both of one profile.

use schemars::JsonSchema;
use serde::Serialize;

use super::is_zero;
use crate::{
    answer::Row,
    palette::{
        fleet::ClusterRow,
        upgrades::{
            Upgrade,
            catalog::Catalog,
            pending::{self, Pending, Target},
        },
    },
};

/// A newer version of an attached profile, or an update that is pending.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Line {
    /// environment/project/name
    cluster: String,
    uid: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    profile: String,
    /// tenant, project, system
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    from: String,
    /// The newest that can be chosen.
    #[serde(skip_serializing_if = "String::is_empty")]
    to: String,
    /// Newer versions there are.
    #[serde(skip_serializing_if = "is_zero")]
    newer: usize,
    /// An update of this profile waits; without profile: of one that was not asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    updates_pending: bool,
    /// Its version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pending: String,
}

impl Line {
    fn of(upgrade: &Upgrade, pending: &[Pending]) -> Self {
        let target = pending::of(upgrade, pending).next();
        Self {
            profile: upgrade.profile.clone(),
            scope: upgrade.scope.clone(),
            from: upgrade.from.version.clone(),
            to: upgrade.to().to_owned(),
            newer: upgrade.newer.len(),
            updates_pending: target.is_some(),
            pending: target.map(|target| target.version.clone()).unwrap_or_default(),
            ..Self::pending(&upgrade.row)
        }
    }

    /// Something is pending.
    fn pending(row: &ClusterRow) -> Self {
        Self {
            cluster: row.qualified(),
            uid: row.uid.clone(),
            profile: String::new(),
            scope: String::new(),
            from: String::new(),
            to: String::new(),
            newer: 0,
            updates_pending: true,
            pending: String::new(),
        }
    }

    fn target(row: &ClusterRow, target: &Target, catalog: &Catalog) -> Self {
        let attached = row.templates().iter().find(|template| template.name == target.profile);
        let from = attached.and_then(|template| catalog.entry(&row.environment, &template.uid));
        Self {
            profile: target.profile.clone(),
            scope: attached.map(|template| template.scope.clone()).unwrap_or_default(),
            from: from.map(|entry| entry.version.clone()).unwrap_or_default(),
            pending: target.version.clone(),
            ..Self::pending(row)
        }
    }

    /// All that there is to tell.
    pub(super) fn all(upgrades: &[Upgrade], pending: &[Pending], catalog: &Catalog) -> Vec<Self> {
        let mut lines: Vec<Self> = upgrades.iter().map(|upgrade| Self::of(upgrade, pending)).collect();
        for one in pending {
            let targets = one.targets.as_deref().unwrap_or_default();
            if targets.is_empty() {
                lines.push(Self::pending(&one.row));
            }
            let told = |target: &Target| {
                upgrades
                    .iter()
                    .any(|upgrade| pending::of(upgrade, std::slice::from_ref(one)).any(|of| of == target))
            };
            let alone = targets.iter().filter(|target| !told(target));
            lines.extend(alone.map(|target| Self::target(&one.row, target, catalog)));
        }
        lines
    }
}

impl Row for Line {
    const COLUMNS: &'static [&'static str] =
        &["cluster", "uid", "profile", "scope", "from", "to", "newer", "pending"];

    fn cells(&self) -> Vec<String> {
        let newer = if self.newer == 0 { String::new() } else { self.newer.to_string() };
        let pending = match (self.updates_pending, self.pending.as_str()) {
            (true, "") => "yes".to_owned(),
            (_, version) => version.to_owned(),
        };
        vec![
            self.cluster.clone(),
            self.uid.clone(),
            self.profile.clone(),
            self.scope.clone(),
            self.from.clone(),
            self.to.clone(),
            newer,
            pending,
        ]
    }

    fn key(&self) -> String {
        let Self { cluster, uid, profile, .. } = self;
        format!("{} {cluster} {uid} {profile}", u8::from(!self.updates_pending))
    }
}
