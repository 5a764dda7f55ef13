//! Where an object goes and what kro keeps for itself: kind, namespace, reserved labels (kro v0.9.4
//! `pkg/graph/validation.go`, `validateTemplateConstraints`).

use serde_json::Value;

use super::findings::{Findings, Place};
use super::nodes::Node;
use super::problem::Rule;
use super::world::{Served, World};

/// What begins with these is kro's own.
const RESERVED: [&str; 2] = ["kro.run/", "internal.kro.run/"];

/// Checks that it is an object of Kubernetes, of a kind that is served; answers with how.
pub(super) fn kind<'w>(node: &Node<'_>, world: &'w World, findings: &mut Findings) -> Option<&'w Served> {
    let part = node.part();
    let mut whole = true;
    for key in ["apiVersion", "kind"] {
        let field = format!("{part}.{key}");
        let at = Place::node(&node.id, &field);
        let wrong = match node.object.get(key) {
            None => Some(format!("it has no {key}")),
            Some(Value::String(text)) if text.contains("${") => {
                Some(format!("{key} must be written out: kro reads the kind's schema before any expression"))
            }
            Some(Value::String(_)) => None,
            Some(_) => Some(format!("{key} must be text")),
        };
        if let Some(message) = wrong {
            findings.add(Rule::Template, at, &message);
            whole = false;
        }
    }
    if !node.object.get("metadata").is_some_and(Value::is_object) {
        let field = format!("{part}.metadata");
        findings.add(Rule::Template, Place::node(&node.id, &field), "it must be there, and a map");
    }
    if !whole {
        return None;
    }
    let (api_version, kind) = (node.text("apiVersion")?, node.text("kind")?);
    let served = world.kind(api_version, kind)?;
    let field = format!("{part}.kind");
    let at = Place::node(&node.id, &field);
    match served {
        Served::Yes { .. } => {}
        Served::No { generated: Some(by) } => {
            let message = format!(
                "the cluster does not serve {api_version} {kind} yet; kro waits until {by} generates it"
            );
            findings.doubt(Rule::UnknownKind, at, &message);
        }
        Served::No { generated: None } => {
            let message =
                format!("the cluster does not serve {api_version} {kind}; its CRD must be there first");
            findings.add(Rule::UnknownKind, at, &message);
        }
        Served::OtherVersion(other) => {
            let message = format!("the cluster does not serve {api_version} {kind}; it serves {other}");
            findings.add(Rule::UnknownKind, at, &message);
        }
    }
    Some(served)
}

/// Checks `metadata` against the scope of its kind and of the instance's.
pub(super) fn placed(
    node: &Node<'_>,
    kind_namespaced: bool,
    instance_namespaced: bool,
    findings: &mut Findings,
) {
    let field = format!("{}.metadata.namespace", node.part());
    let at = Place::node(&node.id, &field);
    let namespace = node.object.get("metadata").and_then(|metadata| metadata.get("namespace"));
    // an external reference that is empty is not there
    let namespace = namespace.filter(|namespace| !(node.external && namespace.as_str() == Some("")));
    let kind = node.text("kind").unwrap_or_default();
    match namespace {
        Some(_) if !kind_namespaced => {
            findings.add(
                Rule::Namespace,
                at,
                &format!("{kind} is cluster-scoped: it must not set a namespace"),
            );
        }
        given if kind_namespaced && !instance_namespaced && !node.selected => {
            let named = given.and_then(Value::as_str).is_some_and(|namespace| !namespace.trim().is_empty());
            if !named {
                let message = format!(
                    "{kind} lives in namespaces and the instance is cluster-scoped: it must set a namespace"
                );
                findings.add(Rule::Namespace, at, &message);
            }
        }
        _ => {}
    }
}

/// Checks that a template leaves kro's labels and annotations alone.
pub(super) fn reserved(node: &Node<'_>, findings: &mut Findings) {
    let metadata = node.object.get("metadata");
    for what in ["labels", "annotations"] {
        let keys = metadata.and_then(|metadata| metadata.get(what)?.as_object());
        for key in keys.into_iter().flat_map(|keys| keys.keys()) {
            if let Some(prefix) = RESERVED.iter().find(|prefix| key.starts_with(**prefix)) {
                let field = format!("{}.metadata.{what}[{key:?}]", node.part());
                let message = format!("{what} that begin with {prefix} are kro's own");
                findings.add(Rule::ReservedPrefix, Place::node(&node.id, &field), &message);
            }
        }
    }
}
