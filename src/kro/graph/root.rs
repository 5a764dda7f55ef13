//! The instance itself: what kro says of it, corrected by what its nodes are.

use super::causes::Causes;
use super::collected::{Collected, Rgd};
use super::home::Home;
use super::level::{Branch, Level, graft};
use super::ready_when::shorten;
use super::remarks::remarks;
use super::{Node, ROOT, Why};
use crate::kro::instance::Standing;
use crate::kro::labels;
use crate::kro::state::State;
use crate::kubernetes::Object;
use std::collections::BTreeMap;

/// Adds what no node claimed and judges the instance.
pub(super) fn finish(level: Level<'_>, mut nodes: Vec<Node>) -> Branch {
    let (mut gaps, mut notes) = remarks(level.collected);
    let over = level.scope.work().is_over();
    let Level { collected, standing, claims, nested, .. } = level;
    let (orphans, elsewhere) = claims.into_orphans();
    // nodes that were not judged have claimed nothing
    if !over {
        nodes.extend(orphans.into_iter().map(orphaned));
    }
    notes.extend(stray(elsewhere));
    for (uid, branch) in &nested {
        let name = collected.children.iter().find(|child| child.uid() == *uid).map_or(*uid, Object::name);
        let about = |text: &String| format!("{name}: {text}");
        gaps.extend(branch.gaps.iter().map(about));
        notes.extend(branch.notes.iter().map(about));
    }
    dedup(&mut gaps);
    let root = root(collected, &standing, &nodes);
    Branch { root, nodes, gaps, notes }
}

/// A level whose RGD is not known: the children as their labels tell them.
pub(super) fn without_definition(collected: &Collected, nested: &BTreeMap<&str, Branch>) -> Branch {
    let (mut gaps, mut notes) = remarks(collected);
    let home = Home::of(&collected.instance);
    notes.extend(stray(collected.children.iter().filter(|child| !home.has(child)).count()));
    let mut nodes: Vec<Node> = Vec::new();
    for child in collected.children.iter().filter(|child| home.has(child) && !is_label_copy(child)) {
        let id = match (labels::node_id(child), labels::collection_index(child)) {
            (Some(id), None) => id.to_owned(),
            (Some(id), Some(_)) => format!("{id}[{}]", child.name()),
            (None, _) => format!("{}/{}", child.kind(), child.name()),
        };
        let branch = nested.get(child.uid());
        let health = branch.map_or_else(
            || crate::kro::health::of(child),
            |branch| crate::kro::health::Health {
                state: branch.root.state,
                reason: branch.root.reason.clone(),
            },
        );
        let inner = branch.map(|branch| graft(&id, branch)).unwrap_or_default();
        nodes.push(Node {
            state: health.state,
            reason: health.reason,
            rgd: branch.and_then(|branch| branch.root.rgd.clone()),
            kro_state: branch.and_then(|branch| branch.root.kro_state.clone()),
            ..of_object(id, child)
        });
        nodes.extend(inner);
        gaps.extend(branch.into_iter().flat_map(|branch| branch.gaps.clone()));
    }
    dedup(&mut gaps);
    let mut root = root(collected, &Standing::read(&collected.instance), &nodes);
    if let Rgd::Gone(name) = &collected.rgd {
        root.state = if root.state == State::Deleting { State::Deleting } else { State::Failing };
        let word = root.kro_state.as_deref().unwrap_or("nothing");
        root.reason = Some(format!(
            "its RGD {name} does not exist: nothing reconciles or deletes it (kro last said {word})"
        ));
    }
    Branch { root, nodes, gaps, notes }
}

/// Anyone may put an instance's labels on an object of theirs.
fn stray(elsewhere: usize) -> Option<String> {
    let objects = if elsewhere == 1 { "1 object".to_owned() } else { format!("{elsewhere} objects") };
    let counted = if elsewhere == 1 {
        "carries this instance's labels and is"
    } else {
        "carry this instance's labels and are"
    };
    (elsewhere > 0).then(|| format!("{objects} elsewhere {counted} not counted"))
}

fn is_label_copy(child: &Object) -> bool {
    let managers = child.field_managers();
    let endpoints = matches!(child.kind(), "Endpoints" | "EndpointSlice");
    endpoints && !managers.contains(&labels::CHILD_MANAGER)
}

fn of_object(id: String, object: &Object) -> Node {
    Node {
        id,
        parent: Some(ROOT.to_owned()),
        kind: object.kind().to_owned(),
        group: object.group().to_owned(),
        name: Some(object.name().to_owned()),
        namespace: object.namespace().map(str::to_owned),
        state: State::Unknown,
        reason: None,
        why: Why::Itself,
        needs: Vec::new(),
        external: false,
        created: object.created().map(str::to_owned),
        members: None,
        rgd: None,
        kro_state: None,
    }
}

fn orphaned(object: &Object) -> Node {
    let id = format!("orphan:{}/{}", object.kind(), object.name());
    let node = match labels::node_id(object) {
        Some(id) => format!("made by node {id}, which does not want it any more; not pruned yet"),
        None => "no node of the graph claims it".to_owned(),
    };
    let (state, reason) = match object.deletion() {
        Some(_) => {
            let health = crate::kro::health::of(object);
            (health.state, health.reason.unwrap_or_default())
        }
        None => (State::Orphaned, node),
    };
    Node { state, reason: Some(reason), ..of_object(id, object) }
}

fn root(collected: &Collected, standing: &Standing, nodes: &[Node]) -> Node {
    let (state, reason) = verdict(standing, nodes);
    Node {
        parent: None,
        state,
        reason,
        rgd: collected.rgd.name().map(str::to_owned),
        kro_state: standing.word.clone(),
        ..of_object(ROOT.to_owned(), &collected.instance)
    }
}

/// kro's own verdict, unless it is "ready" and a node says otherwise, or "progressing" and a node
/// is failing.
fn verdict(standing: &Standing, nodes: &[Node]) -> (State, Option<String>) {
    let own = standing.state;
    let causes = Causes::among(nodes);
    let severe = |node: &&Node| causes.has(node) && node.state.severity().is_some();
    let worst = nodes.iter().filter(severe).min_by_key(|node| (node.state.severity(), node.state));
    let Some(worst) = worst else {
        return (own, standing.reason.as_ref().map(|reason| shorten(reason, 300)));
    };
    let because = || format!("{} is {}", worst.id, worst.state);
    let below = match worst.state {
        State::Failing | State::Missing => State::Failing,
        State::ExternalMissing | State::Progressing | State::Pending | State::Deleting => State::Progressing,
        other => other,
    };
    match own {
        // what may not be seen is not judged
        State::Ready if below == State::Withheld => {
            (State::Ready, Some("but for what is withheld".to_owned()))
        }
        State::Ready => {
            let word = standing.word.as_deref().unwrap_or("ready");
            (below, Some(format!("kro says {word}, but {}", because())))
        }
        State::Progressing if standing.frozen.is_some() => {
            let frozen = standing.reason.clone().unwrap_or_default();
            (State::Progressing, Some(format!("{frozen}; {}", because())))
        }
        State::Progressing if below == State::Failing => (State::Failing, Some(because())),
        State::Progressing => (State::Progressing, Some(because())),
        _ => (own, standing.reason.as_ref().map(|reason| shorten(reason, 300))),
    }
}

fn dedup(lines: &mut Vec<String>) {
    let mut seen = std::collections::BTreeSet::new();
    lines.retain(|line| seen.insert(line.clone()));
}
