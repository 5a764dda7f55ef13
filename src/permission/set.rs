//! [`PermissionSet`] and [`decide`]: what a caller may do, decided without any I/O.

use super::{
    name::{Permission, Permissions},
    requirement::Requirement,
    scope::{Cover, Extent, Scope, Within},
};

/// Permissions given or taken away, somewhere or everywhere, by a rule that can be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Taken away (a denial wins over every grant) instead of given.
    pub deny: bool,
    /// Which permissions.
    pub permissions: Permissions,
    /// Where.
    pub within: Within,
    /// The rule it comes from, for audit lines and explanations.
    pub rule: String,
}

/// Everything that was given to or taken from one caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet {
    grants: Vec<Grant>,
    somewhere: Permissions,
}

/// The answer to one question about one set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, by this rule. Where the scope was left open, rows are still decided one by one.
    Allow {
        /// The rule that gave it.
        rule: String,
    },
    /// No.
    Deny {
        /// What would have been needed.
        missing: Vec<Permission>,
        /// Whether the caller has none of it anywhere, so that the tool does not exist for them.
        hidden: bool,
        /// The rule that took it away, where one did.
        rule: Option<String>,
    },
}

impl Decision {
    /// Whether it is a yes.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow { .. })
    }

    /// The rule that decided, for the audit line.
    pub fn rule(&self) -> &str {
        match self {
            Self::Allow { rule } => rule,
            Self::Deny { rule: Some(rule), .. } => rule,
            Self::Deny { rule: None, .. } => "no rule grants it",
        }
    }
}

impl PermissionSet {
    /// Joins grants and denials.
    pub fn new(grants: Vec<Grant>) -> Self {
        let denied = |given: &Grant| {
            let over = grants.iter().filter(|grant| grant.deny && grant.within.contains(&given.within));
            over.fold(Permissions::default(), |bits, grant| bits.union(grant.permissions))
        };
        let somewhere = grants
            .iter()
            .filter(|grant| !grant.deny)
            .fold(Permissions::default(), |bits, given| bits.union(given.permissions.without(denied(given))));
        Self { grants, somewhere }
    }

    /// The permissions that the caller has anywhere at all.
    pub fn somewhere(&self) -> Permissions {
        self.somewhere
    }

    /// What it is made of.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Whether this one permission covers this scope.
    pub fn allows(&self, permission: Permission, scope: &Scope) -> bool {
        self.rule_for(permission, scope).is_ok()
    }

    /// Whether this permission covers the whole of this cluster: every namespace and what is in none,
    /// with nothing taken away.
    pub fn covers_cluster(&self, permission: Permission, cluster: &Extent) -> bool {
        [Extent::Anywhere, Extent::None].into_iter().all(|namespace| {
            let scope = Scope::cluster(cluster.clone(), namespace);
            let with = |deny: bool| {
                self.grants.iter().filter(move |g| g.deny == deny && g.permissions.contains(permission))
            };
            with(false).any(|grant| grant.within.covers(&scope) == Cover::Whole)
                && with(true).all(|grant| grant.within.covers(&scope) == Cover::Nothing)
        })
    }

    /// Whether a tool with this requirement exists for the caller.
    pub fn shows(&self, requirement: &Requirement) -> bool {
        requirement.met_by(|permission| self.somewhere.contains(permission))
    }

    fn rule_for(&self, permission: Permission, scope: &Scope) -> Result<&str, Option<&str>> {
        let relevant = |deny: bool| {
            self.grants.iter().filter(move |g| g.deny == deny && g.permissions.contains(permission))
        };
        // a denial of a part of what is open leaves the rest: its rows are decided one by one
        if let Some(denial) = relevant(true).find(|grant| grant.within.covers(scope) == Cover::Whole) {
            return Err(Some(&denial.rule));
        }
        match relevant(false).find(|grant| grant.within.covers(scope) > Cover::Nothing) {
            Some(grant) => Ok(&grant.rule),
            None => Err(None),
        }
    }
}

/// Whether `set` meets `requirement` in `scope`. Pure; no match is a denial.
pub fn decide(set: &PermissionSet, requirement: &Requirement, scope: &Scope) -> Decision {
    let mut given = None;
    let mut taken = None;
    let met = requirement.met_by(|permission| match set.rule_for(permission, scope) {
        Ok(rule) => {
            given.get_or_insert(rule);
            true
        }
        Err(rule) => {
            taken = taken.or(rule);
            false
        }
    });
    if met {
        return Decision::Allow { rule: given.unwrap_or("needs no permission").to_owned() };
    }
    let missing = requirement
        .permissions()
        .iter()
        .copied()
        .filter(|permission| !set.allows(*permission, scope))
        .collect();
    Decision::Deny { missing, hidden: !set.shows(requirement), rule: taken.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(deny: bool, pattern: &str, namespaces: Option<&[&str]>) -> Grant {
        let namespaces = namespaces.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        Grant {
            deny,
            permissions: Permissions::matching(pattern),
            within: Within { namespaces, ..Within::default() },
            rule: format!("{}{pattern}", if deny { "deny " } else { "" }),
        }
    }

    fn at(namespace: Extent) -> Scope {
        Scope::cluster(Extent::named("dev"), namespace)
    }

    const GRAPH: Requirement =
        Requirement::All(std::borrow::Cow::Borrowed(&[Permission::KroResourceGraphShow]));

    #[test]
    fn no_match_is_a_denial_that_hides() {
        let set = PermissionSet::new(vec![grant(false, "kubernetes.*", None)]);
        let decision = decide(&set, &GRAPH, &at(Extent::Anywhere));
        assert!(matches!(decision, Decision::Deny { hidden: true, .. }), "{decision:?}");
    }

    #[test]
    fn a_narrowed_grant_covers_its_part_and_says_what_is_missing_elsewhere() {
        let set = PermissionSet::new(vec![grant(false, "kro.*", Some(&["team-*"]))]);
        assert!(decide(&set, &GRAPH, &at(Extent::named("team-a"))).is_allowed());
        assert!(decide(&set, &GRAPH, &at(Extent::Anywhere)).is_allowed(), "rows are filtered later");
        for elsewhere in [Extent::named("kube-system"), Extent::None] {
            let decision = decide(&set, &GRAPH, &at(elsewhere));
            assert_eq!(
                decision,
                Decision::Deny { missing: vec![Permission::KroResourceGraphShow], hidden: false, rule: None }
            );
        }
    }

    #[test]
    fn deny_wins_over_allow_where_it_reaches() {
        let set = PermissionSet::new(vec![grant(false, "*", None), grant(true, "kro.*", Some(&["secret"]))]);
        assert!(decide(&set, &GRAPH, &at(Extent::named("open"))).is_allowed());
        assert!(decide(&set, &GRAPH, &at(Extent::Anywhere)).is_allowed());
        let denied = decide(&set, &GRAPH, &at(Extent::named("secret")));
        assert!(matches!(&denied, Decision::Deny { hidden: false, rule: Some(_), .. }), "{denied:?}");
        let same = PermissionSet::new(vec![
            grant(false, "*", Some(&["team-a"])),
            grant(true, "kro.*", Some(&["team-*"])),
        ]);
        assert!(!same.shows(&GRAPH), "denied wherever it is granted, so hidden");
        let everywhere = PermissionSet::new(vec![grant(false, "*", None), grant(true, "kro.*", None)]);
        assert!(!everywhere.shows(&GRAPH), "denied everywhere, so hidden");
    }

    #[test]
    fn a_cluster_is_covered_by_what_nothing_narrows() {
        let covers = |grants: Vec<Grant>| {
            PermissionSet::new(grants).covers_cluster(Permission::KroInstancesList, &Extent::named("dev"))
        };
        assert!(covers(vec![grant(false, "kro.*", None)]));
        assert!(covers(vec![grant(false, "kro.*", Some(&["a"])), grant(false, "*", None)]));
        assert!(!covers(vec![grant(false, "kro.*", Some(&["*"]))]), "not what is in no namespace");
        assert!(!covers(vec![grant(false, "*", None), grant(true, "kro.*", Some(&["secret"]))]));
        assert!(covers(vec![grant(false, "*", None), grant(true, "palette.*", None)]));
    }
}
