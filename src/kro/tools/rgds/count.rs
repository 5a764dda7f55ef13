//! How many instances an RGD has: never more than the caller may see.
//!
//! Who may see all of a cluster is told what the API server counts, with one request for one object. Others
//! are told what a list shows them, since `remainingItemCount` knows nothing of namespaces that are theirs.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::row::RgdRow;
use crate::{
    kro::{applyset::GroupKind, fetch::Reader, inventory::Rgd},
    kubernetes::{Access, Fault, Kind, Selector},
    permission::{Extent, Permission, Requirement, Scope},
    toolbox::Call,
};

/// Of which RGD the instances of a kind are.
pub(super) struct Counts {
    /// By the RGD's name: two may claim a kind, and the one that runs has it.
    kinds: BTreeMap<String, GroupKind>,
}

enum Way {
    /// The API server's number.
    All(Access),
    /// As many as come.
    Seen(Access),
}

impl Counts {
    pub(super) fn of(rgds: &[Rgd]) -> Self {
        let mut owners: BTreeMap<&GroupKind, &Rgd> = BTreeMap::new();
        for rgd in rgds {
            let owner = owners.entry(&rgd.kind).or_insert(rgd);
            if rgd.is_active && !owner.is_active {
                *owner = rgd;
            }
        }
        Self { kinds: owners.into_iter().map(|(kind, rgd)| (rgd.name.clone(), kind.clone())).collect() }
    }

    /// Counts the instances of these rows; returns what could not be counted, and why.
    pub(super) async fn fill(&self, call: &Call, reader: &Reader, rows: &mut [RgdRow]) -> Vec<String> {
        let access = reader.access();
        let cluster = Extent::Named(access.cluster().names());
        let set = call.caller().permissions();
        let permission = Permission::KroInstancesList;
        if !set.allows(permission, &Scope::cluster(cluster.clone(), Extent::Anywhere)) {
            rows.iter_mut().for_each(|row| row.instances = None);
            return vec![format!("instances are not counted, which needs {}", permission.name())];
        }
        let covered = set.covers_cluster(permission, &cluster);
        let way = match covered {
            true => Way::All(access.unfiltered()),
            false => Way::Seen(call.narrowed(access, Requirement::one(permission))),
        };
        let counted = rows.iter().map(|row| self.count(reader, &way, &row.name));
        let counted = join_all(counted).await;
        let (mut forbidden, mut gaps) = (BTreeSet::new(), Vec::new());
        for (row, counted) in rows.iter_mut().zip(counted) {
            row.instances = match counted {
                Ok(count) => count,
                Err(fault) => {
                    match fault.is_forbidden() {
                        true => drop(forbidden.insert(row.kind.clone())),
                        false => gaps.push(format!("{}: not counted: {fault}", row.kind)),
                    }
                    None
                }
            };
        }
        if !forbidden.is_empty() {
            let kinds: Vec<String> = forbidden.into_iter().collect();
            gaps.push(format!("forbidden by the cluster to count: {}", kinds.join(", ")));
        }
        if !covered {
            gaps.push("instances are counted in the namespaces that you may see".to_owned());
        }
        gaps
    }

    /// None where another RGD has the kind, and where it is not served: that there are none is then no news.
    async fn count(&self, reader: &Reader, way: &Way, rgd: &str) -> Result<Option<u64>, Fault> {
        let Some(of) = self.kinds.get(rgd) else { return Ok(None) };
        let Some(kind) = reader.kind(of).await else { return Ok(None) };
        match way {
            Way::All(access) => access.count(&kind).await,
            Way::Seen(access) => seen(access, &kind).await,
        }
    }
}

async fn seen(access: &Access, kind: &Kind) -> Result<Option<u64>, Fault> {
    let listed = access.list_as(kind, None, &Selector::all(), drop).await?;
    Ok(listed.complete().then_some(listed.items.len() as u64))
}
