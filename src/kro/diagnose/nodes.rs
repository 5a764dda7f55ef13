//! What is wrong with the nodes of an instance, one by one.

use super::case::{Case, Level, Owner};
use super::code::Code;
use super::events;
use super::finding::Finding;
use super::refusal::{self, Refusal};
use crate::kro::definition::External;
use crate::kro::graph::{Node, Why};
use crate::kro::instance::{Complaint, Trouble};
use crate::kro::state::State;
use crate::kubernetes::Object;
use std::collections::BTreeMap;

/// Events that are evidence of one finding.
const MOST_EVENTS: usize = 3;
/// Nodes that are named as waiting.
const NAMED: usize = 6;

pub(super) fn findings(case: &Case<'_>, level: &Level<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = level
        .nodes
        .iter()
        .filter(|node| !is_summary(node))
        .flat_map(|node| of_node(case, level, node))
        .collect();
    findings.extend(waiting(level));
    findings
}

/// A collection is told of by its members.
fn is_summary(node: &Node) -> bool {
    node.members.as_ref().is_some_and(|members| !members.is_empty()) && node.state != State::Orphaned
}

/// A node that is not ready may be so because its object failed, and then that comes first.
fn of_node(case: &Case<'_>, level: &Level<'_>, node: &Node) -> Vec<Finding> {
    let failed = matches!(node.why, Why::NotReady(_)) && node.state == State::Failing;
    let object = level.object(node).filter(|_| failed && node.rgd.is_none());
    let own = object.map(crate::kro::health::of).and_then(|health| {
        let itself = Node { reason: health.reason, state: health.state, why: Why::Itself, ..node.clone() };
        finding(case, level, &itself)
    });
    own.into_iter().chain(finding(case, level, node)).collect()
}

fn finding(case: &Case<'_>, level: &Level<'_>, node: &Node) -> Option<Finding> {
    let finding = match (&node.why, node.state) {
        (Why::LeftOut, State::Skipped) => {
            Finding::new(Code::LEFT_OUT, format!("{} is left out on purpose: {}", node.id, words(node)))
                .next("change what includeWhen reads, if it should exist")
        }
        (Why::LeftOutWith(other), State::Skipped) => Finding::new(
            Code::LEFT_OUT_WITH,
            format!("{} is left out because {other}, which it depends on, is left out", node.id),
        )
        .next(format!("see why {other} is left out")),
        (Why::NotServed, _) => Finding::new(
            Code::KIND_NOT_SERVED,
            format!("the cluster does not serve {}, the kind of node {}", kind(node), node.id),
        )
        .next("install the CRD of that kind; if an RGD generates it, kro_diagnose that RGD"),
        (_, State::ExternalMissing) => external(level, node),
        (Why::Complaint(complaint), _) => complained(case, level, node, complaint)?,
        (Why::NotReady(why), State::Progressing | State::Failing | State::Unknown) => {
            not_ready(case, level, node, why)
        }
        (Why::Data { what, expression }, State::Pending) => data(node, what, expression.as_deref()),
        (Why::Contradiction | Why::Unattended, State::Missing) => missing(node),
        (Why::Lost, State::Missing) => lost(node),
        (Why::Itself, State::Pending) if level.standing.complaints.is_empty() => {
            Finding::new(Code::NOT_MADE_YET, format!("kro has not made {} yet", node.id))
                .next("call again in a few seconds: kro goes on every 3 s")
        }
        (Why::Itself, State::Failing | State::Progressing | State::Suspended) => {
            by_itself(case, level, node)?
        }
        (_, State::Orphaned) => {
            Finding::new(Code::ORPHANED, format!("{} is left over: {}", node.object(), words(node)))
                .next("kro prunes it once every node is resolved and applied")
        }
        _ => return None,
    };
    Some(finding.about(node))
}

fn words(node: &Node) -> &str {
    node.reason.as_deref().unwrap_or_default()
}

/// `Kind.group`
fn kind(node: &Node) -> String {
    if node.group.is_empty() { node.kind.clone() } else { format!("{}.{}", node.kind, node.group) }
}

/// `ConfigMap shop/conf`, as much of it as may be told.
fn place(node: &Node) -> String {
    match (&node.namespace, &node.name) {
        (Some(namespace), Some(name)) => format!("{} {namespace}/{name}", node.kind),
        (None, Some(name)) => format!("{} {name}", node.kind),
        _ => node.kind.clone(),
    }
}

fn external(level: &Level<'_>, node: &Node) -> Finding {
    let finding = Finding::new(
        Code::EXTERNAL_MISSING,
        format!("the external reference {} does not exist: {}; kro waits for it", node.id, place(node)),
    );
    let written = level.defined(node).and_then(|defined| match defined.external()? {
        External::Named { name, .. } if name.contains("${") => Some(format!("its name is {name}")),
        External::Named { .. } | External::Selected { .. } => None,
    });
    finding
        .seen_all(written)
        .next(format!("create {}, or correct the field of the instance that names it", place(node)))
}

/// What kro says of a node.
fn complained(case: &Case<'_>, level: &Level<'_>, node: &Node, complaint: &Complaint) -> Option<Finding> {
    let what = place(node);
    Some(match &complaint.trouble {
        Trouble::Conflict => conflict(case, level, node, complaint),
        Trouble::Forbidden { .. } | Trouble::Other => {
            refusal::finding(&complaint.text, &what).seen_all(&complaint.diff)
        }
        Trouble::ReadyWhenFalse(expression) => {
            not_ready(case, level, node, &format!("readyWhen {expression} is false"))
        }
        Trouble::ReadyWhenPending(expression) => {
            not_ready(case, level, node, &format!("readyWhen {expression} has no value yet"))
        }
        Trouble::ExternalMissing => external(level, node),
        Trouble::DataPending(None) => unobserved(node, complaint),
        Trouble::DataPending(Some(_)) | Trouble::Mutated => return None,
        Trouble::Deleting => Finding::new(
            Code::CHILD_MISSING,
            format!("{what} is being deleted, and kro makes it again when it is gone"),
        )
        .seen(&complaint.text)
        .next("see what holds its deletion"),
    })
}

/// kro has no observed state of a node that waits for nothing: a list or watch of its kind that does not come.
fn unobserved(node: &Node, complaint: &Complaint) -> Finding {
    Finding::new(
        Code::DATA_PENDING,
        format!("kro waits for data of {}, and nothing that it reads is seen to be absent", node.id),
    )
    .seen(&complaint.text)
    .next(format!(
        "call again in a minute: a {} that kro may not read looks like this at first, and an index out of range in an \
         expression for ever",
        kind(node)
    ))
}

fn conflict(case: &Case<'_>, level: &Level<'_>, node: &Node, complaint: &Complaint) -> Finding {
    let what = place(node);
    let key = conflicting(level, node, complaint);
    let owner = key.and_then(|key| case.looked.owners.get(&key));
    let cause = match owner {
        Some(Owner::Instance { kind, namespace, name }) => {
            let place = namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
            format!("{what} belongs to another instance already: {kind}/{name}{place}")
        }
        Some(Owner::Hidden) => format!("{what} belongs to an instance in a scope that you may not see"),
        Some(Owner::Stranger) => format!("{what} belongs to an ApplySet that is not kro's"),
        None => format!("{what} belongs to another ApplySet already"),
    };
    Finding::new(Code::APPLYSET_CONFLICT, cause)
        .seen(&complaint.text)
        .next("give it another name in one of the two instances, or delete the one that should not have it")
}

/// The object of a conflict: as kro names it, else the node's own.
pub(super) fn conflicting(
    level: &Level<'_>,
    node: &Node,
    complaint: &Complaint,
) -> Option<(crate::kro::applyset::GroupKind, Option<String>, String)> {
    let kind = crate::kro::applyset::GroupKind::new(&node.group, &node.kind);
    let Refusal::Conflict { object, .. } = refusal::read(&complaint.text) else { return None };
    match object {
        Some((namespace, name)) => Some((kind, namespace.map(str::to_owned), name.to_owned())),
        None => {
            let namespace =
                node.namespace.clone().or_else(|| level.instance().namespace().map(str::to_owned));
            Some((kind, namespace, node.name.clone()?))
        }
    }
}

fn not_ready(case: &Case<'_>, level: &Level<'_>, node: &Node, why: &str) -> Finding {
    let object = level.object(node);
    let own = object.map(crate::kro::health::of).filter(|health| health.state != State::Ready);
    let says = own.and_then(|health| Some(format!("{} says: {}", node.object(), health.reason?)));
    let events = object.map(|object| told_of(case, object)).unwrap_or_default();
    let finding = Finding::new(Code::READY_WHEN_FALSE, format!("{} is not ready: {why}", node.id));
    finding.seen_all(says).seen_all(events).next(format!(
        "make {} fulfil it, or correct the readyWhen of node {} in the RGD",
        node.object(),
        node.id
    ))
}

fn data(node: &Node, what: &str, expression: Option<&str>) -> Finding {
    let finding = Finding::new(
        Code::DATA_PENDING,
        format!("{} ({}) is not made: {what} has no value yet", node.id, kind(node)),
    );
    let source = what.split(['.', '[', ' ']).next().unwrap_or_default();
    let next = match source {
        "schema" => format!("set {} in the instance", what.replacen("schema.", "", 1)),
        _ => format!(
            "look at {source}: what should write that field has not; if nothing ever does, read it with .? and orValue"
        ),
    };
    finding.seen_all(expression.map(|expression| format!("${{{expression}}}"))).next(next)
}

fn missing(node: &Node) -> Finding {
    Finding::new(Code::CHILD_MISSING, format!("{} does not exist: {}", place(node), words(node)))
        .next("kro makes it again at its next look⟦; kro_reconcile (now) asks for one⟧")
}

/// Whether an object is gone and kro speaks as if it were there.
pub(super) fn is_unnoticed(node: &Node) -> bool {
    node.state == State::Missing && matches!(node.why, Why::Lost | Why::Contradiction)
}

fn lost(node: &Node) -> Finding {
    Finding::new(
        Code::CHILD_MISSING,
        format!("{} does not exist any more, and kro has not acted on that: it is not running, or behind", place(node)),
    )
    .seen(words(node))
    .next(
        "see that kro runs: it makes it again within seconds of its going⟦; kro_reconcile (now) asks it to look⟧",
    )
}

/// An object that is not well by its own word.
fn by_itself(case: &Case<'_>, level: &Level<'_>, node: &Node) -> Option<Finding> {
    let reason = words(node);
    let object = level.object(node);
    if node.rgd.is_some() {
        let nested = object.is_some_and(|object| level.collected.nested.contains_key(object.uid()));
        let said = if level.standing.word.as_deref() == Some("ACTIVE") {
            format!(
                "kro says ACTIVE of {}: node {} has no readyWhen that looks at its health",
                level.name(),
                node.id
            )
        } else {
            String::new()
        };
        let next = if nested {
            "see the findings below it".to_owned()
        } else {
            format!("kro_diagnose {}", node.object())
        };
        let cause = format!("the nested instance {} is {}: {reason}", node.object(), node.state);
        return Some(Finding::new(Code::NESTED_UNHEALTHY, cause).seen(said).next(next));
    }
    let events = object.map(|object| told_of(case, object)).unwrap_or_default();
    let refused = refusal::read(reason);
    if matches!(refused, Refusal::Quota(_) | Refusal::Admission | Refusal::Webhook(_)) {
        let what = format!("Pods of {}", node.object());
        return Some(refusal::finding(reason, &what).seen_all(events));
    }
    let code = match node.state {
        State::Failing => Code::CHILD_FAILING,
        State::Suspended => Code::CHILD_SUSPENDED,
        _ => Code::CHILD_PROGRESSING,
    };
    let cause = format!("{} is not well: {reason}", node.object());
    let active = level.standing.word.as_deref() == Some("ACTIVE")
        && level.defined(node).is_some_and(|defined| defined.ready_when.is_empty());
    let said = active.then(|| format!("kro says ACTIVE: node {} has no readyWhen", node.id));
    let next = match object.map(Object::kind) {
        Some("PersistentVolumeClaim") => "see whether a volume or a StorageClass can give what it asks for",
        Some("Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job") => {
            "see its Pods and their events"
        }
        _ => "see the controller of that kind: its conditions and events say why",
    };
    Some(Finding::new(code, cause).seen_all(events).seen_all(said).next(next))
}

/// What Warning events say of an object and, for a Deployment, of its ReplicaSets.
pub(super) fn told_of(case: &Case<'_>, object: &Object) -> Vec<String> {
    let deployment = object.kind() == "Deployment";
    let about = case.looked.warnings.iter().filter(|event| {
        events::is_about(event, object) || deployment && events::is_about_set_of(event, object)
    });
    let mut about: Vec<_> = about.collect();
    about.sort_by_key(|event| std::cmp::Reverse(event.last));
    let mut seen: Vec<&str> = Vec::new();
    about.retain(|event| {
        !seen.contains(&event.reason.as_str()) && {
            seen.push(&event.reason);
            true
        }
    });
    about.into_iter().take(MOST_EVENTS).map(events::line).collect()
}

/// Nodes that wait for others, one finding for what they wait for.
fn waiting(level: &Level<'_>) -> Vec<Finding> {
    let mut waits: BTreeMap<String, Vec<&Node>> = BTreeMap::new();
    for node in level.nodes.iter().filter(|node| node.state == State::Pending) {
        let awaited = match &node.why {
            Why::Nodes(ids) => ids.join(", "),
            Why::Complaint(Complaint { trouble: Trouble::DataPending(Some(id)), .. }) => id.clone(),
            Why::Stopped => "kro, which stopped at an error".to_owned(),
            _ => continue,
        };
        waits.entry(awaited).or_default().push(node);
    }
    let finding = |(awaited, nodes): (String, Vec<&Node>)| {
        let more = nodes.len().saturating_sub(NAMED);
        let named: Vec<&str> = nodes.iter().take(NAMED).map(|node| node.id.as_str()).collect();
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        let verb = if nodes.len() == 1 { "waits" } else { "wait" };
        let finding = Finding::new(Code::WAITS, format!("{}{rest} {verb} for {awaited}", named.join(", ")));
        let finding = match nodes.as_slice() {
            [one] => finding.about(one),
            _ => finding.within(level.nested),
        };
        finding.next("nothing here: it goes on when what it waits for is ready")
    };
    waits.into_iter().map(finding).collect()
}
