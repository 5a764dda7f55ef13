//! [`Rights`]: what a cluster's RBAC is asked to allow, no more than is used, and its manifest. Pure.
//!
//! Whoever applies the manifest is an administrator, and much of it was read from a cluster. So whatever comes from
//! there is a name by the API server's own rules or is left out, and every name is quoted.

pub mod impersonation;
mod manifest;
mod scalar;

use std::collections::BTreeSet;

pub use manifest::{Account, Manifest, Token};
pub use scalar::is_name;
pub(crate) use scalar::quoted;

/// To look at one object.
pub const GET: &str = "get";
/// To look at all of a kind.
pub const LIST: &str = "list";
/// To be told of what changes.
pub const WATCH: &str = "watch";
/// To make an object.
pub const CREATE: &str = "create";
/// To change one.
pub const PATCH: &str = "patch";
/// To remove one.
pub const DELETE: &str = "delete";

/// Rules of a role, and what stands in none of them although somebody may look for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    rules: Vec<Rule>,
    left_out: Vec<String>,
}

/// One rule (`rbac.authorization.k8s.io/v1` PolicyRule).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it is for.
    pub why: String,
    /// Empty for the core group.
    pub group: String,
    /// Plurals.
    pub resources: BTreeSet<String>,
    /// In the order in which they were asked for.
    pub verbs: Vec<&'static str>,
    /// The only objects that it is about; all of them where there is none.
    pub names: Vec<String>,
}

impl Rights {
    /// Allows `verbs` on all objects of a resource, those of them that are not allowed yet. `why` says what for, the
    /// same for resources that belong together.
    pub fn allow(&mut self, why: &str, verbs: &[&'static str], group: &str, resource: &str) {
        if !(group.is_empty() || is_name(group)) || !is_name(resource) {
            self.leave_out("a resource of the cluster whose name cannot be one".to_owned());
            return;
        }
        let verbs: Vec<&'static str> =
            verbs.iter().copied().filter(|verb| !self.allows(verb, group, resource)).collect();
        if verbs.is_empty() {
            return;
        }
        let alike = |rule: &&mut Rule| {
            rule.group == group && rule.verbs == verbs && rule.names.is_empty() && rule.why == why
        };
        match self.rules.iter_mut().find(alike) {
            Some(rule) => drop(rule.resources.insert(resource.to_owned())),
            None => self.rules.push(Rule {
                why: why.to_owned(),
                group: group.to_owned(),
                resources: [resource.to_owned()].into(),
                verbs,
                names: Vec::new(),
            }),
        }
    }

    /// Allows `verb` on the objects of these names, whatever is in them.
    fn allow_named(
        &mut self,
        why: &str,
        verb: &'static str,
        group: &str,
        resource: &str,
        names: Vec<String>,
    ) {
        self.rules.push(Rule {
            why: why.to_owned(),
            group: group.to_owned(),
            resources: [resource.to_owned()].into(),
            verbs: vec![verb],
            names,
        });
    }

    /// Says that something is not allowed, and why; once.
    pub fn leave_out(&mut self, what: String) {
        if !self.left_out.contains(&what) {
            self.left_out.push(what);
        }
    }

    /// Whether all objects of a resource may be treated so.
    pub fn allows(&self, verb: &str, group: &str, resource: &str) -> bool {
        self.rules.iter().any(|rule| {
            rule.names.is_empty()
                && rule.group == group
                && rule.verbs.contains(&verb)
                && rule.resources.contains(resource)
        })
    }

    /// The rules, in the order in which they were asked for.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What is not allowed, and why.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_already_is_not_allowed_again() {
        let mut rights = Rights::default();
        rights.allow("graphs", &[LIST], "apps", "deployments");
        rights.allow("graphs", &[LIST], "apps", "daemonsets");
        rights.allow("diagnoses", &[GET, LIST], "apps", "deployments");
        rights.allow("diagnoses", &[LIST], "apps", "deployments");
        let rules: Vec<_> = rights
            .rules()
            .iter()
            .map(|rule| format!("{}: {:?} {:?}", rule.why, rule.verbs, rule.resources))
            .collect();
        assert_eq!(
            rules,
            [r#"graphs: ["list"] {"daemonsets", "deployments"}"#, r#"diagnoses: ["get"] {"deployments"}"#]
        );
    }

    #[test]
    fn what_cannot_be_a_name_gives_no_right() {
        let mut rights = Rights::default();
        for (group, resource) in [
            ("a.example", "*"),
            ("*", "things"),
            ("a.example", ""),
            ("a\"]", "things"),
            ("a.example", "pods/exec"),
        ] {
            rights.allow("", &[LIST], group, resource);
        }
        assert!(rights.rules().is_empty(), "{rights:?}");
        assert_eq!(rights.left_out().len(), 1);
    }
}
