//! A node of which no object was found: left out, waiting, missing, or not to be seen.

use super::collected::{Observed, Unread};
use super::level::{Judged, Level, Made, Wanted, not_attended, withheld};
use super::ready_when::{self, Inclusion};
use super::{Node, desired, evidence};
use crate::kro::definition::{self, External};
use crate::kro::expression::{Unresolved, expressions, strings_of};
use crate::kro::instance::Trouble;
use crate::kro::state::State;

/// Judges a node without an object.
pub(super) fn judge(level: &Level<'_>, node: &definition::Node, wanted: &Wanted) -> Made {
    let mut shown = level.blank(node);
    if let Some(identity) = wanted.only().filter(|identity| identity.tellable) {
        shown.name = Some(identity.name.clone());
        let inherited = level.collected.instance.namespace().map(str::to_owned);
        shown.namespace = identity.namespace.clone().or(inherited);
    }
    let (state, reason) =
        if node.external().is_some() { external(level, node, &mut shown) } else { why(level, node, wanted) };
    if matches!(state, State::Withheld) {
        (shown.name, shown.namespace) = (None, None);
    }
    (shown.state, shown.reason) = (state, Some(reason));
    let judged = Judged { state, settled: state == State::Skipped };
    Made { judged, nodes: vec![shown] }
}

/// Why a node that kro makes has no object.
pub(super) fn why(level: &Level<'_>, node: &definition::Node, wanted: &Wanted) -> (State, String) {
    if level.collected.instance.deletion().is_some() {
        return match unseen(level, node) {
            Some(unseen) if unseen.0 != State::Missing => unseen,
            _ => (State::Gone, "deleted already".into()),
        };
    }
    let inclusion = ready_when::inclusion(level, node);
    if let Inclusion::Out(why) = inclusion {
        return (State::Skipped, why);
    }
    if let Some(unseen) = unseen(level, node) {
        return unseen;
    }
    let names: Vec<&str> = wanted.only().map(|identity| identity.name.as_str()).into_iter().collect();
    let complaint = level.complaint(node, &names);
    if let Some(error) = complaint.filter(|complaint| complaint.is_error()) {
        return (State::Failing, error.text.clone());
    }
    if level.kro_is_content() {
        return content(level, inclusion);
    }
    if let Some(ids) = unsettled(level, node) {
        return (State::Pending, format!("waits for {ids}"));
    }
    if let Inclusion::Waits(why) = inclusion {
        return (State::Pending, why);
    }
    if let Some(why) = not_attended(level) {
        let suspended = level.standing.state == State::Suspended;
        return (if suspended { State::Missing } else { State::Pending }, why);
    }
    if let Some(what) = data(level, node, wanted) {
        return (State::Pending, what);
    }
    match complaint.map(|complaint| &complaint.trouble) {
        Some(Trouble::DataPending(Some(id))) => return (State::Pending, format!("waits for {id}")),
        Some(_) => return (State::Pending, complaint.map(ToString::to_string).unwrap_or_default()),
        None => {}
    }
    if let Inclusion::Unknown(why) = inclusion {
        return (State::Unknown, format!("it may be left out: {why}"));
    }
    let stopped = level.standing.complaints.iter().find(|complaint| complaint.is_error());
    match stopped {
        Some(error) => (State::Pending, format!("kro stopped before it: {}", error.text)),
        None => (State::Pending, "kro has not made it yet".into()),
    }
}

/// kro says that all is there.
fn content(level: &Level<'_>, inclusion: Inclusion) -> (State, String) {
    match inclusion {
        Inclusion::Unknown(why) | Inclusion::Waits(why) => {
            (State::Skipped, format!("kro is ready without it, so it is left out ({why})"))
        }
        _ => {
            let word = level.standing.word.as_deref().unwrap_or("ready");
            (State::Missing, format!("kro says {word}, but it does not exist"))
        }
    }
}

/// Reasons on our side, and kinds that cannot have objects.
fn unseen(level: &Level<'_>, node: &definition::Node) -> Option<(State, String)> {
    match level.collected.unread.get(&node.group_kind()) {
        Some(Unread::NotServed) => {
            return Some((State::Missing, format!("the cluster does not serve {}", node.group_kind())));
        }
        Some(unread) => return Some((State::Unknown, format!("could not be read: {unread}"))),
        None => {}
    }
    let hidden = withheld(level, node);
    (hidden > 0).then(|| (State::Withheld, "in a scope that you may not see".to_owned()))
}

/// Dependencies that keep kro from going ahead.
fn unsettled(level: &Level<'_>, node: &definition::Node) -> Option<String> {
    let ids: Vec<&str> = node
        .dependencies
        .iter()
        .map(String::as_str)
        .filter(|id| level.judged.get(id).is_some_and(|judged| !judged.settled))
        .collect();
    (!ids.is_empty()).then(|| ids.join(", "))
}

/// The first expression of the template whose data is not there.
fn data(level: &Level<'_>, node: &definition::Node, wanted: &Wanted) -> Option<String> {
    if let Some(Unresolved::Pending(what)) = &wanted.unresolved {
        return Some(format!("waits for {what}"));
    }
    if !node.for_each.is_empty() {
        return None;
    }
    strings_of(node.template()?).into_iter().flat_map(expressions).find_map(|source| {
        match level.scope.evaluate(source) {
            Err(Unresolved::Pending(what)) => Some(format!("waits for {what}")),
            _ => None,
        }
    })
}

/// Whether the name and namespace of an external reference may be told.
fn is_tellable(level: &Level<'_>, node: &definition::Node) -> bool {
    let (name, namespace) = match node.external() {
        Some(External::Named { name, namespace }) => (name.as_str(), namespace.as_deref()),
        Some(External::Selected { namespace, .. }) => ("", namespace.as_deref()),
        None => return true,
    };
    std::iter::once(name).chain(namespace).all(|text| evidence::is_tellable(text, &level.scope))
}

/// What became of looking for an external reference.
fn external(level: &Level<'_>, node: &definition::Node, shown: &mut Node) -> (State, String) {
    if let Inclusion::Out(why) = ready_when::inclusion(level, node) {
        return (State::Skipped, why);
    }
    match level.collected.externals.get(&node.id) {
        Some(Observed::Absent(namespace, name)) => {
            if is_tellable(level, node) {
                (shown.name, shown.namespace) = (Some(name.clone()), namespace.clone());
            }
            (State::ExternalMissing, "the external reference does not exist".into())
        }
        Some(Observed::Unread(Unread::NotServed)) => {
            (State::ExternalMissing, format!("the cluster does not serve {}", node.group_kind()))
        }
        // the words of a failure have the name in them
        Some(Observed::Unread(_)) if !is_tellable(level, node) => {
            (State::Unknown, "could not be read".into())
        }
        Some(Observed::Unread(why)) => (State::Unknown, format!("could not be read: {why}")),
        Some(Observed::Withheld) => (State::Withheld, "in a scope that you may not see".into()),
        Some(Observed::One(_) | Observed::Many(_)) | None => match desired::reference(node, &level.scope) {
            Some(Err(Unresolved::Unsupported(why))) => {
                (State::Unknown, format!("which one is meant cannot be told: {why}"))
            }
            Some(Err(waits)) => (State::Pending, format!("which one is meant is not known: {waits}")),
            _ => (State::Unknown, "was not read".into()),
        },
    }
}
