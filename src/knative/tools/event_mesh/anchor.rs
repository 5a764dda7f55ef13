//! What the arguments name, in a mesh.

use std::collections::BTreeSet;

use super::{input::Input, words};
use crate::{
    Error, ErrorKind,
    knative::{
        filter::Filter,
        mesh::{Anchor, Mesh, NodeId, Relation, Role},
        resource::{EventType, Reference, Resources},
    },
    nearest,
};

/// Names that an error tells.
const CANDIDATES: usize = 5;
const LIST: &str = "knative_event_mesh without it lists what there is";

/// What one argument names: several where the name does not tell them apart.
pub(super) type Named = Vec<Anchor>;

/// What each of the arguments names.
///
/// # Errors
/// There is nothing of that name; with a direction, there are several.
pub(super) fn anchors(mesh: &Mesh, resources: &Resources, input: &Input) -> Result<Vec<Named>, Error> {
    let mut anchors = Vec::new();
    if let Some(home) = input.namespace.as_deref().filter(|_| resources.unread.is_empty()) {
        inhabited(mesh, resources, home)?;
    }
    if let Some(written) = &input.event_type {
        anchors.push(vec![event_type(resources, written.trim(), input)?]);
    }
    if let Some(written) = &input.broker {
        let all: Vec<usize> = (0..mesh.nodes.len()).filter(|index| role(mesh, *index, PASSES_ON)).collect();
        let mut found = matching(mesh, all.iter().copied(), written.trim());
        if found.iter().any(|index| role(mesh, *index, &[Role::Broker])) {
            found.retain(|index| role(mesh, *index, &[Role::Broker]));
        }
        anchors.push(chosen(mesh, input, ("broker", written.trim()), found, &all)?);
    }
    if let Some(written) = &input.consumer {
        let all: BTreeSet<usize> = mesh.edges.iter().map(|edge| edge.to).collect();
        let all: Vec<usize> = all.into_iter().collect();
        let mut found = matching(mesh, all.iter().copied(), written.trim());
        if found.is_empty() {
            found = by_trigger(mesh, written.trim());
        }
        anchors.push(chosen(mesh, input, ("consumer", written.trim()), found, &all)?);
    }
    Ok(anchors)
}

/// That something of the mesh is in the namespace: what is named there would otherwise be looked for in others.
fn inhabited(mesh: &Mesh, resources: &Resources, home: &str) -> Result<(), Error> {
    let declared = resources.event_types.iter().map(|one| one.resource.reference.namespace.as_str());
    let nodes = (0..mesh.nodes.len()).map(|index| words::namespace(mesh, index));
    let known: BTreeSet<&str> = declared.chain(nodes).filter(|name| !name.is_empty()).collect();
    if known.contains(home) {
        return Ok(());
    }
    let what = format!("the argument \"namespace\": nothing of a mesh that you may see is in {home:?}");
    Err(Error::not_found(what).candidates(nearest::names(home, known, CANDIDATES)).next(LIST))
}

const PASSES_ON: &[Role] = &[Role::Broker, Role::Channel, Role::Flow];

fn role(mesh: &Mesh, index: usize, roles: &[Role]) -> bool {
    mesh.nodes.get(index).is_some_and(|node| roles.contains(&node.role))
}

/// Those that are called so: `name`, `namespace/name`, `Kind/name`, `Kind/namespace/name`, `Kind namespace/name`, a
/// URI, or Backstage's id.
fn matching(mesh: &Mesh, all: impl Iterator<Item = usize>, written: &str) -> Vec<usize> {
    let is = |index: &usize| {
        mesh.nodes.get(*index).is_some_and(|node| {
            let named = match &node.id {
                NodeId::Object(reference) => is_called(reference, written),
                NodeId::Uri(uri) => uri == written || uri.trim_end_matches('/') == written,
            };
            named || node.backstage_id.as_deref() == Some(written)
        })
    };
    all.filter(is).collect()
}

fn is_called(reference: &Reference, written: &str) -> bool {
    let Reference { kind, namespace, name, .. } = reference;
    let parts: Vec<&str> = written.split(['/', ' ']).collect();
    match parts.as_slice() {
        [only] => only == name,
        [first, second] => second == name && (first == namespace || first.eq_ignore_ascii_case(kind)),
        [first, second, third] => first.eq_ignore_ascii_case(kind) && second == namespace && third == name,
        _ => false,
    }
}

/// Who gets what a Trigger or Subscription of that name passes on.
fn by_trigger(mesh: &Mesh, written: &str) -> Vec<usize> {
    let delivers = |relation| matches!(relation, Relation::Trigger | Relation::Subscription);
    let edges = mesh.edges.iter().filter(|edge| delivers(edge.relation));
    let named = edges.filter(|edge| edge.via.as_ref().is_some_and(|via| is_called(via, written)));
    let found: BTreeSet<usize> = named.map(|edge| edge.to).collect();
    found.into_iter().collect()
}

/// Those in the namespace that is asked about, where there are any; one, where events are followed.
fn chosen(
    mesh: &Mesh,
    input: &Input,
    (argument, written): (&str, &str),
    mut found: Vec<usize>,
    all: &[usize],
) -> Result<Named, Error> {
    if let Some(home) = input.namespace.as_deref()
        && found.iter().any(|index| words::namespace(mesh, *index) == home)
    {
        found.retain(|index| words::namespace(mesh, *index) == home);
    }
    if found.is_empty() {
        let what = format!("the argument {argument:?}: there is no {argument} {written:?} that you may see");
        let known: BTreeSet<String> =
            all.iter().map(|index| name(mesh, *index, written.contains('/'))).collect();
        let near = nearest::names(written, known.iter().map(String::as_str), CANDIDATES);
        return Err(Error::not_found(what).candidates(near).next(LIST));
    }
    if found.len() > 1 && input.direction.is_some() {
        let what = format!("the argument {argument:?}: there are {} of the name {written:?}", found.len());
        let all = found.iter().map(|index| words::node(mesh, *index, "")).collect();
        let next = "write Kind/namespace/name, or say the namespace";
        return Err(Error::new(ErrorKind::Conflict, what).candidates(words::few(all, 10)).next(next));
    }
    Ok(found.into_iter().map(Anchor::Node).collect())
}

fn name(mesh: &Mesh, index: usize, with_namespace: bool) -> String {
    match mesh.nodes.get(index).map(|node| &node.id) {
        Some(NodeId::Object(reference)) if with_namespace => {
            format!("{}/{}", reference.namespace, reference.name)
        }
        Some(NodeId::Object(reference)) => reference.name.clone(),
        Some(NodeId::Uri(uri)) => words::short(uri),
        None => String::new(),
    }
}

fn event_type(resources: &Resources, written: &str, input: &Input) -> Result<Anchor, Error> {
    let home = input.namespace.as_deref();
    let here = |one: &&EventType| home.is_none_or(|home| one.resource.reference.namespace == home);
    let declared_here = resources.event_types.iter().filter(here).any(|one| one.event_type() == written);
    let known = known_types(resources);
    let named = || resources.triggers.iter().any(|trigger| names(&trigger.filter, written));
    if !known.contains(written) && !named() {
        let what = format!(
            "the argument \"event_type\": nothing that you may see declares, sends or names the type {written:?}"
        );
        let near = nearest::names(written, known, CANDIDATES);
        return Err(Error::not_found(what).candidates(near).next(LIST));
    }
    // declared elsewhere alone, it still is what events that pass here can be of
    let namespace = input.namespace.clone().filter(|_| declared_here);
    Ok(Anchor::EventType { name: written.to_owned(), namespace })
}

/// Every type that is declared or sent.
fn known_types(resources: &Resources) -> BTreeSet<&str> {
    let declared = resources.event_types.iter().map(EventType::event_type);
    let sent = resources.sources.iter().flat_map(|source| {
        let sends = source.sends.iter().map(|sent| sent.event_type.as_str());
        sends.chain(source.announced.iter().map(String::as_str))
    });
    let mut known: BTreeSet<&str> = declared.chain(sent).filter(|name| !name.is_empty()).collect();
    resources.triggers.iter().for_each(|trigger| literals(&trigger.filter, &mut known));
    known
}

/// The types that a filter names in full.
fn literals<'f>(filter: &'f Filter, known: &mut BTreeSet<&'f str>) {
    match filter {
        Filter::Attributes(wanted) | Filter::Exact(wanted) => {
            known.extend(wanted.get("type").map(String::as_str).filter(|name| !name.is_empty()));
        }
        Filter::All(inner) | Filter::Any(inner) => inner.iter().for_each(|one| literals(one, known)),
        _ => {}
    }
}

/// Whether a filter is about types that begin or end as this one does.
fn names(filter: &Filter, written: &str) -> bool {
    let like = |part: Option<&String>, is: fn(&str, &str) -> bool| {
        part.is_some_and(|part| !part.is_empty() && is(written, part))
    };
    match filter {
        Filter::Prefix(wanted) => like(wanted.get("type"), |whole, part| whole.starts_with(part)),
        Filter::Suffix(wanted) => like(wanted.get("type"), |whole, part| whole.ends_with(part)),
        Filter::All(inner) | Filter::Any(inner) => inner.iter().any(|one| names(one, written)),
        _ => false,
    }
}
