//! Health through the nesting, from instances alone: kro calls a parent ACTIVE over a nested
//! instance that is not (kro v0.9.4, seen), and a list of both can tell.

use std::collections::HashMap;

use super::instance::Instance;
use crate::kro::{applyset, state::State};

/// An RGD can hardly nest deeper, and labels can name a cycle.
const DEEPEST: usize = 16;

/// Corrects ready ones by the nested instances among `instances`.
pub(super) fn correct(instances: &mut [Instance]) {
    let parents = parents(instances);
    let unhealthy: Vec<usize> = instances
        .iter()
        .enumerate()
        .filter(|(_, instance)| instance.state.is_healthy() == Some(false))
        .map(|(index, _)| index)
        .collect();
    for index in unhealthy {
        let Some(nested) = instances.get(index) else { continue };
        let below = if nested.state == State::Failing { State::Failing } else { State::Progressing };
        let reason =
            format!("kro says ACTIVE, but nested {}/{} is {}", nested.kind, nested.name, nested.state);
        let mut at = index;
        for _ in 0..DEEPEST {
            let Some(parent) = parents.get(&at).copied() else { break };
            if let Some(instance) = instances.get_mut(parent).filter(|above| above.state == State::Ready) {
                instance.state = below;
                instance.reason = Some(reason.clone());
            }
            at = parent;
        }
    }
}

/// Of each nested instance its parent, by ApplySet (kro ≥ 0.5) or by uid.
///
/// Labels are whoever's may write them: a parent's id is computed, not read, and a child counts only
/// where the parent can have children.
fn parents(instances: &[Instance]) -> HashMap<usize, usize> {
    let by_applyset: HashMap<&str, usize> = instances
        .iter()
        .enumerate()
        .filter_map(|(index, instance)| Some((instance.applyset.as_deref()?, index)))
        .collect();
    let by_uid: HashMap<&str, usize> =
        instances.iter().enumerate().map(|(index, instance)| (instance.uid.as_str(), index)).collect();
    let parent = |nested: &Instance| {
        let by_applyset = nested.part_of.as_deref().and_then(|id| by_applyset.get(id));
        by_applyset.or_else(|| by_uid.get(nested.parent_uid.as_deref()?)).copied()
    };
    let reaches = |parent: &usize, nested: &Instance| {
        instances.get(*parent).is_some_and(|parent| {
            let others = parent.additional_namespaces.as_deref();
            applyset::names(parent.namespace.as_deref(), others, nested.namespace.as_deref())
        })
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
    use crate::kro::labels;
    use crate::kubernetes::{LabelSelector, Object};
    use serde_json::json;

    fn corrected(instances: &[Object]) -> Vec<Instance> {
        let nothing = LabelSelector::default();
        let mut read: Vec<Instance> =
            instances.iter().map(|instance| Instance::read(instance, &nothing)).collect();
        correct(&mut read);
        read
    }

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
        let corrected = corrected(&instances);
        let states: Vec<State> = corrected.iter().map(|instance| instance.state).collect();
        use State::{Failing, Progressing, Ready};
        assert_eq!(states, [Failing, Failing, Failing, Ready, Progressing, Failing]);
        assert_eq!(corrected[0].reason.as_deref(), Some("kro says ACTIVE, but nested App/leaf is failing"));
    }
    #[test]
    fn labels_from_a_namespace_that_the_parent_does_not_reach_say_nothing_of_it() {
        use State::{Failing, Ready};
        for (namespace, expected) in [("mine", Failing), ("granted", Failing), ("forger", Ready)] {
            let instances = [
                within("mine", "top", None, "ACTIVE"),
                within(namespace, "leaf", Some(&set("mine", "top")), "ERROR"),
            ];
            assert_eq!(corrected(&instances)[0].state, expected, "{namespace}");
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
        let states: Vec<State> = corrected(&instances).iter().map(|instance| instance.state).collect();
        assert_eq!(states, [State::Failing, State::Failing, State::Ready]);
    }
}
