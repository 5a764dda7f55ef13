//! What an external reference may say (kro v0.9.4 `pkg/graph/validation.go`, `validateExternalRefMetadata`).

use serde_json::{Map, Value, json};

use super::findings::{Findings, Place};
use super::nodes::Node;
use super::problem::Rule;
use super::template::{Slot, Walk};
use super::text::Text;
use super::typed::Type;
use crate::kubernetes::is_label_value;
use crate::kubernetes::openapi::Schema;

/// What kro reads of an external reference: its selector is checked by [`reference`].
pub(super) fn shape() -> Schema {
    let anything = json!({"x-kubernetes-preserve-unknown-fields": true});
    Schema::plain(json!({"type": "object", "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object", "properties": {
            "name": {"type": "string"}, "namespace": {"type": "string"}, "selector": anything}},
    }}))
}

/// The type that an expression in a selector must have (`selectorFieldType` of `pkg/graph/builder.go`).
pub(super) fn wanted(slot: &mut Slot<'_, '_>) {
    slot.wanted = match slot.path.strip_prefix("metadata.selector") {
        Some("") => Type::map(Type::Dyn),
        Some(".matchLabels") => Type::map(Type::String),
        Some(".matchExpressions") => Type::list(Type::Dyn),
        Some(path) if path.starts_with(".matchLabels") => Type::String,
        _ => return,
    };
}

/// Checks name and selector.
pub(super) fn reference(node: &Node<'_>, findings: &mut Findings) {
    let Some(metadata) = node.object.get("metadata").and_then(Value::as_object) else { return };
    let at = |field| Place::node(&node.id, field);
    let named = metadata.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    let selector = metadata.get("selector").filter(|selector| !selector.is_null());
    match (named, selector) {
        (true, Some(_)) => {
            findings.add(
                Rule::ExternalRef,
                at("externalRef.metadata"),
                "it has a name and a selector: give one of the two",
            );
        }
        (false, None) => {
            findings.add(
                Rule::ExternalRef,
                at("externalRef.metadata"),
                "it has neither a name nor a selector",
            );
        }
        (_, Some(Value::String(text))) if !matches!(Text::of(text), Text::One(_)) => {
            let message = "a selector is a LabelSelector, or one expression in ${…} that makes one";
            findings.add(Rule::ExternalRef, at("externalRef.metadata.selector"), message);
        }
        (_, Some(Value::Object(selector))) => literal(node, selector, findings),
        (_, Some(Value::String(_)) | None) => {}
        (_, Some(_)) => {
            findings.add(
                Rule::ExternalRef,
                at("externalRef.metadata.selector"),
                "it must be a LabelSelector",
            );
        }
    }
}

fn literal(node: &Node<'_>, selector: &Map<String, Value>, findings: &mut Findings) {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let schema = Schema::plain(json!({"type": "object", "properties": {
        "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}},
        "matchExpressions": {"type": "array", "items": {"type": "object", "properties": {
            "key": {"type": "string"}, "operator": {"type": "string"}, "values": texts}}},
    }}));
    let whole = Value::Object(selector.clone());
    let mut walk = Walk { node: &node.id, part: "externalRef.metadata", findings, slots: Vec::new() };
    walk.value(&whole, Some(schema.shape()), "selector", 0);
    if !walk.slots.is_empty() {
        // some of it is known only for an instance
        return;
    }
    let mut complain = |message: String| {
        let field = "externalRef.metadata.selector";
        findings.add(Rule::ExternalRef, Place::node(&node.id, field), &message);
    };
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    for (key, value) in labels.into_iter().flatten() {
        if !is_label_key(key) || !value.as_str().is_none_or(is_label_value) {
            complain(format!("matchLabels has {key:?}, which with its value is no label"));
        }
    }
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    for expression in expressions.into_iter().flatten() {
        let text = |key: &str| expression.get(key).and_then(Value::as_str).unwrap_or_default();
        let values = expression.get("values").and_then(Value::as_array).map_or(0, Vec::len);
        if !is_label_key(text("key")) {
            complain(format!("matchExpressions has the key {:?}, which is no label's", text("key")));
        }
        match (text("operator"), values) {
            ("In" | "NotIn", 0) => complain("matchExpressions with In or NotIn needs values".to_owned()),
            ("Exists" | "DoesNotExist", 1..) => {
                complain("matchExpressions with Exists or DoesNotExist takes no values".to_owned());
            }
            ("In" | "NotIn" | "Exists" | "DoesNotExist", _) => {}
            (other, _) => complain(format!(
                "matchExpressions has the operator {other:?}: there are In, NotIn, Exists, DoesNotExist"
            )),
        }
    }
}

fn is_label_key(key: &str) -> bool {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    !name.is_empty() && is_label_value(name) && prefix.is_none_or(super::words::is_subdomain)
}
