//! The making of clusters: what is wrong with one, what it would cost, and making it.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Value, json};

use crate::demo::palette::{
    asked::{Asked, Reply},
    body,
    data::{Attached, Cluster, ClusterGroup, Data, Health, Making, Pool, Virtual},
    refusal::Refusal,
};

/// Something that is wrong with a cluster that is to be made.
struct Wrong {
    /// The uid of the profile it is about; none is about the machines.
    profile: Option<String>,
    /// Of the pack, the variable or the pool.
    name: String,
    message: String,
}

impl Asked<'_> {
    pub(super) fn about_creation(&self, template: &str) -> Result<Option<Reply>, Refusal> {
        let Some(rest) = template.strip_prefix("/v1/spectroclusters/") else { return Ok(None) };
        Ok(match rest.split_once('/') {
            Some((cloud, "validate")) if !cloud.contains('{') => {
                let asked = body::kept(cloud, self.body)?;
                Some(Reply::Json(validated(&self.wrong(&self.data, cloud, &asked)?)))
            }
            Some((cloud, "rate")) if !cloud.contains('{') => {
                let asked = body::kept(rest, self.body)?;
                let factor = match self.query("periodType") {
                    "" | "hourly" => 1.0,
                    "monthly" => 730.0,
                    "yearly" => 8760.0,
                    other => return Err(Refusal::breach(format!("periodType '{other}' is not known"))),
                };
                Some(Reply::Json(rate(&asked, cloud, factor)))
            }
            _ => None,
        })
    }

    /// Makes it.
    pub(super) fn create(&self, data: &mut Data, cloud: &str) -> Result<Reply, Refusal> {
        let asked = body::kept(cloud, self.body)?;
        let name = text(&asked, "/metadata/name");
        if name.is_empty() {
            return Err(Refusal::coded(422, "InvalidClusterName", "the cluster has no name"));
        }
        let taken = data
            .clusters
            .iter()
            .any(|cluster| cluster.name == name && cluster.project == self.project && !cluster.deleted);
        if taken {
            let message = format!("a cluster with the name '{name}' exists already");
            return Err(Refusal::coded(409, "ClusterAlreadyExists", message));
        }
        if let Some(wrong) = self.wrong(data, cloud, &asked)?.first() {
            return Err(Refusal::coded(
                422,
                "ClusterValidationFailed",
                format!("{}: {}", wrong.name, wrong.message),
            ));
        }
        let mut cluster = Cluster {
            environment: if cloud == "virtual" { "nested" } else { cloud }.to_owned(),
            state: "Pending".into(),
            health: Health { state: String::new(), heartbeat: None, ..Health::default() },
            conditions: Vec::new(),
            created: 0,
            modified: 0,
            endpoints: Vec::new(),
            making: Some(Making { left: data.pace.looks, fails: data.pace.fails }),
            labels: map(asked.pointer("/metadata/labels")),
            annotations: map(asked.pointer("/metadata/annotations")),
            profiles: profiles(&asked).map(attached).collect(),
            account: Some(text(&asked, "/spec/cloudAccountUid").to_owned()).filter(|uid| !uid.is_empty()),
            region: text(&asked, "/spec/cloudConfig/region").to_owned(),
            pools: pools(&asked).map(pool).collect(),
            ..Cluster::new(name, self.project.as_deref())
        };
        // the name may be one of a cluster that is deleted
        while data.cluster(&cluster.uid).is_some() {
            cluster.uid = crate::demo::palette::data::uid(&format!("{} again", cluster.uid));
        }
        if cloud == "virtual" {
            let wanted = text(&asked, "/spec/clusterConfig/hostClusterConfig/clusterGroup/uid").to_owned();
            let size = size(&asked);
            let group = data.groups.iter_mut().find(|group| group.uid == wanted);
            let host = group.and_then(|group| {
                group.cpu.1 += f64::from(size.0);
                group.memory.1 += f64::from(size.1) / 1024.0;
                group.hosts.first().cloned()
            });
            let (host, group) = (host.unwrap_or_default(), Some(wanted));
            cluster.virtual_cluster = Some(Virtual { host, group, size, ..Virtual::default() });
            cluster.pools = Vec::new();
        }
        let uid = cluster.uid.clone();
        data.clusters.push(cluster);
        Ok(Reply::Made(uid))
    }

    fn wrong(&self, data: &Data, cloud: &str, asked: &Value) -> Result<Vec<Wrong>, Refusal> {
        let mut wrong = match cloud {
            "virtual" => self.wrong_with_group(data, asked)?,
            _ => self.wrong_with_machines(data, cloud, asked)?,
        };
        for of in profiles(asked) {
            let uid = text(of, "/uid");
            let (profile, version) =
                data.version(uid).ok_or_else(|| Refusal::not_found("Cluster profile", uid))?;
            self.reach(profile.project.as_deref(), true)?;
            let mut say = |name: &str, message: String| {
                wrong.push(Wrong { profile: Some(uid.to_owned()), name: name.to_owned(), message });
            };
            if version.draft {
                say(&profile.name, "the version is a draft".into());
            }
            let fits = profile.cloud_type == "all" || profile.cloud_type == cloud;
            if !fits || (cloud == "virtual" && profile.kind != "add-on") {
                say(&profile.name, format!("the profile is for '{}'", profile.cloud_type));
            }
            let given = variables(of);
            for variable in &version.variables {
                let value = given.get(&variable.name).unwrap_or(&variable.default_value);
                let shaped = variable.regex.is_empty()
                    || Regex::new(&variable.regex).is_ok_and(|regex| regex.is_match(value));
                let chosen = variable.options.is_empty() || variable.options.contains(value);
                match value.is_empty() {
                    true if variable.required => say(&variable.name, "the variable has no value".into()),
                    // careless, as an API may be
                    false if !shaped || !chosen => {
                        say(&variable.name, format!("'{value}' is no value of the variable"));
                    }
                    _ => {}
                }
            }
            if let Some(name) = given.keys().find(|name| version.variables.iter().all(|of| of.name != **name))
            {
                say(name, "there is no such variable".into());
            }
        }
        Ok(wrong)
    }

    fn wrong_with_machines(&self, data: &Data, cloud: &str, asked: &Value) -> Result<Vec<Wrong>, Refusal> {
        let uid = text(asked, "/spec/cloudAccountUid");
        let kind = match cloud {
            "eks" => "aws",
            "aks" => "azure",
            "gke" => "gcp",
            cloud => cloud,
        };
        let account = data.accounts.iter().find(|account| account.uid == uid && account.kind == kind);
        let account = account.ok_or_else(|| Refusal::not_found("Cloud account", uid))?;
        self.reach(account.project.as_deref(), true)?;
        let control =
            pools(asked).filter(|of| of.pointer("/poolConfig/isControlPlane") == Some(&json!(true)));
        let wrong = |message: &str| Wrong {
            profile: None,
            name: "machinepoolconfig".into(),
            message: message.into(),
        };
        Ok(match (pools(asked).count(), control.count(), cloud) {
            (0, ..) => vec![wrong("there is no machine pool")],
            (_, 0, "aws" | "azure" | "gcp" | "vsphere" | "maas") => vec![wrong("there is no control plane")],
            _ => Vec::new(),
        })
    }

    fn wrong_with_group(&self, data: &Data, asked: &Value) -> Result<Vec<Wrong>, Refusal> {
        let uid = text(asked, "/spec/clusterConfig/hostClusterConfig/clusterGroup/uid");
        let group = data.groups.iter().find(|group| group.uid == uid);
        let group = group.ok_or_else(|| Refusal::not_found("Cluster group", uid))?;
        self.reach(group.project.as_deref(), true)?;
        let messages = [
            (!group.active).then_some("the group takes no virtual clusters"),
            over_limit(group, size(asked)).then_some("it is over the group's limit of a virtual cluster"),
            has_no_room(group, size(asked)).then_some("the group has no room for it"),
        ];
        let wrong = messages.into_iter().flatten();
        Ok(wrong
            .map(|message| Wrong { profile: None, name: group.name.clone(), message: message.into() })
            .collect())
    }
}

fn over_limit(group: &ClusterGroup, (cpu, memory, storage): (u32, u32, u32)) -> bool {
    let limit = |name: &str| group.limits.get(name).and_then(Value::as_u64).filter(|limit| *limit > 0);
    limit("cpuMilliCore").is_some_and(|limit| u64::from(cpu) * 1000 > limit)
        || limit("memoryMiB").is_some_and(|limit| u64::from(memory) > limit)
        || limit("storageGiB").is_some_and(|limit| u64::from(storage) > limit)
}

fn has_no_room(group: &ClusterGroup, (cpu, memory, _): (u32, u32, u32)) -> bool {
    group.cpu.1 + f64::from(cpu) > group.cpu.0 || group.memory.1 + f64::from(memory) / 1024.0 > group.memory.0
}

/// `SpectroClusterValidatorResponse`
fn validated(wrong: &[Wrong]) -> Value {
    let result = |of: &Wrong| {
        json!({
            "name": of.name, "displayName": of.name,
            "errors": [{"code": "ValidationFailed", "message": of.message}],
        })
    };
    let mut profiles: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for of in wrong {
        if let Some(uid) = &of.profile {
            profiles.entry(uid).or_default().push(result(of));
        }
    }
    let machines: Vec<Value> = wrong.iter().filter(|of| of.profile.is_none()).map(result).collect();
    let profiles: Vec<Value> = profiles
        .into_iter()
        .map(|(uid, results)| json!({"uid": uid, "packs": {"results": results}}))
        .collect();
    json!({"machinePools": {"results": machines}, "profiles": profiles})
}

/// `SpectroClusterRate`: every machine costs the same.
fn rate(asked: &Value, cloud: &str, factor: f64) -> Value {
    const COMPUTE: f64 = 0.1;
    const STORAGE: f64 = 0.01;
    let each: Vec<Value> = list(asked, "/machinepoolconfig")
        .map(|of| {
            let nodes = of.pointer("/poolConfig/size").and_then(Value::as_u64).unwrap_or_default();
            let total = (COMPUTE + STORAGE) * factor;
            json!({
                "name": text(of, "/poolConfig/name"), "nodesCount": nodes,
                "rate": {"compute": {"rate": COMPUTE * factor, "type": ""}, "storage": [], "total": total},
            })
        })
        .collect();
    let nodes: u64 = each.iter().filter_map(|of| of.get("nodesCount")?.as_u64()).sum();
    let nodes = f64::from(u32::try_from(nodes).unwrap_or(u32::MAX)) * factor;
    let (compute, storage) = (COMPUTE * nodes, STORAGE * nodes);
    json!({
        "name": cloud, "machinePools": each,
        "rate": {"compute": compute, "storage": storage, "total": compute + storage},
    })
}

/// What a profile of a body sets.
pub(super) fn variables(of: &Value) -> BTreeMap<String, String> {
    let set = list(of, "/variables");
    set.map(|of| (text(of, "/name").to_owned(), text(of, "/value").to_owned())).collect()
}

fn attached(of: &Value) -> Attached {
    Attached { variables: variables(of), ..Attached::new(text(of, "/uid")) }
}

fn profiles(asked: &Value) -> impl Iterator<Item = &Value> {
    list(asked, "/spec/profiles")
}

fn pools(asked: &Value) -> impl Iterator<Item = &Value> {
    list(asked, "/spec/machinepoolconfig")
}

fn pool(of: &Value) -> Pool {
    let size = of.pointer("/poolConfig/size").and_then(Value::as_u64).unwrap_or_default();
    Pool {
        control_plane: of.pointer("/poolConfig/isControlPlane") == Some(&json!(true)),
        size: u32::try_from(size).unwrap_or_default(),
        healthy: 0,
    }
}

/// The most that a virtual cluster may have: cores, MiB, GiB.
fn size(asked: &Value) -> (u32, u32, u32) {
    let number = |name: &str| {
        let at = format!("/spec/machinepoolconfig/0/cloudConfig/instanceType/{name}");
        asked
            .pointer(&at)
            .and_then(Value::as_u64)
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or_default()
    };
    (number("maxCPU"), number("maxMemInMiB"), number("maxStorageGiB"))
}

fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn map(value: Option<&Value>) -> BTreeMap<String, String> {
    let members = value.and_then(Value::as_object).into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}
