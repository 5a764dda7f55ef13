//! What is wrong with an RGD: its conditions across kro's versions, and what belongs to it.
//!
//! ≥ 0.9: GraphAccepted, GraphRevisionsResolved, KindReady, ControllerReady; 0.4–0.8: ResourceGraphAccepted;
//! ≤ 0.3: GraphVerified, CustomResourceDefinitionSynced, ReconcilerReady (kro.md 4.1).

use super::case::{Level, Looked, span};
use super::code::Code;
use super::controller;
use super::finding::{Finding, ranked};
use super::refusal;
use super::standing::told;
use crate::kro::applyset::GroupKind;
use crate::kro::check::{Problem, Rule};
use crate::kro::definition::instance_kind;
use crate::kro::instance::Standing;
use crate::kubernetes::{Condition, Object};
use jiff::Timestamp;

/// Instances that are named.
const NAMED: usize = 5;

/// An RGD to be diagnosed.
#[derive(Debug)]
pub struct RgdCase<'a> {
    /// The RGD.
    pub rgd: &'a Object,
    /// Kinds of its nodes that the cluster does not serve, with the RGDs that generate them.
    pub lacking: Vec<(GroupKind, Option<&'a Object>)>,
    /// Other RGDs that generate its kind.
    pub rivals: Vec<&'a Object>,
    /// Whether the cluster serves the kind that it generates.
    pub served: bool,
    /// Its instances, where they were read.
    pub instances: Option<&'a [Object]>,
    /// What kro will refuse of its spec, by our own checks; empty where they were not made.
    pub problems: Vec<Problem>,
    /// kro's own Deployments.
    pub looked: &'a Looked,
    /// The time of the diagnosis.
    pub now: Timestamp,
}

/// The findings of an RGD, the cause first.
pub fn of_rgd(case: &RgdCase<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(since) = case.rgd.deletion() {
        findings.push(deleting(case, since));
    }
    let refused = conditions(case.rgd, true);
    let invalid = refused.iter().any(|finding| finding.code == Code::RGD_INVALID);
    findings.extend(case.lacking.iter().filter(|_| invalid || !is_active(case.rgd)).map(lacking));
    findings.extend(refused.iter().cloned());
    judged(case, &mut findings);
    findings.extend(unseen(case));
    findings.extend(rivals(case, &refused));
    if is_active(case.rgd) && !case.served {
        findings.push(crd_gone(case.rgd));
    }
    findings.extend(frozen(case));
    let explained = !findings.is_empty();
    if !explained && let Some(state) = case.rgd.text(&["status", "state"]).filter(|_| !is_active(case.rgd)) {
        findings.push(
            Finding::new(
                Code::RGD_INACTIVE,
                format!("RGD {} is {state}, and no condition says why", case.rgd.name()),
            )
            .next("call again in a few seconds; then read kro's log"),
        );
    }
    let on = |finding: Finding| if finding.object.is_none() { finding.on(case.rgd) } else { finding };
    ranked(findings.into_iter().map(on).collect())
}

/// What our own checks find: kro stops at the first error, and of an RGD that it took up before it does not look
/// again until something changes.
fn judged(case: &RgdCase<'_>, findings: &mut Vec<Finding>) {
    let told = |code| findings.iter().any(|finding| finding.code == code);
    let lacks = told(Code::KIND_NOT_SERVED) || told(Code::WAITS_FOR_RGD);
    let problems: Vec<String> = case
        .problems
        .iter()
        .filter(|problem| problem.certain && !(lacks && problem.rule == Rule::UnknownKind))
        .map(ToString::to_string)
        .collect();
    let Some((first, more)) = problems.split_first() else { return };
    match findings.iter_mut().find(|finding| finding.code == Code::RGD_INVALID) {
        Some(known) => *known = known.clone().seen_all(&problems),
        None => findings.push(
            Finding::new(
                Code::RGD_INVALID,
                format!("the spec of RGD {} does not hold against what the cluster serves now: {first}", case.rgd.name()),
            )
            .seen_all(more)
            .next(
                "correct it and apply again⟦ (kro_apply_rgd checks before it sends)⟧: kro does not look again until the RGD \
                 changes, and what it applies by it fails",
            ),
        ),
    }
}

/// What its false conditions say. Names of other RGDs are told where the caller may hear them.
pub(super) fn conditions(rgd: &Object, names_others: bool) -> Vec<Finding> {
    let conditions = rgd.conditions();
    let bad = conditions.iter().filter(|condition| condition.kind != "Ready");
    bad.filter_map(|condition| finding(rgd, condition, names_others)).collect()
}

fn finding(rgd: &Object, condition: &Condition<'_>, names_others: bool) -> Option<Finding> {
    let name = rgd.name();
    if !condition.is_false() {
        let waits = condition.kind == "GraphRevisionsResolved" && condition.reason.starts_with("WaitingFor");
        return waits.then(|| {
            Finding::new(
                Code::REVISION_PENDING,
                format!("RGD {name} waits for its newest revision to be compiled"),
            )
            .seen(told(condition))
            .next("call again in a few seconds")
        });
    }
    let found = match condition.kind {
        "GraphAccepted" | "ResourceGraphAccepted" | "GraphVerified" => Finding::new(
            Code::RGD_INVALID,
            format!("the spec of RGD {name} is not valid: {}", build_error(condition.message)),
        )
        .next("correct what the message names and apply again⟦ (kro_apply_rgd checks before it sends)⟧"),
        "KindReady" | "CustomResourceDefinitionSynced" => kind(rgd, condition.message, names_others),
        "ControllerReady" | "ReconcilerReady" => {
            let refused = refusal::finding(condition.message, &format!("RGD {name}"));
            match refused.code {
                Code::CHILD_REFUSED => Finding::new(
                    Code::CONTROLLER_NOT_STARTED,
                    format!("kro could start no controller for the instances of RGD {name}"),
                )
                .next("read kro's log; the message says what failed"),
                _ => refused,
            }
        }
        "GraphRevisionsResolved" => Finding::new(
            Code::REVISION_FAILED,
            format!("the newest revision of RGD {name} does not compile, and its instances do not fall back to another"),
        )
        .next("apply the last good spec again⟦: kro_revision_diff shows what changed⟧"),
        _ => return None,
    };
    let evidence = if names_others || found.code != Code::KIND_TAKEN {
        told(condition)
    } else {
        format!("{} is False ({})", condition.kind, condition.reason)
    };
    Some(found.seen(evidence))
}

/// Why the CRD is not as the RGD wants it (kro v0.9.4 `pkg/client/crd.go`).
fn kind(rgd: &Object, message: &str, names_others: bool) -> Finding {
    let name = rgd.name();
    let generated = instance_kind(rgd);
    let what = if generated.kind.is_empty() { "its kind".to_owned() } else { generated.to_string() };
    if let Some((_, other)) = message.split_once("owned by another ResourceGraphDefinition ") {
        let other = other.split_whitespace().next().unwrap_or_default();
        let other = if names_others { format!("RGD {other}") } else { "another RGD".to_owned() };
        return Finding::new(
            Code::KIND_TAKEN,
            format!("the kind of RGD {name} is taken: {what} belongs to {other}, so RGD {name} makes nothing"),
        )
        .next(format!("give RGD {name} another spec.schema.kind or group (delete it and apply it anew: both are immutable), or delete {other}"));
    }
    if let Some((_, changes)) = message.split_once("breaking changes detected: ") {
        return Finding::new(
            Code::BREAKING_CHANGE,
            format!("kro refuses the new schema of RGD {name}, since it would break existing instances: {changes}"),
        )
        .next(
            "take the change back or make it compatible (a default, an optional field); the annotation \
             kro.run/allow-breaking-changes: \"true\" lets it pass. Until then instances run the new graph from their next reconcile on, against the old CRD",
        );
    }
    let refused = refusal::finding(message, &format!("the CRD of RGD {name}"));
    match refused.code {
        Code::CHILD_REFUSED => {
            Finding::new(Code::KIND_FAILED, format!("the CRD of RGD {name} could not be made: {message}"))
                .next("correct spec.schema as the message says")
        }
        _ => refused,
    }
}

/// The part of a build error that matters: kro wraps each level around it.
fn build_error(message: &str) -> &str {
    let wrapped = ["failed to build resourcegraphdefinition ", "failed to validate resourcegraphdefinition"];
    match wrapped.iter().find_map(|words| message.strip_prefix(words)).and_then(|rest| rest.split_once(": "))
    {
        Some((_, rest)) => rest,
        None => message,
    }
}

/// Whether the RGD of a level is known not to be active.
pub(super) fn is_inactive(level: &Level<'_>) -> bool {
    level.definition().is_some_and(|definition| !is_active(&definition.head))
}

fn is_active(rgd: &Object) -> bool {
    rgd.text(&["status", "state"]) == Some("Active")
}

fn deleting(case: &RgdCase<'_>, since: &str) -> Finding {
    let finalizers = case.rgd.finalizers().join(", ");
    let left =
        case.instances.map_or(String::new(), |instances| format!("; {} instances are left", instances.len()));
    Finding::new(Code::DELETING, format!("RGD {} is being deleted since {since}{left}", case.rgd.name()))
        .seen(format!("metadata.finalizers: {finalizers}"))
        .next("delete its instances first: kro does not wait for them, and nothing deletes them afterwards")
}

fn lacking((kind, generator): &(GroupKind, Option<&Object>)) -> Finding {
    match generator {
        Some(rgd) => {
            let state = rgd.text(&["status", "state"]).unwrap_or("not looked at by kro yet");
            let why = crate::kro::definition::trouble(rgd);
            Finding::new(
                Code::WAITS_FOR_RGD,
                format!(
                    "it needs the kind {kind}, which RGD {} is to generate and does not yet ({state})",
                    rgd.name()
                ),
            )
            .seen_all(why.map(|why| format!("RGD {}: {why}", rgd.name())))
            .next(format!(
                "kro_diagnose RGD {}: this one becomes active within seconds of that kind",
                rgd.name()
            ))
        }
        None => Finding::new(
            Code::KIND_NOT_SERVED,
            format!("it needs the kind {kind}, which the cluster does not serve and no RGD generates"),
        )
        .next(format!("install the CRD of {kind}, or correct apiVersion and kind in the RGD")),
    }
}

/// An RGD that kro has not looked at, or not at its present spec.
fn unseen(case: &RgdCase<'_>) -> Option<Finding> {
    let rgd = case.rgd;
    let conditions = rgd.conditions();
    let waits = |condition: &Condition<'_>| {
        !condition.is_true()
            && !condition.is_false()
            && matches!(condition.reason, "AwaitingReconciliation" | "")
    };
    let never = conditions.iter().all(waits);
    let observed = conditions.iter().filter_map(|condition| condition.observed_generation).max();
    let behind = observed.zip(rgd.generation()).is_some_and(|(observed, now)| observed < now);
    if !never && !behind {
        return None;
    }
    let last = super::fields::last_change(rgd).and_then(|time| time.parse::<Timestamp>().ok());
    let seconds = last.map(|last| case.now.duration_since(last).as_secs());
    let part = if never { "RGD" } else { "the present spec of RGD" };
    let finding =
        controller::absent(case.looked, &format!("kro has not looked at {part} {}", rgd.name()), seconds);
    let age = seconds.map(|seconds| format!("changed {} ago", span(seconds)));
    Some(finding.seen_all(age))
}

fn rivals(case: &RgdCase<'_>, refused: &[Finding]) -> Option<Finding> {
    let first = case.rivals.first()?;
    if refused.iter().any(|finding| finding.code == Code::KIND_TAKEN) {
        return None;
    }
    let names: Vec<&str> = case.rivals.iter().map(|rgd| rgd.name()).take(NAMED).collect();
    let finding = Finding::new(
        Code::KIND_DUPLICATE,
        format!(
            "RGD {} generates {} as well: {}",
            names.join(", "),
            instance_kind(case.rgd),
            owner(case, first)
        ),
    )
    .next("keep one of them: only one RGD can own a CRD");
    Some(if is_active(case.rgd) { finding.harmless() } else { finding })
}

fn owner(case: &RgdCase<'_>, other: &Object) -> String {
    match (is_active(case.rgd), is_active(other)) {
        (true, false) => format!("this one has it, and {} does not get it", other.name()),
        (false, true) => format!("{} has it, and this one does not get it", other.name()),
        _ => "only one of them can have it".to_owned(),
    }
}

fn crd_gone(rgd: &Object) -> Finding {
    Finding::new(
        Code::CRD_GONE,
        format!("RGD {} is active, and the cluster does not serve {}: its CRD is gone", rgd.name(), instance_kind(rgd)),
    )
    .next("call again in a few seconds, since kro makes it anew when it sees that it is gone; its instances went with it")
}

/// Instances whose spec is ahead of what kro observed while nothing reconciles them.
fn frozen(case: &RgdCase<'_>) -> Option<Finding> {
    let frozen: Vec<&Object> =
        case.instances?.iter().filter(|instance| Standing::read(instance).frozen.is_some()).collect();
    if frozen.is_empty() || is_active(case.rgd) {
        return None;
    }
    let more = frozen.len().saturating_sub(NAMED);
    let place = |object: &&Object| match object.namespace() {
        Some(namespace) => format!("{namespace}/{}", object.name()),
        None => object.name().to_owned(),
    };
    let named: Vec<String> = frozen.iter().take(NAMED).map(place).collect();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(
        Finding::new(
            Code::INSTANCES_FROZEN,
            format!(
                "{} of its {} instances are frozen: their spec is newer than what kro looked at",
                frozen.len(),
                case.instances?.len()
            ),
        )
        .seen(format!("{}{rest}", named.join(", ")))
        .next("repair this RGD: they are taken up as soon as it is active"),
    )
}

#[cfg(test)]
#[path = "rgd/tests.rs"]
mod tests;
