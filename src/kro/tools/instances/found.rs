//! What one cluster has of the instances asked for.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{asked::Asked, row::InstanceRow};
use crate::{
    Error,
    kro::{
        fetch::Reader,
        inventory::{Inventory, Read, Rgd, Seen, instances_of, inventory},
        tools::open_at,
    },
    kubernetes::{Access, LabelSelector},
    nearest,
    permission::{Extent, Permission},
    toolbox::Call,
};

/// Namespaces that are named in place of one that has nothing.
const MOST_NAMESPACES: usize = 8;

/// Instances of one cluster, or of several.
#[derive(Default)]
pub(in crate::kro::tools) struct Found {
    pub(in crate::kro::tools) rows: Vec<InstanceRow>,
    /// How many they are with those of other labels and ages.
    pub(in crate::kro::tools) all: usize,
    /// What could be read of each kind asked for.
    pub(in crate::kro::tools) seen: Vec<Seen>,
    /// Not all RGDs could be listed.
    pub(in crate::kro::tools) is_cut: bool,
    /// Every kind was read, also those that were not asked for.
    pub(in crate::kro::tools) is_whole: bool,
    /// The caller's permission does not cover all of the cluster.
    pub(in crate::kro::tools) is_filtered: bool,
    /// RGDs that may be told of.
    pub(in crate::kro::tools) rgds: Vec<Rgd>,
    /// Where the namespace asked for has nothing: the nearest that have.
    pub(in crate::kro::tools) namespaces: Vec<String>,
    pub(in crate::kro::tools) gaps: Vec<String>,
    /// That instances whose RGD is gone could not be looked for.
    pub(in crate::kro::tools) blind: Option<String>,
}

impl Found {
    /// Says of its rows and gaps in which cluster they are, where it is one of several.
    pub(in crate::kro::tools) fn place(&mut self, cluster: Option<&str>, gaps: &mut Vec<String>) {
        self.rows.iter_mut().for_each(|row| row.cluster = cluster.map(str::to_owned));
        gaps.extend(std::mem::take(&mut self.gaps).into_iter().map(|gap| match cluster {
            Some(cluster) => format!("cluster {cluster}: {gap}"),
            None => gap,
        }));
    }

    /// With what another cluster has.
    pub(in crate::kro::tools) fn add(&mut self, other: Self) {
        self.is_whole = other.is_whole && (self.is_whole || self.seen.is_empty());
        self.rows.extend(other.rows);
        self.all += other.all;
        self.seen.extend(other.seen);
        self.is_cut |= other.is_cut;
        self.is_filtered |= other.is_filtered;
        self.namespaces.extend(other.namespaces);
        self.namespaces.truncate(MOST_NAMESPACES);
    }
}

/// Reads what one cluster has, of which the caller sees what `permission` opens.
///
/// # Errors
/// It has no kro, or no such RGD or kind, or its RGDs cannot be listed.
pub(in crate::kro::tools) async fn find(
    call: &Call,
    access: Access,
    asked: &Asked<'_>,
    permission: Permission,
    now: Timestamp,
) -> Result<Found, Error> {
    let reader = open_at(call, &access).await?;
    // all kinds are read even where one is asked for: its health may lie in nested ones
    let mut inventory = inventory(&reader).await?;
    if let Some(written) = asked.kind
        && let Ok(kind) = reader.named_kind(written).await
    {
        inventory.look_for(&reader, &kind).await;
    }
    let chosen = asked.kinds(&reader, &inventory).await?;
    let Read { instances, of, gaps, seen } =
        instances_of(&reader, &inventory, asked.namespace, &asked.labels).await;
    let is_asked = |place: &usize, rgd: Option<&str>| {
        chosen.contains(place) && asked.rgd.is_none_or(|wanted| rgd == Some(wanted))
    };
    let mut instances: Vec<_> = instances
        .into_iter()
        .zip(of)
        .filter(|(instance, place)| is_asked(place, instance.rgd.as_deref()))
        .map(|(instance, _)| instance)
        .collect();
    let namespaces = match asked.namespace {
        Some(wanted) if instances.is_empty() => elsewhere(&reader, &inventory, &chosen, wanted).await,
        _ => Vec::new(),
    };
    // what failed is told; what the cluster forbids is not there for the caller
    let seen_of_chosen = |(place, seen): (usize, &Seen)| chosen.contains(&place).then_some(*seen);
    let of_chosen: Vec<Seen> = seen.iter().enumerate().filter_map(seen_of_chosen).collect();
    let nothing =
        instances.is_empty() && namespaces.is_empty() && !of_chosen.iter().any(|seen| seen.may_hide());
    if asked.is_narrowed() && nothing && !reader.names_rgds() {
        return Err(asked.unseen());
    }
    let all = instances.len();
    instances.retain(|instance| instance.is_selected && asked.ages.fit(instance.created, now));
    let kinds: Vec<_> = chosen.iter().filter_map(|place| inventory.generated.get(*place)).collect();
    let told = |rgd: &Rgd| {
        let of_kind = kinds.iter().any(|kind| kind.is_of(&rgd.name));
        reader.names_rgds() && of_kind && asked.rgd.is_none_or(|wanted| rgd.name == wanted)
    };
    let cluster = Extent::Named(access.cluster().names());
    let covered = call.caller().permissions().covers_cluster(permission, &cluster);
    let unlisted = inventory.unlisted.as_ref().map(|why| format!("ResourceGraphDefinitions: {why}"));
    Ok(Found {
        all,
        rows: instances.into_iter().map(|instance| InstanceRow::of(instance, now)).collect(),
        is_whole: inventory.unlisted.is_none() && seen.iter().all(|seen| *seen == Seen::Whole),
        seen: of_chosen,
        is_cut: inventory.unlisted.is_some(),
        is_filtered: !covered,
        rgds: inventory.rgds.iter().filter(|rgd| told(rgd)).cloned().collect(),
        namespaces,
        blind: inventory.blind,
        gaps: unlisted.into_iter().chain(inventory.gaps).chain(gaps).collect(),
    })
}

/// The namespaces nearest to `wanted` in which the caller may see instances; what cannot be read
/// is nobody's candidate.
async fn elsewhere(
    reader: &Reader,
    inventory: &Inventory,
    chosen: &BTreeSet<usize>,
    wanted: &str,
) -> Vec<String> {
    let read = instances_of(reader, inventory, None, &LabelSelector::default()).await;
    let of_chosen = read.instances.iter().zip(&read.of).filter(|(_, place)| chosen.contains(*place));
    let known: BTreeSet<&str> = of_chosen
        .filter_map(|(instance, _)| instance.namespace.as_deref())
        .filter(|namespace| *namespace != wanted)
        .collect();
    nearest::names(wanted, known, MOST_NAMESPACES)
}
