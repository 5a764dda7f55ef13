//! Packs that are not as they should be, with their manifests.

use super::{
    finding::{Finding, Next, Severity, Subject},
    standing::{Counts, Phase, Standing, said},
};
use crate::palette::api::{
    moment,
    summary::{ManifestStatus, PackStatus},
};

/// Findings about packs that are told one by one.
const MOST: usize = 20;
/// Manifests that one finding names.
const MOST_MANIFESTS: usize = 4;
/// Packs that are named in one line.
const MOST_NAMED: usize = 8;

/// The findings of packs.
pub(super) fn judge(packs: &[PackStatus], phase: Phase, next: &Next, findings: &mut Vec<Finding>) -> Counts {
    let mut counts = Counts::default();
    let (mut found, mut unreported) = (Vec::new(), Vec::new());
    for pack in packs {
        let standing = Standing::of(pack.condition.as_ref());
        counts.add(standing);
        let bad = not_fine(pack, standing);
        let severity = match (standing, phase) {
            (Standing::Fine, _) if bad.is_empty() => continue,
            (Standing::Unreported, _) if bad.is_empty() => {
                unreported.push(pack.name.as_str());
                continue;
            }
            (_, Phase::Deleting) => Severity::Info,
            (Standing::Failing, _) => Severity::Critical,
            (Standing::Working | Standing::Unreported, Phase::Building) => Severity::Info,
            _ => Severity::Warning,
        };
        found.push(finding(pack, standing, &bad, severity, next));
    }
    found.sort_by_key(|finding| finding.severity);
    let more = found.len().saturating_sub(MOST);
    findings.extend(found.into_iter().take(MOST));
    let events = || next.call("palette_cluster_events", "");
    if more > 0 {
        let message = format!("{more} more packs are not as they should be");
        findings.push(Finding::new(Severity::Warning, "packs", &message, events()));
    }
    if !unreported.is_empty() {
        let severity = if phase == Phase::Running { Severity::Warning } else { Severity::Info };
        let named: Vec<&str> = unreported.iter().take(MOST_NAMED).copied().collect();
        let rest = match unreported.len().saturating_sub(named.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message = format!("no status is reported for {}{rest}", named.join(", "));
        findings.push(Finding::new(severity, "packs", &message, events()));
    }
    counts
}

/// The manifests of a pack that are to be told: those that are under way only where the pack is not fine either.
fn not_fine(pack: &PackStatus, standing: Standing) -> Vec<&ManifestStatus> {
    let told = |manifest: &&ManifestStatus| match Standing::of(manifest.condition.as_ref()) {
        Standing::Failing => true,
        Standing::Working => standing != Standing::Fine,
        Standing::Fine | Standing::Unreported => false,
    };
    pack.manifests.iter().filter(told).collect()
}

fn finding(
    pack: &PackStatus,
    standing: Standing,
    bad: &[&ManifestStatus],
    severity: Severity,
    next: &Next,
) -> Finding {
    let condition = pack.condition.as_ref();
    let mut message = match (condition, standing) {
        (_, Standing::Fine) => "it is installed, and not all of its manifests are".to_owned(),
        (Some(condition), _) => said(condition),
        (None, _) => "no status is reported for it".to_owned(),
    };
    for manifest in bad.iter().take(MOST_MANIFESTS) {
        let why = manifest.condition.as_ref().map_or_else(String::new, said);
        message.push_str(&format!("; manifest {}: {why}", manifest.name));
    }
    if bad.len() > MOST_MANIFESTS {
        message.push_str(&format!("; and {} more manifests", bad.len() - MOST_MANIFESTS));
    }
    let check = match bad.iter().find(|manifest| !manifest.uid.is_empty()) {
        Some(manifest) => next.call("palette_pack_manifest", &format!("manifest={}", manifest.uid)),
        None => {
            let events = next.call("palette_cluster_events", "");
            match plain(&pack.name) {
                true => format!(
                    "{events} (those that name {}); {}",
                    pack.name,
                    next.call("palette_pack_manifest", &format!("pack={}", pack.name))
                ),
                false => events,
            }
        }
    };
    let check = match &next.kubernetes {
        Some(cluster) => format!("kubernetes_events cluster={cluster} type=Warning; {check}"),
        None => check,
    };
    let since = condition.and_then(|condition| moment(&condition.last_transition_time));
    let about = format!("pack {} {}", pack.name, pack.version);
    Finding::new(severity, about.trim_end(), &message, check)
        .since(since)
        .on(Subject::Pack(pack.name.clone()))
}

/// Whether it can be written into a call as it is: names are the cluster's word.
fn plain(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
