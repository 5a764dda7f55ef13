//! The one answer to "why am I forbidden": which of the two says no, and whom to ask.

use super::{Asked, Ours, Theirs, Way, ours};
use crate::{kubernetes::Identity, toolbox::Call};

const OPERATOR: &str = "ask whoever runs this server";
const REDACTED: &str = ". Values of Secrets are redacted where you do not have kubernetes.secrets.read";

/// Of one request.
pub(super) fn of_one(
    call: &Call,
    asked: &Asked,
    ways: &[Way],
    theirs: &Theirs,
    user: Option<&str>,
) -> String {
    let words = asked.words();
    let cluster = call.cluster().map(|access| call.toolbox().clusters().shown_name(access.cluster()));
    let cluster = cluster.unwrap_or_default();
    let own = call.cluster().is_ok_and(|access| access.identity() == Identity::Own);
    let open = ways.iter().find(|way| way.allowed);
    let needs = || {
        let needs = ways.iter().find_map(|way| way.needs.as_deref());
        needs.map(|needs| format!(" ({needs})")).unwrap_or_default()
    };
    let administrators = match (own, user) {
        (true, _) => format!("whoever runs this server, whose credential for {cluster} it is"),
        (false, Some(user)) => format!("whoever administers RBAC in {cluster}, to let {user} {words}"),
        (false, None) => format!("whoever administers RBAC in {cluster}"),
    };
    let whom = if own { "this server's credential" } else { "you" };
    let unsaid = match theirs {
        Theirs::Unasked | Theirs::Unseen => "the cluster was not asked",
        _ => "the cluster's answer could not be had",
    };
    if ways.is_empty() {
        // a verb that is looked up on the way of other requests
        return match theirs.allowed() {
            Some(true) => format!(
                "{words}: the cluster allows {whom}; no request of this server has that verb by itself"
            ),
            Some(false) => format!("{words}: no. The cluster refuses it: ask {administrators}"),
            None => format!("{words}: {unsaid}"),
        };
    }
    let redacted = if ours::redacts(call, asked) { REDACTED } else { "" };
    match (open, theirs.allowed()) {
        (Some(way), Some(true)) => format!("{words}: yes, {}{redacted}", way.by()),
        (Some(_), Some(false)) => {
            format!(
                "{words}: no. This server allows it, and the cluster refuses {whom}: ask {administrators}"
            )
        }
        (None, Some(true)) => {
            format!(
                "{words}: no. The cluster allows {whom}, and this server refuses it{}: {OPERATOR}",
                needs()
            )
        }
        (None, Some(false)) => format!(
            "{words}: no. Both this server{} and the cluster refuse it: {OPERATOR}, and {administrators}",
            needs()
        ),
        (Some(_), None) => format!("{words}: this server allows it; {unsaid}{redacted}"),
        (None, None) => format!("{words}: no. This server refuses it{}: {OPERATOR}; {unsaid}", needs()),
    }
}

/// Of everything.
pub(super) fn of_all(
    ours: &Ours,
    theirs: &Theirs,
    namespace: Option<&str>,
    (place, own): (&str, bool),
) -> String {
    let whom = if own { "this server's credential" } else { "you" };
    let given = ours.all.len();
    let all = given + ours.part.len() + ours.none.len();
    let here =
        namespace.map_or_else(|| "in the whole cluster".to_owned(), |name| format!("in namespace {name}"));
    let part = match ours.part.len() {
        0 => String::new(),
        part => format!(", {part} in some namespaces"),
    };
    let theirs = match theirs {
        Theirs::Rules { rules, .. } if rules.is_empty() => {
            format!("the cluster lets {whom} do nothing in {place}")
        }
        Theirs::Rules { rules, .. } => format!("the cluster has {} rules for {whom} in {place}", rules.len()),
        Theirs::One { reason, .. } => format!("the cluster does not let {whom} in: {reason}"),
        Theirs::Unread(_) | Theirs::Unasked | Theirs::Unseen => {
            "the cluster's own answer is not known".to_owned()
        }
    };
    format!(
        "this server gives you {given} of {all} permissions {here}{part}; {theirs}. Both must allow a request; with verb \
         and resource this tool says whether they do"
    )
}
