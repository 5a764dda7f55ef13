//! The state that a change is meant for, written into its request: where the object is another one, or has
//! changed, the API server refuses it.

use http::Method;
use serde_json::{Map, Value, json};

use super::content::Content;
use crate::kubernetes::{Basis, proxy::Resource};

/// The body of a change of that state. What the caller wrote of it themselves stands, and may conflict.
pub fn pinned(
    method: &Method,
    content: Content,
    resource: Option<&Resource>,
    body: Option<&Value>,
    basis: Basis<'_>,
) -> Option<Value> {
    let subresource = resource.and_then(|resource| resource.subresource.as_deref());
    let mut pinned = body.cloned();
    match (method, content, &mut pinned) {
        (_, Content::JsonPatch, Some(Value::Array(operations))) => {
            let test = |field: &str, value: &str| json!({"op": "test", "path": format!("/metadata/{field}"), "value": value});
            let tests = [test("uid", basis.uid), test("resourceVersion", basis.resource_version)];
            operations.splice(0..0, tests);
        }
        (&Method::DELETE, _, Some(Value::Object(options))) => precondition(options, basis),
        // registry/core/pod/storage/eviction.go takes preconditions, storage.go (BindingREST) metadata
        (&Method::POST, _, Some(Value::Object(eviction))) if subresource == Some("eviction") => {
            if let Value::Object(options) = eviction.entry("deleteOptions").or_insert_with(|| json!({})) {
                precondition(options, basis);
            }
        }
        (&Method::POST, _, Some(Value::Object(object))) if subresource == Some("binding") => {
            identify(object, basis);
        }
        (&Method::PUT | &Method::PATCH, _, Some(Value::Object(object))) => identify(object, basis),
        _ => {}
    }
    pinned
}

fn precondition(options: &mut Map<String, Value>, basis: Basis<'_>) {
    if let Value::Object(conditions) = options.entry("preconditions").or_insert_with(|| json!({})) {
        fill(conditions, basis);
    }
}

fn identify(object: &mut Map<String, Value>, basis: Basis<'_>) {
    if let Value::Object(metadata) = object.entry("metadata").or_insert_with(|| json!({})) {
        fill(metadata, basis);
    }
}

fn fill(members: &mut Map<String, Value>, basis: Basis<'_>) {
    for (name, value) in [("uid", basis.uid), ("resourceVersion", basis.resource_version)] {
        let said = members.get(name).and_then(Value::as_str).is_some_and(|said| !said.is_empty());
        if !said {
            members.insert(name.to_owned(), value.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASIS: Basis<'_> = Basis { uid: "u", resource_version: "7" };

    fn sent(method: &Method, content: Content, subresource: Option<&str>, body: &Value) -> Value {
        let subresource = subresource.map(str::to_owned);
        let resource = Resource { subresource, ..Resource::default() };
        pinned(method, content, Some(&resource), Some(body), BASIS).expect("a body")
    }

    #[test]
    fn each_kind_of_change_carries_the_state_it_is_for() {
        let metadata = json!({"uid": "u", "resourceVersion": "7"});
        let merge = sent(&Method::PATCH, Content::Merge, None, &json!({"data": {}}));
        assert_eq!(merge, json!({"data": {}, "metadata": metadata}));
        let put = sent(&Method::PUT, Content::Json, Some("scale"), &json!({"metadata": {"name": "a"}}));
        assert_eq!(put["metadata"], json!({"name": "a", "uid": "u", "resourceVersion": "7"}));
        let delete = sent(&Method::DELETE, Content::Json, None, &json!({"gracePeriodSeconds": 0}));
        assert_eq!(delete, json!({"gracePeriodSeconds": 0, "preconditions": metadata}));
        let eviction = sent(&Method::POST, Content::Json, Some("eviction"), &json!({"kind": "Eviction"}));
        assert_eq!(eviction["deleteOptions"]["preconditions"], metadata);
        let patch = sent(&Method::PATCH, Content::JsonPatch, None, &json!([{"op": "remove", "path": "/a"}]));
        assert_eq!(patch[0], json!({"op": "test", "path": "/metadata/uid", "value": "u"}));
        assert_eq!(patch[1], json!({"op": "test", "path": "/metadata/resourceVersion", "value": "7"}));
        assert_eq!(patch[2]["op"], "remove");
        let other = sent(&Method::POST, Content::Json, Some("start"), &json!({"a": 1}));
        assert_eq!(other, json!({"a": 1}), "what is not known to take it is sent as it is");
    }

    #[test]
    fn what_the_caller_says_of_the_state_stands() {
        let body = json!({"metadata": {"resourceVersion": "3", "uid": ""}});
        let sent = sent(&Method::PUT, Content::Json, None, &body);
        assert_eq!(sent["metadata"], json!({"resourceVersion": "3", "uid": "u"}));
    }
}
