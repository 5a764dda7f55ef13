//! [`Settings`]: what a cluster group's Helm values of vCluster mean (reference 1.7), in the few words that people
//! ask for. Values are text of anybody's: what is not as expected is left out, and what is no YAML is said.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::answer::sanitise;

/// Values longer than this are not read.
const LARGEST: usize = 1 << 20;
/// Entries of a map that are told.
const MOST: usize = 30;
/// Characters of a value.
const LONGEST: usize = 120;

/// What the values set.
#[derive(Clone, Debug, Default, Serialize, JsonSchema, PartialEq)]
pub struct Settings {
    /// Kinds that are copied to the host cluster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sync_to_host: Vec<String>,
    /// Kinds that are copied from it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sync_from_host: Vec<String>,
    /// Image tags of the control plane.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub control_plane: BTreeMap<String, String>,
    /// What is installed into each virtual cluster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deploys: Vec<String>,
    /// Quota of each virtual cluster's namespace.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resource_quota: BTreeMap<String, String>,
    /// Defaults of containers: `default.cpu`, `defaultRequest.memory`, …
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub limit_range: BTreeMap<String, String>,
    /// Whether virtual clusters are kept apart, and what they may reach.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub network_policy: BTreeMap<String, String>,
    /// Plugins, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<String>,
}

impl Settings {
    /// Of the values.
    ///
    /// # Errors
    /// Why they cannot be read, in words that hold nothing of them.
    pub fn parse(values: &str) -> Result<Self, String> {
        if values.len() > LARGEST {
            return Err(format!("the values are {} bytes, more than are read", values.len()));
        }
        if values.trim().is_empty() {
            return Ok(Self::default());
        }
        let not_yaml = || format!("the values ({} bytes) are not YAML", values.len());
        let read: Value = serde_saphyr::from_str(values).map_err(|_| not_yaml())?;
        if !read.is_object() {
            return Err(format!("the values ({} bytes) are not a YAML mapping", values.len()));
        }
        let policies = |name: &str| read.pointer(&format!("/policies/{name}"));
        Ok(Self {
            sync_to_host: enabled(read.pointer("/sync/toHost")),
            sync_from_host: enabled(read.pointer("/sync/fromHost")),
            control_plane: control_plane(&read),
            deploys: deploys(&read),
            resource_quota: flat(policies("resourceQuota").and_then(|of| of.get("quota"))),
            limit_range: limit_range(policies("limitRange")),
            network_policy: network_policy(policies("networkPolicy")),
            plugins: names(read.get("plugin")).chain(names(read.get("plugins"))).collect(),
        })
    }

    /// Lines of the text.
    pub fn lines(&self) -> Vec<String> {
        let list = |name: &str, words: &[String]| {
            (!words.is_empty()).then(|| format!("{name}: {}", words.join(", ")))
        };
        let map = |name: &str, words: &BTreeMap<String, String>| {
            let words: Vec<String> = words.iter().map(|(key, value)| format!("{key} {value}")).collect();
            list(name, &words)
        };
        [
            list("sync to host", &self.sync_to_host),
            list("sync from host", &self.sync_from_host),
            map("control plane images", &self.control_plane),
            list("deploys", &self.deploys),
            map("resource quota", &self.resource_quota),
            map("limit range", &self.limit_range),
            map("network policy", &self.network_policy),
            list("plugins", &self.plugins),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Keys whose member `enabled` is true.
fn enabled(of: Option<&Value>) -> Vec<String> {
    let members = of.and_then(Value::as_object).into_iter().flatten();
    let on = members.filter(|(_, member)| member.get("enabled") == Some(&Value::Bool(true)));
    on.take(MOST).map(|(name, _)| short(name)).collect()
}

fn control_plane(values: &Value) -> BTreeMap<String, String> {
    [
        ("distro", "/controlPlane/distro/k8s/image/tag"),
        ("apiServer", "/controlPlane/distro/k8s/apiServer/image/tag"),
        ("statefulSet", "/controlPlane/statefulSet/image/tag"),
    ]
    .into_iter()
    .filter_map(|(name, path)| Some((name.to_owned(), scalar(values.pointer(path)?)?)))
    .collect()
}

fn deploys(values: &Value) -> Vec<String> {
    [
        ("localPathProvisioner", "/deploy/localPathProvisioner/enabled"),
        ("flannel", "/deploy/cni/flannel/enabled"),
        ("kubeProxy", "/deploy/kubeProxy/enabled"),
        ("metallb", "/deploy/metallb/enabled"),
        ("ingressNginx", "/deploy/ingressNginx/enabled"),
        ("metricsServer", "/deploy/metricsServer/enabled"),
    ]
    .into_iter()
    .filter(|(_, path)| values.pointer(path) == Some(&Value::Bool(true)))
    .map(|(name, _)| name.to_owned())
    .collect()
}

fn limit_range(of: Option<&Value>) -> BTreeMap<String, String> {
    let part = |name: &'static str| {
        flat(of.and_then(|of| of.get(name)))
            .into_iter()
            .map(move |(key, value)| (format!("{name}.{key}"), value))
    };
    part("default").chain(part("defaultRequest")).collect()
}

fn network_policy(of: Option<&Value>) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    let Some(of) = of else { return told };
    for (name, path) in [
        ("enabled", "/enabled"),
        ("fallbackDns", "/fallbackDns"),
        ("outgoing", "/outgoingConnections/ipBlock/cidr"),
    ] {
        told.extend(of.pointer(path).and_then(scalar).map(|value| (name.to_owned(), value)));
    }
    if let Some(except) = of.pointer("/outgoingConnections/ipBlock/except").and_then(Value::as_array) {
        let except: Vec<String> = except.iter().take(MOST).filter_map(scalar).collect();
        told.insert("outgoing except".to_owned(), except.join(" "));
    }
    for name in ["extraControlPlaneRules", "extraWorkloadRules"] {
        let rules = of.get(name).and_then(Value::as_array).map_or(0, Vec::len);
        if rules > 0 {
            told.insert(name.to_owned(), rules.to_string());
        }
    }
    told
}

/// The scalar members of a mapping.
fn flat(of: Option<&Value>) -> BTreeMap<String, String> {
    let members = of.and_then(Value::as_object).into_iter().flatten().take(MOST);
    members.filter_map(|(key, value)| Some((short(key), scalar(value)?))).collect()
}

fn names(of: Option<&Value>) -> impl Iterator<Item = String> {
    of.and_then(Value::as_object).into_iter().flatten().take(MOST).map(|(name, _)| short(name))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(short(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn short(text: &str) -> String {
    sanitise::short(text, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_in_the_words_of_the_settings() {
        let values = "
sync:
  toHost:
    pods: {enabled: true}
    secrets: {enabled: false}
    ingresses: {enabled: true}
  fromHost:
    nodes: {enabled: true, selector: {all: true}}
controlPlane:
  distro: {k8s: {image: {tag: v1.31.1}}}
deploy: {metricsServer: {enabled: true}, cni: {flannel: {enabled: false}}}
policies:
  resourceQuota: {enabled: true, quota: {requests.cpu: 10, count/pods: 20}}
  limitRange: {default: {cpu: '1'}, defaultRequest: {memory: 128Mi}}
  networkPolicy:
    fallbackDns: 8.8.8.8
    outgoingConnections: {ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}
plugin: {snapshots: {env: [{name: TOKEN, value: planted}]}}
";
        let settings = Settings::parse(values).expect("YAML");
        let lines = settings.lines().join("\n");
        assert_eq!(
            lines,
            "sync to host: pods, ingresses\nsync from host: nodes\ncontrol plane images: distro v1.31.1\n\
             deploys: metricsServer\nresource quota: count/pods 20, requests.cpu 10\n\
             limit range: default.cpu 1, defaultRequest.memory 128Mi\n\
             network policy: fallbackDns 8.8.8.8, outgoing 0.0.0.0/0, outgoing except 10.0.0.0/8\nplugins: snapshots"
        );
        assert!(!format!("{settings:?}").contains("planted"), "only what is known is told");
    }

    #[test]
    fn what_is_no_yaml_is_said_without_being_told() {
        for values in ["planted: [", "\tplanted", "just planted words", "- planted"] {
            let error = Settings::parse(values).expect_err(values);
            assert!(error.contains("not") && error.contains("YAML") && !error.contains("planted"), "{error}");
        }
        assert_eq!(Settings::parse("  \n"), Ok(Settings::default()));
        assert_eq!(Settings::parse("sync: 7\npolicies: [1]\nplugin: x"), Ok(Settings::default()));
    }
}
