//! [`PermissionSet`] and [`decide`]: what a caller may do, decided without any I/O.

use std::sync::{Arc, LazyLock};

use super::{
    name::{Permission, Permissions},
    requirement::Requirement,
    scope::{Cover, Extent, Scope, Within},
};

/// The widest scopes that there are, each for the permissions that are asked for in it. An RGD is in no
/// namespace, so a grant narrowed to namespaces gives nothing of it; Palette has neither clusters nor namespaces.
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
        (in_palette, Scope { cluster: Extent::None, namespace: Extent::None, ..Scope::ANYWHERE }),
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

    /// Whether this permission covers the whole of this Palette environment: what is in the tenant itself and in
    /// every project, with nothing taken away.
    pub fn covers_environment(&self, permission: Permission, environment: &Extent) -> bool {
        [Extent::Anywhere, Extent::None].into_iter().all(|project| {
            let scope = Scope { environment: environment.clone(), project, ..Scope::default() };
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
mod tests;
