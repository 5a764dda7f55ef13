//! What the vendor's contract ("Palette APIs - 4.8") says of the bodies that make and change clusters. They are held
//! against it before anything is sent: what it does not have, Palette would drop without a word.
//!
//! `clusters.json` is made from the vendor's Swagger by `tests/support/palette/reduce.py`.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::nearest;

const CLUSTERS: &str = include_str!("contract/clusters.json");
/// Levels of a body that are looked into.
const DEEPEST: usize = 32;
/// Faults that are told.
const MOST: usize = 20;
/// Names that are offered instead of one that is not known.
const NEAREST: usize = 3;

/// What is wrong with a body of this name (`eks`, `eks/rate`, `profiles`, …), a line each: `spec.cloudConfig.region is
/// missing`. Values are not told.
pub fn faults(body: &str, value: &Value) -> Vec<String> {
    let Some(schema) = named(body) else { return vec![format!("there is no request {body}")] };
    let mut found = Vec::new();
    check("", schema, value, 0, &mut found);
    found
}

/// Whether a body of this name has to have that member of `spec`.
pub fn needs(body: &str, member: &str) -> bool {
    let spec = named(body).and_then(|schema| schema.pointer("/properties/spec"));
    spec.is_some_and(|spec| required(resolved(spec)).any(|name| name == member))
}

/// The members that `spec` of a body of this name may have.
pub fn members(body: &str) -> impl Iterator<Item = &'static str> {
    let spec = named(body).and_then(|schema| schema.pointer("/properties/spec")).map(resolved);
    spec.into_iter().flat_map(properties).flat_map(Map::keys).map(String::as_str)
}

fn contract() -> &'static Value {
    static CONTRACT: OnceLock<Value> = OnceLock::new();
    // it is part of the binary, and a test reads it: without it no body is good
    CONTRACT.get_or_init(|| serde_json::from_str(CLUSTERS).unwrap_or_default())
}

fn named(body: &str) -> Option<&'static Value> {
    definition(contract().get("bodies")?.get(body)?.as_str()?)
}

fn definition(name: &str) -> Option<&'static Value> {
    contract().get("definitions")?.get(name)
}

/// What a schema refers to, where it does.
fn resolved(schema: &'static Value) -> &'static Value {
    let refers = schema.get("$ref").and_then(Value::as_str);
    let found = refers.and_then(|at| definition(at.strip_prefix("#/definitions/")?));
    found.unwrap_or(schema)
}

fn properties(schema: &'static Value) -> Option<&'static Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

fn required(schema: &'static Value) -> impl Iterator<Item = &'static str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn check(path: &str, schema: &'static Value, value: &Value, depth: usize, found: &mut Vec<String>) {
    if found.len() >= MOST {
        return;
    }
    let schema = resolved(schema);
    let shown = if path.is_empty() { "it" } else { path };
    if depth > DEEPEST {
        found.push(format!("{shown} is too deep"));
        return;
    }
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or("object");
    let fits = match kind {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        _ => value.is_object(),
    };
    if !fits {
        found.push(format!("{shown} must be of type {kind}"));
        return;
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array).filter(|all| !all.contains(value)) {
        let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        found.push(format!("{shown} must be one of {}", allowed.join(", ")));
    }
    let limit = |name: &str| schema.get(name).and_then(Value::as_f64).zip(value.as_f64());
    if let Some((least, _)) = limit("minimum").filter(|(least, value)| value < least) {
        found.push(format!("{shown} must be at least {least}"));
    }
    if let Some((most, _)) = limit("maximum").filter(|(most, value)| value > most) {
        found.push(format!("{shown} must be at most {most}"));
    }
    match value {
        Value::Array(items) => {
            let Some(inner) = schema.get("items") else { return };
            for (at, item) in items.iter().enumerate() {
                check(&format!("{path}[{at}]"), inner, item, depth + 1, found);
            }
        }
        Value::Object(members) => check_members(path, schema, members, depth, found),
        _ => {}
    }
}

fn check_members(
    path: &str,
    schema: &'static Value,
    members: &Map<String, Value>,
    depth: usize,
    found: &mut Vec<String>,
) {
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let missing = required(schema).filter(|name| members.get(*name).is_none_or(Value::is_null));
    found.extend(missing.map(|name| format!("{} is missing", at(name))));
    let (known, others) = (properties(schema), schema.get("additionalProperties"));
    for (name, member) in members {
        match (known.and_then(|known| known.get(name)), others) {
            (Some(inner), _) | (None, Some(inner)) => check(&at(name), inner, member, depth + 1, found),
            // the contract requires a cloudType in places where it has no such member
            (None, None) if required(schema).any(|required| required == name) => {}
            (None, None) => {
                let known = known.into_iter().flat_map(Map::keys).map(String::as_str);
                let near = nearest::meant(name, known, NEAREST);
                let near =
                    if near.is_empty() { String::new() } else { format!(" (nearest: {})", near.join(", ")) };
                let name = crate::answer::sanitise::short(name, 60);
                found.push(format!("{} is not known to Palette{near}", at(&name)));
            }
        }
        if found.len() >= MOST {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn eks() -> Value {
        json!({"metadata": {"name": "a", "labels": {"team": "b"}}, "spec": {
            "cloudAccountUid": "u", "cloudConfig": {"region": "eu-central-1"},
            "machinepoolconfig": [{"cloudConfig": {"instanceType": "t3.large", "capacityType": "spot"},
                "poolConfig": {"name": "workers", "size": 2, "labels": []}}],
        }})
    }

    fn with(pointer: &str, value: Value) -> Value {
        let (mut body, (parent, name)) = (eks(), pointer.rsplit_once('/').expect("a pointer"));
        body.pointer_mut(parent)
            .expect("there")
            .as_object_mut()
            .expect("an object")
            .insert(name.into(), value);
        body
    }

    #[test]
    fn a_body_is_held_against_the_contract_and_each_fault_names_its_place() {
        assert_eq!(faults("eks", &eks()), [""; 0]);
        let pool = "/spec/machinepoolconfig/0";
        for (body, fault) in [
            (with("/spec/cloudConfig", json!({})), "spec.cloudConfig.region is missing"),
            (with("/spec/cloudConfig", json!({"region": null})), "spec.cloudConfig.region is missing"),
            (with("/spec/cloudConfig/region", json!(7)), "spec.cloudConfig.region must be of type string"),
            (
                with("/spec/cloudConfig/regoin", json!("x")),
                "spec.cloudConfig.regoin is not known to Palette (nearest: region)",
            ),
            (
                with(&format!("{pool}/cloudConfig/capacityType"), json!("cheap")),
                "spec.machinepoolconfig[0].cloudConfig.capacityType must be one of on-demand, spot, host-resource-group",
            ),
            (
                with(&format!("{pool}/cloudConfig/rootDeviceSize"), json!(2001)),
                "spec.machinepoolconfig[0].cloudConfig.rootDeviceSize must be at most 2000",
            ),
            (
                with(&format!("{pool}/poolConfig/size"), json!("2")),
                "spec.machinepoolconfig[0].poolConfig.size must be of type integer",
            ),
            (with("/metadata/labels/team", json!(1)), "metadata.labels.team must be of type string"),
        ] {
            let found = faults("eks", &body);
            assert!(found.iter().any(|found| found == fault), "{fault}: {found:?}");
        }
        assert_eq!(faults("nowhere", &eks()), ["there is no request nowhere"]);
    }

    #[test]
    fn a_member_that_is_required_and_not_described_is_taken() {
        let spec = json!({"clusterConfig": {}, "cloudType": "nested"});
        assert_eq!(faults("virtual", &json!({"metadata": {"name": "a"}, "spec": spec})), [""; 0]);
        assert!(needs("virtual", "cloudType") && !needs("eks", "cloudType"));
        assert!(members("eks").any(|member| member == "fargateProfiles"));
    }

    #[test]
    fn what_is_wrong_without_end_is_told_up_to_a_bound() {
        let pools: Vec<Value> = (0..5_000).map(|_| json!({"poolConfig": {}})).collect();
        let found = faults("eks", &with("/spec/machinepoolconfig", json!(pools)));
        assert!((MOST..MOST + 10).contains(&found.len()), "{}", found.len());
    }
}
