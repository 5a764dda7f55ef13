//! What `demo/record.sh` wrote, compiled into the binary: one file a kind, named `plural.group`.

use std::io;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    ages,
    collection::{Collection, text},
};

macro_rules! recorded {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../demo/recorded/", $name, ".json")))),*]
    };
}

const RECORDING: &str = include_str!("../../demo/recorded/recording.json");
const VERSION: &str = include_str!("../../demo/recorded/version.json");
const CORE: &str = include_str!("../../demo/recorded/discovery-api.json");
const GROUPS: &str = include_str!("../../demo/recorded/discovery-apis.json");
const LISTS: &[(&str, &str)] = recorded![
    "caches.platform.example.com"
    "configmaps"
    "controllerrevisions.apps"
    "cronjobs.batch"
    "customresourcedefinitions.apiextensions.k8s.io"
    "daemonsets.apps"
    "databases.platform.example.com"
    "deployments.apps"
    "endpoints"
    "endpointslices.discovery.k8s.io"
    "events"
    "events.events.k8s.io"
    "gateways.platform.example.com"
    "graphrevisions.internal.kro.run"
    "horizontalpodautoscalers.autoscaling"
    "ingresses.networking.k8s.io"
    "jobs.batch"
    "limitranges"
    "namespaces"
    "networkpolicies.networking.k8s.io"
    "nodes"
    "persistentvolumeclaims"
    "persistentvolumes"
    "poddisruptionbudgets.policy"
    "pods"
    "replicasets.apps"
    "reports.platform.example.com"
    "resourcegraphdefinitions.kro.run"
    "resourcequotas"
    "rolebindings.rbac.authorization.k8s.io"
    "roles.rbac.authorization.k8s.io"
    "secrets"
    "serviceaccounts"
    "services"
    "shops.platform.example.com"
    "statefulsets.apps"
    "storageclasses.storage.k8s.io"
    "teams.platform.example.com"
    "webservices.platform.example.com"
    "workerpools.platform.example.com"
];

/// The recorded platform, its ages moved so that the recording ended a few minutes ago.
pub(super) struct Recording {
    /// The answer of `/version`.
    pub(super) version: Value,
    /// The aggregated discovery document of `/api`.
    pub(super) core: Value,
    /// The aggregated discovery document of `/apis`.
    pub(super) groups: Value,
    /// Every kind that discovery names.
    pub(super) collections: Vec<Collection>,
}

impl Recording {
    /// The recording as seen at `now`.
    pub(super) fn at(now: Timestamp) -> io::Result<Self> {
        let recorded: Value = serde_json::from_str(RECORDING)?;
        let recorded = recorded.get("at").and_then(Value::as_str).unwrap_or_default();
        let shift = ages::shift(recorded.parse().map_err(io::Error::other)?, now);
        let core = read_only(serde_json::from_str(CORE)?);
        let groups = read_only(serde_json::from_str(GROUPS)?);
        let collections = [&core, &groups].into_iter().flat_map(|document| kinds(document, shift)).collect();
        Ok(Self { version: serde_json::from_str(VERSION)?, core, groups, collections })
    }

    /// The kind at that place in the API.
    pub(super) fn collection(&self, group: &str, version: &str, resource: &str) -> Option<&Collection> {
        self.collections.iter().find(|collection| {
            (collection.group.as_str(), collection.version.as_str(), collection.resource.as_str())
                == (group, version, resource)
        })
    }

    /// The definition of a custom resource, by the plural and the group.
    pub(super) fn definition(&self, full_name: &str) -> Option<&Value> {
        self.collection("apiextensions.k8s.io", "v1", "customresourcedefinitions")?
            .items()
            .iter()
            .find(|definition| text(definition, &["metadata", "name"]) == full_name)
    }
}

/// A discovery document that promises no more than this server keeps.
fn read_only(mut document: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(walk),
            Value::Object(members) => {
                for (key, value) in members {
                    match (key.as_str(), value) {
                        ("verbs", Value::Array(verbs)) => {
                            verbs.retain(|verb| matches!(verb.as_str(), Some("get" | "list" | "watch")));
                        }
                        ("subresources", Value::Array(subresources)) => {
                            // The others (a log, a scale, a token) are something else than the object.
                            const SERVED: [&str; 3] = ["status", "ephemeralcontainers", "resize"];
                            subresources
                                .retain(|subresource| SERVED.contains(&text(subresource, &["subresource"])));
                            subresources.iter_mut().for_each(walk);
                        }
                        (_, value) => walk(value),
                    }
                }
            }
            _ => {}
        }
    }
    walk(&mut document);
    document
}

fn kinds(document: &Value, shift: SignedDuration) -> Vec<Collection> {
    let mut found = Vec::new();
    for group in array(document, "items") {
        let name = group.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        for version in array(group, "versions") {
            for resource in array(version, "resources") {
                found.extend(Collection::new(name, version, resource, LISTS, shift));
            }
        }
    }
    found
}

/// The array that is the member `key`, empty where there is none.
pub(super) fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_recorded_file_is_compiled_in_and_every_kind_has_one() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/recorded");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(".json", ""))
            .filter(|name| {
                !["recording", "version", "discovery-api", "discovery-apis"].contains(&name.as_str())
            })
            .collect();
        let compiled: BTreeSet<String> = LISTS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(files, compiled);

        let recording = Recording::at(Timestamp::now()).unwrap();
        let named: BTreeSet<String> = recording
            .collections
            .iter()
            .map(|kind| format!("{}.{}", kind.resource, kind.group).trim_end_matches('.').to_owned())
            .collect();
        assert_eq!(named, compiled);
        for kind in &recording.collections {
            assert!(kind.list().get("items").is_some_and(Value::is_array), "{}", kind.resource);
        }
    }
}
