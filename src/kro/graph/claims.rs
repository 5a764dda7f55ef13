//! Which child belongs to which node.
//!
//! By `kro.run/node-id` (kro ≥ 0.8), else by kind and evaluated name. Controllers copy labels: the
//! Endpoints and EndpointSlices of a child Service carry every mark of a child and are none.

use super::desired::Identity;
use super::home::Home;
use crate::kro::applyset::GroupKind;
use crate::kro::definition::{Definition, Node};
use crate::kro::labels;
use crate::kubernetes::Object;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Children that no node has claimed yet.
#[derive(Debug)]
pub(super) struct Claims<'a> {
    home: Home<'a>,
    /// How many nodes make objects of a kind.
    makers: HashMap<GroupKind, usize>,
    labelled: BTreeMap<&'a str, Vec<&'a Object>>,
    /// By kind and name.
    unlabelled: BTreeMap<GroupKind, BTreeMap<&'a str, Vec<&'a Object>>>,
    orphans: Vec<&'a Object>,
}

impl<'a> Claims<'a> {
    pub(super) fn new(home: Home<'a>, definition: &Definition, children: &'a [Object]) -> Self {
        let mut makers = HashMap::new();
        for node in definition.nodes.iter().filter(|node| node.template().is_some()) {
            *makers.entry(node.group_kind()).or_default() += 1;
        }
        let (labelled, unlabelled) = (BTreeMap::new(), BTreeMap::new());
        let mut claims = Self { home, makers, labelled, unlabelled, orphans: Vec::new() };
        let mut seen = BTreeSet::new();
        for child in children {
            let known = child.uid().is_empty() || seen.insert(child.uid());
            if !known || is_copy(child, definition) {
                continue;
            }
            match labels::node_id(child) {
                None => {
                    let of_kind = claims.unlabelled.entry(GroupKind::of(child)).or_default();
                    of_kind.entry(child.name()).or_default().push(child);
                }
                Some(id) => match definition.node(id) {
                    Some(node) if makes(node, child) => claims.labelled.entry(id).or_default().push(child),
                    _ => claims.orphans.push(child),
                },
            }
        }
        claims
    }

    /// Takes what belongs to `node`, of which `desired` are the objects it wants now, where that
    /// could be evaluated. What the node made under an earlier name is left an orphan.
    pub(super) fn take(&mut self, node: &Node, desired: Option<&[Identity]>) -> Vec<&'a Object> {
        let mut found = self.labelled.remove(node.id.as_str()).unwrap_or_default();
        found.extend(self.take_unlabelled(node, desired));
        let Some(desired) = desired else {
            let (mut found, elsewhere): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|object| self.home.has(object));
            self.orphans.extend(elsewhere);
            if !node.is_collection() && found.len() > 1 {
                found.sort_by_key(|object| (object.deletion().is_some(), object.name()));
                self.orphans.extend(found.split_off(1));
            }
            return found;
        };
        let (wanted, others) = found
            .into_iter()
            .partition(|object| desired.iter().any(|identity| identity.is(object, &self.home)));
        self.orphans.extend::<Vec<_>>(others);
        wanted
    }

    fn take_unlabelled(&mut self, node: &Node, desired: Option<&[Identity]>) -> Vec<&'a Object> {
        if node.template().is_none() {
            return Vec::new();
        }
        let kind = node.group_kind();
        let Some(desired) = desired else {
            let only = self.makers.get(&kind) == Some(&1);
            let all = if only { self.unlabelled.remove(&kind) } else { None };
            return all.into_iter().flat_map(BTreeMap::into_values).flatten().collect();
        };
        let Some(named) = self.unlabelled.get_mut(&kind) else { return Vec::new() };
        let mut taken = Vec::new();
        for identity in desired {
            let Some(same) = named.get_mut(identity.name.as_str()) else { continue };
            let (found, left): (Vec<_>, Vec<_>) =
                std::mem::take(same).into_iter().partition(|object| identity.is(object, &self.home));
            taken.extend(found);
            *same = left;
        }
        taken
    }

    /// What nobody claimed, and how many others were only labelled like children.
    pub(super) fn into_orphans(mut self) -> (Vec<&'a Object>, usize) {
        self.orphans.extend(self.labelled.into_values().flatten());
        let unlabelled = self.unlabelled.into_values().flat_map(BTreeMap::into_values);
        self.orphans.extend(unlabelled.flatten());
        let (orphans, elsewhere): (Vec<_>, Vec<_>) =
            self.orphans.into_iter().partition(|object| self.home.has(object));
        (orphans, elsewhere.len())
    }
}

fn makes(node: &Node, object: &Object) -> bool {
    node.template().is_some() && node.group_kind() == GroupKind::of(object)
}

/// Whether an object only carries the labels of a child, copied from it by another controller.
pub(super) fn is_copy(object: &Object, definition: &Definition) -> bool {
    let managers = object.field_managers();
    if managers.iter().any(|manager| is_kro(manager)) {
        return false;
    }
    let node = labels::node_id(object).and_then(|id| definition.node(id));
    let of_another_kind = node.is_some_and(|node| !makes(node, object));
    let endpoints =
        matches!((object.group(), object.kind()), ("", "Endpoints") | ("discovery.k8s.io", "EndpointSlice"));
    // Managed fields without kro among them are proof only together with another sign: a restore
    // from a backup rewrites them.
    let foreign = !managers.is_empty() || endpoints;
    foreign && (of_another_kind || is_controlled(object))
}

fn is_kro(manager: &str) -> bool {
    manager == labels::CHILD_MANAGER || manager == "kro" || manager.starts_with("kro.run/")
}

fn is_controlled(object: &Object) -> bool {
    object
        .items(&["metadata", "ownerReferences"])
        .iter()
        .any(|owner| owner.get("controller").and_then(serde_json::Value::as_bool) == Some(true))
}
