//! What is wrong in a mesh. Nothing is said to be missing of what was not read to its end.

mod ends;
mod filters;
mod loops;
mod missing;
mod readiness;

use std::collections::HashSet;

use super::{Finding, Mesh, walk::Work};
use crate::knative::resource::{Reference, Resources};

/// Codes, the worst first.
const ORDER: [&str; 13] = [
    "broker-missing",
    "channel-missing",
    "target-missing",
    "no-such-kind",
    "not-addressable",
    "source-without-sink",
    "loop",
    "not-ready",
    "trigger-never-matches",
    "trigger-matches-nothing-known",
    "event-type-without-source",
    "event-type-without-consumer",
    "dead-end",
];

pub(super) fn of(mesh: &Mesh, resources: &Resources) -> Vec<Finding> {
    let mut work = Work::default();
    let mut findings = missing::of(mesh, resources);
    let told: HashSet<Reference> = findings.iter().map(|finding| finding.about.clone()).collect();
    findings.extend(readiness::of(mesh, resources).filter(|finding| !told.contains(&finding.about)));
    findings.extend(filters::never(mesh, resources));
    findings.extend(filters::nothing_known(mesh, resources, &mut work));
    findings.extend(loops::of(mesh, &mut work));
    findings.extend(ends::of(mesh, resources, &mut work));
    let rank = |finding: &Finding| ORDER.iter().position(|code| *code == finding.code);
    findings.sort_by(|one, other| {
        (rank(one), &one.about, &one.what).cmp(&(rank(other), &other.about, &other.what))
    });
    findings.dedup();
    findings
}

/// Whether all that is not read whole is of kinds that are referred to and do nothing else, or of these groups.
fn is_whole_but_for(resources: &Resources, groups: &[&str]) -> bool {
    resources.unread.iter().all(|unread| {
        let Some((kind, group)) = unread.kind.split_once('.') else { return unread.kind == "Service" };
        let is_target = |reference: &Reference| reference.kind == kind && reference.group == group;
        groups.contains(&group) || resources.targets.keys().any(is_target)
    })
}
