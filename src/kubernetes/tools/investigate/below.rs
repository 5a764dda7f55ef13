//! The Pods of an object, however far down they are owned, and the warnings about all that is between.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    answer::sanitise,
    kubernetes::{
        Access, Event, Fault, Kind, Listed, Object, Ownership, Reference, Selector, Taking,
        events::{About, events, merged},
        pods::{self, Trouble},
    },
    toolbox::Call,
};

/// Pods, and warnings, that are told.
const MOST_PODS: usize = 30;
const MOST_WARNINGS: usize = 30;
/// Objects that warnings are about and whose owners are looked for.
const MOST_UNKNOWN: usize = 2_000;
const LONGEST_DETAIL: usize = 400;

/// What is read of a Pod; its spec is the larger part.
const METADATA: [&str; 7] =
    ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "ownerReferences", "labels"];
const SPEC: [&str; 4] = ["nodeName", "schedulerName", "containers", "initContainers"];
const CONTAINER: [&str; 2] = ["name", "restartPolicy"];

/// Groups whose kinds own no Pods.
const WITHOUT_PODS: [&str; 8] = [
    "rbac.authorization.k8s.io",
    "networking.k8s.io",
    "policy",
    "autoscaling",
    "discovery.k8s.io",
    "coordination.k8s.io",
    "events.k8s.io",
    "storage.k8s.io",
];

/// One Pod.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct PodRow {
    pub(super) name: String,
    pub(super) phase: String,
    /// As `1/2`.
    pub(super) ready: String,
    pub(super) restarts: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) node: Option<String>,
    /// Why it waits, or does not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trouble: Option<String>,
    /// In the kubelet's or the scheduler's words, and how each container ended the last time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) detail: Vec<String>,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Below {
    pub(super) rows: Vec<PodRow>,
    /// Pods that are not among the rows.
    pub(super) left_out: usize,
    /// Whether Pods were looked for.
    pub(super) looked: bool,
    pub(super) gaps: Vec<String>,
    warnings: Vec<Object>,
    ownership: Ownership,
}

/// Looks for the Pods of an object, and for what is reported about them, it, and what is between.
pub(super) async fn read(access: &Access, kind: &Kind, object: &Object) -> Below {
    let mut below = Below::default();
    let Some(namespace) = object.namespace() else { return below };
    let Ok(kinds) = access.kinds().await else { return below };
    let warns = |event: &Object| Event::read(event).is_warning();
    let warnings = events(access, &kinds, Some(namespace), About::All, &warns);
    let (pods, warnings) = futures::join!(pods(access, kind, object, namespace), warnings);
    below.looked = pods.is_some();
    let pods = below.take("Pods", namespace, pods.unwrap_or_else(|| Ok(Listed::default())));
    below.warnings = below.take("events", namespace, warnings);
    below.ownership = Ownership::of([object]);
    pods.iter().for_each(|pod| below.ownership.learn(pod));
    if below.looked {
        let about = below.warnings.iter().map(|event| Event::read(event).about);
        let about = about.filter(|about| about.namespace.is_some() && !about.uid.is_empty());
        let wanted: BTreeSet<Reference> = pods.iter().map(Reference::of).chain(about).collect();
        let wanted: Vec<Reference> = wanted.into_iter().take(MOST_UNKNOWN).collect();
        below.ownership.climb(access, &kinds, &wanted).await;
        below.gaps.extend(below.ownership.gaps().map(str::to_owned));
    }
    let theirs = pods.iter().filter(|pod| below.ownership.root_of(pod.uid()).is_some());
    let mut rows: Vec<PodRow> = theirs.map(row).collect();
    rows.sort_by(|a, b| a.trouble.is_none().cmp(&b.trouble.is_none()).then_with(|| a.name.cmp(&b.name)));
    below.left_out = rows.len().saturating_sub(MOST_PODS);
    rows.truncate(MOST_PODS);
    below.rows = rows;
    below
}

/// The Pods of the namespace, or the one that is looked at; `None` where the kind owns none.
async fn pods(
    access: &Access,
    kind: &Kind,
    object: &Object,
    namespace: &str,
) -> Option<Result<Listed, Fault>> {
    if kind.group.is_empty() && kind.kind == "Pod" {
        return Some(Ok(Listed { items: vec![object.clone()], ..Listed::default() }));
    }
    let none = kind.group.is_empty() && kind.kind != "ReplicationController";
    if none || WITHOUT_PODS.contains(&kind.group.as_str()) {
        return None;
    }
    let kinds = access.kinds().await.ok()?;
    let kind = kinds.find("", "Pod")?;
    Some(access.list_taking(kind, Some(namespace), &Selector::all(), Taking::whole(&lean)).await)
}

fn lean(pod: &mut Object) -> bool {
    for (member, kept) in [("metadata", &METADATA[..]), ("spec", &SPEC)] {
        if let Some(member) = pod.members_mut().get_mut(member).and_then(Value::as_object_mut) {
            member.retain(|key, _| kept.contains(&key.as_str()));
            for list in ["containers", "initContainers"] {
                let containers = member.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
                for container in containers.filter_map(Value::as_object_mut) {
                    container.retain(|key, _| CONTAINER.contains(&key.as_str()));
                }
            }
        }
    }
    true
}

impl Below {
    fn take(&mut self, what: &str, namespace: &str, listed: Result<Listed, Fault>) -> Vec<Object> {
        match listed {
            Ok(listed) => {
                self.gaps.extend(listed.cut.map(|why| format!("{what} in {namespace}: {why}")));
                listed.items
            }
            Err(fault) => {
                self.gaps.push(format!("{what} in {namespace}: {fault}"));
                Vec::new()
            }
        }
    }

    /// The warnings about the owners of an object and what it owns, the latest first. Those about itself are a
    /// part of the prompt of their own.
    pub(super) fn warnings(
        &mut self,
        call: &Call,
        object: &Object,
        owners: &[Object],
        now: Timestamp,
    ) -> Vec<String> {
        let known: HashSet<&str> = owners.iter().map(Object::uid).collect();
        let warnings = std::mem::take(&mut self.warnings).into_iter().map(|mut event| {
            // messages are cut, and a part of a secret value is not found any more
            call.scrub(&mut event);
            Event::read(&event)
        });
        let mut theirs = merged(warnings);
        theirs.retain(|event| {
            let uid = event.about.uid.as_str();
            let another = !uid.is_empty() && uid != object.uid();
            another && (known.contains(uid) || self.ownership.root_of(uid).is_some())
        });
        theirs.sort_by_key(|event| std::cmp::Reverse(event.last));
        let more = theirs.len().saturating_sub(MOST_WARNINGS);
        let mut lines: Vec<String> =
            theirs.iter().take(MOST_WARNINGS).map(|event| super::text::warning(event, now)).collect();
        lines.extend((more > 0).then(|| format!("and {more} older ones")));
        lines
    }

    /// Pods in trouble.
    pub(super) fn unwell(&self) -> impl Iterator<Item = &PodRow> {
        self.rows.iter().filter(|row| row.trouble.is_some())
    }
}

fn row(pod: &Object) -> PodRow {
    let containers: Vec<&Value> = pods::containers(pod).collect();
    let restarts = containers.iter().filter_map(|container| container.get("restartCount")?.as_i64());
    let phase = if pod.deletion().is_some() { "Terminating" } else { "Unknown" };
    let told = pods::trouble(pod);
    PodRow {
        name: pod.name().to_owned(),
        phase: pod
            .text(&["status", "phase"])
            .filter(|_| pod.deletion().is_none())
            .unwrap_or(phase)
            .to_owned(),
        ready: ready(pod),
        restarts: restarts.sum(),
        node: pod.text(&["spec", "nodeName"]).map(|node| sanitise::short(node, 253)),
        detail: told.as_ref().map(|told| detail(told, &containers)).unwrap_or_default(),
        trouble: told.map(|told| sanitise::short(&told.what, LONGEST_DETAIL)),
    }
}

/// As kubectl counts (`printPod`): the containers of the spec, whether or not they have a status yet, and the
/// sidecars.
fn ready(pod: &Object) -> String {
    let is_sidecar =
        |container: &&Value| container.get("restartPolicy").and_then(Value::as_str) == Some("Always");
    let sidecars: HashSet<&str> =
        pod.items(&["spec", "initContainers"]).iter().filter(is_sidecar).map(pods::name).collect();
    let statuses = |list: &str| pod.items(&["status", list]).iter();
    let is_ready = |container: &&Value| container.get("ready").and_then(Value::as_bool) == Some(true);
    let main = statuses("containerStatuses").filter(is_ready).count();
    let beside = statuses("initContainerStatuses").filter(is_ready);
    let beside = beside.filter(|container| sidecars.contains(pods::name(container))).count();
    format!("{}/{}", main + beside, pod.items(&["spec", "containers"]).len() + sidecars.len())
}

fn detail(told: &Trouble, containers: &[&Value]) -> Vec<String> {
    let kubelet = told.detail.as_ref().map(|detail| sanitise::short(detail, LONGEST_DETAIL));
    let others = containers.iter().filter(|container| pods::name(container) != told.container);
    let ended = others.filter_map(|container| {
        let ended = pods::ended(container);
        let waiting = container.pointer("/state/waiting/reason").and_then(Value::as_str);
        let state = waiting.map(|reason| format!(", waits: {}", sanitise::short(reason, 80)));
        let state = format!("{}{ended}", state.unwrap_or_default());
        (!state.is_empty()).then(|| format!("container {}{state}", pods::name(container)))
    });
    kubelet.into_iter().chain(ended).collect()
}
