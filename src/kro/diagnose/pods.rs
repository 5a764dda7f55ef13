//! The Pods below the workloads of an instance: kro does not look at them, and calls it ACTIVE all the same.

use super::case::{Case, Level};
use super::code::Code;
use super::events;
use super::finding::Finding;
use super::nodes;
use super::refusal;
use crate::kro::graph::Node;
use crate::kro::health::{self, Health};
use crate::kro::state::State;
use crate::kubernetes::{Condition, Event, Object};
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
        let Some(trouble) = trouble(pod) else { continue };
        if told.contains(&trouble.code) {
            continue;
        }
        told.push(trouble.code);
        let alike: Vec<&&Object> = pods
            .iter()
            .filter(|other| self::trouble(other).is_some_and(|other| other.code == trouble.code))
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
    Finding::new(trouble.code, format!("{count}: {}", trouble.what))
        .about(node)
        .seen_all(trouble.detail.iter())
        .seen(names)
        .seen_all(events)
        .seen_all(said)
        .next(trouble.next(namespace, first))
}

/// What is the matter with a Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trouble {
    code: Code,
    what: String,
    detail: Vec<String>,
    container: String,
    /// The scheduler that should have looked at the Pod and has not.
    scheduler: Option<String>,
}

impl Trouble {
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
        let container =
            if self.container.is_empty() { String::new() } else { format!(" -c {}", self.container) };
        if let Some(scheduler) = &self.scheduler {
            return match scheduler.as_str() {
                "default-scheduler" => "see that kube-scheduler runs, as a rule in kube-system".to_owned(),
                other => format!(
                    "see that the scheduler {other} runs, or correct spec.schedulerName in the template"
                ),
            };
        }
        match self.code {
            Code::PODS_CRASHING => {
                format!("read why it ended: kubectl logs -n {namespace} {pod}{container} --previous")
            }
            Code::PODS_IMAGE => {
                "correct the image or the pull secret that the instance or template gives".to_owned()
            }
            Code::PODS_CONFIG => "create what the container refers to, or correct the reference".to_owned(),
            Code::PODS_UNSCHEDULABLE => {
                "give the cluster what is lacking, or ask for less: requests, selectors, tolerations, claims"
                    .to_owned()
            }
            Code::PODS_FAILED => format!("read why it ended: kubectl logs -n {namespace} {pod}"),
            _ => format!("see the events and readiness probes of Pod {pod} in {namespace}⟦ (kro_events)⟧"),
        }
    }
}

fn trouble(pod: &Object) -> Option<Trouble> {
    let Health { state, reason } = health::of(pod);
    if !matches!(state, State::Failing | State::Progressing) {
        return None;
    }
    let reason = reason.unwrap_or_default();
    let stuck = containers(pod).find_map(|container| {
        let waiting = container.pointer("/state/waiting/reason").and_then(Value::as_str)?;
        Some((container, waiting, code(waiting)?))
    });
    if let Some((container, waiting, code)) = stuck {
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        return Some(Trouble {
            code,
            what: format!("container {name}: {waiting}{}", ended(container)),
            // the kubelet's words; what the container itself left in its termination message is not told
            detail: container
                .pointer("/state/waiting/message")
                .and_then(Value::as_str)
                .map(str::to_owned)
                .into_iter()
                .collect(),
            container: name.to_owned(),
            scheduler: None,
        });
    }
    let unscheduled = pod.condition("PodScheduled").filter(Condition::is_false);
    let code = match (state, unscheduled) {
        (_, Some(_)) => Code::PODS_UNSCHEDULABLE,
        (State::Failing, None) => Code::PODS_FAILED,
        _ => Code::PODS_NOT_READY,
    };
    let scheduler = (code == Code::PODS_NOT_READY).then(|| unlooked(pod)).flatten().map(str::to_owned);
    let what = match &scheduler {
        Some(name) => format!("no scheduler has looked at it ({name} should)"),
        None => reason,
    };
    Some(Trouble { code, what, detail: Vec::new(), container: String::new(), scheduler })
}

/// A scheduler binds a Pod or says why not in a condition: without either none has looked at it. Which should.
fn unlooked(pod: &Object) -> Option<&str> {
    let pending = pod.text(&["status", "phase"]).is_none_or(|phase| phase == "Pending");
    let bound = pod.text(&["spec", "nodeName"]).is_some_and(|node| !node.is_empty());
    (pending && !bound && pod.condition("PodScheduled").is_none())
        .then(|| pod.text(&["spec", "schedulerName"]).unwrap_or("default-scheduler"))
}

fn containers(pod: &Object) -> impl Iterator<Item = &Value> {
    ["initContainerStatuses", "containerStatuses"].into_iter().flat_map(|list| pod.items(&["status", list]))
}

fn code(waiting: &str) -> Option<Code> {
    match waiting {
        "CrashLoopBackOff" | "RunContainerError" => Some(Code::PODS_CRASHING),
        "ImagePullBackOff" | "ErrImagePull" | "ErrImageNeverPull" | "InvalidImageName" => {
            Some(Code::PODS_IMAGE)
        }
        "CreateContainerConfigError" | "CreateContainerError" => Some(Code::PODS_CONFIG),
        _ => None,
    }
}

/// `, exit code 1, 12 restarts`
fn ended(container: &Value) -> String {
    let last = container.pointer("/lastState/terminated");
    let number = |value: Option<&Value>| value.and_then(Value::as_i64);
    let reason = last.and_then(|last| last.get("reason")).and_then(Value::as_str);
    let mut told = String::new();
    if let Some(reason) = reason.filter(|reason| *reason != "Error") {
        told.push_str(&format!(", {reason}"));
    }
    if let Some(exit) = number(last.and_then(|last| last.get("exitCode"))) {
        told.push_str(&format!(", exit code {exit}"));
    }
    if let Some(restarts) = number(container.get("restartCount")).filter(|restarts| *restarts > 0) {
        told.push_str(&format!(", {restarts} restarts"));
    }
    told
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
