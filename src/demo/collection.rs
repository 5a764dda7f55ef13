//! [`Collection`]: the recorded objects of one kind, and what may be asked of them.

use serde_json::{Map, Value};

use super::{field_selector, recording::array};

/// One kind as discovery names it, with its objects in the order of the API server.
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
    /// What a field selector may name.
    pub(super) fields: Vec<String>,
    pub(super) list_kind: String,
    /// `metadata` of the list; that of custom resources has an empty `continue`.
    pub(super) metadata: Value,
    pub(super) items: Vec<Value>,
}

impl Collection {
    /// Joins an entry of aggregated discovery to its recorded list; `None` where either is not whole.
    pub(super) fn new(
        group: &str,
        version: &Value,
        resource: &Value,
        lists: &[(&str, Value)],
    ) -> Option<Self> {
        let plural = resource.get("resource")?.as_str()?;
        let named = |name: &str| lists.iter().find(|(file, _)| *file == name).map(|(_, list)| list);
        let full_name = if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
        let list = named(&full_name)?;
        let definitions =
            named("customresourcedefinitions.apiextensions.k8s.io").map(|list| array(list, "items"));
        let definition = definitions
            .unwrap_or_default()
            .iter()
            .find(|definition| text(definition, &["metadata", "name"]) == full_name);
        let namespaced = text(resource, &["scope"]) == "Namespaced";
        Some(Self {
            group: group.to_owned(),
            version: text(version, &["version"]).to_owned(),
            resource: plural.to_owned(),
            kind: text(resource, &["responseKind", "kind"]).to_owned(),
            namespaced,
            subresources: array(resource, "subresources")
                .iter()
                .map(|subresource| text(subresource, &["subresource"]))
                .map(str::to_owned)
                .collect(),
            fields: field_selector::known(&full_name, namespaced, definition),
            list_kind: text(list, &["kind"]).to_owned(),
            metadata: list.get("metadata").cloned().unwrap_or_default(),
            items: array(list, "items").to_vec(),
        })
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
        let item = self.items.iter().find(|item| {
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
