//! References and destinations (knative.dev/pkg `duckv1.KReference`, `duckv1.Destination`, `tracker.Reference`).

use serde_json::Value;

use super::text;
use crate::knative::resource::{Destination, Reference};

/// An object by kind and name; without a namespace of its own it is in `own`. `None` where it names none.
pub(super) fn reference(value: &Value, own: &str) -> Option<Reference> {
    named(value, own, text(value, "name")?)
}

/// The subject of a SinkBinding, which may be all objects of a kind that a selector matches: its name is then empty.
pub(super) fn subject(value: &Value, own: &str) -> Option<Reference> {
    named(value, own, text(value, "name").unwrap_or_default())
}

fn named(value: &Value, own: &str, name: String) -> Option<Reference> {
    let version = text(value, "apiVersion").unwrap_or_default();
    let group = || version.split_once('/').map_or("", |(group, _)| group).to_owned();
    Some(Reference {
        // where it is said, the version is looked up and `apiVersion` written over (`kref.ResolveGroup`)
        group: text(value, "group").unwrap_or_else(group),
        kind: text(value, "kind")?,
        namespace: text(value, "namespace").unwrap_or_else(|| own.to_owned()),
        name,
    })
}

/// Where events are sent; `None` where it says neither an object nor a URI.
pub(super) fn destination(value: Option<&Value>, own: &str) -> Option<Destination> {
    let value = value?;
    let reference = value.get("ref").and_then(|object| reference(object, own));
    let uri = text(value, "uri");
    (reference.is_some() || uri.is_some()).then_some(Destination { reference, uri })
}
