//! [`Policy`]: what the callers of one issuer may do, from what their tokens say. Pure.

mod compile;
mod condition;
mod explain;
mod problem;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Map, Value};

use super::{
    claims::{SCOPE_CLAIMS, Seen},
    name::{Permission, Permissions},
    scope::Within,
    set::{Grant, PermissionSet},
};
use condition::Condition;
pub use condition::Fit;
pub use explain::Explained;
pub use problem::PolicyProblem;

/// The most scopes of a token that are kept beside those that give something. No client asks for as many;
/// a token can have thousands.
const MOST_OTHER_SCOPES: usize = 32;

/// The longest of them, in bytes.
const LONGEST_OTHER_SCOPE: usize = 128;

/// Where the permissions of an issuer's callers come from. Everything given adds up; deny wins.
///
/// Roles and patterns are resolved when it is made, so that binding a caller is only comparing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The issuer as grants name it: its URL without the scheme.
    issuer: String,
    rules: Vec<Compiled>,
    /// Every claim that a rule looks at, once.
    claims: Vec<String>,
    permissions_claim: Option<String>,
    scopes: BTreeMap<String, Permissions>,
}

/// A rule, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Compiled {
    /// Its place in the list of the issuer's rules.
    at: usize,
    /// `rule "its name"`.
    label: String,
    when: Vec<Condition>,
    /// What it gives and takes; each names only its role, where it is of one.
    grants: Vec<Grant>,
}

impl Compiled {
    /// What applies to a caller that it fits so: where it cannot be judged, what it takes alone.
    fn applying(&self, fit: Fit) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| match fit {
            Fit::Matches => true,
            Fit::Unclear => grant.deny,
            Fit::Not => false,
        })
    }
}

impl Policy {
    /// What a caller with these claims may do.
    pub fn bind(&self, claims: &Map<String, Value>) -> PermissionSet {
        let seen = self.seen(claims);
        let mut grants = Vec::new();
        for rule in &self.rules {
            let fit = condition::fit(&rule.when, &seen);
            let mut applying = rule.applying(fit).peekable();
            if applying.peek().is_none() {
                continue;
            }
            let why = condition::reason(&rule.when, &self.claims, &seen);
            grants.extend(applying.map(|grant| Grant {
                rule: format!("{} {}{why}{}", self.issuer, rule.label, grant.rule),
                ..grant.clone()
            }));
        }
        grants.extend(self.named(claims).map(|(permissions, _)| {
            self.everywhere(permissions, "claim", self.permissions_claim.as_deref().unwrap_or_default())
        }));
        let had = scopes_of(claims);
        let given = self.scopes.iter().filter(|(scope, _)| had.contains(&Cow::Borrowed(scope.as_str())));
        grants.extend(given.map(|(scope, permissions)| self.everywhere(*permissions, "scope", scope)));
        PermissionSet::new(grants)
    }

    /// The scopes that would each give one of these permissions, in a fixed order.
    pub fn scopes_giving(&self, missing: &[Permission]) -> Vec<&str> {
        let gives = |permissions: &Permissions| missing.iter().any(|wanted| permissions.contains(*wanted));
        self.scopes.iter().filter(|(_, given)| gives(given)).map(|(scope, _)| scope.as_str()).collect()
    }

    /// The OAuth scopes that a token with these claims has, each once: all that give something, and so
    /// many of the others as a client would have asked for.
    pub fn scopes_had(&self, claims: &Map<String, Value>) -> Vec<String> {
        let mut kept = BTreeSet::new();
        let mut others = 0;
        for scope in scopes_of(claims) {
            if !self.scopes.contains_key(&*scope) {
                if others == MOST_OTHER_SCOPES || scope.len() > LONGEST_OTHER_SCOPE {
                    continue;
                }
                others += 1;
            }
            kept.insert(scope);
        }
        kept.into_iter().map(Cow::into_owned).collect()
    }

    /// The scopes that give something, in a fixed order.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.keys().map(String::as_str)
    }

    /// The patterns of clusters that rules are narrowed to, each with the rule: none of them may be
    /// misspelt, and only who knows the clusters can tell.
    pub fn cluster_patterns(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rules.iter().flat_map(|rule| {
            // all grants of a rule are narrowed alike
            let within = rule.grants.first().and_then(|grant| grant.within.clusters.as_deref());
            within.unwrap_or_default().iter().map(|pattern| (rule.label.as_str(), pattern.as_str()))
        })
    }

    fn seen<'c>(&self, claims: &'c Map<String, Value>) -> Vec<Seen<'c>> {
        self.claims.iter().map(|name| Seen::at(claims, name)).collect()
    }

    /// The permissions that the configured claim names, and what it has that is none.
    fn named(&self, claims: &Map<String, Value>) -> Option<(Permissions, Vec<String>)> {
        let seen = Seen::list(claims, self.permissions_claim.as_deref()?);
        let mut named = Permissions::default();
        let mut unknown = Vec::new();
        for written in seen.values() {
            match Permissions::matching(written) {
                none if none.is_empty() => unknown.push(written.clone().into_owned()),
                some => named = named.union(some),
            }
        }
        seen.present.then_some((named, unknown))
    }

    fn everywhere(&self, permissions: Permissions, what: &str, name: &str) -> Grant {
        Grant {
            deny: false,
            permissions,
            within: Arc::new(Within::default()),
            rule: format!("{} {what} {name:?}", self.issuer),
        }
    }
}

/// The OAuth scopes that a token has, wherever its issuer writes them.
fn scopes_of(claims: &Map<String, Value>) -> Vec<Cow<'_, str>> {
    SCOPE_CLAIMS.iter().flat_map(|name| Seen::list(claims, name).values().to_vec()).collect()
}
