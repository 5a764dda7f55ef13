//! [`Target`]: what is already where kro would make an object.

use serde_json::{Value, json};

use super::Made;
use crate::{
    answer::sanitise,
    kro::{applyset, labels},
    kubernetes::Object,
};

/// An object that kro would make, and that is there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What would be made.
    pub made: Made,
    /// What kro does about it.
    pub clash: Clash,
    /// Which object and whose: what a plan depends on.
    pub identity: Value,
}

/// What kro does about an object that is there already (kro v0.9.4 `pkg/controller/instance/applyset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clash {
    /// It is in no ApplySet: kro applies over it by force, and from then on deletes it with the instance.
    TakenOver,
    /// It is in another ApplySet: kro fails.
    Refused,
}

impl Target {
    /// What is there, unless it is a child of the instance already.
    pub fn of(made: Made, there: &Object, instance: &Object) -> Option<Self> {
        let set = there.label(labels::PART_OF);
        let by_uid = there.label(labels::INSTANCE_ID);
        let uid = Some(instance.uid()).filter(|uid| !uid.is_empty());
        let clash = match (set, by_uid) {
            (Some(set), _) if set == applyset::id(instance) => return None,
            (Some(_), _) => Clash::Refused,
            (None, by) if by.is_some() && by == uid => return None,
            (None, _) => Clash::TakenOver,
        };
        let identity =
            json!([made.node, made.kind.to_string(), there.namespace(), there.name(), there.uid(), set]);
        Some(Self { made, clash, identity })
    }

    /// In words. `owner`: the instance that it belongs to, as the caller may hear of it.
    pub fn told(&self, owner: Option<&str>) -> String {
        let what = object(&self.made);
        let node = &self.made.node;
        match (self.clash, owner) {
            (Clash::TakenOver, None) => format!(
                "{what} exists already and is not kro's: node {node} would take it over and overwrite it, and it \
                 would be deleted with the instance"
            ),
            (Clash::TakenOver, Some(owner)) => {
                format!("{what} exists already and belongs to {owner}: node {node} would take it over")
            }
            (Clash::Refused, owner) => format!(
                "{what} exists already and belongs to {}: kro will refuse to make node {node}",
                owner.unwrap_or("another instance")
            ),
        }
    }
}

/// The object as it may be told.
pub fn object(made: &Made) -> String {
    let name = match made.tellable {
        true => sanitise::short(&made.name, 253),
        false => format!("of node {}", made.node),
    };
    match made.namespace.as_ref().filter(|_| made.tellable) {
        Some(namespace) => format!("{} {}/{name}", made.kind.kind, sanitise::short(namespace, 63)),
        None => format!("{} {name}", made.kind.kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kro::applyset::GroupKind;

    fn object(value: Value) -> Object {
        Object::from_value(value).expect("an object")
    }

    #[test]
    fn what_is_nobodys_is_taken_over_and_what_is_anothers_is_refused() {
        let instance = object(json!({"apiVersion": "x.test/v1", "kind": "App",
            "metadata": {"name": "a", "namespace": "t", "uid": "7"}}));
        let made = Made {
            node: "config".to_owned(),
            kind: GroupKind::new("", "ConfigMap"),
            namespace: Some("t".to_owned()),
            name: "settings".to_owned(),
            tellable: true,
        };
        let target = |labels: Value| {
            let there =
                json!({"kind": "ConfigMap", "metadata": {"name": "settings", "uid": "1", "labels": labels}});
            Target::of(made.clone(), &object(there), &instance)
        };
        let clash = |labels: Value| target(labels).map(|target| target.clash);
        assert_eq!(clash(json!({labels::PART_OF: applyset::id(&instance)})), None);
        assert_eq!(clash(json!({labels::INSTANCE_ID: "7"})), None);
        assert_eq!(clash(json!({labels::PART_OF: "applyset-other-v1"})), Some(Clash::Refused));
        let foreign = target(json!({"app": "x"})).expect("a target");
        assert!(foreign.told(None).starts_with("ConfigMap t/settings exists already and is not kro's"));
        let hidden = Target { made: Made { tellable: false, ..made.clone() }, ..foreign };
        assert!(!hidden.told(None).contains("settings"), "{}", hidden.told(None));
    }
}
