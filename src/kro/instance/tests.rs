use super::*;
use serde_json::{Value, json};

fn instance(metadata: &Value, status: &Value) -> Object {
    Object::from_value(json!({"apiVersion": "kro.run/v1alpha1", "kind": "Shop", "metadata": metadata,
        "status": status}))
    .expect("an object")
}

fn ready(status: &str, message: &str) -> Value {
    json!([{"type": "ResourcesReady", "status": status, "message": message, "observedGeneration": 1},
        {"type": "Ready", "status": status, "message": message, "observedGeneration": 1}])
}

#[test]
fn the_words_of_kro() {
    let cases = [
        (json!({"state": "ACTIVE", "conditions": ready("True", "")}), State::Ready),
        (json!({"state": "ACTIVE", "conditions": ready("False", "cluster mutated")}), State::Progressing),
        (json!({"state": "IN_PROGRESS", "conditions": ready("False", "x")}), State::Progressing),
        (json!({"state": "ERROR", "conditions": ready("False", "boom")}), State::Failing),
        (json!({"state": "FAILED"}), State::Failing),
        (json!({}), State::Progressing),
        // kro ≤ 0.5
        (json!({"conditions": [{"type": "InstanceSynced", "status": "True"}]}), State::Ready),
        (json!({"conditions": [{"type": "InstanceSynced", "status": "False"}]}), State::Progressing),
        // conditions of the author's own, without Ready
        (json!({"state": "ACTIVE", "conditions": [{"type": "Green", "status": "False"}]}), State::Ready),
    ];
    for (status, expected) in cases {
        let standing = Standing::read(&instance(&json!({"generation": 1}), &status));
        assert_eq!(standing.state, expected, "{status}");
    }
}

#[test]
fn suspended_in_any_case_and_by_both_words() {
    for word in ["suspended", "Disabled", "SUSPENDED"] {
        let suspended = instance(
            &json!({"annotations": {"kro.run/reconcile": word}}),
            &json!({"state": "ACTIVE", "conditions": ready("False", "x")}),
        );
        assert_eq!(Standing::read(&suspended).state, State::Suspended, "{word}");
    }
    let other = instance(&json!({"annotations": {"kro.run/reconcile": "enabled"}}), &json!({}));
    assert!(!is_suspended(&other));
}

#[test]
fn deletion_goes_before_suspension_and_names_the_finalizers() {
    let deleting = instance(
        &json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["kro.run/finalizer"],
            "annotations": {"kro.run/reconcile": "suspended"}}),
        &json!({"state": "DELETING", "conditions": [{"type": "ResourcesReady", "status": "Unknown",
            "reason": "UnderDeletion", "message": "deletion blocked: list x: forbidden"}]}),
    );
    let standing = Standing::read(&deleting);
    assert_eq!(standing.state, State::Deleting);
    assert_eq!(
        standing.reason.as_deref(),
        Some("since 2026-01-01T00:00:00Z, held by kro.run/finalizer, deletion blocked: list x: forbidden")
    );
}

#[test]
fn a_spec_ahead_of_every_condition_is_frozen() {
    let frozen =
        instance(&json!({"generation": 3}), &json!({"state": "ACTIVE", "conditions": ready("True", "")}));
    let standing = Standing::read(&frozen);
    assert_eq!(standing.frozen, Some(Frozen { generation: 3, observed: 1 }));
    assert_eq!(standing.state, State::Progressing);
}
