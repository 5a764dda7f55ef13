//! [`PermissionSet`] and [`decide`]: what a caller may do, decided without any I/O.

use std::sync::{Arc, LazyLock};

use super::{
    name::{Permission, Permissions},
    requirement::Requirement,
    scope::{Cover, Extent, Scope, Within},
};

/// The widest scopes that there are, each for the permissions that are asked for in it. An RGD is in no
/// namespace, so a grant narrowed to namespaces gives nothing of it.
static WIDEST: LazyLock<[(Permissions, Scope); 4]> = LazyLock::new(|| {
    let matching = |patterns: &[&str]| {
        patterns.iter().fold(Permissions::default(), |all, pattern| all.union(Permissions::matching(pattern)))
    };
    let rgds = matching(&["kro.rgds.*"]);
    let in_clusters = matching(&["kro.*", "kubernetes.*", "knative.*"]).without(rgds);
    let in_palette = matching(&["spectrocloud.*"]);
    let others = Permissions::all().without(rgds).without(in_clusters).without(in_palette);
    [
        (rgds, Scope::cluster(Extent::Anywhere, Extent::None)),
        (in_clusters, Scope::cluster(Extent::Anywhere, Extent::Anywhere)),
        (in_palette, Scope { namespace: Extent::None, ..Scope::ANYWHERE }),
        (others, Scope::ANYWHERE),
    ]
});

/// Permissions given or taken away, somewhere or everywhere, by a rule that can be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Taken away (a denial wins over every grant) instead of given.
    pub deny: bool,
    /// Which permissions.
    pub permissions: Permissions,
    /// Where.
    pub within: Arc<Within>,
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
        let mut set = Self { grants, somewhere: Permissions::default() };
        set.somewhere = set.found_somewhere();
        set
    }

    fn found_somewhere(&self) -> Permissions {
        let mut found = Permissions::default();
        for grant in self.grants.iter().filter(|grant| !grant.deny) {
            for (permissions, widest) in WIDEST.iter() {
                let given = grant.permissions.intersection(*permissions).without(found);
                if given.is_empty() || grant.within.covers(widest) == Cover::Nothing {
                    continue;
                }
                found = found.union(given.iter().filter(|one| self.leaves(grant, *one, widest)).collect());
            }
        }
        found
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
            let covers = |grant: &Grant| grant.within.covers(&scope);
            self.relevant(permission, false).any(|grant| covers(grant) == Cover::Whole)
                && self.relevant(permission, true).all(|denial| covers(denial) == Cover::Nothing)
        })
    }

    /// Whether a tool with this requirement exists for the caller.
    pub fn shows(&self, requirement: &Requirement) -> bool {
        requirement.met_by(|permission| self.somewhere.contains(permission))
    }

    fn relevant(&self, permission: Permission, deny: bool) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| grant.deny == deny && grant.permissions.contains(permission))
    }

    /// Whether the denials leave something of what `grant` gives in `scope`. A denial of a part of what
    /// is open leaves the rest: its rows are decided one by one.
    fn leaves(&self, grant: &Grant, permission: Permission, scope: &Scope) -> bool {
        let denials: Vec<&Within> = self.relevant(permission, true).map(|denial| &*denial.within).collect();
        grant.within.is_left(&denials, scope)
    }

    fn rule_for(&self, permission: Permission, scope: &Scope) -> Result<&str, Option<&str>> {
        let mut given = self.relevant(permission, false).filter(|g| g.within.covers(scope) > Cover::Nothing);
        if let Some(grant) = given.find(|grant| self.leaves(grant, permission, scope)) {
            return Ok(&grant.rule);
        }
        let mut denials = self.relevant(permission, true);
        Err(denials.find(|denial| denial.within.covers(scope) > Cover::Nothing).map(|denial| &*denial.rule))
    }
}

/// Whether `set` meets `requirement` in `scope`. Pure; no match is a denial.
pub fn decide(set: &PermissionSet, requirement: &Requirement, scope: &Scope) -> Decision {
    let mut given = None;
    let mut taken = None;
    let mut missing = Vec::new();
    let mut asked = 0;
    let met = requirement.met_by(|permission| {
        asked += 1;
        match set.rule_for(permission, scope) {
            Ok(rule) => {
                given.get_or_insert(rule);
                true
            }
            Err(rule) => {
                taken = taken.or(rule);
                missing.push(permission);
                false
            }
        }
    });
    if met {
        return Decision::Allow { rule: given.unwrap_or("needs no permission").to_owned() };
    }
    // where all are needed, the first that is missing ended it
    let rest = requirement.permissions().iter().copied().skip(asked);
    missing.extend(rest.filter(|permission| !set.allows(*permission, scope)));
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
            within: Within { namespaces, ..Within::default() }.into(),
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

    fn on(deny: bool, pattern: &str, within: Within) -> Grant {
        Grant { within: within.into(), ..grant(deny, pattern, None) }
    }

    fn clusters(names: &[&str]) -> Within {
        Within { clusters: Some(names.iter().map(|&name| name.to_owned()).collect()), ..Within::default() }
    }

    #[test]
    fn what_is_denied_in_one_cluster_is_not_seen_through_a_list_over_all() {
        let set = PermissionSet::new(vec![grant(false, "*", None), on(true, "*", clusters(&["prod"]))]);
        assert!(set.shows(&GRAPH));
        let in_cluster = |name: &str| Scope::cluster(Extent::named(name), Extent::Anywhere);
        assert!(decide(&set, &GRAPH, &in_cluster("dev")).is_allowed());
        assert!(!decide(&set, &GRAPH, &in_cluster("prod")).is_allowed(), "so neither row nor candidate");
        let by_both_names = Extent::Named(vec!["prod".to_owned(), "static/prod".to_owned()]);
        assert!(!decide(&set, &GRAPH, &Scope::cluster(by_both_names, Extent::Anywhere)).is_allowed());
        assert!(decide(&set, &GRAPH, &Scope::ANYWHERE).is_allowed());
        assert!(set.covers_cluster(Permission::KroInstancesList, &Extent::named("dev")));
        assert!(!set.covers_cluster(Permission::KroInstancesList, &Extent::named("prod")));
    }

    #[test]
    fn an_open_scope_is_denied_where_nothing_of_it_is_left() {
        // team-a everywhere, ops in dev; and nothing of team-a anywhere
        let ops = Within { namespaces: Some(vec!["ops".to_owned()]), ..clusters(&["dev"]) };
        let set = PermissionSet::new(vec![
            grant(false, "kro.*", Some(&["team-a"])),
            on(false, "kro.*", ops),
            grant(true, "kro.*", Some(&["team-*"])),
        ]);
        let in_cluster = |name: &str| Scope::cluster(Extent::named(name), Extent::Anywhere);
        assert!(decide(&set, &GRAPH, &in_cluster("dev")).is_allowed());
        assert!(!decide(&set, &GRAPH, &in_cluster("prod")).is_allowed(), "prod is nobody's candidate");
        assert!(set.shows(&GRAPH));
    }

    #[test]
    fn several_denials_together_hide_what_they_leave_nothing_of() {
        let both = PermissionSet::new(vec![
            grant(false, "kro.*", Some(&["a", "b"])),
            grant(true, "kro.*", Some(&["a"])),
            grant(true, "kro.*", Some(&["b"])),
        ]);
        assert!(!both.shows(&GRAPH));
        let cross = PermissionSet::new(vec![
            on(
                false,
                "kro.*",
                Within { namespaces: Some(vec!["a".into(), "b".into()]), ..clusters(&["x", "y"]) },
            ),
            on(true, "kro.*", clusters(&["x"])),
            grant(true, "kro.*", Some(&["a"])),
        ]);
        assert!(cross.shows(&GRAPH), "b in y is left");
        let scope =
            |cluster: &str, namespace: &str| Scope::cluster(Extent::named(cluster), Extent::named(namespace));
        assert!(decide(&cross, &GRAPH, &scope("y", "b")).is_allowed());
        for (cluster, namespace) in [("x", "a"), ("x", "b"), ("y", "a")] {
            assert!(
                !decide(&cross, &GRAPH, &scope(cluster, namespace)).is_allowed(),
                "{cluster} {namespace}"
            );
        }
    }

    #[test]
    fn every_namespace_is_not_what_is_in_none() {
        let set = PermissionSet::new(vec![grant(false, "kro.*", None), grant(true, "kro.*", Some(&["*"]))]);
        assert!(set.shows(&GRAPH), "a cluster-scoped instance is left");
        assert!(decide(&set, &GRAPH, &at(Extent::None)).is_allowed());
        assert!(decide(&set, &GRAPH, &at(Extent::Anywhere)).is_allowed());
        assert!(!decide(&set, &GRAPH, &at(Extent::named("a"))).is_allowed());
        let everywhere =
            PermissionSet::new(vec![grant(false, "kro.*", None), on(true, "kro.*", clusters(&["*"]))]);
        assert!(!everywhere.shows(&GRAPH), "there is no graph outside of clusters");
    }

    #[test]
    fn what_can_never_be_in_a_grants_place_is_not_given() {
        let given = |within: Within| PermissionSet::new(vec![on(false, "*", within)]).somewhere();
        let namespaced = given(Within { namespaces: Some(vec!["*".to_owned()]), ..Within::default() });
        assert!(namespaced.contains(Permission::KroInstancesList));
        assert!(!namespaced.contains(Permission::KroRgdsList), "an RGD is in no namespace");
        assert!(!namespaced.contains(Permission::SpectrocloudProfileViewInfo), "nor is what Palette has");
        let palette = given(Within { environments: Some(vec!["prod".to_owned()]), ..Within::default() });
        assert!(palette.contains(Permission::SpectrocloudClusterViewInfo));
        assert!(!palette.contains(Permission::KroInstancesList), "no Kubernetes object is in an environment");
        let denied = PermissionSet::new(vec![
            grant(false, "*", None),
            on(true, "*", Within { environments: Some(vec!["*".to_owned()]), ..Within::default() }),
        ]);
        assert!(denied.somewhere().contains(Permission::KroInstancesList), "the denial is about Palette");
        assert!(!denied.somewhere().contains(Permission::SpectrocloudClusterViewInfo));
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
