//! What was found, in words: what tells the most stands first, the manifest last, where it may be cut.

use jiff::Timestamp;

use super::{
    Output,
    below::{Below, PodRow},
    owners::Above,
};
use crate::{
    answer::{Table, sanitise},
    kubernetes::{Condition, Event, Object, events::ago},
};

/// Conditions that are told of one object.
const MOST_CONDITIONS: usize = 15;
const LONGEST_MESSAGE: usize = 300;
/// Pods that the first line names.
const NAMED: usize = 3;

pub(super) fn summary(object: &Object, cluster: &str, above: &Above, below: &Below) -> String {
    let place = object.namespace().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    let mut line = format!("{}/{}{place} ({cluster})", object.kind(), object.name());
    if object.deletion().is_some() {
        let finalizers = object.finalizers();
        let held = if finalizers.is_empty() {
            String::new()
        } else {
            format!(", held by {}", finalizers.join(", "))
        };
        line.push_str(&format!(" is being deleted{held}"));
    }
    if let Some(owner) = above.objects.last() {
        line.push_str(&format!(", owned by {}/{}", owner.kind(), owner.name()));
    }
    if !below.looked {
        return line;
    }
    let all = below.rows.len() + below.left_out;
    let unwell: Vec<&PodRow> = below.unwell().collect();
    match (object.kind(), all, unwell.as_slice()) {
        ("Pod", _, [pod, ..]) => line.push_str(&format!(": {}", pod.trouble.as_deref().unwrap_or_default())),
        ("Pod", ..) => line.push_str(": nothing is the matter with it by its status"),
        (_, 0, _) => line.push_str(": it has no Pods"),
        (_, all, []) => line.push_str(&format!(": none of its {all} Pods is in trouble")),
        (_, all, unwell) => {
            let named = unwell.iter().take(NAMED);
            let named: Vec<String> = named
                .map(|pod| format!("{}: {}", pod.name, pod.trouble.as_deref().unwrap_or_default()))
                .collect();
            line.push_str(&format!(": {} of its {all} Pods in trouble: {}", unwell.len(), named.join("; ")));
        }
    }
    line
}

/// `Deployment/web: Available=False (MinimumReplicasUnavailable: …)`
pub(super) fn owner(object: &Object) -> String {
    let conditions = conditions(object);
    let told = if conditions.is_empty() { String::new() } else { format!(": {}", conditions.join("; ")) };
    format!("{}/{}{told}", object.kind(), object.name())
}

pub(super) fn conditions(object: &Object) -> Vec<String> {
    object.conditions().iter().take(MOST_CONDITIONS).map(condition).collect()
}

fn condition(condition: &Condition<'_>) -> String {
    let why = [condition.reason, condition.message].into_iter().filter(|text| !text.is_empty());
    let why = sanitise::short(&why.collect::<Vec<_>>().join(": "), LONGEST_MESSAGE);
    let why = if why.is_empty() { why } else { format!(" ({why})") };
    format!("{}={}{why}", sanitise::short(condition.kind, 80), sanitise::short(condition.status, 20))
}

/// `5m ago Pod/web-1 BackOff x7: back-off restarting failed container`
pub(super) fn warning(event: &Event, now: Timestamp) -> String {
    let times = if event.count > 1 { format!(" x{}", event.count) } else { String::new() };
    let last = Some(ago(event.last, now)).filter(|ago| !ago.is_empty());
    let last = last.map(|ago| format!("{ago} ago ")).unwrap_or_default();
    let reason = sanitise::short(&event.reason, 80);
    format!(
        "{last}{} {reason}{times}: {}",
        event.about.shown(),
        sanitise::short(&event.message, LONGEST_MESSAGE)
    )
}

pub(super) fn body(output: &Output, left_out: usize) -> String {
    let list = |title: &str, lines: &[String]| match lines {
        [] => String::new(),
        lines => format!("{title}:\n  {}\n", lines.join("\n  ")),
    };
    let manifest = serde_saphyr::to_string(&output.manifest).unwrap_or_else(|_| output.manifest.to_string());
    [
        list("owners, the nearest first", &output.owners),
        list("conditions", &output.conditions),
        pods(&output.pods, left_out),
        list("warnings about its owners and what it owns", &output.warnings),
        format!("manifest:\n{manifest}"),
    ]
    .concat()
}

fn pods(rows: &[PodRow], left_out: usize) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["pod", "phase", "ready", "restarts", "node", "trouble"]);
    for row in rows {
        let node = row.node.as_deref().unwrap_or("-");
        let trouble =
            row.trouble.iter().chain(&row.detail).map(String::as_str).collect::<Vec<_>>().join("; ");
        table.row([&*row.name, &row.phase, &row.ready, &row.restarts.to_string(), node, &trouble]);
    }
    let more = if left_out > 0 { format!("and {left_out} more Pods\n") } else { String::new() };
    format!("{}\n{more}", table.into_text())
}
