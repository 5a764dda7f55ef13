//! Workloads: what runs Pods, and Pods.

use super::Health;
use crate::kubernetes::{
    Object,
    pods::{self, Standing},
};
use serde_json::Value;

fn number(object: &Object, path: &[&str]) -> i64 {
    object.integer(path).unwrap_or_default()
}

fn status(object: &Object, field: &str) -> i64 {
    number(object, &["status", field])
}

/// Replicas wanted; one where the spec does not say.
fn wanted(object: &Object) -> i64 {
    object.integer(&["spec", "replicas"]).unwrap_or(1)
}

/// Whether the controller has not seen the present spec.
fn unobserved(object: &Object) -> Option<Health> {
    let generation = object.generation()?;
    match object.integer(&["status", "observedGeneration"]) {
        Some(observed) if observed >= generation => None,
        _ => Some(Health::progressing("its controller has not seen the present spec yet")),
    }
}

pub(super) fn deployment(object: &Object) -> Health {
    if let Some(progressing) = unobserved(object) {
        return progressing;
    }
    let condition = |kind| object.condition(kind);
    if let Some(failure) = condition("ReplicaFailure").filter(crate::kubernetes::object::Condition::is_true) {
        return Health::failing(format!("{}: {}", failure.reason, failure.message));
    }
    if let Some(stuck) = condition("Progressing").filter(crate::kubernetes::object::Condition::is_false) {
        return Health::failing(format!("{}: {}", stuck.reason, stuck.message));
    }
    let (wanted, updated, available) =
        (wanted(object), status(object, "updatedReplicas"), status(object, "availableReplicas"));
    let paused = object.at(&["spec", "paused"]).and_then(Value::as_bool) == Some(true);
    if updated < wanted {
        let paused = if paused { ", paused" } else { "" };
        return Health::progressing(format!("{updated} of {wanted} replicas updated{paused}"));
    }
    if status(object, "replicas") > updated {
        return Health::progressing(format!(
            "{} old replicas still there",
            status(object, "replicas") - updated
        ));
    }
    if available < wanted {
        return Health::progressing(format!("{available} of {wanted} replicas available"));
    }
    Health::ready()
}

pub(super) fn stateful_set(object: &Object) -> Health {
    if let Some(progressing) = unobserved(object) {
        return progressing;
    }
    let (wanted, ready) = (wanted(object), status(object, "readyReplicas"));
    if ready < wanted {
        return Health::progressing(format!("{ready} of {wanted} replicas ready"));
    }
    let on_delete = object.text(&["spec", "updateStrategy", "type"]) == Some("OnDelete");
    let partition = number(object, &["spec", "updateStrategy", "rollingUpdate", "partition"]);
    let to_update = (wanted - partition).max(0);
    let current = object.text(&["status", "currentRevision"]);
    let rolled = current == object.text(&["status", "updateRevision"]);
    if !on_delete && !rolled && status(object, "updatedReplicas") < to_update {
        let updated = status(object, "updatedReplicas");
        return Health::progressing(format!("{updated} of {to_update} replicas updated"));
    }
    Health::ready()
}

pub(super) fn daemon_set(object: &Object) -> Health {
    if let Some(progressing) = unobserved(object) {
        return progressing;
    }
    let wanted = status(object, "desiredNumberScheduled");
    let on_delete = object.text(&["spec", "updateStrategy", "type"]) == Some("OnDelete");
    let updated = status(object, "updatedNumberScheduled");
    if !on_delete && updated < wanted {
        return Health::progressing(format!("{updated} of {wanted} Pods updated"));
    }
    let available = status(object, "numberAvailable");
    if available < wanted {
        return Health::progressing(format!("{available} of {wanted} Pods available"));
    }
    Health::ready()
}

pub(super) fn replica_set(object: &Object) -> Health {
    if let Some(progressing) = unobserved(object) {
        return progressing;
    }
    if let Some(failure) =
        object.condition("ReplicaFailure").filter(crate::kubernetes::object::Condition::is_true)
    {
        return Health::failing(format!("{}: {}", failure.reason, failure.message));
    }
    let (wanted, available) = (wanted(object), status(object, "availableReplicas"));
    if available < wanted {
        return Health::progressing(format!("{available} of {wanted} replicas available"));
    }
    Health::ready()
}

pub(super) fn pod(object: &Object) -> Health {
    match pods::standing(object) {
        Standing::Fine => Health::ready(),
        Standing::Waiting(reason) => Health::progressing(reason),
        Standing::Failing(reason) => Health::failing(reason),
    }
}

pub(super) fn job(object: &Object) -> Health {
    let is_true = |kind| object.condition(kind).filter(crate::kubernetes::object::Condition::is_true);
    if is_true("Complete").or_else(|| is_true("SuccessCriteriaMet")).is_some() {
        return Health::ready();
    }
    if let Some(failed) = is_true("Failed").or_else(|| is_true("FailureTarget")) {
        return Health::failing(format!("{}: {}", failed.reason, failed.message));
    }
    if object.at(&["spec", "suspend"]).and_then(Value::as_bool) == Some(true) {
        return Health { state: super::State::Suspended, reason: Some("spec.suspend".into()) };
    }
    let (active, failed) = (status(object, "active"), status(object, "failed"));
    Health::progressing(match failed {
        0 => format!("{active} Pods running"),
        _ => format!("{active} Pods running, {failed} failed"),
    })
}

pub(super) fn cron_job(object: &Object) -> Health {
    if object.at(&["spec", "suspend"]).and_then(Value::as_bool) == Some(true) {
        return Health { state: super::State::Suspended, reason: Some("spec.suspend".into()) };
    }
    Health::ready()
}
