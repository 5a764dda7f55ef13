//! [`Collection`]: the recorded objects of one kind, and what may be asked of them.

use std::sync::OnceLock;

use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::{ages, recording::array};

/// One kind as discovery names it, with its objects.
pub(super) struct Collection {
    /// Empty for the core group.
    pub(super) group: String,
    pub(super) version: String,
    /// The plural, as it stands in paths.
    pub(super) resource: String,
    pub(super) kind: String,
    pub(super) namespaced: bool,
    /// Where a GET below an object is answered with the object itself.
    pub(super) subresources: Vec<String>,
    recorded: &'static str,
    shift: SignedDuration,
    /// Parsed when first asked for: a demo asks for few of the kinds.
    list: OnceLock<Value>,
}

impl Collection {
    /// Joins an entry of aggregated discovery to its recorded list; `None` where there is none.
    pub(super) fn new(
        group: &str,
        version: &Value,
        resource: &Value,
        lists: &[(&str, &'static str)],
        shift: SignedDuration,
    ) -> Option<Self> {
        let plural = resource.get("resource")?.as_str()?;
        let mut collection = Self {
            group: group.to_owned(),
            version: text(version, &["version"]).to_owned(),
            resource: plural.to_owned(),
            kind: text(resource, &["responseKind", "kind"]).to_owned(),
            namespaced: text(resource, &["scope"]) == "Namespaced",
            subresources: array(resource, "subresources")
                .iter()
                .map(|subresource| text(subresource, &["subresource"]).to_owned())
                .collect(),
            recorded: "",
            shift,
            list: OnceLock::new(),
        };
        let full_name = collection.full_name();
        collection.recorded = lists.iter().find(|(file, _)| *file == full_name)?.1;
        Some(collection)
    }

    /// The list as it was recorded. It is part of the binary, and a test reads every one, so there is nothing
    /// to be done at run time about one that cannot be read.
    pub(super) fn list(&self) -> &Value {
        self.list
            .get_or_init(|| serde_json::from_str(&ages::moved(self.recorded, self.shift)).unwrap_or_default())
    }

    /// The objects, in the order of the API server.
    pub(super) fn items(&self) -> &[Value] {
        array(self.list(), "items")
    }

    /// `metadata.resourceVersion` of the list.
    pub(super) fn resource_version(&self) -> &str {
        text(self.list(), &["metadata", "resourceVersion"])
    }

    /// `apps/v1`, or `v1` in the core group.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The plural as messages name it: `pods`, `deployments.apps`.
    pub(super) fn full_name(&self) -> String {
        if self.group.is_empty() {
            self.resource.clone()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }

    /// The object of that name, with the `apiVersion` and `kind` that items of a list lack.
    pub(super) fn object(&self, namespace: Option<&str>, name: &str) -> Option<Value> {
        let item = self.items().iter().find(|item| {
            text(item, &["metadata", "name"]) == name
                && text(item, &["metadata", "namespace"]) == namespace.unwrap_or_default()
        })?;
        Some(self.whole(item))
    }

    /// An item of the list as it would be answered by itself.
    pub(super) fn whole(&self, item: &Value) -> Value {
        typed(&self.kind, &self.api_version(), item)
    }
}

/// `item` with that type in front, as the API server writes it.
pub(super) fn typed(kind: &str, api_version: &str, item: &Value) -> Value {
    let mut object = Map::new();
    object.insert("kind".into(), kind.into());
    object.insert("apiVersion".into(), api_version.into());
    for (key, value) in item.as_object().into_iter().flatten() {
        object.insert(key.clone(), value.clone());
    }
    Value::Object(object)
}

/// The string at `path`, empty where there is none.
pub(super) fn text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    path.iter().try_fold(value, |value, key| value.get(*key)).and_then(Value::as_str).unwrap_or_default()
}
