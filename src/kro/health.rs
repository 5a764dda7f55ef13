//! What a leaf object says of itself.
//!
//! Never "ready" by assumption: a kind with status machinery and no status yet is progressing. Kinds
//! are matched by group and kind, since names repeat across groups (`Service` of Knative).

mod conditions;
mod storage;
mod workload;

use crate::kro::state::State;
use crate::kubernetes::Object;

/// The health of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Its state.
    pub state: State,
    /// Why, in a few words; none when ready.
    pub reason: Option<String>,
}

impl Health {
    /// Fine.
    pub fn ready() -> Self {
        Self { state: State::Ready, reason: None }
    }

    /// Being worked on.
    pub fn progressing(reason: impl Into<String>) -> Self {
        Self { state: State::Progressing, reason: Some(reason.into()) }
    }

    /// Wrong, and waiting does not help.
    pub fn failing(reason: impl Into<String>) -> Self {
        Self { state: State::Failing, reason: Some(reason.into()) }
    }
}

/// Judges an object that is not an instance of kro's.
pub fn of(object: &Object) -> Health {
    if let Some(since) = object.deletion() {
        return Health { state: State::Deleting, reason: Some(deletion(object, since)) };
    }
    match (object.group(), object.kind()) {
        ("apps", "Deployment") => workload::deployment(object),
        ("apps", "StatefulSet") => workload::stateful_set(object),
        ("apps", "DaemonSet") => workload::daemon_set(object),
        ("apps", "ReplicaSet") => workload::replica_set(object),
        ("", "Pod") => workload::pod(object),
        ("batch", "Job") => workload::job(object),
        ("batch", "CronJob") => workload::cron_job(object),
        ("", "PersistentVolumeClaim") => storage::claim(object),
        ("", "PersistentVolume") => storage::volume(object),
        ("", "Namespace") => storage::namespace(object),
        ("", "Service") => storage::service(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => conditions::definition(object),
        ("apiregistration.k8s.io", "APIService") => conditions::needs(object, "Available"),
        ("autoscaling", "HorizontalPodAutoscaler") => conditions::autoscaler(object),
        // Their status says where or how, never whether.
        ("networking.k8s.io", "Ingress" | "NetworkPolicy" | "IngressClass")
        | ("policy", "PodDisruptionBudget")
        | ("", "ResourceQuota" | "Endpoints" | "Node") => Health::ready(),
        (group, kind) if is_plain(group, kind) => Health::ready(),
        _ => conditions::usual(object),
    }
}

/// Kinds without status: they are ready when they exist.
fn is_plain(group: &str, kind: &str) -> bool {
    match group {
        "" => {
            matches!(kind, "ConfigMap" | "Secret" | "ServiceAccount" | "LimitRange" | "Event" | "PodTemplate")
        }
        "rbac.authorization.k8s.io"
        | "storage.k8s.io"
        | "scheduling.k8s.io"
        | "node.k8s.io"
        | "admissionregistration.k8s.io"
        | "coordination.k8s.io"
        | "discovery.k8s.io" => true,
        _ => false,
    }
}

fn deletion(object: &Object, since: &str) -> String {
    let finalizers = object.finalizers();
    if finalizers.is_empty() {
        return format!("since {since}");
    }
    format!("since {since}, held by {}", finalizers.join(", "))
}

#[cfg(test)]
#[path = "health/tests.rs"]
mod tests;
