//! The cluster group that a virtual cluster is made in: what one of its clusters may have, and what is left.

use crate::{
    Error, ErrorKind,
    answer::sanitise,
    nearest,
    palette::{
        Access, Ask, Place,
        api::group::{ClusterGroup, GroupResource, GroupSummaries, GroupSummary, LimitConfig},
    },
};

/// Names that an error suggests.
const NEAREST: usize = 5;
/// What the vendor's own wizard offers: cores, GiB of memory, GiB of storage.
const DEFAULT: Size = Size { cpu: 4, memory_mib: 8 << 10, storage_gib: 20 };

/// How large a virtual cluster may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Cores.
    pub cpu: u32,
    /// MiB
    pub memory_mib: u32,
    /// GiB
    pub storage_gib: u32,
}

/// A group that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// What the list tells.
    pub summary: GroupSummary,
    /// The group.
    pub whole: ClusterGroup,
}

/// The group of this name or uid that virtual clusters of the place may be made in: one of the place, or of the
/// tenant.
///
/// # Errors
/// None, or several; or Palette could not be asked.
pub async fn group(access: &Access, place: &Place, written: &str) -> Result<Found, Error> {
    let listed: GroupSummaries = access.ask(place, Ask::get(&["clustergroups", "hostCluster"])).await?;
    let usable = |of: &Place| *of == Place::Tenant || of.project_uid() == place.project_uid();
    let rows = listed.summaries.into_iter().filter(|row| usable(&row.metadata.place()));
    let (mut meant, others): (Vec<_>, Vec<_>) =
        rows.partition(|row| row.metadata.uid == written || row.metadata.name == written);
    let shown = sanitise::short(written, 80);
    let Some(summary) = meant.pop() else {
        // what is the tenant's is told to who sees the tenant
        let told = |row: &&GroupSummary| {
            let at = row.metadata.place();
            at != Place::Tenant || access.sees(&at)
        };
        let names = others.iter().filter(told).map(|row| row.metadata.name.as_str());
        return Err(Error::not_found(format!("there is no cluster group {shown:?} for {place}"))
            .candidates(nearest::names(written, names, NEAREST))
            .next("call palette_cluster_groups to see those that you may see"));
    };
    if !meant.is_empty() {
        let uids = meant.into_iter().chain([summary]).map(|row| row.metadata.uid);
        return Err(Error::new(ErrorKind::Conflict, format!("the cluster group {shown:?} is ambiguous"))
            .candidates(uids)
            .next("pass one of these uids as group"));
    }
    let whole: ClusterGroup = access.ask(place, Ask::get(&["clustergroups", &summary.metadata.uid])).await?;
    if whole.status.is_active == Some(false) {
        let message = format!("the cluster group {shown:?} takes no virtual clusters: it is not active");
        return Err(Error::invalid_input(format!("the argument \"group\": {message}")));
    }
    Ok(Found { summary, whole })
}

impl Size {
    /// What was asked for; for the rest what the vendor's wizard offers, within the group's limits.
    pub fn of(
        cpu: Option<u32>,
        memory_gib: Option<u32>,
        storage_gib: Option<u32>,
        limits: &LimitConfig,
    ) -> Self {
        let least = |offered: u32, limit: Option<u64>| {
            limit
                .and_then(|limit| u32::try_from(limit).ok())
                .map_or(offered, |limit| offered.min(limit).max(1))
        };
        let (cores, memory, storage) = bounds(limits);
        let memory_gib = memory_gib.map(|gib| gib.saturating_mul(1024));
        Self {
            cpu: cpu.unwrap_or_else(|| least(DEFAULT.cpu, cores.map(|milli| milli / 1000))),
            memory_mib: memory_gib.unwrap_or_else(|| least(DEFAULT.memory_mib, memory)),
            storage_gib: storage_gib.unwrap_or_else(|| least(DEFAULT.storage_gib, storage)),
        }
    }

    /// What of it is over the limits of one virtual cluster, each with its argument.
    pub fn over(self, limits: &LimitConfig) -> Vec<String> {
        let (cores, memory, storage) = bounds(limits);
        let over = |argument: &str, asked: u64, limit: Option<u64>, shown: String| {
            limit.filter(|limit| asked > *limit).map(|_| format!("{argument}: at most {shown}"))
        };
        let shown = |limit: Option<u64>, per: f64| limit.map_or(0.0, |limit| limit as f64 / per);
        [
            over("cpu", u64::from(self.cpu) * 1000, cores, format!("{} cores", shown(cores, 1000.0))),
            over("memory_gib", u64::from(self.memory_mib), memory, format!("{} GiB", shown(memory, 1024.0))),
            over("storage_gib", u64::from(self.storage_gib), storage, format!("{} GiB", shown(storage, 1.0))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { cpu, memory_mib, storage_gib } = self;
        write!(
            f,
            "at most {cpu} cores, {} GiB memory, {storage_gib} GiB storage",
            f64::from(*memory_mib) / 1024.0
        )
    }
}

/// Millicores, MiB, GiB; nothing where there is no limit.
fn bounds(limits: &LimitConfig) -> (Option<u64>, Option<u64>, Option<u64>) {
    let set = |number: Option<u64>| number.filter(|number| *number > 0);
    let cores = set(limits.cpu).map(|cores| cores.saturating_mul(1000));
    let memory = set(limits.memory_mib).or(set(limits.memory));
    (set(limits.cpu_milli_core).or(cores), memory, set(limits.storage_gib))
}

/// What is known of the room in the group, a line each, and whether it is too little.
pub fn room(summary: &GroupSummary, size: Size) -> Vec<(String, bool)> {
    let memory = f64::from(size.memory_mib) / 1024.0;
    let measures =
        [(summary.spec.cpu, f64::from(size.cpu), "cores"), (summary.spec.memory, memory, "GiB memory")];
    let line = |(of, asked, unit): (GroupResource, f64, &str)| {
        let (all, used) = of.allocated.filter(|all| *all > 0.0).zip(of.used)?;
        let full = used + asked > all;
        let end = if full { ": TOO LITTLE is left, Palette may refuse it" } else { "" };
        Some((format!("the group has {used} of {all} {unit} in use, {asked} more are asked for{end}"), full))
    };
    measures.into_iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_within_the_limits_of_its_group_or_says_which_it_is_over() {
        let limits = LimitConfig {
            cpu_milli_core: Some(2500),
            memory_mib: Some(4096),
            storage_gib: Some(0),
            ..LimitConfig::default()
        };
        assert_eq!(Size::of(None, None, None, &limits), Size { cpu: 2, memory_mib: 4096, storage_gib: 20 });
        assert!(Size::of(None, None, None, &limits).over(&limits).is_empty());
        let over = Size::of(Some(3), Some(5), Some(900), &limits).over(&limits);
        assert_eq!(over, ["cpu: at most 2.5 cores", "memory_gib: at most 4 GiB"]);
        assert!(Size::of(Some(u32::MAX), Some(u32::MAX), None, &limits).over(&limits).len() == 2);
    }

    #[test]
    fn what_is_left_of_a_group_is_told_where_it_is_known() {
        let mut summary = GroupSummary::default();
        assert!(room(&summary, DEFAULT).is_empty());
        summary.spec.cpu = GroupResource { allocated: Some(16.0), used: Some(14.0) };
        summary.spec.memory = GroupResource { allocated: Some(64.0), used: Some(12.0) };
        let told = room(&summary, DEFAULT);
        assert_eq!(told.iter().map(|(_, full)| *full).collect::<Vec<_>>(), [true, false]);
    }
}
