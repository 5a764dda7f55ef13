//! What is at risk in a change, beyond the fields that differ.

use http::Method;
use serde_json::Value;

use crate::kubernetes::{Object, proxy::Resource};

/// Owners that are told.
const MOST_OWNERS: usize = 4;

/// Lines on what a change of an object puts at risk. `object` is the one there is, or the one it would become.
pub fn risks(method: &Method, resource: &Resource, object: Option<&Object>) -> Vec<String> {
    let mut risks = Vec::new();
    let deletes = *method == Method::DELETE;
    let one = resource.name.is_some();
    let (group, plural) = (resource.group.as_str(), resource.plural.as_str());
    let name = resource.name.as_deref().unwrap_or("each of them");
    if deletes {
        risks.extend(match (group, plural) {
            ("", "namespaces") => Some(format!("everything in the namespace {name} is deleted with it")),
            ("apiextensions.k8s.io", "customresourcedefinitions") => Some(format!(
                "all objects of the kind that {name} defines are deleted with it, in every namespace"
            )),
            ("", "persistentvolumeclaims" | "persistentvolumes") => {
                Some("the data of the volume may be lost: its reclaim policy decides".to_owned())
            }
            ("", "nodes") => Some("the Pods that run on it are removed".to_owned()),
            _ => None,
        });
    }
    risks.extend(match (group, plural, resource.subresource.as_deref()) {
        (_, "namespaces", Some("finalize")) => {
            Some("a namespace without finalizers goes at once, and what is in it may stay in etcd".to_owned())
        }
        (_, "pods", Some("eviction")) => {
            Some("the Pod is deleted, where its PodDisruptionBudgets let it".to_owned())
        }
        ("rbac.authorization.k8s.io", _, _) => Some("it changes who may do what in the cluster".to_owned()),
        ("admissionregistration.k8s.io", _, _) => {
            Some("it changes what the API server lets through, for everybody".to_owned())
        }
        ("apiregistration.k8s.io", _, _) => Some("it changes which APIs the cluster serves".to_owned()),
        ("certificates.k8s.io", _, Some("approval")) => {
            Some("an approved request becomes a credential of the cluster".to_owned())
        }
        _ => None,
    });
    if let Some(object) = object.filter(|_| one || !deletes) {
        risks.extend(put_back(object, deletes));
    }
    risks
}

/// Who may undo it.
fn put_back(object: &Object, deletes: bool) -> Vec<String> {
    let undone = if deletes { "make it again" } else { "put it back" };
    let mut lines: Vec<String> = object
        .items(&["metadata", "ownerReferences"])
        .iter()
        .filter(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))
        .filter_map(|owner| Some((owner.get("kind")?.as_str()?, owner.get("name")?.as_str()?)))
        .take(MOST_OWNERS)
        .map(|(kind, name)| format!("{kind} {name} controls it and may {undone}"))
        .collect();
    let label = |key: &str| object.label(key);
    // names as kro ≥ 0.4 writes them
    if let Some(instance) = label("kro.run/instance-name").or_else(|| label("kro.run/instance-id")) {
        let kind = label("kro.run/instance-kind").unwrap_or("instance");
        lines
            .push(format!("it belongs to the KRO {kind} {instance}: kro will {undone}; change the instance"));
    }
    let gitops = [
        (object.annotation("argocd.argoproj.io/tracking-id").is_some(), "Argo CD"),
        (label("kustomize.toolkit.fluxcd.io/name").is_some(), "Flux"),
        (label("helm.toolkit.fluxcd.io/name").is_some(), "Flux"),
    ];
    if let Some((_, who)) = gitops.iter().find(|(is, _)| *is) {
        lines.push(format!("{who} applies it and may {undone}; change its source"));
    } else if let Some(manager) = label("app.kubernetes.io/managed-by").filter(|manager| *manager != "kro") {
        lines.push(format!("it says that {manager} manages it"));
    }
    lines
}

/// What a deletion leads to.
pub fn follows(live: &Object, options: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let finalizers = live.finalizers();
    if !finalizers.is_empty() {
        lines.push(format!("it stays until its finalizers are done: {}", finalizers.join(", ")));
    }
    let policy = options.get("propagationPolicy").and_then(Value::as_str);
    let orphans = options.get("orphanDependents").and_then(Value::as_bool) == Some(true);
    lines.push(
        match policy {
            Some("Orphan") => "objects that name it as their owner stay, without it",
            Some("Foreground") => "objects that name it as their owner are deleted first",
            _ if orphans => "objects that name it as their owner stay, without it",
            _ => "objects that name it as their owner are deleted in the background",
        }
        .to_owned(),
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(group: &str, plural: &str, name: Option<&str>) -> Resource {
        let (group, plural) = (group.to_owned(), plural.to_owned());
        Resource { group, plural, name: name.map(str::to_owned), ..Resource::default() }
    }

    #[test]
    fn what_goes_with_more_than_itself_is_told() {
        for (group, plural, said) in [
            ("", "namespaces", "everything in the namespace x"),
            ("apiextensions.k8s.io", "customresourcedefinitions", "in every namespace"),
            ("", "persistentvolumeclaims", "data of the volume"),
            ("rbac.authorization.k8s.io", "roles", "who may do what"),
            ("admissionregistration.k8s.io", "validatingwebhookconfigurations", "lets through"),
        ] {
            let risks = risks(&Method::DELETE, &of(group, plural, Some("x")), None).join("\n");
            assert!(risks.contains(said), "{plural}: {risks}");
        }
        assert!(risks(&Method::DELETE, &of("", "configmaps", Some("x")), None).is_empty());
    }

    #[test]
    fn who_may_put_it_back_is_told() {
        let object = Object::from_value(json!({"metadata": {
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-1", "controller": true}, {"kind": "B", "name": "b"}],
            "labels": {"kro.run/instance-name": "shop", "kro.run/instance-kind": "Shop", "app.kubernetes.io/managed-by": "Helm"}}}))
        .expect("an object");
        let risks = risks(&Method::PATCH, &of("", "pods", Some("x")), Some(&object));
        assert_eq!(
            risks,
            [
                "ReplicaSet web-1 controls it and may put it back",
                "it belongs to the KRO Shop shop: kro will put it back; change the instance",
                "it says that Helm manages it"
            ]
        );
    }

    #[test]
    fn what_becomes_of_dependents_is_told() {
        let live = Object::from_value(json!({"metadata": {"finalizers": ["a/b"]}})).expect("an object");
        let told = |options: &Value| follows(&live, options).join("; ");
        assert!(
            told(&json!({})).contains("finalizers are done: a/b")
                && told(&json!({})).contains("in the background")
        );
        assert!(told(&json!({"propagationPolicy": "Orphan"})).contains("stay"));
    }
}
