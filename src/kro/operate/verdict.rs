//! [`Verdict`]: what kro made of a generation of an RGD.

use crate::kubernetes::Object;

/// The conditions that have to be true, as kro ≥ 0.9 calls them (v0.9.4
/// `pkg/controller/resourcegraphdefinition/controller_status.go`), and what older ones called the first.
const CONDITIONS: [&str; 6] = [
    "GraphAccepted",
    "ResourceGraphAccepted",
    "GraphVerified",
    "GraphRevisionsResolved",
    "KindReady",
    "ControllerReady",
];

/// What kro made of an RGD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It runs, on this revision where kro says so.
    Accepted(Option<i64>),
    /// It does not: kro's words.
    Refused(String),
    /// kro has not finished: what it is at.
    Pending(String),
}

/// The verdict on the present generation.
pub fn of(rgd: &Object) -> Verdict {
    let generation = rgd.generation().unwrap_or_default();
    let conditions = rgd.conditions();
    let present: Vec<_> = conditions
        .iter()
        .filter(|condition| CONDITIONS.contains(&condition.kind))
        .filter(|condition| condition.observed_generation.is_none_or(|observed| observed >= generation))
        .collect();
    if let Some(refusal) = present.iter().find(|condition| condition.is_false()) {
        return Verdict::Refused(format!("{}: {}", refusal.kind, refusal.message));
    }
    let is_true = |kind: &str| present.iter().any(|condition| condition.kind == kind && condition.is_true());
    let waits = present.iter().find(|condition| !condition.is_true());
    let active = rgd.text(&["status", "state"]) == Some("Active");
    match waits {
        None if active && is_true("KindReady") && is_true("ControllerReady") => {
            Verdict::Accepted(rgd.integer(&["status", "lastIssuedRevision"]))
        }
        None => Verdict::Pending("kro has not looked at all of it yet".to_owned()),
        Some(condition) => Verdict::Pending(format!("{}: {}", condition.kind, condition.message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rgd(generation: i64, conditions: &[(&str, &str, i64)]) -> Object {
        let conditions: Vec<_> = conditions
            .iter()
            .map(|(kind, status, observed)| {
                json!({"type": kind, "status": status, "message": "why", "observedGeneration": observed})
            })
            .collect();
        let status = json!({"state": "Active", "lastIssuedRevision": 3, "conditions": conditions});
        Object::from_value(json!({"metadata": {"generation": generation}, "status": status}))
            .expect("an object")
    }

    #[test]
    fn only_words_about_the_present_generation_count() {
        let all = |accepted: (&'static str, i64), others: i64| {
            of(&rgd(
                2,
                &[
                    ("GraphAccepted", accepted.0, accepted.1),
                    ("KindReady", "True", others),
                    ("ControllerReady", "True", others),
                ],
            ))
        };
        assert_eq!(all(("True", 2), 2), Verdict::Accepted(Some(3)));
        assert!(matches!(all(("True", 2), 1), Verdict::Pending(_)));
        assert!(matches!(all(("False", 1), 1), Verdict::Pending(_)));
        assert_eq!(all(("False", 2), 1), Verdict::Refused("GraphAccepted: why".to_owned()));
        assert!(matches!(all(("Unknown", 2), 2), Verdict::Pending(_)));
        assert!(matches!(of(&Object::default()), Verdict::Pending(_)));
    }
}
