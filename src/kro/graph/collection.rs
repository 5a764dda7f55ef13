//! A node that stands for any number of objects: one node with members.

use super::collected::Observed;
use super::level::{Judged, Level, Made, Wanted, graft, withheld};
use super::ready_when::{self, Inclusion};
use super::{Node, absent, present};
use crate::kro::definition;
use crate::kro::labels;
use crate::kro::state::State;
use crate::kubernetes::Object;
use std::collections::{BTreeMap, HashMap};

/// Judges a collection by its members.
pub(super) fn judge(
    level: &Level<'_>,
    node: &definition::Node,
    objects: &[&Object],
    wanted: &Wanted,
) -> Made {
    let observed = matches!(level.collected.externals.get(&node.id), Some(Observed::Many(_)));
    let hidden = if node.external().is_none() { withheld(level, node) } else { 0 };
    let empty = if node.external().is_some() { observed } else { wanted.size == Some(0) };
    if objects.is_empty() && !(empty && hidden == 0) {
        return absent::judge(level, node, wanted);
    }
    if objects.is_empty() && level.collected.instance.deletion().is_none() {
        return nothing(level, node);
    }
    let mut settled = true;
    let mut members: Vec<(Node, Option<&Object>)> = Vec::new();
    let mut names: HashMap<&str, usize> = HashMap::new();
    objects.iter().for_each(|object| *names.entry(object.name()).or_default() += 1);
    for object in objects {
        if level.scope.work().is_over() {
            break;
        }
        let (health, ready, why) = present::health(level, node, object);
        settled &= ready;
        let mut member = level.blank(node);
        present::describe(&mut member, level, object, health);
        member.why = why;
        member.id = format!("{}[{}]", node.id, place(object, &names));
        member.parent = Some(node.id.clone());
        member.needs.clear();
        members.push((member, Some(object)));
    }
    let lacking = lacking(level, node, objects, wanted, hidden);
    settled &= lacking.is_empty();
    members.extend(lacking.into_iter().map(|member| (member, None)));
    finish(level, node, members, hidden, settled)
}

fn finish(
    level: &Level<'_>,
    node: &definition::Node,
    mut members: Vec<(Node, Option<&Object>)>,
    hidden: usize,
    settled: bool,
) -> Made {
    let mut counts: BTreeMap<State, usize> = BTreeMap::new();
    members.iter().for_each(|(member, _)| *counts.entry(member.state).or_default() += 1);
    if hidden > 0 {
        counts.insert(State::Withheld, hidden);
    }
    members.sort_by_key(|(member, _)| (!member.state.is_abnormal(), member.state));
    let mut shown = level.blank(node);
    let worst = counts.keys().copied().filter(|state| state.is_abnormal()).min();
    shown.state = worst.unwrap_or(State::Ready);
    let total: usize = counts.values().sum();
    shown.reason = Some(match counts.get(&State::Ready) {
        Some(ready) if *ready == total => format!("{total} members"),
        ready => {
            let ready = ready.copied().unwrap_or_default();
            match members
                .first()
                .and_then(|(member, _)| Some((member.name.as_ref()?, member.reason.as_ref()?)))
            {
                Some((name, reason)) => format!("{ready} of {total} ready; {name}: {reason}"),
                None => format!("{ready} of {total} ready"),
            }
        }
    });
    if let (Inclusion::Out(why, _), false) =
        (ready_when::inclusion(level, node), level.collected.instance.deletion().is_some())
    {
        shown.state = State::Orphaned;
        shown.reason = Some(format!("{total} members to be pruned: {why}"));
    }
    shown.members = Some(counts);
    let judged = Judged {
        state: if shown.state == State::Orphaned { State::Skipped } else { shown.state },
        settled: settled || shown.state == State::Orphaned,
    };
    let mut nodes = vec![shown];
    for (member, object) in members.into_iter().take(level.shown_members) {
        let inner = object.and_then(|object| level.nested.get(object.uid()));
        let grafted = inner.map(|branch| graft(&member.id, branch)).unwrap_or_default();
        nodes.push(member);
        nodes.extend(grafted);
    }
    Made { judged, nodes }
}

/// An empty collection counts as ready for kro.
fn nothing(level: &Level<'_>, node: &definition::Node) -> Made {
    let mut shown = level.blank(node);
    let out = match ready_when::inclusion(level, node) {
        Inclusion::Out(why, with) => {
            shown.why = absent::left_out(with);
            Some(why)
        }
        _ => None,
    };
    shown.state = if out.is_some() { State::Skipped } else { State::Ready };
    let empty = if shown.external { "nothing matches its selector" } else { "an empty collection" };
    shown.reason = Some(out.unwrap_or_else(|| empty.to_owned()));
    Made { judged: Judged { state: shown.state, settled: true }, nodes: vec![shown] }
}

/// Members that should be there and are not.
fn lacking(
    level: &Level<'_>,
    node: &definition::Node,
    objects: &[&Object],
    wanted: &Wanted,
    hidden: usize,
) -> Vec<Node> {
    let over = level.scope.work().is_over();
    if over || node.external().is_some() || level.collected.instance.deletion().is_some() {
        return Vec::new();
    }
    let expected = wanted.size.or_else(|| by_label(objects)).unwrap_or(objects.len());
    let short = expected.saturating_sub(objects.len() + hidden);
    if short == 0 {
        return Vec::new();
    }
    let (state, reason, why) = absent::why(level, node, &Wanted::default());
    let names = wanted
        .identities
        .iter()
        .flatten()
        .filter(|identity| hidden == 0 && !objects.iter().any(|object| identity.is(object, &level.home)));
    let mut names = names.map(|identity| {
        let told = identity.tellable.then(|| identity.name.clone());
        (told, identity.namespace.clone().filter(|_| identity.tellable))
    });
    (0..short)
        .map(|at| {
            let (name, namespace) = names.next().unwrap_or_default();
            let place = name.clone().unwrap_or_else(|| format!("?{at}"));
            Node {
                id: format!("{}[{place}]", node.id),
                parent: Some(node.id.clone()),
                needs: Vec::new(),
                name,
                namespace,
                state,
                reason: Some(reason.clone()),
                why: why.clone(),
                ..level.blank(node)
            }
        })
        .collect()
}

/// What kro wanted when it last applied one of them.
fn by_label(objects: &[&Object]) -> Option<usize> {
    let sizes = objects.iter().filter_map(|object| labels::collection_size(object));
    sizes.max().and_then(|size| usize::try_from(size).ok())
}

/// A member's name in the id, with its namespace where another member has the same name.
fn place(object: &Object, names: &HashMap<&str, usize>) -> String {
    let same = names.get(object.name()).copied().unwrap_or_default();
    match object.namespace() {
        Some(namespace) if same > 1 => format!("{namespace}/{}", object.name()),
        _ => object.name().to_owned(),
    }
}
