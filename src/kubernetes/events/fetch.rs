//! Reading events: of one object, or of a namespace, in one LIST.

use jiff::Timestamp;

use super::last_seen;
use crate::kubernetes::{Access, Fault, Kind, Kinds, Listed, Object, Selector, Taking};

/// Where events about cluster-scoped objects are kept.
pub const DEFAULT_NAMESPACE: &str = "default";

/// What the events are to be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About<'a> {
    /// The objects of this kind and name: one, and those that had its name before.
    Named(&'a str, &'a str),
    /// Whatever is cluster-scoped.
    ClusterScoped,
    /// Everything.
    All,
}

/// The two APIs, and what each calls the object that an event is about.
const APIS: [(&str, &str); 2] = [("", "involvedObject"), ("events.k8s.io", "regarding")];
/// Half of an event, and nobody here reads it.
const UNREAD: [&str; 4] = ["managedFields", "labels", "annotations", "resourceVersion"];

/// The events of a namespace that were seen since then. By whichever API is served, and where the caller may
/// not use the first one, by the other: they are the same objects.
///
/// # Errors
/// The cluster's answer, or that it serves no events.
pub async fn events(
    access: &Access,
    kinds: &Kinds,
    namespace: &str,
    about: About<'_>,
    since: Option<Timestamp>,
) -> Result<Listed, Fault> {
    let mut fault = Fault::NotFound("the cluster serves no events".to_owned());
    for (group, reference) in APIS {
        let Some(kind) = kinds.find(group, "Event") else { continue };
        match read(access, kind, namespace, selector(reference, about), since).await {
            Err(refused @ (Fault::Forbidden(_) | Fault::NotFound(_))) => fault = refused,
            listed => return listed,
        }
    }
    Err(fault)
}

async fn read(
    access: &Access,
    kind: &Kind,
    namespace: &str,
    selector: Selector,
    since: Option<Timestamp>,
) -> Result<Listed, Fault> {
    let keep = move |event: &mut Object| {
        if since.is_some_and(|since| last_seen(event).is_some_and(|last| last < since)) {
            return false;
        }
        if let Some(metadata) =
            event.members_mut().get_mut("metadata").and_then(|member| member.as_object_mut())
        {
            metadata.retain(|key, _| !UNREAD.contains(&key.as_str()));
        }
        true
    };
    access.list_taking(kind, Some(namespace), &selector, Taking::whole(&keep)).await
}

fn selector(reference: &str, about: About<'_>) -> Selector {
    let field = |name: &str| format!("{reference}.{name}");
    match about {
        About::Named(kind, name) => Selector::all().field(&field("kind"), kind).field(&field("name"), name),
        About::ClusterScoped => Selector::all().field(&field("namespace"), ""),
        About::All => Selector::all(),
    }
}
