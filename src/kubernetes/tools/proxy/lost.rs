//! Where a path leads that the cluster does not serve: what it may have meant. Asked for after a 404 alone, so
//! that a good call stays one request.

use std::collections::BTreeSet;

use super::asked::Asked;
use crate::{
    answer::sanitise,
    kubernetes::{
        Access, Kind, Kinds, discovery,
        proxy::{Resource, What},
    },
    nearest,
};

/// Names that are told.
const NEAREST: usize = 3;

/// What is not there, where that is known, and what to do.
#[derive(Debug, Default)]
pub(super) struct Lost {
    pub(super) what: Option<String>,
    pub(super) next: Option<String>,
}

/// Of a path that is not served.
pub(super) async fn lost(access: &Access, asked: &Asked) -> Lost {
    let Ok(kinds) = access.kinds().await else { return Lost::default() };
    let group = match asked.target.what() {
        What::Resource(resource) => resource.group.as_str(),
        _ => asked.target.path().strip_prefix("/apis/").and_then(|rest| rest.split('/').next()).unwrap_or(""),
    };
    let what = unserved(&kinds, group);
    let next = match asked.target.resource() {
        Some(resource) => meant(access, &kinds, resource, asked.target.path()).await,
        None => None,
    };
    Lost { what, next }
}

fn unserved(kinds: &Kinds, group: &str) -> Option<String> {
    let served: BTreeSet<&str> = kinds.iter().map(|kind| kind.group.as_str()).collect();
    if served.is_empty() || served.contains(group) {
        return None;
    }
    // a group's first word is what people know of it
    let words = served.iter().filter(|group| !group.is_empty()).flat_map(|group| {
        let first = group.split('.').next().unwrap_or(group);
        [(first, *group), (*group, *group)]
    });
    let words: Vec<(&str, &str)> = words.collect();
    let near = nearest::name(group, words.iter().map(|(word, _)| *word));
    let near = near.and_then(|near| words.iter().find(|(word, _)| *word == near));
    let near = near.map(|(_, group)| format!(" (nearest: {group})")).unwrap_or_default();
    Some(format!("the API group {:?} is not served{near}", sanitise::short(group, 80)))
}

/// The path that was meant, or the subresources that there are.
async fn meant(access: &Access, kinds: &Kinds, resource: &Resource, asked: &str) -> Option<String> {
    let kind = nearest_kind(kinds, resource)?;
    let here =
        (&kind.group, &kind.version, &kind.plural) == (&resource.group, &resource.version, &resource.plural);
    if let Some(sub) = resource.subresource.as_deref().filter(|_| here) {
        let known = discovery::subresources(access, kind).await?;
        if !known.iter().any(|one| one == sub) {
            let near = nearest::names(sub, known.iter().map(String::as_str), NEAREST);
            return Some(match near.as_slice() {
                [] => format!("{} have no subresources", kind.plural),
                near => format!("the subresources of {} that come near: {}", kind.plural, near.join(", ")),
            });
        }
    }
    let served = path(kind, resource).filter(|served| served != asked)?;
    Some(format!("{} are served at {served}", kind.plural))
}

/// The kind that was meant: by a name of it in its group, then in any, then by what comes near.
fn nearest_kind<'k>(kinds: &'k Kinds, resource: &Resource) -> Option<&'k Kind> {
    let written = resource.plural.to_lowercase();
    let named = |kind: &&Kind| {
        kind.plural == written
            || kind.singular == written
            || kind.kind.eq_ignore_ascii_case(&written)
            || kind.short_names.contains(&written)
    };
    let inside = |kind: &&Kind| kind.group == resource.group;
    let exact = kinds.iter().filter(inside).find(named).or_else(|| kinds.iter().find(named));
    exact.or_else(|| {
        let near = |kinds: Vec<&'k Kind>| {
            let name = nearest::name(&written, kinds.iter().map(|kind| kind.plural.as_str()))?;
            kinds.into_iter().find(|kind| kind.plural == name)
        };
        near(kinds.iter().filter(inside).collect()).or_else(|| near(kinds.iter().collect()))
    })
}

fn path(kind: &Kind, resource: &Resource) -> Option<String> {
    let some = resource.name.is_some().then_some("NAMESPACE");
    let namespace = resource.namespace.as_deref().or(some);
    let path = match &resource.name {
        Some(name) => kind.object_path(namespace, name),
        None => kind.collection_path(namespace),
    };
    let sub = resource.subresource.as_ref().map(|sub| format!("/{sub}")).unwrap_or_default();
    path.ok().map(|path| path + &sub)
}
