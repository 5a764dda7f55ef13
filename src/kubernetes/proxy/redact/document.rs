//! One JSON document of an answer about Secrets: in it goes, and out it comes without values.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::status;

use crate::{
    answer::redact::{Learned, redacted},
    kubernetes::Object,
};

/// Of a bookmark: that a watch has sent what there was (apimachinery `metav1.InitialEventsAnnotationKey`).
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// Takes the values out of an object, the items of a list, the objects behind a table's rows, and the object
/// of a watch event, whatever they say that they are; but for namespaces that `reveals`. In `data` stands
/// base64, since clients decode it.
pub(super) fn redact(document: &mut Value, reveals: &dyn Fn(Option<&str>) -> bool) {
    match document {
        Value::Object(members) => {
            if let Some(object @ Value::Object(_)) = members.get_mut("object") {
                redact(object, reveals);
            }
            for list in ["items", "rows"] {
                if let Some(Value::Array(members)) = members.get_mut(list) {
                    members.iter_mut().for_each(|member| redact(member, reveals));
                }
            }
            if status::is(members) {
                status::withhold(members, status::TO_PROGRAMS);
            } else {
                secret(members, reveals);
            }
        }
        // no API answers so about Secrets
        _ => *document = Value::Null,
    }
}

fn secret(members: &mut Map<String, Value>, reveals: &dyn Fn(Option<&str>) -> bool) {
    let Some(mut secret) = Object::from_value(Value::Object(std::mem::take(members))) else { return };
    if !reveals(secret.namespace()) {
        let partial = secret.kind() == "PartialObjectMetadata";
        let learned = Learned::default();
        learned.take_values(&mut secret);
        let annotations =
            secret.members_mut().get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
        if let Some(Value::Object(annotations)) = annotations {
            learned.scrub_annotations(annotations);
            // copies of a value are known by the value, which has not come along
            let told = annotations.iter_mut().filter(|(name, _)| partial && *name != INITIAL_EVENTS_END);
            told.for_each(|(_, value)| {
                *value = redacted(value.as_str().map_or(0, str::len)).into();
            });
        }
        match secret.members_mut().get_mut("data") {
            Some(Value::Object(data)) => data.values_mut().for_each(encode),
            Some(odd) => encode(odd),
            None => {}
        }
    }
    std::mem::swap(members, secret.members_mut());
}

fn encode(value: &mut Value) {
    if let Some(text) = value.as_str() {
        *value = STANDARD.encode(text).into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLANTED: &str = "planted-hunter2";

    fn secret(namespace: &str) -> Value {
        let applied = format!("{{\"stringData\":{{\"p\":\"{PLANTED}\"}}}}");
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": namespace,
            "resourceVersion": "7", "annotations": {"note": format!("it is {PLANTED}"), "kept": "yes",
            "kubectl.kubernetes.io/last-applied-configuration": applied}},
            "type": "Opaque", "data": {"p": STANDARD.encode(PLANTED), "empty": ""}})
    }

    fn passed(mut document: Value) -> Value {
        redact(&mut document, &|namespace| namespace == Some("open"));
        document
    }

    #[test]
    fn a_secret_stays_one_that_clients_read() {
        let shown = passed(secret("a"));
        assert_eq!(shown["data"]["p"], STANDARD.encode("<redacted:15 bytes>"));
        assert_eq!(STANDARD.decode(shown["data"]["empty"].as_str().unwrap()).unwrap(), b"<redacted:0 bytes>");
        assert_eq!(
            shown["metadata"],
            json!({"name": "s", "namespace": "a", "resourceVersion": "7",
                "annotations": {"note": "it is <redacted>", "kept": "yes"}})
        );
        assert_eq!((&shown["kind"], &shown["type"]), (&json!("Secret"), &json!("Opaque")));
        assert_eq!(passed(secret("open")), secret("open"), "where the caller may read them");
    }

    #[test]
    fn in_every_form_an_api_server_answers_the_value_is_gone() {
        let mut item = secret("a");
        for name in ["apiVersion", "kind"] {
            item.as_object_mut().unwrap().shift_remove(name);
        }
        let partial = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": secret("a")["metadata"]});
        let table = |object: Value| {
            json!({"kind": "Table", "columnDefinitions": [{"name": "Name"}],
            "rows": [{"cells": ["s", "Opaque", 2, "5d"], "object": object}, {"cells": ["t"], "object": null}]})
        };
        for document in [
            json!({"kind": "SecretList", "apiVersion": "v1", "items": [item.clone()]}),
            json!({"kind": "List", "items": [{"kind": "List", "items": [secret("a")]}]}),
            json!({"kind": "ConfigMap", "data": item["data"].clone()}),
            json!({"type": "MODIFIED", "object": secret("a")}),
            json!({"type": "DELETED", "object": table(secret("a"))}),
            json!([secret("a")]),
            json!(PLANTED),
            json!({"items": [PLANTED, [PLANTED]]}),
            table(secret("a")),
        ] {
            let shown = passed(document).to_string();
            for form in [PLANTED.to_owned(), STANDARD.encode(PLANTED), "last-applied".to_owned()] {
                assert!(!shown.contains(&form), "{shown}");
            }
        }
        let shown = passed(table(partial));
        let told = shown["rows"][0]["object"]["metadata"]["annotations"].clone();
        assert_eq!(told, json!({"note": "<redacted:21 bytes>", "kept": "<redacted:3 bytes>"}));
        assert_eq!(shown["rows"][0]["cells"], json!(["s", "Opaque", 2, "5d"]));
        assert_eq!(shown["rows"][1]["object"], Value::Null);
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is() {
        for document in [
            json!({"type": "BOOKMARK", "object": {"kind": "Secret", "apiVersion": "v1", "metadata": {
                "resourceVersion": "12746", "annotations": {"k8s.io/initial-events-end": "true"}}}}),
            json!({"type": "BOOKMARK", "object": {"kind": "PartialObjectMetadata", "metadata": {
                "annotations": {"k8s.io/initial-events-end": "true"}}}}),
            json!({"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": "too old resource version: 1 (2)", "reason": "Expired", "code": 410}}),
            json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "details": {"name": "s"}, "code": 404}),
        ] {
            assert_eq!(passed(document.clone()), document);
        }
    }
}
