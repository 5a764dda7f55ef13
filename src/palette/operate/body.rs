//! The body that makes a cluster: what the caller wrote of the cloud, with what has an argument of its own. It keeps
//! the vendor's contract, or says where it does not.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{cloud::Cloud, group::Size};
use crate::{Error, answer::redact, kubernetes::written, palette::contract};

const SPEC: &str = "spec";
/// Members of `clusterConfig.hostClusterConfig` that say where a virtual cluster is.
const HOST: [&str; 2] = ["clusterGroup", "hostCluster"];
/// Members of `spec` that have arguments of their own.
const OWN: [&str; 4] = ["cloudAccountUid", "cloudType", "clusterTemplate", "profiles"];
/// The value of a label that is a tag.
const TAG: &str = "spectro__tag";
/// Faults that are told.
const MOST: usize = 10;

/// What a cluster is to be.
#[derive(Clone, Debug)]
pub struct Wanted<'w> {
    /// What people will call it.
    pub name: &'w str,
    /// Where it is made.
    pub cloud: Cloud,
    /// For people.
    pub description: Option<&'w str>,
    /// `tag`, or `key:value`.
    pub tags: &'w [String],
    /// Of the cloud account.
    pub account: Option<&'w str>,
    /// The uid of the group, how its clusters are reached, and how large this one may become.
    pub group: Option<(&'w str, &'w str, Size)>,
    /// Uids of profiles, and what is set in each (`v1SpectroClusterVariable`).
    pub profiles: Vec<(&'w str, Vec<Value>)>,
    /// What the caller wrote of the cloud.
    pub spec: Map<String, Value>,
}

/// What a caller wrote of the cloud.
///
/// # Errors
/// It is no YAML, no mapping, or has what has an argument of its own.
pub fn spec(cloud: Cloud, text: Option<&str>) -> Result<Map<String, Value>, Error> {
    let allowed = || contract::members(cloud.name()).filter(|member| !OWN.contains(member));
    let wrong = |what: String| Error::invalid_input(format!("the argument {SPEC:?} {what}"));
    let Some(text) = text else {
        return match cloud {
            Cloud::Virtual => Ok(Map::new()),
            _ => Err(wrong(format!(
                "is missing: a cluster of {} needs cloudConfig and machinepoolconfig",
                cloud.name()
            ))
            .candidates(allowed())),
        };
    };
    let Value::Object(members) = written::document(SPEC, text)? else {
        return Err(wrong("is no mapping".to_owned()).candidates(allowed()));
    };
    let own = |name: &&String| {
        OWN.contains(&name.as_str()) || (cloud == Cloud::Virtual && *name == "machinepoolconfig")
    };
    if let Some(name) = members.keys().find(own) {
        let message = format!(
            "must not have {name}: use the arguments account, profiles, variables, cpu, memory_gib, storage_gib"
        );
        return Err(wrong(message));
    }
    // another project's cluster could be named here, which the argument group cannot
    let host = members.get("clusterConfig").and_then(|config| config.get("hostClusterConfig"));
    if let Some(name) = HOST.iter().find(|name| host.is_some_and(|host| host.get(**name).is_some())) {
        let message = format!("must not have clusterConfig.hostClusterConfig.{name}: use the argument group");
        return Err(wrong(message));
    }
    let pools = members.get("machinepoolconfig").and_then(Value::as_array).map_or(0, Vec::len);
    if pools == 0 && cloud != Cloud::Virtual {
        return Err(wrong("has no machinepoolconfig: a cluster needs at least one machine pool".to_owned()));
    }
    Ok(members)
}

/// The body.
///
/// # Errors
/// It does not keep the contract; each fault names its place.
pub fn body(wanted: &Wanted<'_>) -> Result<Value, Error> {
    let cloud = wanted.cloud;
    let mut spec = wanted.spec.clone();
    let profiles: Vec<Value> = wanted
        .profiles
        .iter()
        .map(|(uid, variables)| match variables.is_empty() {
            true => json!({"uid": uid}),
            false => json!({"uid": uid, "variables": variables}),
        })
        .collect();
    spec.insert("profiles".to_owned(), json!(profiles));
    if contract::needs(cloud.name(), "cloudType") {
        spec.insert("cloudType".to_owned(), cloud.cloud_type().into());
    }
    spec.extend(wanted.account.map(|uid| ("cloudAccountUid".to_owned(), uid.into())));
    if let Some((group, endpoint, size)) = wanted.group {
        let mut host = json!({"clusterGroup": {"kind": "clustergroup", "uid": group}});
        if !endpoint.is_empty() {
            merge(&mut host, json!({"clusterEndpoint": {"type": endpoint}}));
        }
        let config = spec.entry("clusterConfig").or_insert_with(|| json!({}));
        merge(config, json!({"hostClusterConfig": host}));
        let instance = json!({
            "maxCPU": size.cpu, "maxMemInMiB": size.memory_mib, "maxStorageGiB": size.storage_gib,
        });
        spec.insert("machinepoolconfig".to_owned(), json!([{"cloudConfig": {"instanceType": instance}}]));
    }
    let mut metadata = json!({"name": wanted.name});
    let labels: BTreeMap<&str, &str> =
        wanted.tags.iter().map(|tag| tag.split_once(':').unwrap_or((tag.as_str(), TAG))).collect();
    if !labels.is_empty() {
        merge(&mut metadata, json!({"labels": labels}));
    }
    if let Some(description) = wanted.description.filter(|text| !text.is_empty()) {
        merge(&mut metadata, json!({"annotations": {"description": description}}));
    }
    let body = json!({"metadata": metadata, "spec": spec});
    let mut faults = contract::faults(cloud.name(), &body);
    if faults.is_empty() {
        return Ok(body);
    }
    let more = faults.len().saturating_sub(MOST);
    faults.truncate(MOST);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let message = format!("the argument {SPEC:?} is not what Palette takes: {}{more}", faults.join("; "));
    Err(Error::invalid_input(message).next("the members are those of Palette's API for that cloud"))
}

/// The texts under secret-looking names.
pub fn secrets(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match value {
                Value::String(text) if redact::is_secret_key(name) => vec![text.clone()],
                other => secrets(other),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(secrets).collect(),
        _ => Vec::new(),
    }
}

/// What the body's machines cost is asked with (`v1Spectro…ClusterRateEntity`).
pub fn rate(body: &Value) -> Value {
    let spec = |name: &str| body.pointer(&format!("/spec/{name}")).cloned().unwrap_or_default();
    json!({"cloudConfig": spec("cloudConfig"), "machinepoolconfig": spec("machinepoolconfig")})
}

/// The machine pools of a body, a line each.
pub fn pools(body: &Value) -> Vec<String> {
    let pools = body.pointer("/spec/machinepoolconfig").and_then(Value::as_array).into_iter().flatten();
    pools
        .filter_map(|pool| {
            let config = pool.get("poolConfig")?;
            let text = |name: &str| config.get(name).and_then(Value::as_str);
            let number = |name: &str| config.get(name).and_then(Value::as_u64);
            let mut line = format!("{} × {}", number("size")?, text("name")?);
            if config.get("isControlPlane") == Some(&Value::Bool(true)) {
                line.push_str(" (control plane)");
            }
            if let Some((least, most)) = number("minSize").zip(number("maxSize")) {
                line.push_str(&format!(", scaled from {least} to {most}"));
            }
            let machine = pool.pointer("/cloudConfig/instanceType");
            match machine {
                Some(Value::String(machine)) => line.push_str(&format!(", {machine}")),
                Some(Value::Object(machine)) => {
                    let told = machine.iter().map(|(name, value)| format!("{name} {value}"));
                    line.push_str(&format!(", {}", told.collect::<Vec<_>>().join(" ")));
                }
                _ => {}
            }
            Some(line)
        })
        .collect()
}

/// Puts `more` into `value`, member by member; what is `more`'s own wins.
fn merge(value: &mut Value, more: Value) {
    match (value, more) {
        (Value::Object(members), Value::Object(more)) => {
            for (name, item) in more {
                merge(members.entry(name).or_insert(Value::Null), item);
            }
        }
        (value, more) => *value = more,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EKS: &str = "cloudConfig: {region: eu-central-1}\nmachinepoolconfig:\n- cloudConfig: {instanceType: t3.large}\n  \
        poolConfig: {name: workers, size: 2, labels: [worker], minSize: 1, maxSize: 4}\n";

    fn wanted<'w>(cloud: Cloud, text: Option<&str>, tags: &'w [String]) -> Wanted<'w> {
        let physical = cloud != Cloud::Virtual;
        let size = Size { cpu: 4, memory_mib: 8192, storage_gib: 20 };
        Wanted {
            name: "new",
            cloud,
            description: Some("of mine"),
            tags,
            account: physical.then_some("a1"),
            group: (!physical).then_some(("g1", "Ingress", size)),
            profiles: vec![("p1", vec![json!({"name": "a", "value": "b"})]), ("p2", Vec::new())],
            spec: spec(cloud, text).expect("good"),
        }
    }

    #[test]
    fn a_body_has_what_was_asked_for_variables_included_and_keeps_the_contract() {
        let tags = ["dev".to_owned(), "team:a".to_owned()];
        let made = body(&wanted(Cloud::Eks, Some(EKS), &tags)).expect("good");
        assert_eq!(made["metadata"]["labels"], json!({"dev": "spectro__tag", "team": "a"}));
        assert_eq!(made["metadata"]["annotations"]["description"], "of mine");
        assert_eq!(made["spec"]["profiles"][0]["variables"], json!([{"name": "a", "value": "b"}]));
        assert_eq!(made["spec"]["cloudAccountUid"], "a1");
        assert_eq!(pools(&made), ["2 × workers, scaled from 1 to 4, t3.large"]);
        assert_eq!(contract::faults("eks/rate", &rate(&made)), [""; 0]);
        let text = "clusterConfig: {timezone: UTC, hostClusterConfig: {isHostCluster: false}}";
        let made = body(&wanted(Cloud::Virtual, Some(text), &[])).expect("good");
        assert_eq!(made["spec"]["cloudType"], "nested");
        let config = &made["spec"]["clusterConfig"];
        assert_eq!(config["hostClusterConfig"]["clusterGroup"]["uid"], "g1");
        assert_eq!(
            (&config["timezone"], &config["hostClusterConfig"]["isHostCluster"]),
            (&json!("UTC"), &json!(false))
        );
        assert_eq!(made["spec"]["machinepoolconfig"][0]["cloudConfig"]["instanceType"]["maxMemInMiB"], 8192);
    }

    #[test]
    fn what_is_no_spec_of_the_cloud_is_refused_with_its_place() {
        for (cloud, text, says) in [
            (Cloud::Eks, None, "is missing"),
            (Cloud::Eks, Some("[]"), "is no mapping"),
            (Cloud::Eks, Some("a: [b"), "is not valid YAML"),
            (Cloud::Eks, Some("cloudConfig: {region: a}"), "at least one machine pool"),
            (Cloud::Eks, Some("profiles: []"), "must not have profiles"),
            (Cloud::Virtual, Some("machinepoolconfig: []"), "must not have machinepoolconfig"),
        ] {
            let error = spec(cloud, text).expect_err(says);
            assert!(error.message.contains("\"spec\"") && error.message.contains(says), "{error:?}");
        }
        let text = EKS.replace("region", "regoin");
        let error = body(&wanted(Cloud::Eks, Some(&text), &[])).expect_err("no region");
        assert!(error.message.contains("spec.cloudConfig.region is missing"), "{error:?}");
        assert!(error.message.contains("spec.cloudConfig.regoin is not known to Palette"), "{error:?}");
    }
}
