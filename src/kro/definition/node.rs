//! [`Node`]: one entry of an RGD's `spec.resources`.

use crate::kro::applyset::GroupKind;
use serde_json::{Map, Value};

/// One resource of an RGD.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its id, unique in the RGD.
    pub id: String,
    /// `apiVersion` of what it makes or refers to.
    pub api_version: String,
    /// `kind` of what it makes or refers to.
    pub kind: String,
    /// Whether kro makes it or only reads it.
    pub role: Role,
    /// Iterators of a collection: variable and list expression.
    pub for_each: Vec<(String, String)>,
    /// Expressions that must all be true for the node to be ready.
    pub ready_when: Vec<String>,
    /// Expressions that must all be true for the node to exist.
    pub include_when: Vec<String>,
    /// Ids of the nodes it depends on.
    pub dependencies: Vec<String>,
}

/// Whether kro makes an object or only reads it.
#[derive(Clone, Debug)]
pub enum Role {
    /// Made from this template.
    Template(Value),
    /// Read, never written.
    External(External),
}

/// What an external reference points at. Values may hold `${…}`.
#[derive(Clone, Debug)]
pub enum External {
    /// One object by name; without a namespace, in the instance's.
    Named {
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: Option<String>,
    },
    /// All that match a label selector; without a namespace, in all of them.
    Selected {
        /// A `LabelSelector`.
        selector: Value,
        /// Their namespace.
        namespace: Option<String>,
    },
}

impl Node {
    /// Reads an entry; one without an id is not a node.
    pub fn parse(resource: &Value) -> Option<Self> {
        let id = text(resource, "id").filter(|id| !id.is_empty())?;
        let external = resource.get("externalRef").filter(|reference| reference.is_object());
        let object = external.or_else(|| resource.get("template")).unwrap_or(&Value::Null);
        Some(Self {
            id: id.to_owned(),
            api_version: text(object, "apiVersion").unwrap_or_default().to_owned(),
            kind: text(object, "kind").unwrap_or_default().to_owned(),
            role: external.map_or_else(
                || Role::Template(object.clone()),
                |reference| Role::External(External::parse(reference)),
            ),
            for_each: iterators(resource.get("forEach")),
            ready_when: conditions(resource.get("readyWhen")),
            include_when: conditions(resource.get("includeWhen")),
            dependencies: Vec::new(),
        })
    }

    /// The group and kind of what it makes or refers to.
    pub fn group_kind(&self) -> GroupKind {
        let group = self.api_version.split_once('/').map_or("", |(group, _)| group);
        GroupKind::new(group, &self.kind)
    }

    /// The template, unless it is an external reference.
    pub fn template(&self) -> Option<&Value> {
        match &self.role {
            Role::Template(template) => Some(template),
            Role::External(_) => None,
        }
    }

    /// The external reference, unless kro makes it.
    pub fn external(&self) -> Option<&External> {
        match &self.role {
            Role::Template(_) => None,
            Role::External(external) => Some(external),
        }
    }

    /// Whether it stands for any number of objects.
    pub fn is_collection(&self) -> bool {
        !self.for_each.is_empty() || matches!(self.external(), Some(External::Selected { .. }))
    }
}

impl External {
    fn parse(reference: &Value) -> Self {
        let metadata = reference.get("metadata").unwrap_or(&Value::Null);
        let namespace = text(metadata, "namespace").filter(|name| !name.is_empty()).map(str::to_owned);
        match metadata.get("selector").filter(|selector| selector.is_object()) {
            Some(selector) => Self::Selected { selector: selector.clone(), namespace },
            None => Self::Named { name: text(metadata, "name").unwrap_or_default().to_owned(), namespace },
        }
    }
}

/// Each entry is a map with one iterator; several in one map are taken as well.
fn iterators(list: Option<&Value>) -> Vec<(String, String)> {
    let entries = list.and_then(Value::as_array).into_iter().flatten();
    entries
        .filter_map(Value::as_object)
        .flat_map(Map::iter)
        .filter_map(|(name, list)| Some((name.clone(), list.as_str()?.to_owned())))
        .collect()
}

fn conditions(list: Option<&Value>) -> Vec<String> {
    let entries = list.and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}
