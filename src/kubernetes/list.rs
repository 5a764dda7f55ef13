//! Reading a collection page by page, bounded.

use serde_json::Value;

use super::{access::Access, fault::Fault, kind::Kind, object::Object, selector::Selector};

/// Objects asked for at once; kubectl's own chunk size.
const PAGE: usize = 500;
/// Objects after which a list is cut: no tool can show more, and memory stays flat.
const MOST: usize = 10_000;

/// The objects of one LIST.
#[derive(Debug, Default)]
pub struct Listed {
    /// The objects, `apiVersion` and `kind` filled in (list items come without).
    pub items: Vec<Object>,
    /// Objects in scopes that the caller may not see, reduced to kind and kro's own labels, so that
    /// what is withheld is not taken for missing.
    pub withheld: Vec<Object>,
    /// Why the list is not complete, where it is not.
    pub cut: Option<String>,
}

impl Listed {
    /// Whether every object that matched is there.
    pub fn complete(&self) -> bool {
        self.cut.is_none()
    }
}

pub(super) async fn read(
    access: &Access,
    kind: &Kind,
    namespace: Option<&str>,
    selector: &Selector,
) -> Result<Listed, Fault> {
    let path = kind.collection_path(namespace)?;
    let narrowed = selector.query()?;
    let mut listed = Listed::default();
    let mut token: Option<String> = None;
    let mut restarted = false;
    loop {
        let mut query = narrowed.clone();
        query.push(("limit", PAGE.to_string()));
        query.extend(token.take().map(|token| ("continue", token)));
        let page = match access.get_json(&path, &query, "application/json").await {
            Ok(page) => page,
            // the snapshot expired while we paged: once more from the start
            Err(Fault::Gone) if !restarted => {
                restarted = true;
                listed = Listed::default();
                continue;
            }
            Err(fault) if listed.items.is_empty() && listed.withheld.is_empty() => return Err(fault),
            Err(fault) => {
                listed.cut = Some(format!("only the first {} were read: {fault}", listed.items.len()));
                return Ok(listed);
            }
        };
        token = take_page(access, kind, page, &mut listed)?;
        if token.is_none() {
            return Ok(listed);
        }
        if listed.items.len() >= MOST {
            listed.cut = Some(format!("only the first {} were read", listed.items.len()));
            return Ok(listed);
        }
    }
}

/// Moves a page's items over and returns the token of the next page.
fn take_page(
    access: &Access,
    kind: &Kind,
    mut page: Value,
    listed: &mut Listed,
) -> Result<Option<String>, Fault> {
    let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) else {
        return Err(Fault::Malformed("a list without items".to_owned()));
    };
    for mut object in items.into_iter().filter_map(Object::from_value) {
        let members = object.members_mut();
        members.entry("apiVersion").or_insert_with(|| kind.api_version().into());
        members.entry("kind").or_insert_with(|| kind.kind.clone().into());
        if access.sees(object.namespace()) {
            access.take_secrets(&mut object);
            listed.items.push(object);
        } else {
            listed.withheld.push(anonymous(&object));
        }
    }
    let token = page.pointer("/metadata/continue").and_then(Value::as_str).unwrap_or_default();
    Ok((!token.is_empty()).then(|| token.to_owned()))
}

/// What may be known of an object that the caller may not see: that it exists, and whose child it is.
fn anonymous(object: &Object) -> Object {
    let labels: serde_json::Map<String, Value> = object
        .at(&["metadata", "labels"])
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter(|(key, _)| key.contains("kro.run/") || key.starts_with("applyset.kubernetes.io/"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut reduced = Object::default();
    let members = reduced.members_mut();
    members.insert("apiVersion".to_owned(), object.api_version().into());
    members.insert("kind".to_owned(), object.kind().into());
    members.insert("metadata".to_owned(), serde_json::json!({ "labels": labels }));
    reduced
}
