//! Reading events: of one object, or of a namespace, in one LIST.

use jiff::Timestamp;

use super::last_seen;
use crate::kubernetes::{Access, Fault, Kinds, Listed, Object, Selector, Taking};

/// Where events about cluster-scoped objects are kept.
pub const DEFAULT_NAMESPACE: &str = "default";

/// What the events are to be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About<'a> {
    /// The objects of this kind and name: one, and those that had its name before.
    Named(&'a str, &'a str),
    /// Whatever has this name.
    Called(&'a str),
    /// The objects of this kind.
    Kind(&'a str),
    /// The object of this uid.
    Uid(&'a str),
    /// Whatever is cluster-scoped.
    ClusterScoped,
    /// Everything.
    All,
}

/// The two APIs, and what each calls the object that an event is about.
const APIS: [(&str, &str); 2] = [("", "involvedObject"), ("events.k8s.io", "regarding")];
/// Half of an event, and nobody here reads it.
const UNREAD: [&str; 4] = ["managedFields", "labels", "annotations", "resourceVersion"];

/// The events of a namespace, or of all, of which `keep` keeps some. By whichever API is served, and where the
/// caller may not use the first one, by the other: they are the same objects.
///
/// # Errors
/// The cluster's answer, or that it serves no events.
pub async fn events(
    access: &Access,
    kinds: &Kinds,
    namespace: Option<&str>,
    about: About<'_>,
    keep: &(dyn Fn(&Object) -> bool + Sync),
) -> Result<Listed, Fault> {
    let mut fault = Fault::NotFound("the cluster serves no events".to_owned());
    let lean = |event: &mut Object| {
        let kept = keep(event);
        if let Some(metadata) =
            event.members_mut().get_mut("metadata").and_then(|member| member.as_object_mut())
        {
            metadata.retain(|key, _| !UNREAD.contains(&key.as_str()));
        }
        kept
    };
    for (group, reference) in APIS {
        let Some(kind) = kinds.find(group, "Event") else { continue };
        let selector = selector(reference, about);
        match access.list_taking(kind, namespace, &selector, Taking::whole(&lean)).await {
            // what the first said is the one that people know
            Err(refused @ (Fault::Forbidden(_) | Fault::NotFound(_))) if group.is_empty() => fault = refused,
            Err(Fault::Forbidden(_) | Fault::NotFound(_)) => {}
            listed => return listed,
        }
    }
    Err(fault)
}

/// Whether an event was seen since then, or nobody can tell.
pub fn is_since(event: &Object, since: Option<Timestamp>) -> bool {
    since.is_none_or(|since| last_seen(event).is_none_or(|last| last >= since))
}

fn selector(reference: &str, about: About<'_>) -> Selector {
    let field = |name: &str| format!("{reference}.{name}");
    match about {
        About::Named(kind, name) => Selector::all().field(&field("kind"), kind).field(&field("name"), name),
        About::Called(name) => Selector::all().field(&field("name"), name),
        About::Kind(kind) => Selector::all().field(&field("kind"), kind),
        About::Uid(uid) => Selector::all().field(&field("uid"), uid),
        About::ClusterScoped => Selector::all().field(&field("namespace"), ""),
        About::All => Selector::all(),
    }
}
