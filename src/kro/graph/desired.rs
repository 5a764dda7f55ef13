//! What a node wants to exist, or refers to, now: its expressions evaluated.

use super::collected::Collected;
use super::evidence::{is_tellable, kind};
use super::home::Home;
use super::level::Level;
use crate::kro::applyset::GroupKind;
use crate::kro::definition::{External, Node};
use crate::kro::expression::{Scope, Unresolved, Variable, Work, deep};
use crate::kubernetes::Object;
use crate::kubernetes::selector::is_label_value;
use serde_json::Value;

/// The name of a wanted object; a namespace where the template gives one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::kro) struct Identity {
    pub(in crate::kro) name: String,
    pub(in crate::kro) namespace: Option<String>,
    /// Whether they may be told: they can be made of any value.
    pub(in crate::kro) tellable: bool,
}

impl Identity {
    pub(super) fn is(&self, object: &Object, home: &Home<'_>) -> bool {
        object.name() == self.name && home.takes(self.namespace.as_deref(), object)
    }
}

/// kro's own limit on the size of a collection.
const LARGEST: usize = 1000;
/// Names of members are evaluated one by one up to this many.
const NAMED: usize = 250;

/// The objects that a template wants. `Ok(None)` stands for more members than are worth naming.
pub(in crate::kro) fn identities(
    node: &Node,
    scope: &Scope<'_>,
) -> Result<Option<Vec<Identity>>, Unresolved> {
    let template = node.template().unwrap_or(&Value::Null);
    if node.for_each.is_empty() {
        return Ok(Some(vec![identity(template, scope)?]));
    }
    let combinations = combinations(node, scope)?;
    if combinations.len() > NAMED {
        return Ok(None);
    }
    combinations
        .into_iter()
        .map(|values| {
            let mut inner = scope.clone();
            values.into_iter().for_each(|(name, value)| inner.set(name, Variable::data(value)));
            identity(template, &inner)
        })
        .collect::<Result<_, _>>()
        .map(Some)
}

/// How many members a collection wants.
pub(super) fn size(node: &Node, scope: &Scope<'_>) -> Result<usize, Unresolved> {
    lists(node, scope)?.into_iter().try_fold(1_usize, |size, (_, list)| {
        let size = size.saturating_mul(list.len());
        if size > LARGEST { Err(too_large()) } else { Ok(size) }
    })
}

fn too_large() -> Unresolved {
    Unresolved::Unsupported(format!("the collection has more than {LARGEST} members"))
}

type Named<'n, T> = Vec<(&'n str, T)>;

fn lists<'n>(node: &'n Node, scope: &Scope<'_>) -> Result<Named<'n, Vec<Value>>, Unresolved> {
    let list = |(name, text): &'n (String, String)| match scope.render(text)? {
        Value::Array(items) => Ok((name.as_str(), items)),
        _ => Err(Unresolved::Unsupported(format!("forEach {name} is not a list"))),
    };
    node.for_each.iter().map(list).collect()
}

/// The cartesian product, the first iterator turning slowest.
fn combinations<'n>(node: &'n Node, scope: &Scope<'_>) -> Result<Vec<Named<'n, Value>>, Unresolved> {
    size(node, scope)?;
    let mut rows: Vec<Named<'n, Value>> = vec![Vec::new()];
    for (name, list) in lists(node, scope)? {
        rows = rows
            .iter()
            .flat_map(|row| {
                list.iter().map(move |value| {
                    let mut row = row.clone();
                    row.push((name, value.clone()));
                    row
                })
            })
            .collect();
    }
    Ok(rows)
}

fn identity(template: &Value, scope: &Scope<'_>) -> Result<Identity, Unresolved> {
    let metadata = template.get("metadata").unwrap_or(&Value::Null);
    let tellable = ["name", "namespace"]
        .into_iter()
        .filter_map(|field| metadata.get(field)?.as_str())
        .all(|text| is_tellable(text, scope));
    Ok(Identity {
        tellable,
        name: rendered(metadata, "name", scope)?
            .ok_or_else(|| Unresolved::Unsupported("the template has no name".into()))?,
        namespace: rendered(metadata, "namespace", scope)?,
    })
}

fn rendered(metadata: &Value, field: &str, scope: &Scope<'_>) -> Result<Option<String>, Unresolved> {
    let Some(text) = metadata.get(field).and_then(Value::as_str) else { return Ok(None) };
    render(text, scope).map(Some)
}

fn render(text: &str, scope: &Scope<'_>) -> Result<String, Unresolved> {
    match scope.render(text)? {
        Value::String(name) if !name.is_empty() => Ok(name),
        other => Err(Unresolved::Unsupported(format!("{text} is {}, not a name", kind(&other)))),
    }
}

/// An external reference with its expressions evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// One object; no namespace means the instance's, for a kind that has namespaces.
    Named {
        /// Its kind.
        kind: GroupKind,
        /// Its namespace.
        namespace: Option<String>,
        /// Its name.
        name: String,
    },
    /// All that match; no namespace means all of them.
    Selected {
        /// Their kind.
        kind: GroupKind,
        /// Their namespace.
        namespace: Option<String>,
        /// A label selector in the API's syntax; every part of it was checked.
        selector: String,
    },
}

impl Reference {
    /// The kind referred to.
    pub fn kind(&self) -> &GroupKind {
        match self {
            Self::Named { kind, .. } | Self::Selected { kind, .. } => kind,
        }
    }
}

/// The external references that have not been looked for and can be now, by node id.
///
/// A name may depend on a child or on another reference, so this is asked again after each round
/// of reading.
pub fn unread_references(collected: &Collected, work: &Work) -> Vec<(String, Reference)> {
    deep(|| references(collected, work)).unwrap_or_default()
}

/// Whether there are external references that have not been looked for.
pub fn has_unread_references(collected: &Collected) -> bool {
    let nodes = collected.rgd.definition().map(|definition| definition.nodes.as_slice());
    let open = |node: &Node| node.external().is_some() && !collected.externals.contains_key(&node.id);
    nodes.unwrap_or_default().iter().any(open)
}

fn references(collected: &Collected, work: &Work) -> Vec<(String, Reference)> {
    let Some(definition) = collected.rgd.definition() else { return Vec::new() };
    let open = |node: &&Node| node.external().is_some() && !collected.externals.contains_key(&node.id);
    if !has_unread_references(collected) {
        return Vec::new();
    }
    let scope = Level::new(collected, definition, work).into_scope();
    definition
        .nodes
        .iter()
        .filter(open)
        .filter_map(|node| Some((node.id.clone(), reference(node, &scope)?.ok()?)))
        .collect()
}

/// An external node's reference; `None` for a node that kro makes.
pub(super) fn reference(node: &Node, scope: &Scope<'_>) -> Option<Result<Reference, Unresolved>> {
    let namespace_of =
        |namespace: &Option<String>| namespace.as_deref().map(|text| render(text, scope)).transpose();
    let kind = node.group_kind();
    Some(match node.external()? {
        External::Named { name, namespace } => namespace_of(namespace)
            .and_then(|namespace| Ok(Reference::Named { kind, namespace, name: render(name, scope)? })),
        External::Selected { selector: labels, namespace } => namespace_of(namespace).and_then(|namespace| {
            Ok(Reference::Selected { kind, namespace, selector: selector(labels, scope)? })
        }),
    })
}

/// A `LabelSelector` in the API's query syntax. Text comes from the RGD and from expressions over
/// data, so each key and value must be one that labels can have.
fn selector(labels: &Value, scope: &Scope<'_>) -> Result<String, Unresolved> {
    let mut requirements = Vec::new();
    let pairs = labels.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    for (key, value) in pairs {
        requirements.push(format!("{}={}", checked_key(key)?, label_value(value, scope)?));
    }
    let expressions = labels.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
    for expression in expressions {
        let text = |field: &str| expression.get(field).and_then(Value::as_str).unwrap_or_default();
        let key = checked_key(text("key"))?;
        let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
        let values = values.map(|value| label_value(value, scope)).collect::<Result<Vec<_>, _>>()?;
        requirements.push(match text("operator") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            other => return Err(Unresolved::Unsupported(format!("the selector operator {other:?}"))),
        });
    }
    Ok(requirements.join(","))
}

fn label_value(value: &Value, scope: &Scope<'_>) -> Result<String, Unresolved> {
    let rendered = scope.render(value.as_str().unwrap_or_default())?;
    match rendered.as_str() {
        Some(text) if is_label_value(text) => Ok(text.to_owned()),
        _ => Err(Unresolved::Unsupported(format!("{} is not a label value", kind(&rendered)))),
    }
}

fn checked_key(key: &str) -> Result<&str, Unresolved> {
    let (prefix, name) = key.rsplit_once('/').unwrap_or(("", key));
    let dns = prefix.len() <= 253
        && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    if dns && !name.is_empty() && is_label_value(name) {
        Ok(key)
    } else {
        Err(Unresolved::Unsupported(format!("{key:?} is not a label key")))
    }
}
