//! A node of which no object was found: left out, waiting, missing, or not to be seen.

use super::collected::{Observed, Unread};
use super::level::{Judged, Level, Made, Wanted, not_attended, withheld};
use super::ready_when::{self, Inclusion};
use super::{Node, Why, desired, evidence, present};
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
    let (state, reason, why) =
        if node.external().is_some() { external(level, node, &mut shown) } else { why(level, node, wanted) };
    if matches!(state, State::Withheld) {
        (shown.name, shown.namespace) = (None, None);
    }
    (shown.state, shown.reason, shown.why) = (state, Some(reason), why);
    let judged = Judged { state, settled: state == State::Skipped };
    Made { judged, nodes: vec![shown] }
}

/// Of a node that is left out, `with` the one that it depends on.
pub(super) fn left_out(with: Option<String>) -> Why {
    with.map_or(Why::LeftOut, Why::LeftOutWith)
}

type Reasoned = (State, String, Why);

/// Why a node that kro makes has no object.
pub(super) fn why(level: &Level<'_>, node: &definition::Node, wanted: &Wanted) -> Reasoned {
    if level.collected.instance.deletion().is_some() {
        return match unseen(level, node) {
            Some(unseen) if unseen.0 != State::Missing => unseen,
            _ => (State::Gone, "deleted already".into(), Why::Itself),
        };
    }
    let inclusion = ready_when::inclusion(level, node);
    if let Inclusion::Out(why, with) = inclusion {
        return (State::Skipped, why, left_out(with));
    }
    if let Some(unseen) = unseen(level, node) {
        return unseen;
    }
    let names: Vec<&str> = wanted.only().map(|identity| identity.name.as_str()).into_iter().collect();
    let complaint = level.complaint(node, &names);
    if let Some(error) = complaint.filter(|complaint| complaint.is_error()) {
        return (State::Failing, error.to_string(), Why::Complaint(error.clone()));
    }
    if level.kro_is_content() {
        return content(level, inclusion);
    }
    if let Some(ids) = unsettled(level, node) {
        return (State::Pending, format!("waits for {}", ids.join(", ")), Why::Nodes(ids));
    }
    if let Inclusion::Waits(why) = inclusion {
        let what = why.clone();
        return (State::Pending, why, Why::Data { what, expression: None });
    }
    if let Some(why) = not_attended(level) {
        let suspended = level.standing.state == State::Suspended;
        return (if suspended { State::Missing } else { State::Pending }, why, Why::Unattended);
    }
    // kro judges the readiness of what it saw only
    if let Some(complaint) = complaint.filter(|complaint| present::waits_for_readiness(&complaint.trouble)) {
        let why = format!("kro saw it, and it is gone since; kro still says: {complaint}");
        return (State::Missing, why, Why::Lost);
    }
    if let Some((what, expression)) = data(level, node, wanted) {
        return (State::Pending, format!("waits for {what}"), Why::Data { what, expression });
    }
    if let Some(complaint) = complaint {
        let of = Why::Complaint(complaint.clone());
        return match &complaint.trouble {
            Trouble::DataPending(Some(id)) => (State::Pending, format!("waits for {id}"), of),
            _ => (State::Pending, complaint.to_string(), of),
        };
    }
    if let Inclusion::Unknown(why) = inclusion {
        return (State::Unknown, format!("it may be left out: {why}"), Why::Itself);
    }
    let stopped = level.standing.complaints.iter().find(|complaint| complaint.is_error());
    match stopped {
        // the error itself is told once, of what it is about
        Some(_) => (State::Pending, "kro stopped before it, at an error".into(), Why::Stopped),
        None => (State::Pending, "kro has not made it yet".into(), Why::Itself),
    }
}

/// kro says that all is there.
fn content(level: &Level<'_>, inclusion: Inclusion) -> Reasoned {
    match inclusion {
        Inclusion::Unknown(why) | Inclusion::Waits(why) => {
            (State::Skipped, format!("kro is ready without it, so it is left out ({why})"), Why::LeftOut)
        }
        _ => {
            let word = level.standing.word.as_deref().unwrap_or("ready");
            (State::Missing, format!("kro says {word}, but it does not exist"), Why::Contradiction)
        }
    }
}

/// Reasons on our side, and kinds that cannot have objects.
fn unseen(level: &Level<'_>, node: &definition::Node) -> Option<Reasoned> {
    match level.collected.unread.get(&node.group_kind()) {
        Some(Unread::NotServed) => {
            let why = format!("the cluster does not serve {}", node.group_kind());
            return Some((State::Missing, why, Why::NotServed));
        }
        // neither its name nor its namespace: they are of what the caller may not see
        Some(Unread::Withheld) => {
            return Some((State::Withheld, "in a scope that you may not see".to_owned(), Why::Itself));
        }
        Some(unread) => {
            return Some((State::Unknown, format!("could not be read: {unread}"), Why::Itself));
        }
        None => {}
    }
    let hidden = withheld(level, node);
    (hidden > 0).then(|| (State::Withheld, "in a scope that you may not see".to_owned(), Why::Itself))
}

/// Dependencies that keep kro from going ahead.
fn unsettled(level: &Level<'_>, node: &definition::Node) -> Option<Vec<String>> {
    let ids: Vec<String> = node
        .dependencies
        .iter()
        .filter(|id| level.judged.get(id.as_str()).is_some_and(|judged| !judged.settled))
        .cloned()
        .collect();
    (!ids.is_empty()).then_some(ids)
}

/// The first data of the template that is not there, and the expression that reads it.
fn data(level: &Level<'_>, node: &definition::Node, wanted: &Wanted) -> Option<(String, Option<String>)> {
    if let Some(Unresolved::Pending(what)) = &wanted.unresolved {
        return Some((what.clone(), None));
    }
    if !node.for_each.is_empty() {
        return None;
    }
    strings_of(node.template()?).into_iter().flat_map(expressions).find_map(|source| {
        match level.scope.evaluate(source) {
            Err(Unresolved::Pending(what)) => Some((what, Some(source.trim().to_owned()))),
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
fn external(level: &Level<'_>, node: &definition::Node, shown: &mut Node) -> Reasoned {
    if let Inclusion::Out(why, with) = ready_when::inclusion(level, node) {
        return (State::Skipped, why, left_out(with));
    }
    let unknown = |why: String| (State::Unknown, why, Why::Itself);
    match level.collected.externals.get(&node.id) {
        Some(Observed::Absent(namespace, name)) => {
            if is_tellable(level, node) {
                (shown.name, shown.namespace) = (Some(name.clone()), namespace.clone());
            }
            (State::ExternalMissing, "the external reference does not exist".into(), Why::Itself)
        }
        Some(Observed::Unread(Unread::NotServed)) => {
            let why = format!("the cluster does not serve {}", node.group_kind());
            (State::ExternalMissing, why, Why::NotServed)
        }
        // the words of a failure have the name in them
        Some(Observed::Unread(_)) if !is_tellable(level, node) => unknown("could not be read".into()),
        Some(Observed::Unread(why)) => unknown(format!("could not be read: {why}")),
        Some(Observed::Withheld) => (State::Withheld, "in a scope that you may not see".into(), Why::Itself),
        Some(Observed::One(_) | Observed::Many(_)) | None => match desired::reference(node, &level.scope) {
            Some(Err(Unresolved::Unsupported(why))) => {
                unknown(format!("which one is meant cannot be told: {why}"))
            }
            Some(Err(waits)) => {
                let what = format!("which one is meant is not known: {waits}");
                (State::Pending, what.clone(), Why::Data { what, expression: None })
            }
            _ => unknown("was not read".into()),
        },
    }
}
