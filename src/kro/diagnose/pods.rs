//! The Pods below the workloads of an instance: kro does not look at them, and calls it ACTIVE all the same.

use super::case::{Case, Level};
use super::code::Code;
use super::events;
use super::finding::Finding;
use super::nodes;
use super::refusal;
use crate::kro::graph::Node;
use crate::kro::state::State;
use crate::kubernetes::{
    Event, Object,
    pods::{self, Cause},
};
use serde_json::Value;

/// Pods that are named.
const NAMED: usize = 3;

/// What runs Pods, by group and kind.
pub(super) fn runs_pods(group: &str, kind: &str) -> bool {
    matches!(
        (group, kind),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch", "Job") | ("", "Pod")
    )
}

/// Whether a node is a workload whose Pods tell more.
pub(super) fn is_unwell(node: &Node) -> bool {
    runs_pods(&node.group, &node.kind) && matches!(node.state, State::Failing | State::Progressing)
}

pub(super) fn findings(case: &Case<'_>, level: &Level<'_>) -> Vec<Finding> {
    let unwell = level.nodes.iter().filter(|node| is_unwell(node) && node.members.is_none());
    unwell
        .filter_map(|node| level.object(node).map(|object| (*node, object)))
        .flat_map(|(node, object)| workload(case, level, node, object))
        .collect()
}

fn workload(case: &Case<'_>, level: &Level<'_>, node: &Node, object: &Object) -> Vec<Finding> {
    let pods: Vec<&Object> = match object.kind() {
        "Pod" => vec![object],
        _ => case.looked.pods.iter().filter(|pod| is_of(pod, object)).collect(),
    };
    let mut findings: Vec<Finding> = Vec::new();
    let mut told: Vec<Code> = Vec::new();
    for pod in &pods {
        let Some(trouble) = Trouble::of(pod) else { continue };
        if told.contains(&trouble.code) {
            continue;
        }
        told.push(trouble.code);
        let alike: Vec<&&Object> = pods
            .iter()
            .filter(|other| Trouble::of(other).is_some_and(|other| other.code == trouble.code))
            .collect();
        findings.push(finding(case, level, node, &trouble, &alike, pods.len()));
    }
    if pods.len() < 2 && object.kind() != "Pod" || findings.is_empty() {
        findings.extend(refused(case, node, object));
    }
    findings
}

/// Pods that were not made: the event of the ReplicaSet or StatefulSet says why.
fn refused(case: &Case<'_>, node: &Node, object: &Object) -> Option<Finding> {
    let of = |event: &&Event| {
        event.reason == "FailedCreate"
            && (events::is_about(event, object) || events::is_about_set_of(event, object))
    };
    let event = case.looked.warnings.iter().filter(of).max_by_key(|event| event.last)?;
    // the same words are in the condition of a Deployment
    let known = node.reason.as_deref().is_some_and(|reason| refusal::read(reason) != refusal::Refusal::Other);
    let finding = refusal::finding(&event.message, &format!("Pods of {}", node.object()));
    (!known).then(|| finding.about(node).seen(events::line(event)))
}

fn finding(
    case: &Case<'_>,
    level: &Level<'_>,
    node: &Node,
    trouble: &Trouble,
    alike: &[&&Object],
    all: usize,
) -> Finding {
    let count = match (node.kind.as_str(), alike.len(), all) {
        ("Pod", ..) => format!("{} {}", node.object(), trouble.verb(1)),
        (_, count, all) => format!("{count} of {all} Pods of {} {}", node.object(), trouble.verb(count)),
    };
    let active = level.standing.word.as_deref() == Some("ACTIVE");
    let said = active.then(|| format!("kro says ACTIVE of {}: it does not look at Pods", level.name()));
    let named: Vec<&str> = alike.iter().take(NAMED).map(|pod| pod.name()).collect();
    let names = if node.kind == "Pod" { String::new() } else { format!("Pods: {}", named.join(", ")) };
    let events = alike.first().map(|pod| nodes::told_of(case, pod)).unwrap_or_default();
    let first = alike.first().map(|pod| pod.name()).unwrap_or_default();
    let namespace = node.namespace.as_deref().unwrap_or_default();
    Finding::new(trouble.code, format!("{count}: {}", trouble.told.what))
        .about(node)
        .seen_all(trouble.told.detail.iter())
        .seen(names)
        .seen_all(events)
        .seen_all(said)
        .next(trouble.next(namespace, first))
}

/// What is the matter with a Pod, as a finding.
struct Trouble {
    code: Code,
    told: pods::Trouble,
}

impl Trouble {
    fn of(pod: &Object) -> Option<Self> {
        let told = pods::trouble(pod)?;
        let code = match told.cause {
            Cause::Crashing => Code::PODS_CRASHING,
            Cause::Image => Code::PODS_IMAGE,
            Cause::Config => Code::PODS_CONFIG,
            Cause::Unschedulable => Code::PODS_UNSCHEDULABLE,
            Cause::Failed => Code::PODS_FAILED,
            Cause::NotReady | Cause::Unlooked(_) => Code::PODS_NOT_READY,
        };
        Some(Self { code, told })
    }

    fn verb(&self, count: usize) -> &'static str {
        match (self.code, count) {
            (Code::PODS_CRASHING, 1) => "crashes again and again",
            (Code::PODS_CRASHING, _) => "crash again and again",
            (Code::PODS_NOT_READY, 1) => "is not ready",
            (Code::PODS_NOT_READY, _) => "are not ready",
            (Code::PODS_FAILED, _) => "failed",
            (Code::PODS_UNSCHEDULABLE, _) => "cannot be scheduled",
            _ => "cannot start",
        }
    }

    fn next(&self, namespace: &str, pod: &str) -> String {
        let container = match self.told.container.as_str() {
            "" => String::new(),
            container => format!(" -c {container}"),
        };
        match &self.told.cause {
            Cause::Unlooked(scheduler) => match scheduler.as_str() {
                "default-scheduler" => "see that kube-scheduler runs, as a rule in kube-system".to_owned(),
                other => format!(
                    "see that the scheduler {other} runs, or correct spec.schedulerName in the template"
                ),
            },
            Cause::Crashing => {
                format!("read why it ended: kubectl logs -n {namespace} {pod}{container} --previous")
            }
            Cause::Image => {
                "correct the image or the pull secret that the instance or template gives".to_owned()
            }
            Cause::Config => "create what the container refers to, or correct the reference".to_owned(),
            Cause::Unschedulable => {
                "give the cluster what is lacking, or ask for less: requests, selectors, tolerations, claims"
                    .to_owned()
            }
            Cause::Failed => format!("read why it ended: kubectl logs -n {namespace} {pod}"),
            Cause::NotReady => {
                format!("see the events and readiness probes of Pod {pod} in {namespace}⟦ (kro_events)⟧")
            }
        }
    }
}

/// Whether a Pod is a workload's: by the uid of its controller, and for a Deployment by the name that its
/// ReplicaSets have, so that these need not be read.
fn is_of(pod: &Object, workload: &Object) -> bool {
    if pod.namespace() != workload.namespace() {
        return false;
    }
    let owners = pod.items(&["metadata", "ownerReferences"]).iter();
    let mut owners = owners.filter(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true));
    let Some(owner) = owners.next() else { return false };
    let text = |field: &str| owner.get(field).and_then(Value::as_str).unwrap_or_default();
    if workload.kind() != "Deployment" {
        return text("uid") == workload.uid();
    }
    let hash = pod.label("pod-template-hash").unwrap_or_default();
    text("kind") == "ReplicaSet"
        && text("name") == format!("{}-{hash}", workload.name())
        && selected(pod, workload)
}

fn selected(pod: &Object, workload: &Object) -> bool {
    let labels = workload.at(&["spec", "selector", "matchLabels"]).and_then(Value::as_object);
    labels.into_iter().flatten().all(|(key, value)| pod.label(key) == value.as_str())
}
