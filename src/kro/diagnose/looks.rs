//! What else is worth reading, once the graph is known: two requests, where they pay.

use super::case::{Case, Level};
use super::controller::PATIENCE;
use super::{fields, nodes, pods, rgd};
use crate::kro::applyset::GroupKind;
use crate::kro::definition::Source;
use crate::kro::graph::{Collected, Node, Rgd, Why};
use crate::kro::instance::{self, Trouble};
use crate::kro::labels;
use crate::kro::state::State;
use crate::kubernetes::selector::is_label_value;
use serde_json::Value;
use std::collections::BTreeSet;

/// Requests of a diagnosis besides those of the graph.
const EXTRA: usize = 2;
/// The same where instances are nested.
const MOST_EXTRA: usize = 6;
/// Values that one selector names.
const MOST_VALUES: usize = 20;

/// One more request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// The object that kro may not take, for whom it belongs to.
    Owner {
        /// Its kind.
        kind: GroupKind,
        /// Its namespace.
        namespace: Option<String>,
        /// Its name.
        name: String,
    },
    /// kro's own Deployments.
    Controllers,
    /// The other instances of the kind.
    Siblings(GroupKind),
    /// Pods of a namespace, by a label requirement where there is one.
    Pods(String, Option<String>),
    /// Warning events of a namespace.
    Warnings(String),
}

/// How many requests may follow those of the graph: the whole diagnosis of an instance without nested ones
/// takes two more than its graph, of which reading GraphRevisions is one. External references are part of the graph.
pub fn allowance(collected: &Collected) -> usize {
    let levels = count(collected);
    let spent = match collected.rgd.definition().map(|definition| &definition.source) {
        Some(Source::Revision(_) | Source::Derived) => 1,
        _ => 0,
    };
    // without the label the RGD is found through the CRD; before kro looks at an instance no children are listed
    let kinds = collected.rgd.definition().map_or(0, |definition| definition.child_kinds().len());
    let unlisted = if instance::is_observed(&collected.instance) { 0 } else { kinds };
    let searched = usize::from(labels::rgd_name(&collected.instance).is_none()).saturating_sub(unlisted);
    (EXTRA * levels).min(MOST_EXTRA).saturating_sub(spent + searched)
}

fn count(collected: &Collected) -> usize {
    1 + collected.nested.values().map(count).sum::<usize>()
}

/// What is worth looking at, what tells the most first.
pub fn worth(case: &Case<'_>) -> Vec<Look> {
    let levels = case.levels();
    let mut looks = Vec::new();
    for level in &levels {
        looks.extend(owners(level));
        looks.extend(attention(case, level));
    }
    let mut workloads: Vec<&Node> = Vec::new();
    let mut others: BTreeSet<String> = BTreeSet::new();
    for level in &levels {
        for node in &level.nodes {
            let Some(namespace) = node.namespace.clone().filter(|_| is_in_question(level, node)) else {
                continue;
            };
            if pods::is_unwell(node) {
                workloads.push(node);
            }
            others.insert(namespace);
        }
    }
    let places: BTreeSet<&str> = workloads
        .iter()
        .filter(|node| node.kind != "Pod")
        .filter_map(|node| node.namespace.as_deref())
        .collect();
    for place in &places {
        let objects = levels.iter().flat_map(|level| {
            level.nodes.iter().filter_map(|node| {
                let here = pods::is_unwell(node) && node.namespace.as_deref() == Some(*place);
                level.object(node).filter(|object| here && object.kind() != "Pod")
            })
        });
        looks.push(Look::Pods((*place).to_owned(), requirement(objects)));
    }
    looks.extend(others.into_iter().map(Look::Warnings));
    looks
}

/// Whether events can say more of a node.
fn is_in_question(level: &Level<'_>, node: &Node) -> bool {
    let own =
        matches!(node.state, State::Failing | State::Progressing) && node.rgd.is_none() && !node.external;
    let by_kro = matches!(node.why, Why::Complaint(_));
    let object = level.object(node);
    own && !by_kro && object.is_some_and(|object| crate::kro::health::of(object).state != State::Ready)
}

fn owners(level: &Level<'_>) -> Option<Look> {
    level.nodes.iter().find_map(|node| match &node.why {
        Why::Complaint(complaint) if complaint.trouble == Trouble::Conflict => {
            let (kind, namespace, name) = nodes::conflicting(level, node, complaint)?;
            Some(Look::Owner { kind, namespace, name })
        }
        _ => None,
    })
}

/// Of an instance that kro does not look at: kro itself, and whether it looks at others.
fn attention(case: &Case<'_>, level: &Level<'_>) -> Vec<Look> {
    let instance = level.instance();
    let unseen = !instance::is_observed(instance) || level.standing.frozen.is_some();
    let empty = level.nodes.iter().all(|node| matches!(node.state, State::Gone | State::Skipped));
    let stuck = instance.deletion().is_some() && empty;
    let last = instance.deletion().or_else(|| fields::last_change(instance));
    let seconds = last.and_then(|time| case.seconds_since(time));
    let long = seconds.is_none_or(|seconds| seconds >= PATIENCE);
    let gone = matches!(level.collected.rgd, Rgd::Gone(_));
    if gone || rgd::is_inactive(level) {
        return Vec::new();
    }
    if !(unseen || stuck) || !long {
        let unnoticed = level.nodes.iter().any(|node| nodes::is_unnoticed(node));
        return if unnoticed { vec![Look::Controllers] } else { Vec::new() };
    }
    vec![Look::Controllers, Look::Siblings(GroupKind::of(instance))]
}

/// `app in (a,b)`: a requirement that all Pods of those workloads meet, where one label tells them apart.
fn requirement<'o>(workloads: impl Iterator<Item = &'o crate::kubernetes::Object>) -> Option<String> {
    let mut common: Option<BTreeSet<&str>> = None;
    let mut selectors = Vec::new();
    for workload in workloads {
        let labels = workload.at(&["spec", "selector", "matchLabels"]).and_then(Value::as_object)?;
        let keys: BTreeSet<&str> = labels.keys().map(String::as_str).filter(|key| is_key(key)).collect();
        common = Some(common.map_or(keys.clone(), |common| common.intersection(&keys).copied().collect()));
        selectors.push(labels);
    }
    let best = common?.into_iter().filter_map(|key| {
        let values = selectors.iter().map(|labels| labels.get(key).and_then(Value::as_str));
        let values: BTreeSet<&str> = values.collect::<Option<_>>()?;
        let fit = values.len() <= MOST_VALUES
            && values.iter().all(|value| is_label_value(value) && !value.is_empty());
        fit.then_some((key, values))
    });
    // the label with the most values tells the most apart
    let (key, values) = best.max_by_key(|(_, values)| values.len())?;
    Some(format!("{key} in ({})", values.into_iter().collect::<Vec<_>>().join(",")))
}

/// A label key, which comes from the cluster and goes into a query.
fn is_key(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    key.len() <= 253
        && is_label_value(name)
        && !name.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
        && key.matches('/').count() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::Object;
    use serde_json::json;

    fn workload(labels: &Value) -> Object {
        Object::from_value(json!({"kind": "Deployment", "spec": {"selector": {"matchLabels": labels}}}))
            .expect("an object")
    }

    #[test]
    fn one_requirement_finds_the_pods_of_all() {
        let of = |all: &[Value]| {
            let objects: Vec<Object> = all.iter().map(workload).collect();
            requirement(objects.iter())
        };
        assert_eq!(of(&[json!({"app": "a", "tier": "x"})]).as_deref(), Some("tier in (x)"));
        assert_eq!(
            of(&[json!({"app": "a", "tier": "x"}), json!({"app": "b", "tier": "x"})]).as_deref(),
            Some("app in (a,b)")
        );
        assert_eq!(of(&[json!({"app": "a"}), json!({"other": "b"})]), None);
        assert_eq!(of(&[json!({"app) ,x notin (": "a"})]), None);
        assert_eq!(of(&[json!({"app": "a,b!=c"})]), None);
        assert_eq!(of(&[]), None);
    }
}
