//! Names and states as rows tell them.

use crate::{
    answer::sanitise,
    knative::{
        filter::Filter,
        mesh::{Edge, Mesh, NodeId, Presence},
        resource::{Ready, Reference},
    },
};

/// Characters of a reason, a filter, a URI.
const LONGEST: usize = 160;
/// Characters of a kind, a namespace of 63 and a name of 253, the longest that the API server takes.
const LONGEST_NAME: usize = 400;

/// `Kind name`, with the namespace where it is not `home`.
pub(super) fn object(reference: &Reference, home: &str) -> String {
    // what is referred to has whatever name its author wrote
    let name = if reference.namespace.is_empty() || reference.namespace == home {
        format!("{} {}", reference.kind, reference.name)
    } else {
        reference.to_string()
    };
    sanitise::short(&name, LONGEST_NAME)
}

/// As [`object`], or the URI; and what is wrong with it.
pub(super) fn node(mesh: &Mesh, index: usize, home: &str) -> String {
    let Some(node) = mesh.nodes.get(index) else { return String::new() };
    let name = match &node.id {
        NodeId::Object(reference) => object(reference, home),
        // there is no object to be read
        NodeId::Uri(uri) => return sanitise::short(uri, LONGEST),
    };
    match absence(node.presence) {
        Some(why) => format!("{name} ({why})"),
        None => name,
    }
}

/// What to say of a node that was not read.
pub(super) fn absence(presence: Presence) -> Option<&'static str> {
    match presence {
        Presence::Here => None,
        Presence::Missing => Some("missing"),
        Presence::NoKind => Some("no such kind"),
        Presence::NotAddressable => Some("takes no events"),
        Presence::Unread => Some("not read"),
    }
}

/// The namespace of a node; empty for a URI.
pub(super) fn namespace(mesh: &Mesh, index: usize) -> &str {
    match mesh.nodes.get(index).map(|node| &node.id) {
        Some(NodeId::Object(reference)) => &reference.namespace,
        _ => "",
    }
}

/// Nothing where it is ready.
pub(super) fn state(ready: &Ready) -> Option<String> {
    let told = |word: &str, why: &str| match why.is_empty() {
        true => word.to_owned(),
        false => format!("{word}: {}", short(why)),
    };
    match ready {
        Ready::Yes => None,
        Ready::No(why) => Some(told("no", why)),
        Ready::Unknown(why) => Some(told("unknown", why)),
        Ready::Untold => Some("no status".to_owned()),
    }
}

/// Whether what passes events on by an edge works: the Trigger or Subscription, or else what it begins at.
pub(super) fn readiness<'m>(mesh: &'m Mesh, edge: &'m Edge) -> &'m Ready {
    let from = mesh.nodes.get(edge.from).filter(|_| edge.via.is_none());
    from.map_or(&edge.ready, |node| &node.ready)
}

/// The namespace of an edge: of the Trigger or Subscription, or else of where it begins.
pub(super) fn home<'m>(mesh: &'m Mesh, edge: &'m Edge) -> &'m str {
    match &edge.via {
        Some(via) => &via.namespace,
        None => namespace(mesh, edge.from),
    }
}

/// Nothing where everything passes.
pub(super) fn filter(filter: &Filter) -> Option<String> {
    const MARK: &str = "(not evaluated)";
    if *filter == Filter::Everything {
        return None;
    }
    let text = short(&filter.to_string());
    // what is cut off may have been the mark
    let marked = filter.is_evaluated() || text.contains(MARK);
    Some(if marked { text } else { format!("{text} {MARK}") })
}

/// One line that is not long.
pub(super) fn short(text: &str) -> String {
    sanitise::short(text, LONGEST)
}

/// The first few of many: `a, b and 3 more`.
pub(super) fn few(all: Vec<String>, most: usize) -> Vec<String> {
    let more = all.len().saturating_sub(most);
    let mut few: Vec<String> = all.into_iter().take(most).collect();
    few.extend((more > 0).then(|| format!("and {more} more")));
    few
}
