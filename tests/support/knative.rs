//! Knative Eventing without its controllers: its CRDs on a control plane of its own, and the event mesh of
//! `eventing/mesh.mjs` with the status that controllers would give it.
//!
//! The CRDs have what discovery and the labels show, and no schemas: the shape of the objects is checked before
//! they get here, by validators made from Knative's types.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, clippy::panic, reason = "a broken rig must fail the test at once and say why")]

use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::control_plane::ControlPlane;
use super::kubectl::Namespace;
use super::parts;

/// What stands in a Secret, in the environment of a source and in kubectl's copy of it, and may never show.
pub(crate) const PLANTED: &str = "planted-value-of-a-source";

/// Longer than the API server takes to serve a new kind.
const PATIENCE: Duration = Duration::from_secs(30);

/// A CRD of Knative, or of a vendor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) group: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    /// All of them served.
    pub(crate) versions: &'static [&'static str],
    /// One of the versions.
    pub(crate) storage: &'static str,
    /// Those of Knative by their short forms (`subscribable`, `addressable`, `source`, `binding`).
    pub(crate) labels: &'static [&'static str],
    /// Annotation `registry.knative.dev/eventTypes`; none where it is empty.
    pub(crate) event_types: &'static str,
}

const EVENTING: &str = "eventing.knative.dev";
const MESSAGING: &str = "messaging.knative.dev";
const SOURCES: &str = "sources.knative.dev";
const FLOWS: &str = "flows.knative.dev";
const SINKS: &str = "sinks.knative.dev";
const V1: &[&str] = &["v1"];
const V1ALPHA1: &[&str] = &["v1alpha1"];

/// Those of Knative Eventing after v0.49.2, Knative's Service, and a vendor's source.
pub(crate) const KINDS: [Kind; 20] = [
    Kind::new(EVENTING, "Broker", "brokers", V1, &["addressable"]),
    Kind::new(EVENTING, "EventPolicy", "eventpolicies", V1ALPHA1, &[]),
    Kind::new(EVENTING, "EventTransform", "eventtransforms", V1ALPHA1, &["addressable"]),
    Kind {
        storage: "v1beta2",
        ..Kind::new(EVENTING, "EventType", "eventtypes", &["v1beta3", "v1beta2", "v1beta1"], &[])
    },
    Kind::new(EVENTING, "RequestReply", "requestreplies", V1ALPHA1, &[]),
    Kind::new(EVENTING, "Trigger", "triggers", V1, &[]),
    Kind::new(MESSAGING, "Channel", "channels", V1, &["subscribable", "addressable"]),
    Kind::new(MESSAGING, "InMemoryChannel", "inmemorychannels", V1, &["subscribable", "addressable"]),
    Kind::new(MESSAGING, "Subscription", "subscriptions", V1, &[]),
    Kind::new(FLOWS, "Parallel", "parallels", V1, &["addressable"]),
    Kind::new(FLOWS, "Sequence", "sequences", V1, &["addressable"]),
    Kind {
        event_types: r#"[{"type": "dev.knative.apiserver.resource.add", "description": "CloudEvent type used for add operations when in Resource mode"}, {"type": "dev.knative.apiserver.resource.delete", "description": "CloudEvent type used for delete operations when in Resource mode"}, {"type": "dev.knative.apiserver.resource.update", "description": "CloudEvent type used for update operations when in Resource mode"}, {"type": "dev.knative.apiserver.ref.add", "description": "CloudEvent type used for add operations when in Reference mode"}, {"type": "dev.knative.apiserver.ref.delete", "description": "CloudEvent type used for delete operations when in Reference mode"}, {"type": "dev.knative.apiserver.ref.update", "description": "CloudEvent type used for update operations when in Reference mode"}]"#,
        ..Kind::new(SOURCES, "ApiServerSource", "apiserversources", V1, &["source"])
    },
    Kind::new(SOURCES, "ContainerSource", "containersources", V1, &["source"]),
    Kind::new(SOURCES, "IntegrationSource", "integrationsources", V1ALPHA1, &["source"]),
    Kind {
        event_types: r#"[{"type": "dev.knative.sources.ping", "description": "CloudEvent type for fixed payloads on a specified cron schedule"}]"#,
        ..Kind::new(SOURCES, "PingSource", "pingsources", &["v1", "v1beta2"], &["source"])
    },
    Kind::new(SOURCES, "SinkBinding", "sinkbindings", V1, &["source", "binding"]),
    Kind::new(SINKS, "IntegrationSink", "integrationsinks", V1ALPHA1, &["addressable"]),
    Kind::new(SINKS, "JobSink", "jobsinks", V1ALPHA1, &["addressable"]),
    Kind::new("serving.knative.dev", "Service", "services", V1, &["addressable"]),
    Kind {
        event_types: r#"[{"type": "vendor.test.push"}]"#,
        ..Kind::new("sources.vendor.test", "RepositoryFeed", "repositoryfeeds", V1ALPHA1, &["source"])
    },
];

impl Kind {
    const fn new(
        group: &'static str,
        kind: &'static str,
        plural: &'static str,
        versions: &'static [&'static str],
        labels: &'static [&'static str],
    ) -> Self {
        Self { group, kind, plural, versions, storage: versions[0], labels, event_types: "" }
    }

    /// The name of its CRD.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.plural, self.group)
    }

    /// Its CRD.
    pub(crate) fn definition(&self) -> Value {
        let labels = self.labels.iter().map(|label| match *label {
            "subscribable" => ("messaging.knative.dev/subscribable".to_owned(), json!("true")),
            other => (format!("duck.knative.dev/{other}"), json!("true")),
        });
        let labels: serde_json::Map<String, Value> = labels.collect();
        let versions = self.versions.iter().map(|version| {
            json!({
                "name": version, "served": true, "storage": *version == self.storage,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            })
        });
        let mut metadata = json!({"name": self.name(), "labels": labels});
        if !self.event_types.is_empty() {
            metadata["annotations"] = json!({"registry.knative.dev/eventTypes": self.event_types});
        }
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata,
            "spec": {
                "group": self.group, "scope": "Namespaced", "versions": versions.collect::<Vec<_>>(),
                "names": {
                    "kind": self.kind, "listKind": format!("{}List", self.kind), "plural": self.plural,
                    "singular": self.kind.to_lowercase(),
                },
            },
        })
    }
}

/// Installs these kinds, and waits until they are served.
#[track_caller]
pub(crate) fn install<'a>(plane: &ControlPlane, kinds: impl IntoIterator<Item = &'a Kind>) {
    let (mut definitions, mut names) = (Vec::new(), Vec::new());
    for kind in kinds {
        definitions.push(kind.definition());
        names.push(format!("crd/{}", kind.name()));
    }
    plane.apply(&list(&definitions));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    plane.kubectl(&[["wait", "--for=condition=Established", "--timeout=60s"].as_slice(), &names].concat());
}

/// The control plane that has Knative, shared by all tests of this binary that only add to it: etcd and the API
/// server alone, which trusts what [`ControlPlane::shared`] trusts. Nothing is collected there as garbage.
#[track_caller]
pub(crate) fn plane() -> &'static ControlPlane {
    static SHARED: OnceLock<ControlPlane> = OnceLock::new();
    SHARED.get_or_init(|| {
        let plane = ControlPlane::start_trusting(&[("WITHOUT_CONTROLLERS", "1")]);
        install(&plane, &KINDS);
        plane
    })
}

/// The mesh of `eventing/mesh.mjs` in two namespaces of its own.
pub(crate) struct StandardMesh {
    /// The Broker `default`, the Channel `audit`, the Parallel `route`, a loop, and most triggers.
    pub(crate) shop: Namespace,
    /// The Broker `ledger` and the Sequence `settle`, which end in the InMemoryChannel `settled`.
    pub(crate) bank: Namespace,
}

impl StandardMesh {
    /// The one on [`plane`], which nobody changes.
    #[track_caller]
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<StandardMesh> = OnceLock::new();
        SHARED.get_or_init(|| Self::plant(plane()))
    }

    /// One of its own, on a control plane with the CRDs.
    #[track_caller]
    pub(crate) fn plant(plane: &ControlPlane) -> Self {
        let (shop, bank) = (plane.namespace("shop"), plane.namespace("bank"));
        let objects = objects(&shop, &bank);
        apply(plane, objects);
        Self { shop, bank }
    }
}

/// What `eventing/mesh.mjs` makes for these namespaces.
#[track_caller]
fn objects(shop: &str, bank: &str) -> Vec<Value> {
    let parts = parts::eventing();
    let output = Command::new(parts.join("bin/node"))
        .arg(parts::support("eventing/mesh.mjs"))
        .arg(parts)
        .args([shop, bank, PLANTED])
        .output()
        .expect("Node starts");
    assert!(output.status.success(), "mesh.mjs: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it prints a list")
}

/// Applies objects with `kubectl apply`, which leaves its copy of the manifest on each, and gives them the status
/// that is in them. Where an owner reference has no uid, it gets the one of the object named.
#[track_caller]
pub(crate) fn apply(plane: &ControlPlane, objects: Vec<Value>) {
    let (owned, free): (Vec<Value>, Vec<Value>) =
        objects.into_iter().partition(|object| object.pointer("/metadata/ownerReferences").is_some());
    let made = made(plane, &free);
    let owned: Vec<Value> = owned.into_iter().map(|object| with_owner(object, &made)).collect();
    if !owned.is_empty() {
        self::made(plane, &owned);
    }
    let with_status: Vec<Value> =
        free.into_iter().chain(owned).filter(|object| object.get("status").is_some()).collect();
    if !with_status.is_empty() {
        let statuses = list(&with_status);
        let status = ["apply", "--server-side", "--subresource=status", "--force-conflicts", "-f", "-"];
        plane.kubectl_with(&status, &statuses);
    }
}

/// The objects as the API server has them after `kubectl apply`. A kind that was just installed may not be in all of
/// discovery yet.
#[track_caller]
fn made(plane: &ControlPlane, objects: &[Value]) -> Vec<Value> {
    let manifests: Vec<Value> = objects
        .iter()
        .map(|object| {
            let mut object = object.clone();
            object.as_object_mut().expect("objects").remove("status");
            object
        })
        .collect();
    let manifests = list(&manifests);
    let made = plane.wait_for("the kinds of Knative", PATIENCE, || {
        // what has no schema, kubectl validates all the same, and takes no null
        match plane.try_kubectl_with(&["apply", "--validate=false", "-o", "json", "-f", "-"], &manifests) {
            Ok(made) => Some(made),
            Err(why) if why.contains("no matches for kind") => None,
            Err(why) => panic!("the mesh is refused: {why}"),
        }
    });
    let made: Value = serde_json::from_str(&made).expect("kubectl -o json prints JSON");
    match made["items"].as_array() {
        Some(items) => items.clone(),
        None => vec![made],
    }
}

#[track_caller]
fn with_owner(mut object: Value, made: &[Value]) -> Value {
    let namespace = object["metadata"]["namespace"].clone();
    let owners = object["metadata"]["ownerReferences"].as_array_mut().expect("owner references");
    for owner in owners {
        let is = |other: &&Value| {
            other["kind"] == owner["kind"]
                && other["metadata"]["name"] == owner["name"]
                && other["metadata"]["namespace"] == namespace
        };
        let found = made.iter().find(is).unwrap_or_else(|| panic!("there is no {owner}"));
        owner["uid"] = found["metadata"]["uid"].clone();
    }
    object
}

fn list(items: &[Value]) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}
