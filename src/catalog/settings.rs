//! [`Settings`]: what is exported, and as what. The block of the plugins' configuration says most of it.

use std::collections::BTreeMap;

use super::entity::Class;
use crate::palette::Place;

/// What is exported, and as what.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What keys of annotations begin with: `spectrocloud.annotationPrefix`.
    pub prefix: String,
    /// Who owns everything, where that is not for each environment to say.
    pub owner: Option<String>,
    /// `spec.type`, where it is not the usual one.
    pub types: BTreeMap<Class, String>,
    /// The environments that are exported, by name.
    pub environments: BTreeMap<String, Provider>,
}

/// `catalogProvider` of one environment.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The environment's own name, which names and annotations then have: nothing where it is called by its host.
    pub instance: Option<String>,
    /// Its URL as it is written.
    pub url: String,
    /// Who owns what is in it.
    pub owner: String,
    /// Projects that are exported, by name; all, where none is named.
    pub include: Vec<String>,
    /// Projects that are not, whatever [`Self::include`] says.
    pub exclude: Vec<String>,
    /// Whether what is the tenant's own is left out.
    pub without_tenant: bool,
    /// What is exported.
    pub classes: Vec<Class>,
}

impl Settings {
    /// `spec.type` of a class.
    pub fn kind_of(&self, class: Class) -> String {
        self.types.get(&class).cloned().unwrap_or_else(|| class.usual_type().to_owned())
    }

    /// Who owns what is in that environment.
    pub fn owner_in(&self, provider: &Provider) -> String {
        self.owner.clone().unwrap_or_else(|| provider.owner.clone())
    }

    /// The whole key of an annotation.
    pub fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }
}

impl Provider {
    /// Whether these are exported.
    pub fn exports(&self, class: Class) -> bool {
        self.classes.contains(&class)
    }

    /// Whether what is in this place is exported. A project whose name is not known is not one that is named, and could
    /// be one that is not to be.
    pub fn takes(&self, place: &Place) -> bool {
        let named = |list: &[String]| list.iter().any(|name| place.is_called(name));
        match place {
            Place::Tenant => !self.without_tenant,
            Place::Project { name: None, .. } => {
                self.exclude.is_empty() && (self.include.is_empty() || named(&self.include))
            }
            Place::Project { .. } => {
                (self.include.is_empty() || named(&self.include)) && !named(&self.exclude)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_are_taken_by_name_and_one_that_cannot_be_judged_is_not() {
        let provider = |include: &[&str], exclude: &[&str]| Provider {
            instance: None,
            url: String::new(),
            owner: String::new(),
            include: include.iter().map(ToString::to_string).collect(),
            exclude: exclude.iter().map(ToString::to_string).collect(),
            without_tenant: false,
            classes: Vec::new(),
        };
        let project = |name: Option<&str>| Place::Project { uid: "1".into(), name: name.map(str::to_owned) };
        for (include, exclude, place, taken) in [
            (&[][..], &[][..], project(Some("a")), true),
            (&["a"], &[], project(Some("a")), true),
            (&["a"], &[], project(Some("b")), false),
            (&["a"], &["a"], project(Some("a")), false),
            (&[], &["a"], project(Some("b")), true),
            (&[], &["a"], project(None), false),
            (&["a"], &[], project(None), false),
            (&[], &[], project(None), true),
            (&["a"], &[], Place::Tenant, true),
        ] {
            assert_eq!(provider(include, exclude).takes(&place), taken, "{include:?} {exclude:?} {place}");
        }
        let without = Provider { without_tenant: true, ..provider(&[], &[]) };
        assert!(!without.takes(&Place::Tenant) && without.takes(&project(Some("a"))));
    }
}
