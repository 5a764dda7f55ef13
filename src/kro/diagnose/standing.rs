//! What is wrong with an instance itself: its RGD, its revision, kro's attention.

use super::case::{Case, Level};
use super::code::Code;
use super::controller;
use super::fields;
use super::finding::Finding;
use super::nodes;
use super::refusal;
use super::rgd;
use crate::kro::graph::{Node, Rgd, Why};
use crate::kro::instance::{self, Trouble};
use crate::kro::labels;
use crate::kubernetes::{Condition, Object};

/// Seconds after which "cluster mutated" is no longer a pass among others.
const FIGHT: i64 = 20;
/// Changes of a child beyond those that its instance and RGD explain.
const RACING: i64 = 20;
/// Seconds within which a rival's last write is fresh.
const FRESH: i64 = 120;

pub(super) fn findings(case: &Case<'_>, level: &Level<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let instance = level.instance();
    if let Rgd::Gone(name) = &level.collected.rgd {
        findings.push(gone(level, name));
    } else {
        findings.extend(attention(case, level));
    }
    findings.extend(suspended(level));
    let stuck = blocks(level) || !findings.is_empty() && !instance::is_suspended(instance);
    findings.extend(of_the_rgd(case, level, stuck));
    findings.extend(resolution(level));
    findings.extend(management(level));
    if instance.deletion().is_none() && level.standing.frozen.is_none() {
        findings.extend(fight(case, level));
        findings.extend(unclaimed(level));
    }
    findings.into_iter().map(|finding| place(finding, level)).collect()
}

fn place(finding: Finding, level: &Level<'_>) -> Finding {
    let finding = if finding.object.is_none() { finding.on(level.instance()) } else { finding };
    if finding.node.is_none() { finding.within(level.nested) } else { finding }
}

fn gone(level: &Level<'_>, rgd: &str) -> Finding {
    let instance = level.instance();
    let held = instance.finalizers().contains(&labels::FINALIZER);
    let word = level.standing.word.as_deref().unwrap_or("nothing");
    let deleting = match instance.deletion() {
        Some(since) => format!(", so that its deletion, asked for at {since}, does not end"),
        None => String::new(),
    };
    let finding = Finding::new(
        Code::RGD_GONE,
        format!("RGD {rgd} does not exist: nothing reconciles or deletes {}{deleting}", level.name()),
    )
    .seen(format!("kro last said {word}, which nobody keeps true"));
    let finding =
        if held { finding.seen(format!("metadata.finalizers: {}", labels::FINALIZER)) } else { finding };
    finding
        .next(format!("apply RGD {rgd} again⟦ (kro_apply_rgd)⟧: its instances are taken up within seconds"))
}

fn suspended(level: &Level<'_>) -> Option<Finding> {
    let instance = level.instance();
    if !instance::is_suspended(instance) || instance.deletion().is_some() {
        return None;
    }
    let value = labels::reconcile(instance).unwrap_or_default();
    let finding = Finding::new(
        Code::SUSPENDED,
        format!("{} is suspended: kro neither applies changes nor repairs its children", level.name()),
    )
    .seen(format!("metadata.annotations[kro.run/reconcile]: {value}"));
    let ready = instance.condition("Ready").filter(|condition| !condition.is_true());
    let finding = finding.seen_all(ready.map(|condition| told(&condition)));
    Some(finding.next("resume it⟦ with kro_reconcile⟧, if nobody suspended it on purpose: without the annotation kro goes on"))
}

/// Whether kro looks at the instance's present spec.
fn attention(case: &Case<'_>, level: &Level<'_>) -> Option<Finding> {
    let instance = level.instance();
    let seconds = fields::last_change(instance).and_then(|time| case.seconds_since(time));
    if instance.deletion().is_some() {
        return None;
    }
    if !instance::is_observed(instance) {
        if rgd::is_inactive(level) {
            return None;
        }
        let what = format!("kro has not looked at {}", level.name());
        return Some(controller::absent(case.looked, &what, seconds));
    }
    let Some(frozen) = level.standing.frozen else {
        let unnoticed =
            controller::is_down(case.looked) && level.nodes.iter().any(|node| nodes::is_unnoticed(node));
        let what = format!("kro has not acted on what is gone of {}", level.name());
        return unnoticed.then(|| controller::absent(case.looked, &what, None));
    };
    let seen = format!(
        "metadata.generation {}, observedGeneration of its conditions {}",
        frozen.generation, frozen.observed
    );
    let fresh = seconds.is_some_and(|seconds| seconds < controller::PATIENCE);
    if rgd::is_inactive(level) && !fresh {
        let word = level.standing.word.as_deref().unwrap_or("nothing");
        let name = level.collected.rgd.name().unwrap_or("?");
        return Some(
            Finding::new(
                Code::FROZEN,
                format!(
                    "{} is frozen: RGD {name} is not active, and no controller looks at its kind, as after a restart of kro",
                    level.name()
                ),
            )
            .seen(seen)
            .seen(format!("kro still says {word}, of the earlier spec"))
            .next(format!("repair RGD {name}: its instances are taken up as soon as it is active")),
        );
    }
    let what = format!("kro has not looked at the present spec of {}", level.name());
    Some(controller::absent(case.looked, &what, seconds).seen(seen))
}

/// Whether the instance itself says that its RGD keeps it.
fn blocks(level: &Level<'_>) -> bool {
    let refused = level.instance().condition("GraphResolved").is_some_and(|condition| condition.is_false());
    refused || !instance::is_observed(level.instance())
}

/// The RGD's own trouble; where the instance runs all the same it does no harm yet.
fn of_the_rgd(case: &Case<'_>, level: &Level<'_>, stuck: bool) -> Vec<Finding> {
    let Some(definition) = level.definition() else { return Vec::new() };
    let runs = match definition.source.revision() {
        Some(number) => format!("{} goes on with revision {number}", level.name()),
        None => format!("{} goes on with what kro took up before", level.name()),
    };
    // kro issues the new revision before it comes to the CRD (v0.9.4), so that instances run it
    let broken =
        format!("{} runs the new graph from its next reconcile on, against the old CRD", level.name());
    let fails = matches!(level.standing.word.as_deref(), Some("ERROR" | "FAILED" | "IN_PROGRESS"));
    let weighed = |finding: Finding| match finding.code {
        Code::BREAKING_CHANGE if stuck || fails => finding.seen(&broken),
        Code::BREAKING_CHANGE => finding.seen(&broken).harmless(),
        _ if stuck => finding,
        _ => finding.seen(&runs).harmless(),
    };
    let found = rgd::conditions(&definition.head, case.names_rgds);
    found
        .into_iter()
        .map(|finding| if finding.object.is_some() { finding } else { finding.on(&definition.head) })
        .map(weighed)
        .collect()
}

/// `GraphResolved` False: the newest revision is missing, pending or does not compile.
fn resolution(level: &Level<'_>) -> Option<Finding> {
    let condition = level.instance().condition("GraphResolved").filter(Condition::is_false)?;
    let rgd = level.collected.rgd.name().unwrap_or("?");
    let (code, cause) =
        if condition.message.contains("pending") || condition.message.contains("not available") {
            (
                Code::REVISION_PENDING,
                format!(
                    "the newest revision of RGD {rgd} is not compiled yet, and {} waits for it",
                    level.name()
                ),
            )
        } else {
            (
                Code::REVISION_FAILED,
                format!("the newest revision of RGD {rgd} does not compile, and kro falls back to no other"),
            )
        };
    Some(
        Finding::new(code, cause)
            .seen(told(&condition))
            .next(format!("kro_diagnose RGD {rgd}; applying its last good spec again issues a new revision")),
    )
}

fn management(level: &Level<'_>) -> Option<Finding> {
    let condition = level.instance().condition("InstanceManaged").filter(Condition::is_false)?;
    let refused = refusal::finding(condition.message, &format!("taking {} in hand", level.name()));
    if refused.code != Code::CHILD_REFUSED {
        return Some(refused);
    }
    Some(
        Finding::new(
            Code::MANAGEMENT_FAILED,
            format!("kro could not put its finalizer and labels on {}", level.name()),
        )
        .seen(told(&condition))
        .next("correct what the message names: labels have at most 63 characters"),
    )
}

/// "cluster mutated" without end: a template sets what another controller writes as well.
fn fight(case: &Case<'_>, level: &Level<'_>) -> Option<Finding> {
    let mutated = |trouble: &Trouble| *trouble == Trouble::Mutated;
    level.standing.complaints.iter().find(|complaint| mutated(&complaint.trouble))?;
    let condition = ["ResourcesReady", "Ready"].iter().find_map(|kind| level.instance().condition(kind))?;
    let fresh = |time: &str| case.seconds_since(time).is_some_and(|seconds| seconds < FRESH);
    let lasting = case.seconds_since(condition.last_transition).is_some_and(|seconds| seconds >= FIGHT);
    let rivalry = |node: &&'_ Node| {
        let object = level.object(node)?;
        let template = level.defined(node).and_then(|defined| defined.template());
        let mut rivals = fields::rivals(object, template).into_iter();
        let rival = rivals.find(|rival| fresh(rival.time));
        let races = races(level, object) && fields::last_by_kro(object).is_some_and(fresh);
        (races || lasting && rival.is_some()).then_some((object, rival))
    };
    let found = level.nodes.iter().find_map(|node| Some((*node, rivalry(node)?)));
    match found {
        Some((node, (object, rival))) => {
            let name = node.object();
            let (who, fields) = match &rival {
                Some(rival) if !rival.fields.is_empty() => (rival.manager, rival.fields.join(", ")),
                Some(rival) => (rival.manager, "a field".to_owned()),
                None => ("another controller", "a field".to_owned()),
            };
            let cause = format!(
                "kro and {who} change {name} in turn: the template of node {} sets {fields}, which {who} writes as well",
                node.id
            );
            let generation = object.generation().map(|generation| format!("{name} is at generation {generation}"));
            let written = rival.map(|rival| format!("{} last wrote at {}", rival.manager, rival.time));
            Some(
                Finding::new(Code::FIELD_FIGHT, cause)
                    .about(node)
                    .seen(format!("{}{}", told(&condition), case.ago(condition.last_transition)))
                    .seen_all(generation)
                    .seen_all(written)
                    .next("remove that field from the template, so that only one of the two sets it"),
            )
        }
        _ => Some(
            Finding::new(
                Code::NOT_READY,
                format!("kro changed something of {} in its last pass and looks again", level.name()),
            )
            .seen(told(&condition))
            .next("call again in a few seconds; if it stays, another controller writes a field that a template sets"),
        ),
    }
}

/// Whether a child has changed far more often than its instance and RGD can be the cause of. In a fight a pass now
/// and then finds nothing to change, so that the condition is no older than that.
fn races(level: &Level<'_>, object: &Object) -> bool {
    let revision = level.definition().and_then(|definition| definition.last_revision).unwrap_or_default();
    let changes = level.instance().generation().unwrap_or_default().saturating_add(revision);
    object
        .generation()
        .is_some_and(|generation| generation > changes.saturating_mul(3).saturating_add(RACING))
}

/// Complaints that belong to no node, and "not ready" without any.
fn unclaimed(level: &Level<'_>) -> Vec<Finding> {
    let claimed = |text: &str| {
        level
            .nodes
            .iter()
            .any(|node| matches!(&node.why, Why::Complaint(complaint) if complaint.text == text))
    };
    let errors = level.standing.complaints.iter().filter(|complaint| complaint.is_error());
    let mut findings: Vec<Finding> = errors
        .filter(|complaint| !claimed(&complaint.text))
        .filter(|complaint| {
            level.instance().condition("InstanceManaged").is_none_or(|c| c.message != complaint.text)
        })
        .filter(|complaint| {
            level.instance().condition("GraphResolved").is_none_or(|c| c.message != complaint.text)
        })
        .filter(|_| !instance::is_suspended(level.instance()))
        .map(|complaint| {
            let what = what(level, complaint.node.as_deref());
            refusal::finding(&complaint.text, &what).seen_all(&complaint.diff)
        })
        .collect();
    if findings.is_empty()
        && !instance::is_suspended(level.instance())
        && let Some(ready) = level.instance().condition("Ready").filter(|condition| !condition.is_true())
        && level.standing.complaints.is_empty()
        && !level.nodes.iter().any(|node| node.state.severity().is_some())
    {
        let cause =
            format!("kro says that {} is not ready, and nothing that could be seen is wrong", level.name());
        findings.push(
            Finding::new(Code::NOT_READY, cause)
                .seen(told(&ready))
                .next("call again in a few seconds: kro writes Ready one pass after it is so"),
        );
    }
    findings
}

fn what(level: &Level<'_>, node: Option<&str>) -> String {
    node.map_or_else(|| level.name(), |node| format!("node {node}"))
}

/// A condition as evidence.
pub(super) fn told(condition: &Condition<'_>) -> String {
    let reason = if condition.reason.is_empty() { String::new() } else { format!(" ({})", condition.reason) };
    format!("{} is {}{reason}: {}", condition.kind, condition.status, condition.message)
}
