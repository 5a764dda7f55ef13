//! The conditions of an RGD in words, across kro's versions (kro v0.9.4
//! `pkg/controller/resourcegraphdefinition`; names before 0.9 from its history).

use schemars::JsonSchema;
use serde::Serialize;

use crate::{answer::sanitise, kubernetes::Object};

/// Characters of a message.
const LONGEST: usize = 400;
/// Conditions that are told.
const MOST: usize = 20;

/// A condition, explained.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct ConditionRow {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) status: String,
    /// What it is about.
    pub(super) means: &'static str,
    /// Where it is not True.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<&'static str>,
}

pub(super) fn conditions(rgd: &Object) -> Vec<ConditionRow> {
    let told = |text: &str| (!text.is_empty()).then(|| sanitise::short(text, LONGEST));
    let conditions = rgd.conditions();
    let row = |condition: &crate::kubernetes::Condition<'_>| {
        // Ready repeats what another of them says
        let again = condition.kind == "Ready"
            && conditions.iter().any(|other| other.kind != "Ready" && other.message == condition.message);
        let ok = condition.is_true();
        let (means, next) = meaning(condition.kind, condition.is_false(), condition.message);
        ConditionRow {
            kind: sanitise::short(condition.kind, 80),
            status: sanitise::short(condition.status, 20),
            means,
            reason: told(condition.reason).filter(|_| !ok && !again),
            message: told(condition.message).filter(|_| !ok && !again),
            next: next.filter(|_| !ok),
        }
    };
    conditions.iter().take(MOST).map(row).collect()
}

const WAITING: &str =
    "kro has not got to it: it takes seconds; where it stays, the controller does not run or is busy";

/// What a condition is about, and what to do where it is not True.
fn meaning(kind: &str, is_false: bool, message: &str) -> (&'static str, Option<&'static str>) {
    let unless_waiting = |next: &'static str| Some(if is_false { next } else { WAITING });
    match kind {
        "GraphAccepted" | "ResourceGraphAccepted" | "GraphVerified" => (
            "the spec makes a graph: ids, kinds, CEL and dependencies are valid",
            unless_waiting(
                "correct what the message says; until then kro ignores this spec, and instances (if any) run on the last revision that was accepted",
            ),
        ),
        "GraphRevisionsResolved" => (
            "the newest GraphRevision is compiled, so instances run on it",
            unless_waiting(
                "see the error of the newest revision; until it is replaced, instances are not reconciled",
            ),
        ),
        "KindReady" | "CustomResourceDefinitionSynced" => (
            "the CRD of the generated kind is as the RGD wants it",
            unless_waiting(match message {
                said if said.contains("breaking changes") => {
                    "kro refuses to change the CRD so: take the change back, or annotate the RGD with kro.run/allow-breaking-changes: \"true\"; new instances are judged by the old CRD"
                }
                said if said.contains("owned by another") => {
                    "another RGD generates this kind: give one of the two another kind or group"
                }
                _ => "see the message: the API server did not take the CRD, or kro may not write it",
            }),
        ),
        "ControllerReady" | "ReconcilerReady" => (
            "kro watches the generated kind and reconciles its instances",
            unless_waiting(
                "see the message; where kro lacks rights for a kind, grant them to its ServiceAccount",
            ),
        ),
        "Ready" => ("all of the others", unless_waiting("see the conditions that are not True")),
        _ => ("not a condition that is known here", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_of_every_kro_are_explained_and_what_to_do_is_told_where_it_helps() {
        let rgd = |conditions: serde_json::Value| {
            Object::from_value(json!({"status": {"conditions": conditions}})).expect("an object")
        };
        let explained = conditions(&rgd(json!([
            {"type": "GraphAccepted", "status": "True", "reason": "Valid", "message": "fine"},
            {"type": "KindReady", "status": "False", "reason": "Failed",
             "message": "cannot update CRD x: breaking changes detected: Property a was removed"},
            {"type": "ControllerReady", "status": "Unknown", "reason": "AwaitingReconciliation"},
            {"type": "Ready", "status": "False", "message": "again"},
        ])));
        let told: Vec<(bool, bool)> =
            explained.iter().map(|row| (row.message.is_some(), row.next.is_some())).collect();
        assert_eq!(told, [(false, false), (true, true), (false, true), (true, true)]);
        assert!(explained[1].next.is_some_and(|next| next.contains("allow-breaking-changes")));
        assert_eq!(explained[2].next, Some(WAITING));
        for old in
            ["GraphVerified", "CustomResourceDefinitionSynced", "ReconcilerReady", "ResourceGraphAccepted"]
        {
            let rows = conditions(&rgd(json!([{"type": old, "status": "True"}])));
            assert!(!rows[0].means.contains("not a condition"), "{old}");
        }
    }
}
