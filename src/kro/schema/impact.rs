//! Which of the instances there are a new schema would break.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Validator, Violation};
use crate::kubernetes::Object;

/// Instances that are told; the rest is a number.
const MOST: usize = 20;
/// Fields that are told of each.
const FIELDS: usize = 5;

/// An instance that would not keep the new schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Broken {
    /// Its namespace, where it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// What would be wrong with it, the first of them.
    pub fields: Vec<Violation>,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = self.namespace.as_ref().map_or(String::new(), |namespace| format!("{namespace}/"));
        let fields: Vec<String> = self.fields.iter().map(ToString::to_string).collect();
        write!(out, "{place}{}: {}", self.name, fields.join("; "))
    }
}

/// What a change of the schema does to the instances there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impact {
    /// Instances that were looked at.
    pub looked_at: usize,
    /// How many of them would break.
    pub broken: usize,
    /// The first of those.
    pub first: Vec<Broken>,
    /// Rules of the new schema that are not judged here.
    pub unjudged: usize,
}

/// Judges `instances` by the schema of `spec` that is to come. What they do not keep of the schema there
/// is now is not its doing.
pub fn impact(before: &Value, after: &Value, instances: &[Object]) -> Impact {
    let (before, after) = (Validator::new(before), Validator::new(after));
    let mut impact = Impact { looked_at: instances.len(), unjudged: after.unjudged(), ..Impact::default() };
    let nothing = Value::Object(Map::new());
    for instance in instances {
        let spec = instance.member("spec").unwrap_or(&nothing);
        let violations = after.violations("spec", spec);
        if violations.is_empty() {
            continue;
        }
        let old = before.violations("spec", spec);
        let is_new = |violation: &Violation| !old.iter().any(|old| old.path == violation.path);
        let mut fields: Vec<Violation> = violations.into_iter().filter(is_new).collect();
        if fields.is_empty() {
            continue;
        }
        impact.broken += 1;
        if impact.first.len() < MOST {
            fields.truncate(FIELDS);
            let namespace = instance.namespace().map(str::to_owned);
            impact.first.push(Broken { namespace, name: instance.name().to_owned(), fields });
        }
    }
    impact
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_the_change_breaks_is_told() {
        let schema = |replicas: &Value, required: &[&str]| {
            json!({"type": "object", "required": required,
                   "properties": {"replicas": replicas, "odd": {"type": "integer"}, "name": {"type": "string"}}})
        };
        let before = schema(&json!({"type": "integer"}), &[]);
        let after = schema(&json!({"type": "integer", "maximum": 3}), &["name"]);
        let instance = |name: &str, spec: Value| {
            Object::from_value(json!({"metadata": {"name": name, "namespace": "shop"}, "spec": spec}))
                .expect("an object")
        };
        let mut instances = vec![
            instance("fine", json!({"replicas": 2, "name": "a"})),
            instance("large", json!({"replicas": 7, "name": "a"})),
            instance("odd", json!({"odd": "already", "name": "a"})),
            instance("nameless", json!({"replicas": 5})),
        ];
        let found = impact(&before, &after, &instances);
        assert_eq!((found.looked_at, found.broken, found.unjudged), (4, 2, 0));
        let lines: Vec<String> = found.first.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "shop/large: spec.replicas: must be at most 3",
                "shop/nameless: spec.name: is required; spec.replicas: must be at most 3",
            ]
        );
        instances.extend((0..50).map(|n| instance(&format!("i{n}"), json!({"replicas": 9, "name": "a"}))));
        let found = impact(&before, &after, &instances);
        assert_eq!((found.broken, found.first.len()), (52, MOST));
    }
}
