//! Health through the nesting, from instances alone: kro calls a parent ACTIVE over a nested
//! instance that is not (kro v0.9.4, seen), and a list of both can tell.

use std::collections::HashMap;

use crate::{
    kro::{applyset, instance::Standing, labels, state::State},
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
///
/// Labels are whoever's may write them: a parent's id is computed, not read, and a child counts only
/// where the parent can have children.
fn parents(instances: &[Object]) -> HashMap<usize, usize> {
    let by_applyset: HashMap<String, usize> = instances
        .iter()
        .enumerate()
        .filter(|(_, instance)| instance.label(labels::APPLYSET_ID).is_some())
        .map(|(index, instance)| (applyset::id(instance), index))
        .collect();
    let by_uid: HashMap<&str, usize> =
        instances.iter().enumerate().map(|(index, instance)| (instance.uid(), index)).collect();
    let parent = |instance: &Object| {
        let by_applyset = instance.label(labels::PART_OF).and_then(|id| by_applyset.get(id));
        by_applyset.or_else(|| by_uid.get(instance.label(labels::INSTANCE_ID)?)).copied()
    };
    let reaches = |parent: &usize, nested: &Object| {
        instances.get(*parent).is_some_and(|parent| applyset::reaches(parent, nested.namespace()))
    };
    instances
        .iter()
        .enumerate()
        .filter_map(|(index, nested)| {
            let parent = parent(nested).filter(|parent| *parent != index && reaches(parent, nested))?;
            Some((index, parent))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(namespace: &str, name: &str) -> String {
        let metadata = json!({"name": name, "namespace": namespace});
        applyset::id(&Object::from_value(json!({"kind": "App", "metadata": metadata})).expect("an object"))
    }

    fn instance(name: &str, parent: Option<&str>, state: &str) -> Object {
        within("", name, parent.map(|parent| set("", parent)).as_deref(), state)
    }

    fn within(namespace: &str, name: &str, parent: Option<&str>, state: &str) -> Object {
        let ready = if state == "ACTIVE" { "True" } else { "False" };
        Object::from_value(json!({
            "kind": "App", "metadata": {"name": name, "namespace": namespace, "uid": format!("uid-{name}"),
                "annotations": {labels::ADDITIONAL_NAMESPACES: "granted"}, "labels": {
                "applyset.kubernetes.io/id": set(namespace, name),
                "applyset.kubernetes.io/part-of": parent,
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
    #[test]
    fn labels_from_a_namespace_that_the_parent_does_not_reach_say_nothing_of_it() {
        use State::{Failing, Ready};
        for (namespace, expected) in [("mine", Failing), ("granted", Failing), ("forger", Ready)] {
            let instances = [
                within("mine", "top", None, "ACTIVE"),
                within(namespace, "leaf", Some(&set("mine", "top")), "ERROR"),
            ];
            assert_eq!(standings(&instances)[0].state, expected, "{namespace}");
        }
    }

    #[test]
    fn a_forged_id_takes_no_child_away() {
        let mut forged = within("forger", "x", None, "ACTIVE").into_value();
        forged["metadata"]["labels"][labels::APPLYSET_ID] = set("mine", "top").into();
        let instances = [
            within("mine", "top", None, "ACTIVE"),
            within("mine", "leaf", Some(&set("mine", "top")), "ERROR"),
            Object::from_value(forged).expect("an object"),
        ];
        let states: Vec<State> = standings(&instances).iter().map(|standing| standing.state).collect();
        assert_eq!(states, [State::Failing, State::Failing, State::Ready]);
    }
}
