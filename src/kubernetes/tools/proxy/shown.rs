//! An object as it may be shown to the caller, whatever it came as.

use serde_json::Value;

use super::asked::Asked;
use crate::{
    answer::redact,
    kubernetes::{Access, Object},
};

/// The value without what the caller may not read of Secrets, without what stands under secret-looking keys,
/// and without `managedFields`. A Secret is one by the path it was asked for on, by what it says of itself, or
/// by the list that it came in, which says of which `kind` its items are.
pub(super) fn shown(access: &Access, asked: &Asked, kind: &str, value: Value) -> Value {
    if asked.discovers() {
        return value;
    }
    let mut object = match value {
        Value::Object(_) => Object::from_value(value).unwrap_or_default(),
        // no API answers so about Secrets
        _ if asked.target.is_secret() => return Value::Null,
        other => return redact::values(other),
    };
    let inner = object.kind().strip_suffix("List").map(str::to_owned);
    if inner.is_some() || asked.target.is_secret() {
        let inner = inner.unwrap_or_default();
        for list in ["items", "rows"] {
            let Some(Value::Array(members)) = object.members_mut().get_mut(list) else { continue };
            members.iter_mut().for_each(|member| *member = shown(access, asked, &inner, member.take()));
        }
        if let Some(behind @ Value::Object(_)) = object.members_mut().get_mut("object") {
            *behind = shown(access, asked, "", behind.take());
        }
    }
    unless_secret(access, asked, kind, object)
}

fn unless_secret(access: &Access, asked: &Asked, kind: &str, mut object: Object) -> Value {
    if !is_secret(asked, kind, &object) {
        return redact::manifest(object);
    }
    take_secret(access, asked, &mut object);
    // its own data stay as they are now where it says what it is
    let says = [("apiVersion", "v1"), ("kind", "Secret")];
    let before: Vec<Option<Value>> = says
        .iter()
        .map(|(name, value)| object.members_mut().insert((*name).to_owned(), (*value).into()))
        .collect();
    let mut value = redact::manifest(object);
    if let Value::Object(members) = &mut value {
        for ((name, _), before) in says.into_iter().zip(before) {
            match before {
                Some(before) => members.insert(name.to_owned(), before),
                None => members.shift_remove(name),
            };
        }
    }
    value
}

/// Whether an object is a Secret: the core one, or one of an API that calls its own so.
pub(super) fn is_secret(asked: &Asked, kind: &str, object: &Object) -> bool {
    asked.target.is_secret() || object.kind() == "Secret" || (object.kind().is_empty() && kind == "Secret")
}

/// Takes the values out of a Secret that the caller may not read. Where the path names a namespace, that is
/// where it is, whatever the object says.
pub(super) fn take_secret(access: &Access, asked: &Asked, object: &mut Object) {
    if !access.reveals(asked.namespace().or_else(|| object.namespace())) {
        access.take_secret(object);
    }
}
