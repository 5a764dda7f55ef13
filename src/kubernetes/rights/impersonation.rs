//! The right to show callers to a cluster (`Impersonate-…` headers), narrowed to whom it is to be shown.
//!
//! RBAC asks for each value: the user, every group, the uid and every extra (apiserver
//! `endpoints/filters/impersonation`). It matches whole names, so a rule without names allows all there are.

use std::collections::BTreeSet;

use super::Rights;

/// The verb.
const IMPERSONATE: &str = "impersonate";

/// Whom a cluster is to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// These users; `None`: anybody.
    pub users: Option<BTreeSet<String>>,
    /// These groups; `None`: any.
    pub groups: Option<BTreeSet<String>>,
    /// Whether their uids too.
    pub uids: bool,
    /// Which of their extras too, as RBAC names them: in lower case.
    pub extras: BTreeSet<String>,
}

impl Shown {
    /// The rights that it takes.
    pub fn rights(&self) -> Rights {
        let mut rights = Rights::default();
        let mut allow = |why: &str, group: &str, resource: &str, names: Option<&BTreeSet<String>>| {
            let names = names.into_iter().flatten().cloned().collect();
            rights.allow_named(why, IMPERSONATE, group, resource, names);
        };
        let users = match &self.users {
            Some(_) => "The people who call, by the names that the cluster knows.",
            None => {
                "ANY user: the configuration does not say who calls. Whoever has this account's credential can be any \
                 user of the cluster, a controller too. Name people with --user where they can be listed."
            }
        };
        allow(users, "", "users", self.users.as_ref());
        match &self.groups {
            Some(groups) if !groups.is_empty() => allow(
                "Their groups. RBAC must allow every group that is shown, so a caller who is in one more is refused: \
                 name it with --group.",
                "",
                "groups",
                Some(groups),
            ),
            Some(_) => {}
            None => allow(
                "ANY group, and system:masters is one, which RBAC does not stop: whoever has this account's credential \
                 can do everything in the cluster. Name groups with --group instead.",
                "",
                "groups",
                None,
            ),
        }
        let authentication = "authentication.k8s.io";
        if self.uids {
            allow(
                "issuers[].uid: the uid of each caller, of which RBAC makes nothing.",
                authentication,
                "uids",
                None,
            );
        }
        for extra in &self.extras {
            let why =
                "issuers[].extra: claims of the caller, whatever their values, which RBAC makes nothing of.";
            allow(why, authentication, &format!("userextras/{extra}"), None);
        }
        if self.groups.as_ref().is_some_and(BTreeSet::is_empty) {
            rights.leave_out(
                "groups, since neither the configuration nor --group names any: a caller who is in a group is refused. \
                 Without names it would be any group, system:masters too (--any-group)"
                    .to_owned(),
            );
        }
        rights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Option<BTreeSet<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn written(shown: &Shown) -> Vec<String> {
        let rules = shown.rights();
        let rules = rules.rules().iter();
        rules.map(|rule| format!("{}/{:?} {:?}", rule.group, rule.resources, rule.names)).collect()
    }

    #[test]
    fn whoever_is_named_and_nobody_else() {
        let shown = Shown {
            users: names(&["oidc:bob", "oidc:alice"]),
            groups: names(&["oidc:team-a"]),
            uids: true,
            extras: ["email".to_owned(), "example.com/team".to_owned()].into(),
        };
        assert_eq!(
            written(&shown),
            [
                r#"/{"users"} ["oidc:alice", "oidc:bob"]"#,
                r#"/{"groups"} ["oidc:team-a"]"#,
                r#"authentication.k8s.io/{"uids"} []"#,
                r#"authentication.k8s.io/{"userextras/email"} []"#,
                r#"authentication.k8s.io/{"userextras/example.com/team"} []"#,
            ]
        );
    }

    #[test]
    fn no_group_is_shown_unless_somebody_says_which() {
        let shown = Shown { groups: names(&[]), ..Shown::default() };
        assert_eq!(written(&shown), [r#"/{"users"} []"#]);
        assert!(shown.rights().left_out()[0].starts_with("groups, since neither"), "{shown:?}");
        assert!(shown.rights().rules()[0].why.starts_with("ANY user"), "{shown:?}");
        let any = Shown::default();
        assert_eq!(written(&any), [r#"/{"users"} []"#, r#"/{"groups"} []"#]);
        assert!(any.rights().rules()[1].why.contains("system:masters"));
    }
}
