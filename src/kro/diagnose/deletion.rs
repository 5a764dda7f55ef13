//! What keeps an instance, or a child, from going.

use super::case::{Case, Level};
use super::code::Code;
use super::controller;
use super::finding::Finding;
use super::refusal;
use crate::kro::graph::{Node, ROOT, Rgd};
use crate::kro::labels;
use crate::kro::state::State;
use crate::kubernetes::Object;

/// Children that are named as waiting for their turn.
const NAMED: usize = 5;

pub(super) fn findings(case: &Case<'_>, level: &Level<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = level.nodes.iter().filter_map(|node| child(case, level, node)).collect();
    if let Some(since) = level.instance().deletion() {
        findings.extend(instance(case, level, since, findings.is_empty()));
    }
    findings
}

/// A child with a finalizer that nobody takes away.
fn child(case: &Case<'_>, level: &Level<'_>, node: &Node) -> Option<Finding> {
    let object = level.object(node).filter(|_| node.state == State::Deleting)?;
    let since = object.deletion()?;
    // a nested instance is told of at its own level, unless nobody looked into it
    let nested = level.collected.nested.contains_key(object.uid());
    let finalizers = blocking(object, nested);
    if finalizers.is_empty() {
        return None;
    }
    Some(blocked(case, object, since, &finalizers).about(node).seen_all(conditions(object)))
}

fn blocking(object: &Object, kros_own_is_told_elsewhere: bool) -> Vec<String> {
    let metadata = object.finalizers().into_iter();
    let own = metadata.filter(|name| !(kros_own_is_told_elsewhere && *name == labels::FINALIZER));
    // a namespace keeps its finalizers in its spec
    let spec =
        if object.kind() == "Namespace" { object.strings(&["spec", "finalizers"]) } else { Vec::new() };
    own.chain(spec).map(str::to_owned).collect()
}

fn blocked(case: &Case<'_>, object: &Object, since: &str, finalizers: &[String]) -> Finding {
    let names = finalizers.join(", ");
    let (which, keep) = if finalizers.len() == 1 { ("finalizer", "keeps") } else { ("finalizers", "keep") };
    Finding::new(
        Code::DELETION_BLOCKED,
        format!(
            "{}/{} is being deleted since {since}{}, and the {which} {names} {keep} it",
            object.kind(),
            object.name(),
            case.ago(since)
        ),
    )
    .on(object)
    .seen(format!("metadata.finalizers: {names}"))
    .next(remedy(finalizers))
}

/// Who takes a finalizer away.
fn remedy(finalizers: &[String]) -> String {
    let first = finalizers.first().map(String::as_str).unwrap_or_default();
    let who = match first {
        "kubernetes.io/pvc-protection" => "a Pod still uses the claim: end that Pod".to_owned(),
        "kubernetes.io/pv-protection" => "a claim still uses the volume: delete that claim".to_owned(),
        "foregroundDeletion" => "what it owns has to go first: look at the objects it owns".to_owned(),
        "kubernetes" => {
            "what is in the namespace has to go first: its conditions say what is left".to_owned()
        }
        labels::FINALIZER => {
            "kro takes it away once the children are gone: kro_diagnose that instance".to_owned()
        }
        other => format!("find the controller that sets {other} and see why it does not finish"),
    };
    format!("{who}. Removing a finalizer by hand skips the clean-up that it stands for")
}

/// What a namespace says of its own deletion.
fn conditions(object: &Object) -> Vec<String> {
    let telling = |kind: &str| kind.starts_with("Namespace");
    let conditions = object.conditions().into_iter();
    conditions
        .filter(|condition| condition.is_true() && telling(condition.kind))
        .map(|condition| format!("{}: {}", condition.kind, condition.message))
        .collect()
}

fn instance(case: &Case<'_>, level: &Level<'_>, since: &str, free: bool) -> Option<Finding> {
    let instance = level.instance();
    let left: Vec<&str> = level
        .nodes
        .iter()
        .filter(|node| node.parent.as_deref() == Some(level.nested.unwrap_or(ROOT)))
        .filter(|node| !node.external && !matches!(node.state, State::Gone | State::Skipped))
        .map(|node| node.id.as_str())
        .collect();
    let foreign: Vec<String> = instance
        .finalizers()
        .into_iter()
        .filter(|name| *name != labels::FINALIZER)
        .map(str::to_owned)
        .collect();
    if free && left.is_empty() && !foreign.is_empty() {
        return Some(blocked(case, instance, since, &foreign).within(level.nested));
    }
    if matches!(level.collected.rgd, Rgd::Gone(_)) {
        return None;
    }
    if let Some(message) = deletion_error(instance) {
        let words = message.trim_start_matches("deletion blocked: ");
        let finding = refusal::finding(words, "deleting the children").within(level.nested).on(instance);
        return Some(finding);
    }
    let seconds = case.seconds_since(since);
    let unattended = level.standing.frozen.is_some() || left.is_empty();
    if free && unattended && seconds.is_some_and(|seconds| seconds >= controller::PATIENCE) {
        let what = format!("kro has not finished deleting {}", level.name());
        return Some(controller::absent(case.looked, &what, seconds).within(level.nested).on(instance));
    }
    let waves = if left.is_empty() {
        String::new()
    } else {
        let more = left.len().saturating_sub(NAMED);
        let named: Vec<&str> = left.iter().take(NAMED).copied().collect();
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("still there: {}{rest}; kro deletes them in waves, the last made first", named.join(", "))
    };
    let cause = format!("{} is being deleted since {since}{}", level.name(), case.ago(since));
    let next = if free { "wait: nothing that could be seen holds it" } else { "see what holds its children" };
    Some(Finding::new(Code::DELETING, cause).within(level.nested).on(instance).seen(waves).next(next))
}

fn deletion_error(instance: &Object) -> Option<&str> {
    let condition = instance.condition("ResourcesReady").or_else(|| instance.condition("Ready"))?;
    Some(condition.message).filter(|message| message.starts_with("deletion blocked"))
}
