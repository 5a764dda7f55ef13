//! [`Rule`], and the rules of an account for which none are configured: to read what the cluster serves, and no
//! Secrets.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::kinds::Kinds;

const READ: [&str; 3] = ["get", "list", "watch"];

/// `PolicyRule` of `rbac.authorization.k8s.io/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Empty: the core group.
    pub api_groups: Vec<String>,
    /// In the plural; with `/` of subresources.
    pub resources: Vec<String>,
    /// `get`, `list`, …
    pub verbs: Vec<String>,
}

/// Resource by resource: rules have no exceptions, and `*` of a group would be its subresources too, of which some
/// are ways into a container (`pods/exec`, `nodes/proxy`).
pub(super) fn reading(kinds: &Kinds) -> Vec<Rule> {
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for kind in kinds.iter().filter(|kind| kind.listable) {
        if !(kind.group.is_empty() && kind.plural == "secrets") {
            groups.entry(&kind.group).or_default().insert(&kind.plural);
        }
    }
    if let Some(core) = groups.get_mut("").filter(|core| core.contains("pods")) {
        core.insert("pods/log");
    }
    let rule = |(group, resources): (&str, BTreeSet<&str>)| Rule {
        api_groups: vec![group.to_owned()],
        resources: resources.into_iter().map(str::to_owned).collect(),
        verbs: READ.map(str::to_owned).to_vec(),
    };
    groups.into_iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::Kind;

    #[test]
    fn everything_is_read_but_secrets_and_no_way_into_a_container() {
        let kind = |group: &str, plural: &str, listable: bool| Kind {
            group: group.to_owned(),
            version: "v1".to_owned(),
            kind: plural.to_owned(),
            plural: plural.to_owned(),
            singular: String::new(),
            short_names: Vec::new(),
            namespaced: true,
            listable,
        };
        let kinds = Kinds::from_kinds([
            kind("", "pods", true),
            kind("", "secrets", true),
            kind("", "bindings", false),
            kind("kro.run", "resourcegraphdefinitions", true),
            kind("vault.example.com", "secrets", true),
        ]);
        let rules = reading(&kinds);
        let told: Vec<_> =
            rules.iter().map(|rule| (rule.api_groups[0].as_str(), rule.resources.join(","))).collect();
        assert_eq!(
            told,
            [
                ("", "pods,pods/log".to_owned()),
                ("kro.run", "resourcegraphdefinitions".to_owned()),
                ("vault.example.com", "secrets".to_owned())
            ]
        );
        assert!(rules.iter().all(|rule| rule.verbs == READ));
    }
}
