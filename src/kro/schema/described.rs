//! [`Described`]: a generated kind, from its CRD or from the RGD that is to generate it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{is_set, list, properties, text};
use crate::{
    kro::{definition::instance_kind, simple_schema},
    kubernetes::Object,
};

/// Where a schema was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// The CRD: what the API server judges instances by.
    Crd,
    /// The SimpleSchema of the RGD: what kro makes the CRD of.
    Rgd,
}

/// A generated kind and its schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// API group.
    pub group: String,
    /// Version in `apiVersion`.
    pub version: String,
    /// `kind`
    pub kind: String,
    /// Whether instances live in namespaces.
    pub namespaced: bool,
    /// Of `spec`, as OpenAPI v3.
    pub spec: Value,
    /// Of `status`, as OpenAPI v3; from an RGD without the types, which kro infers from the templates.
    pub status: Value,
    /// Where it was read.
    pub from: From,
    /// What of it kro would not take: the path of the field, and why. Only of an RGD.
    pub problems: Vec<(String, String)>,
}

impl Described {
    /// From a CRD: the stored version. `None` where it has no schema.
    pub fn of_crd(crd: &Object) -> Option<Self> {
        let versions = crd.items(&["spec", "versions"]);
        let version = versions.iter().find(|version| is_set(version, "storage")).or(versions.first())?;
        let schema = version.get("schema")?.get("openAPIV3Schema")?;
        let of = |part: &str| properties(schema).and_then(|parts| parts.get(part)).cloned();
        Some(Self {
            group: crd.text(&["spec", "group"])?.to_owned(),
            version: text(version, "name").to_owned(),
            kind: crd.text(&["spec", "names", "kind"])?.to_owned(),
            namespaced: crd.text(&["spec", "scope"]) != Some("Cluster"),
            spec: of("spec").unwrap_or_else(|| json!({"type": "object"})),
            status: of("status").unwrap_or_else(|| json!({"type": "object"})),
            from: From::Crd,
            problems: Vec::new(),
        })
    }

    /// From an RGD, or from anything with the same `spec`.
    pub fn of_rgd(rgd: &Object) -> Self {
        let at = |key: &str| rgd.at(&["spec", "schema", key]).unwrap_or(&Value::Null);
        let translated = simple_schema::translate(at("spec"), at("types"));
        let kind = instance_kind(rgd);
        Self {
            group: kind.group,
            kind: kind.kind,
            version: at("apiVersion").as_str().unwrap_or_default().to_owned(),
            namespaced: at("scope").as_str() != Some("Cluster"),
            spec: translated.schema,
            status: untyped(at("status"), 0),
            from: From::Rgd,
            problems: translated.problems,
        }
    }

    /// `group/version`
    pub fn api_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }

    /// Rules in CEL, which are the API server's to judge, as they stand anywhere in the spec's schema.
    pub fn has_rules(&self) -> bool {
        fn any(schema: &Value, depth: usize) -> bool {
            let inner = properties(schema).into_iter().flat_map(Map::values);
            let inner = inner.chain(schema.get("items")).chain(super::values_of(schema));
            !list(schema, "x-kubernetes-validations").is_empty()
                || (depth < super::DEEPEST && { inner }.any(|schema| any(schema, depth + 1)))
        }
        any(&self.spec, 0)
    }
}

/// The status of an RGD holds an expression for each field.
fn untyped(status: &Value, depth: usize) -> Value {
    match status.as_object() {
        Some(fields) if depth < super::DEEPEST => {
            let inner: Map<String, Value> =
                fields.iter().map(|(name, field)| (name.clone(), untyped(field, depth + 1))).collect();
            json!({"type": "object", "properties": inner})
        }
        _ => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kro::schema::example;

    #[test]
    fn a_crd_and_its_rgd_describe_the_same_kind() {
        let crd = Object::from_value(json!({"metadata": {"name": "apps.x.example"}, "spec": {
            "group": "x.example", "names": {"kind": "App"}, "scope": "Namespaced", "versions": [
                {"name": "v1", "storage": false, "schema": {"openAPIV3Schema": {}}},
                {"name": "v2", "storage": true, "schema": {"openAPIV3Schema": {"properties": {
                    "spec": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}}}}}]}}))
        .expect("an object");
        let of_crd = Described::of_crd(&crd).expect("a schema");
        assert_eq!((of_crd.api_version().as_str(), of_crd.namespaced), ("x.example/v2", true));
        let rgd = Object::from_value(json!({"spec": {"schema": {
            "group": "x.example", "kind": "App", "apiVersion": "v2", "scope": "Cluster", "spec": {"a": "string"},
            "status": {"url": "${x.y}", "at": {"b": "${x.z}"}}}}}))
        .expect("an object");
        let of_rgd = Described::of_rgd(&rgd);
        assert_eq!((of_rgd.api_version(), of_rgd.namespaced), (of_crd.api_version(), false));
        assert_eq!(
            of_rgd.status,
            json!({"type": "object", "properties": {"url": {}, "at": {"type": "object", "properties": {"b": {}}}}})
        );
        assert_eq!(
            example(&of_crd, &std::collections::BTreeSet::new()),
            Some(json!({"apiVersion": "x.example/v2", "kind": "App",
                "metadata": {"name": "example", "namespace": "default"}, "spec": {"a": "example"}}))
        );
        assert_eq!(Described::of_crd(&Object::default()), None);
    }
}
