//! [`Home`]: the namespaces where children of an instance can be.
//!
//! Labels are written by whoever may create an object anywhere, so an object in another namespace
//! is no child, however it is labelled. kro (≥ 0.5) tells the namespaces besides the instance's own
//! in an annotation of the instance.

use crate::kro::applyset;
use crate::kro::labels;
use crate::kubernetes::Object;
use std::collections::BTreeSet;

/// Where kro makes what is namespaced, for a cluster-scoped instance, if the template does not say.
const DEFAULT: &str = "default";

/// Where children can be.
#[derive(Clone, Debug, Default)]
pub struct Home<'a> {
    own: Option<&'a str>,
    others: BTreeSet<&'a str>,
    /// A kro that tells no namespaces.
    anywhere: bool,
}

impl<'a> Home<'a> {
    /// Of the children of that instance.
    pub fn of(instance: &'a Object) -> Self {
        let listed = instance.annotation(labels::ADDITIONAL_NAMESPACES).unwrap_or_default();
        Self {
            own: instance.namespace(),
            others: listed.split(',').map(str::trim).filter(|name| !name.is_empty()).collect(),
            anywhere: applyset::group_kinds(instance).is_none(),
        }
    }

    /// Whether an object is where children are, whatever its template says.
    pub fn has(&self, object: &Object) -> bool {
        let Some(namespace) = object.namespace() else { return true };
        self.anywhere || self.own == Some(namespace) || self.others.contains(namespace)
    }

    /// Whether an object is where a template puts it, of which `wanted` is the namespace.
    pub(super) fn takes(&self, wanted: Option<&str>, object: &Object) -> bool {
        match (wanted.or(self.own), object.namespace()) {
            (_, None) => true,
            (Some(wanted), Some(namespace)) => wanted == namespace,
            (None, Some(namespace)) => namespace == DEFAULT || self.has(object),
        }
    }

    /// Whether all that is namespaced is in the instance's own namespace.
    pub(super) fn is_single(&self) -> bool {
        !self.anywhere && self.own.is_some() && self.others.iter().all(|other| Some(*other) == self.own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(namespace: Option<&str>) -> Object {
        Object::from_value(json!({"metadata": {"name": "x", "namespace": namespace}})).expect("an object")
    }

    fn instance(namespace: Option<&str>, annotations: &serde_json::Value) -> Object {
        Object::from_value(json!({"metadata": {"namespace": namespace, "annotations": annotations}}))
            .expect("an object")
    }

    #[test]
    fn only_the_own_namespace_and_those_that_kro_names() {
        let own = instance(
            Some("t"),
            &json!({labels::CONTAINS_GROUP_KINDS: "", labels::ADDITIONAL_NAMESPACES: "u"}),
        );
        let home = Home::of(&own);
        let places = [None, Some("t"), Some("u"), Some("evil")];
        assert_eq!(places.map(|place| home.has(&at(place))), [true, true, true, false]);
        assert_eq!(places.map(|place| home.takes(None, &at(place))), [true, true, false, false]);
        assert_eq!(places.map(|place| home.takes(Some("evil"), &at(place))), [true, false, false, true]);
        let wide =
            instance(None, &json!({labels::CONTAINS_GROUP_KINDS: "", labels::ADDITIONAL_NAMESPACES: "u"}));
        assert_eq!(places.map(|place| Home::of(&wide).has(&at(place))), [true, false, true, false]);
        let older = instance(Some("t"), &json!({}));
        assert!(Home::of(&older).has(&at(Some("elsewhere"))));
    }
}
