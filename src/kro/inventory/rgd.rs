//! A line's worth of an RGD.

use jiff::Timestamp;

use crate::answer::sanitise;
use crate::kro::applyset::GroupKind;
use crate::kro::definition::{instance_kind, needs_revision, trouble};
use crate::kro::state::State;
use crate::kubernetes::Object;

/// Characters of a problem.
const LONGEST: usize = 200;

/// What lists keep of an RGD.
#[derive(Clone, Debug)]
pub struct Rgd {
    /// `metadata.name`
    pub name: String,
    /// The kind that it generates.
    pub kind: GroupKind,
    /// Whether that kind is to be in no namespace.
    pub cluster_scoped: bool,
    /// Ready where kro has it in order, failing where a condition is false.
    pub state: State,
    /// `Inactive: GraphAccepted is False: …`; none where it is in order.
    pub problem: Option<String>,
    /// kro's own word: its controller runs.
    pub is_active: bool,
    /// Whether its kind should be served: kro has accepted it, and what it accepted is the present spec.
    pub should_be_served: bool,
    /// Entries of `spec.resources`.
    pub nodes: usize,
    /// `status.lastIssuedRevision` (kro ≥ 0.9).
    pub revision: Option<i64>,
    /// When it was created.
    pub created: Option<Timestamp>,
}

impl Rgd {
    /// Reads an RGD.
    pub fn read(rgd: &Object) -> Self {
        let is_active = rgd.text(&["status", "state"]) == Some("Active");
        let (state, problem) = verdict(rgd, is_active);
        Self {
            name: rgd.name().to_owned(),
            kind: instance_kind(rgd),
            cluster_scoped: rgd.text(&["spec", "schema", "scope"]) == Some("Cluster"),
            state,
            problem: problem.map(|problem| sanitise::short(&problem, LONGEST)),
            is_active,
            should_be_served: is_active && !needs_revision(rgd),
            nodes: rgd.items(&["spec", "resources"]).len(),
            revision: rgd.integer(&["status", "lastIssuedRevision"]),
            created: rgd.created().and_then(|created| created.parse().ok()),
        }
    }
}

fn verdict(rgd: &Object, is_active: bool) -> (State, Option<String>) {
    if let Some(since) = rgd.deletion() {
        let held = match rgd.finalizers().as_slice() {
            [] => String::new(),
            finalizers => format!(", held by {}", finalizers.join(", ")),
        };
        return (State::Deleting, Some(format!("being deleted since {since}{held}")));
    }
    let conditions = rgd.conditions();
    // `Ready` only repeats one of the others
    let refused = conditions.iter().any(|condition| condition.is_false() && condition.kind != "Ready");
    if is_active && !refused {
        return (State::Ready, None);
    }
    let trouble = trouble(rgd).unwrap_or_default();
    let problem = match rgd.text(&["status", "state"]) {
        None => format!("not ready: {trouble}"),
        // without a false condition the state is all there is to say
        Some(state) if trouble.ends_with(&format!("state is {state}")) => state.to_owned(),
        Some(state) => format!("{state}: {trouble}"),
    };
    (if refused { State::Failing } else { State::Progressing }, Some(problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn rgd(metadata: &Value, status: &Value) -> Rgd {
        let object = json!({"metadata": metadata, "spec": {"schema": {"kind": "App", "scope": "Cluster"},
            "resources": [{"id": "a"}, {"id": "b"}]}, "status": status});
        Rgd::read(&Object::from_value(object).expect("an object"))
    }

    #[test]
    fn an_rgd_is_as_its_conditions_say() {
        let named = json!({"name": "app", "creationTimestamp": "2026-01-01T00:00:00Z"});
        let order = json!({"state": "Active", "topologicalOrder": ["a", "b"], "lastIssuedRevision": 4,
            "conditions": [{"type": "GraphAccepted", "status": "True"}]});
        let fine = rgd(&named, &order);
        assert_eq!((fine.state, fine.problem.as_deref()), (State::Ready, None));
        assert_eq!((fine.nodes, fine.revision, fine.cluster_scoped), (2, Some(4), true));
        assert_eq!((fine.kind.to_string().as_str(), fine.should_be_served), ("App.kro.run", true));
        assert!(fine.created.is_some());

        let refused = json!({"state": "Inactive", "conditions": [
            {"type": "GraphAccepted", "status": "False", "message": "no such field"},
            {"type": "Ready", "status": "False", "message": "again"}]});
        let refused = rgd(&named, &refused);
        assert_eq!(refused.problem.as_deref(), Some("Inactive: GraphAccepted is False: no such field"));
        assert_eq!((refused.state, refused.should_be_served), (State::Failing, false));

        let new = rgd(&named, &json!({}));
        assert_eq!(new.problem.as_deref(), Some("not ready: kro has not looked at it yet"));
        assert_eq!(new.state, State::Progressing);
        let idle = rgd(&named, &json!({"state": "Inactive"}));
        assert_eq!((idle.state, idle.problem.as_deref()), (State::Progressing, Some("Inactive")));

        let going = json!({"name": "app", "deletionTimestamp": "2026-01-02T00:00:00Z", "finalizers": ["kro.run/finalizer"]});
        let going = rgd(&going, &order);
        assert_eq!(going.state, State::Deleting);
        assert!(going.problem.is_some_and(|problem| problem.ends_with("held by kro.run/finalizer")));
    }
}
