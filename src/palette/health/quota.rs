//! What a virtual cluster uses of its quota.

use super::finding::{Finding, Next, Severity};
use crate::palette::{
    api::summary::ClusterSummary,
    fleet::{Measure, pressure::Pressure},
};

/// The findings of a quota that is nearly, or wholly, used up.
pub(super) fn judge(summary: &ClusterSummary, next: &Next) -> Vec<Finding> {
    let metrics = &summary.status.metrics;
    let measures = [("CPU", Measure::from(metrics.cpu.clone())), ("memory", metrics.memory.clone().into())];
    let finding = |(what, measure): &(&str, Measure)| {
        let (severity, said) = match measure.pressure() {
            Pressure::Full => (Severity::Critical, "the quota is used up"),
            Pressure::High => (Severity::Warning, "little of the quota is left"),
            Pressure::Low | Pressure::Unknown => return None,
        };
        let check = format!(
            "{}; give it more in Palette, or take load away",
            next.call("palette_virtual_clusters", "")
        );
        Some(Finding::new(severity, &format!("{what} quota"), &format!("{said}: {}", measure.line()), check))
    };
    measures.iter().filter(|_| summary.is_virtual()).filter_map(finding).collect()
}
