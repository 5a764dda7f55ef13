//! Which profile is meant by the argument `profile`.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    Error,
    palette::{
        fleet::ClusterRow,
        profiles::find::{self, Within},
        upgrades::{
            Upgrade,
            pending::{Pending, Target},
        },
    },
    toolbox::Call,
};

/// A profile, perhaps in one version.
pub(super) struct Meant {
    environment: String,
    name: String,
    /// Of all its versions.
    uids: BTreeSet<String>,
    /// The version's, where one was named.
    exact: Option<String>,
    pub(super) gaps: Vec<String>,
}

impl Meant {
    /// The one of this name, uid or `environment/scope/name`.
    pub(super) async fn of(
        call: &Call,
        (written, project): (&str, Option<&str>),
        rows: &[Arc<ClusterRow>],
    ) -> Result<Self, Error> {
        let found = find::profile(call, written, project, Within::SeenOrTenant).await?;
        let meant = Self {
            environment: found.access.environment().name().to_owned(),
            name: found.profile.name.clone(),
            uids: found.profile.versions.iter().map(|version| version.uid.clone()).collect(),
            exact: found.is_exact.then(|| found.version.uid.clone()),
            gaps: found.gaps,
        };
        // what the caller does not see is there as far as clusters that it sees are on it
        if !found.access.sees(&found.profile.place) && !rows.iter().any(|row| meant.attached(row)) {
            return Err(find::not_found(call, written).await);
        }
        Ok(meant)
    }

    /// The same of what is attached to one cluster, where its name tells that without a request.
    pub(super) async fn of_cluster(
        call: &Call,
        (written, project): (&str, Option<&str>),
        row: &Arc<ClusterRow>,
    ) -> Result<Self, Error> {
        let mine: Vec<_> = row.templates().iter().filter(|template| template.name == written).collect();
        if let [template] = mine.as_slice() {
            return Ok(Self {
                environment: row.environment.to_string(),
                name: template.name.clone(),
                uids: BTreeSet::from([template.uid.clone()]),
                exact: None,
                gaps: Vec::new(),
            });
        }
        Self::of(call, (written, project), std::slice::from_ref(row)).await
    }

    /// Whether the cluster is on a version of it.
    pub(super) fn attached(&self, row: &ClusterRow) -> bool {
        *row.environment == *self.environment
            && row.templates().iter().any(|template| self.uids.contains(&template.uid))
    }

    /// Whether it is one of this profile; of one version those that start or can end there.
    pub(super) fn is_of(&self, upgrade: &Upgrade) -> bool {
        let exact =
            |uid: &String| upgrade.from.uid == *uid || upgrade.newer.iter().any(|entry| entry.uid == *uid);
        *upgrade.row.environment == *self.environment
            && self.uids.contains(&upgrade.from.uid)
            && self.exact.as_ref().is_none_or(exact)
    }

    /// What is pending of it; a cluster without is left out.
    pub(super) fn narrow(&self, pending: &mut Vec<Pending>) {
        let mine = |target: &Target| target.profile == self.name;
        pending.retain_mut(|one| {
            let Some(targets) = &mut one.targets else { return true };
            let told = !targets.is_empty();
            targets.retain(mine);
            !told || !targets.is_empty()
        });
    }
}
