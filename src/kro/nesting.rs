//! Health through the nesting, from instances alone: kro calls a parent ACTIVE over a nested
//! instance that is not (kro v0.9.4, seen), and a list of both can tell.

use std::collections::HashMap;

use crate::{
    kro::{instance::Standing, labels, state::State},
    kubernetes::Object,
};

/// An RGD can hardly nest deeper, and labels can name a cycle.
const DEEPEST: usize = 16;

/// What kro says of each instance, corrected for ready ones by the nested instances among
/// `instances`. In the same order.
pub fn standings(instances: &[Object]) -> Vec<Standing> {
    let mut standings: Vec<Standing> = instances.iter().map(Standing::read).collect();
    let parents = parents(instances);
    for (index, nested) in instances.iter().enumerate() {
        let Some(below) = standings.get(index).map(|standing| standing.state) else { continue };
        if below.is_healthy() != Some(false) || own(nested).is_healthy() != Some(false) {
            continue;
        }
        let reason = format!("kro says ACTIVE, but nested {}/{} is {below}", nested.kind(), nested.name());
        let mut at = index;
        for _ in 0..DEEPEST {
            let Some(parent) = parents.get(&at).copied() else { break };
            if let Some(standing) = standings.get_mut(parent).filter(|s| s.state == State::Ready) {
                standing.state = if below == State::Failing { State::Failing } else { State::Progressing };
                standing.reason = Some(reason.clone());
            }
            at = parent;
        }
    }
    standings
}

fn own(instance: &Object) -> State {
    Standing::read(instance).state
}

/// Of each nested instance its parent, by ApplySet (kro ≥ 0.5) or by uid.
fn parents(instances: &[Object]) -> HashMap<usize, usize> {
    let by_applyset: HashMap<&str, usize> = instances
        .iter()
        .enumerate()
        .filter_map(|(index, instance)| Some((instance.label(labels::APPLYSET_ID)?, index)))
        .collect();
    let by_uid: HashMap<&str, usize> =
        instances.iter().enumerate().map(|(index, instance)| (instance.uid(), index)).collect();
    let parent = |instance: &Object| {
        let by_applyset = instance.label(labels::PART_OF).and_then(|id| by_applyset.get(id));
        by_applyset.or_else(|| by_uid.get(instance.label(labels::INSTANCE_ID)?)).copied()
    };
    instances
        .iter()
        .enumerate()
        .filter_map(|(index, instance)| Some((index, parent(instance)?)))
        .filter(|(index, parent)| index != parent)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn instance(name: &str, parent: Option<&str>, state: &str) -> Object {
        let ready = if state == "ACTIVE" { "True" } else { "False" };
        Object::from_value(json!({
            "kind": "App", "metadata": {"name": name, "uid": format!("uid-{name}"), "labels": {
                "applyset.kubernetes.io/id": format!("set-{name}"),
                "applyset.kubernetes.io/part-of": parent.map(|parent| format!("set-{parent}")),
            }},
            "status": {"state": state, "conditions": [{"type": "Ready", "status": ready}]}
        }))
        .expect("an object")
    }

    #[test]
    fn a_parent_is_no_better_than_what_it_holds() {
        let instances = [
            instance("top", None, "ACTIVE"),
            instance("middle", Some("top"), "ACTIVE"),
            instance("leaf", Some("middle"), "ERROR"),
            instance("other", None, "ACTIVE"),
            instance("busy", None, "IN_PROGRESS"),
            instance("self", Some("self"), "ERROR"),
        ];
        let standings = standings(&instances);
        let states: Vec<State> = standings.iter().map(|standing| standing.state).collect();
        use State::{Failing, Progressing, Ready};
        assert_eq!(states, [Failing, Failing, Failing, Ready, Progressing, Failing]);
        assert_eq!(standings[0].reason.as_deref(), Some("kro says ACTIVE, but nested App/leaf is failing"));
    }
}
