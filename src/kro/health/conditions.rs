//! Kinds that speak through `status.conditions`, the unknown ones among them.

use super::Health;
use crate::kubernetes::{Condition, Object};
use serde_json::Value;

/// Conditions that say "fine" when True.
const GOOD: [&str; 6] = ["Ready", "Available", "Synced", "Healthy", "Established", "Accepted"];
/// Conditions that say "broken" when True.
const BAD: [&str; 3] = ["Stalled", "Failed", "Degraded"];
/// Phases that other controllers use instead of conditions.
const FAILED_PHASES: [&str; 3] = ["Failed", "Error", "Lost"];

/// Any kind: the conditions that most controllers write (kstatus and Crossplane conventions).
pub(super) fn usual(object: &Object) -> Health {
    let Some(status) = object.member("status").and_then(Value::as_object) else {
        return without_status(object);
    };
    let conditions = object.conditions();
    if let Some(bad) = find(&conditions, &BAD, Condition::is_true) {
        return Health::failing(describe(bad));
    }
    let good = GOOD
        .iter()
        .find_map(|kind| conditions.iter().find(|condition| condition.kind == *kind && !condition.is_true()));
    if let Some(not) = good {
        return Health::progressing(describe(not));
    }
    let observed = object.integer(&["status", "observedGeneration"]);
    if observed.zip(object.generation()).is_some_and(|(observed, now)| observed < now) {
        return Health::progressing("its controller has not seen the present spec yet");
    }
    if let Some(phase) = object.text(&["status", "phase"]).filter(|p| FAILED_PHASES.contains(p)) {
        return Health::failing(phase);
    }
    if status.is_empty() { without_status(object) } else { Health::ready() }
}

/// An object without a status: one that has no `spec` either is plain data.
fn without_status(object: &Object) -> Health {
    if object.member("spec").is_some() && object.generation().is_some() {
        return Health::progressing("no status yet");
    }
    Health::ready()
}

/// A kind that is ready when one condition is True.
pub(super) fn needs(object: &Object, kind: &str) -> Health {
    match object.condition(kind) {
        Some(condition) if condition.is_true() => Health::ready(),
        Some(condition) => Health::progressing(describe(&condition)),
        None => Health::progressing("no status yet"),
    }
}

pub(super) fn definition(object: &Object) -> Health {
    let refused = object.condition("NamesAccepted").filter(Condition::is_false);
    match refused {
        Some(refused) => Health::failing(describe(&refused)),
        None => needs(object, "Established"),
    }
}

/// `ScalingLimited` is how it is meant to be; the two others say whether it can work.
pub(super) fn autoscaler(object: &Object) -> Health {
    let conditions = object.conditions();
    if conditions.is_empty() {
        return Health::progressing("no status yet");
    }
    match find(&conditions, &["AbleToScale", "ScalingActive"], Condition::is_false) {
        // Scaling to zero is switched off on purpose.
        Some(off) if off.reason == "ScalingDisabled" => Health::ready(),
        Some(off) => Health::failing(describe(off)),
        None => Health::ready(),
    }
}

fn find<'c, 'o>(
    conditions: &'c [Condition<'o>],
    kinds: &[&str],
    is: fn(&Condition<'o>) -> bool,
) -> Option<&'c Condition<'o>> {
    conditions.iter().find(|condition| kinds.contains(&condition.kind) && is(condition))
}

fn describe(condition: &Condition<'_>) -> String {
    let why = if condition.message.is_empty() { condition.reason } else { condition.message };
    match why {
        "" => format!("{} is {}", condition.kind, condition.status),
        why => format!("{} is {}: {why}", condition.kind, condition.status),
    }
}
