//! An EventType, by its shape: v1beta1 and v1beta2 have fields, v1beta3 a list of attributes, and a cluster whose
//! conversion does not work serves what was stored as any of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{namespace, reference, resource, text};
use crate::{
    knative::{
        group,
        resource::{EventType, Reference},
    },
    kubernetes::Object,
};

/// Attributes that every event has (CloudEvents 1.0).
const REQUIRED: [&str; 4] = ["id", "source", "specversion", "type"];

/// An EventType of any version.
pub fn event_type(object: &Object) -> EventType {
    let spec = object.member("spec").unwrap_or(&Value::Null);
    let own = namespace(object);
    let mut attributes = fields(spec);
    attributes.extend(listed(spec));
    let schema = text(spec, "schema").or_else(|| converted_schema(spec));
    EventType {
        resource: resource(object),
        attributes,
        description: text(spec, "description"),
        schema,
        schema_data: text(spec, "schemaData"),
        reference: spec.get("reference").and_then(|of| reference(of, own)).or_else(|| broker(spec, own)),
    }
}

/// v1beta1 and v1beta2.
fn fields(spec: &Value) -> BTreeMap<String, Option<String>> {
    let field = |name: &str| Some((name.to_owned(), text(spec, name).filter(|value| is_said(value))));
    let is_there = |name: &&str| text(spec, name).is_some();
    ["type", "source"].into_iter().filter(is_there).filter_map(field).collect()
}

/// v1beta3. One that an event need not have is there without a value: what a filter on it does is not known.
fn listed(spec: &Value) -> impl Iterator<Item = (String, Option<String>)> + '_ {
    let entries = spec.get("attributes").and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(|entry| {
        let name = text(entry, "name")?;
        let is_sure = REQUIRED.contains(&name.as_str()) || entry.get("required") == Some(&Value::Bool(true));
        let value = text(entry, "value").filter(|value| is_sure && is_said(value));
        Some((name, value))
    })
}

/// Whether a value is one, and not a template such as `/apis/{version}/namespaces/{namespace}`.
fn is_said(value: &str) -> bool {
    !value.contains('{')
}

/// `dataschema` is the attribute of CloudEvents; Knative's conversion writes the `schema` of older versions to
/// `schemadata` (eventing, `v1beta1/eventtype_conversion.go`).
fn converted_schema(spec: &Value) -> Option<String> {
    let entries = spec.get("attributes")?.as_array()?;
    let of = |wanted: &str| {
        entries
            .iter()
            .find(|entry| text(entry, "name").as_deref() == Some(wanted))
            .and_then(|entry| text(entry, "value"))
    };
    of("dataschema").or_else(|| of("schemadata"))
}

/// Before there were references.
fn broker(spec: &Value, own: &str) -> Option<Reference> {
    Some(Reference {
        group: group::EVENTING.to_owned(),
        kind: "Broker".to_owned(),
        namespace: own.to_owned(),
        name: text(spec, "broker")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(spec: Value) -> EventType {
        let mut object = json!({"apiVersion": "eventing.knative.dev/v1beta9", "kind": "EventType",
            "metadata": {"namespace": "shop", "name": "placed"}});
        object["spec"] = spec;
        event_type(&Object::from_value(object).expect("an object"))
    }

    fn value(of: &EventType, name: &str) -> Option<Option<String>> {
        of.attributes.get(name).cloned()
    }

    #[test]
    fn fields_and_attributes_say_the_same() {
        let old = read(json!({"type": "order.placed", "source": "/shop", "schema": "https://schemas/placed",
            "schemaData": "{}", "description": "d", "broker": "default"}));
        let new = read(json!({"description": "d",
            "reference": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default"},
            "attributes": [{"name": "type", "value": "order.placed", "required": true},
                {"name": "source", "value": "/shop", "required": true},
                {"name": "schemadata", "value": "https://schemas/placed", "required": false}]}));
        for of in [&old, &new] {
            assert_eq!(of.event_type(), "order.placed");
            assert_eq!(value(of, "source"), Some(Some("/shop".to_owned())));
            assert_eq!(of.schema.as_deref(), Some("https://schemas/placed"));
            assert_eq!(of.description.as_deref(), Some("d"));
            let broker = of.reference.as_ref().expect("a reference");
            assert_eq!(broker.to_string(), "Broker shop/default");
            assert_eq!(broker.group, "eventing.knative.dev");
        }
        assert_eq!(old.schema_data.as_deref(), Some("{}"));
    }

    #[test]
    fn what_is_a_template_or_may_be_absent_has_no_known_value() {
        let of = read(json!({"attributes": [
            {"name": "type", "value": "a.b"},
            {"name": "source", "value": "/apis/{version}/x", "required": true},
            {"name": "region", "value": "eu", "required": true},
            {"name": "tenant", "value": "one", "required": false},
            {"name": "id", "required": true},
            {"value": "nameless"}, 7, {"name": ""}]}));
        assert_eq!(of.event_type(), "a.b");
        assert_eq!(value(&of, "region"), Some(Some("eu".to_owned())));
        for unknown in ["source", "tenant", "id"] {
            assert_eq!(value(&of, unknown), Some(None), "{unknown}");
        }
        assert_eq!(of.attributes.len(), 5);
        assert_eq!(value(&read(json!({"type": "{kind}.made"})), "type"), Some(None));
    }

    #[test]
    fn both_shapes_in_one_object_are_read_together() {
        let of =
            read(json!({"type": "a", "source": "/old", "attributes": [{"name": "source", "value": "/new"}]}));
        assert_eq!(of.event_type(), "a");
        assert_eq!(value(&of, "source"), Some(Some("/new".to_owned())));
    }
}
