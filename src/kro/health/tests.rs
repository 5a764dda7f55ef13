use super::*;
use serde_json::{Value, json};

fn judge(mut object: Value) -> (State, String) {
    if object.get("metadata").is_none() {
        object["metadata"] = json!({"name": "x", "generation": 2});
    }
    let health = of(&Object::from_value(object).expect("an object"));
    (health.state, health.reason.unwrap_or_default())
}

#[test]
fn deployments() {
    let deployment = |status: Value| {
        judge(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 2}, "status": status}),
        )
    };
    let full = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
    assert_eq!(deployment(full).0, State::Ready);
    assert_eq!(
        deployment(json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2})).1,
        "0 of 2 replicas available"
    );
    assert_eq!(deployment(json!({})).0, State::Progressing);
    assert_eq!(deployment(json!({"observedGeneration": 1, "availableReplicas": 2})).0, State::Progressing);
    let stuck = json!({"observedGeneration": 2, "conditions": [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "m"}]});
    assert_eq!(deployment(stuck), (State::Failing, "ProgressDeadlineExceeded: m".into()));
    let refused = json!({"observedGeneration": 2, "conditions": [
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}]});
    assert_eq!(deployment(refused).0, State::Failing);
}

#[test]
fn scaled_to_zero_is_ready() {
    let status = json!({"observedGeneration": 2});
    for kind in ["Deployment", "StatefulSet", "ReplicaSet"] {
        let object =
            json!({"apiVersion": "apps/v1", "kind": kind, "spec": {"replicas": 0}, "status": status});
        assert_eq!(judge(object).0, State::Ready, "{kind}");
    }
}

#[test]
fn pods_and_jobs() {
    let pod = |status: Value| judge(json!({"apiVersion": "v1", "kind": "Pod", "status": status}));
    let crash = json!({"phase": "Running", "containerStatuses": [
        {"name": "app", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]});
    assert_eq!(pod(crash), (State::Failing, "container app: CrashLoopBackOff".into()));
    let unscheduled = json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]});
    assert_eq!(pod(unscheduled), (State::Progressing, "Unschedulable: 0/3 nodes".into()));
    assert_eq!(pod(json!({})).0, State::Progressing);

    let job = |status: Value| judge(json!({"apiVersion": "batch/v1", "kind": "Job", "status": status}));
    assert_eq!(job(json!({"conditions": [{"type": "Complete", "status": "True"}]})).0, State::Ready);
    assert_eq!(job(json!({"conditions": [{"type": "Failed", "status": "True"}]})).0, State::Failing);
    assert_eq!(job(json!({"active": 1})).0, State::Progressing);
}

#[test]
fn existence_is_enough_only_where_there_is_nothing_to_wait_for() {
    let cases = [
        (json!({"apiVersion": "v1", "kind": "ConfigMap"}), State::Ready),
        (json!({"apiVersion": "v1", "kind": "Service", "spec": {"type": "ClusterIP"}}), State::Ready),
        (
            json!({"apiVersion": "v1", "kind": "Service", "spec": {"type": "LoadBalancer"}}),
            State::Progressing,
        ),
        (json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}), State::Ready),
        (json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {}}), State::Progressing),
        (json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "spec": {}}), State::Progressing),
        (
            json!({"apiVersion": "x.io/v1", "kind": "Deployment", "spec": {}, "status": {}}),
            State::Progressing,
        ),
        (json!({"apiVersion": "x.io/v1", "kind": "Data", "data": {}}), State::Ready),
        (
            json!({"apiVersion": "x.io/v1", "kind": "Bucket", "spec": {}, "status": {"conditions": [
            {"type": "Synced", "status": "True"}, {"type": "Ready", "status": "Unknown"}]}}),
            State::Progressing,
        ),
        (
            json!({"apiVersion": "x.io/v1", "kind": "Bucket", "spec": {}, "status": {"conditions": [
            {"type": "Ready", "status": "False"}, {"type": "Stalled", "status": "True"}]}}),
            State::Failing,
        ),
    ];
    for (object, expected) in cases {
        assert_eq!(judge(object.clone()).0, expected, "{object}");
    }
}

#[test]
fn deletion_names_what_holds_it() {
    let (state, reason) = judge(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/hold"]}}));
    assert_eq!(state, State::Deleting);
    assert_eq!(reason, "since 2026-01-01T00:00:00Z, held by example.com/hold");
}
