//! The schema block of an RGD: names, and SimpleSchema.

use serde_json::{Value, json};

use super::findings::{Findings, Place};
use super::problem::Rule;
use super::words;
use crate::kro::simple_schema::translate;
use crate::kubernetes::openapi::Schema;

/// What the schema block says.
pub(super) struct Declared {
    /// What `schema` stands for in expressions.
    pub(super) schema: Schema,
    /// Whether instances live in namespaces.
    pub(super) namespaced: bool,
}

/// Checks it and reads it.
pub(super) fn declared(block: &Value, findings: &mut Findings) -> Declared {
    let text = |key: &str| block.get(key).and_then(Value::as_str).unwrap_or_default();
    let kind = text("kind");
    if !words::is_kind(kind) {
        let message = format!("kind {kind:?} is no UpperCamelCase name of at most 63 letters and digits");
        findings.add(Rule::Schema, Place::rgd("schema.kind"), &message);
    }
    let version = text("apiVersion");
    if !words::is_version(version) {
        let message = format!(
            "apiVersion {version:?} is no version such as v1 or v1alpha1; the group has its own field"
        );
        findings.add(Rule::Schema, Place::rgd("schema.apiVersion"), &message);
    }
    if let Some(group) = block.get("group").and_then(Value::as_str)
        && !group.is_empty()
        && !words::is_subdomain(group)
    {
        findings.add(
            Rule::Schema,
            Place::rgd("schema.group"),
            &format!("group {group:?} is no DNS name in lower case"),
        );
    }
    let scope = block.get("scope").and_then(Value::as_str).unwrap_or("Namespaced");
    if !["Namespaced", "Cluster"].contains(&scope) {
        findings.add(
            Rule::Schema,
            Place::rgd("schema.scope"),
            &format!("scope {scope:?} is neither Namespaced nor Cluster"),
        );
    }
    let translated =
        translate(block.get("spec").unwrap_or(&Value::Null), block.get("types").unwrap_or(&Value::Null));
    for (path, why) in translated.problems {
        findings.add(Rule::SchemaSyntax, Place::rgd(&format!("schema.{path}")), &why);
    }
    let namespaced = scope != "Cluster";
    let schema = json!({"type": "object", "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": metadata(namespaced),
        "spec": translated.schema,
    }});
    Declared { schema: Schema::plain(schema), namespaced }
}

/// What kro knows of an instance's metadata.
fn metadata(namespaced: bool) -> Value {
    let text = json!({"type": "string"});
    let flag = json!({"type": "boolean"});
    let time = json!({"type": "string", "format": "date-time"});
    let number = json!({"type": "integer"});
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let mut fields = json!({
        "name": text, "generateName": text, "selfLink": text, "uid": text, "resourceVersion": text,
        "namespace": text, "generation": number, "deletionGracePeriodSeconds": number,
        "creationTimestamp": time, "deletionTimestamp": time, "labels": texts, "annotations": texts,
        "finalizers": {"type": "array", "items": text},
        "ownerReferences": {"type": "array", "items": {"type": "object", "properties": {
            "apiVersion": text, "kind": text, "name": text, "uid": text,
            "controller": flag, "blockOwnerDeletion": flag}}},
        "managedFields": {"type": "array", "items": {"type": "object", "properties": {
            "apiVersion": text, "fieldsType": text, "manager": text, "operation": text, "subresource": text,
            "time": time, "fieldsV1": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}},
    });
    if !namespaced && let Some(fields) = fields.as_object_mut() {
        fields.remove("namespace");
    }
    json!({"type": "object", "properties": fields})
}
