//! Whether kro is at work: an instance or RGD that it has not looked at, and what else can be seen of it.

use super::case::{Looked, span};
use super::code::Code;
use super::finding::Finding;
use super::refusal::{self, Refusal};
use crate::kro::instance::{self, Standing};
use crate::kubernetes::Object;

/// Seconds that kro may take to look at a change: one worker, 3 s between passes.
pub(super) const PATIENCE: i64 = 15;

/// Of something that kro has not looked at for `seconds`; `what` says so as the start of a sentence.
pub(super) fn absent(looked: &Looked, what: &str, seconds: Option<i64>) -> Finding {
    let since = seconds.map(|seconds| format!(" for {}", span(seconds))).unwrap_or_default();
    if seconds.is_some_and(|seconds| seconds < PATIENCE) {
        return Finding::new(
            Code::NOT_LOOKED_AT,
            format!("{what} yet, changed {} ago", span(seconds.unwrap_or(0))),
        )
        .next("wait a few seconds and call again: kro has one worker for all instances");
    }
    if let Some(down) = looked.controllers.iter().find(|controller| available(controller) == 0) {
        let wanted = down.integer(&["spec", "replicas"]).unwrap_or(1);
        let place = down.namespace().unwrap_or_default();
        return Finding::new(
            Code::CONTROLLER_DOWN,
            format!("{what}{since}: kro is not running, Deployment {place}/{} has 0 of {wanted} replicas available", down.name()),
        )
        .on(down)
        .seen_all(
            down.conditions().iter().map(|c| format!("{} is {}: {}", c.kind, c.status, c.message)),
        )
        .next(format!("start kro: look at the Pods and events of Deployment {} in {place}", down.name()));
    }
    if let Some((culprit, message)) = held_up(looked) {
        return Finding::new(
            Code::CONTROLLER_HELD_UP,
            format!("{what}{since}: kro is held up 30 s in each pass by a kind that it may not read, which {culprit} has"),
        )
        .seen(message)
        .next("grant kro the rights that the message names⟦; kro_overview finds other instances with such an error⟧");
    }
    let finding = Finding::new(
        Code::CONTROLLER_BEHIND,
        format!("{what}{since}: kro is not running, or busy with something else"),
    );
    let others = looked.siblings.as_ref().filter(|others| !others.is_empty()).map(|others| {
        let unseen = others.iter().filter(|other| !is_attended(other)).count();
        format!("{unseen} of {} other instances of this kind wait for kro as well", others.len())
    });
    let running = looked.controllers.iter().map(|controller| {
        let place = controller.namespace().unwrap_or_default();
        format!("Deployment {place}/{} has {} replicas available", controller.name(), available(controller))
    });
    finding.seen_all(others).seen_all(running).next(
        "see that kro's Pods run and read their log; an instance with a kind that kro may not read holds up all others\
         ⟦ (kro_overview shows it as an ERROR with \"forbidden\")⟧",
    )
}

/// kro is known not to run.
pub(super) fn is_down(looked: &Looked) -> bool {
    looked.controllers.iter().any(|controller| available(controller) == 0)
}

fn available(controller: &Object) -> i64 {
    controller.integer(&["status", "availableReplicas"]).unwrap_or_default()
}

fn is_attended(instance: &Object) -> bool {
    instance::is_observed(instance) && Standing::read(instance).frozen.is_none()
}

/// An instance that says that kro lacks a right.
fn held_up(looked: &Looked) -> Option<(String, String)> {
    looked.siblings.iter().flatten().find_map(|other| {
        let standing = Standing::read(other);
        let lacks =
            standing.complaints.iter().find(|c| matches!(refusal::read(&c.text), Refusal::Rights { .. }))?;
        let place = other.namespace().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        Some((format!("{}/{}{place}", other.kind(), other.name()), lacks.text.clone()))
    })
}
