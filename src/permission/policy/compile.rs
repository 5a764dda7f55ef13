//! From what an operator wrote to a [`Policy`]. A rule that can do nothing is a mistake and is refused:
//! where it was meant to deny, nothing would be denied.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    super::{name::Permissions, role::Roles, rule::Rule, scope::Within, set::Grant},
    Compiled, Policy,
    condition::Condition,
    problem::PolicyProblem,
};

impl Policy {
    /// Joins the rules of `issuer`, the claim that names permissions, and the scopes that stand for some.
    ///
    /// # Errors
    /// The first thing that does not make sense, with its place.
    pub fn new(
        issuer: &str,
        roles: &Roles,
        rules: &[Rule],
        permissions_claim: Option<&str>,
        scopes: &BTreeMap<String, Vec<String>>,
    ) -> Result<Self, PolicyProblem> {
        let mut policy = Self {
            issuer: issuer
                .split_once("://")
                .map_or(issuer, |(_, rest)| rest)
                .trim_end_matches('/')
                .to_owned(),
            permissions_claim: permissions_claim.map(str::to_owned),
            ..Self::default()
        };
        if permissions_claim == Some("") {
            return Err(PolicyProblem::new("permissionsClaim", "must name a claim"));
        }
        let mut names = BTreeSet::new();
        for (at, rule) in rules.iter().enumerate() {
            let wrong = |problem: PolicyProblem| problem.in_rule(at);
            if let Some(name) = &rule.name {
                named(name, &mut names).map_err(wrong)?;
            }
            let compiled = policy.compile(at, rule, roles).map_err(wrong)?;
            policy.rules.push(compiled);
        }
        for (scope, patterns) in scopes {
            let place = || format!("scopes.{scope}");
            // RFC 6749 section 3.3: a scope has no spaces, so one that has is in no token
            if scope.is_empty() || scope.contains(char::is_whitespace) {
                return Err(PolicyProblem::new(place(), "a scope is one word without spaces"));
            }
            if patterns.is_empty() {
                return Err(PolicyProblem::new(
                    place(),
                    "gives nothing; name permissions, or leave the scope out",
                ));
            }
            let permissions =
                Permissions::of(patterns).map_err(|wrong| PolicyProblem::new(place(), wrong))?;
            policy.scopes.insert(scope.clone(), permissions);
        }
        Ok(policy)
    }

    fn compile(&mut self, at: usize, rule: &Rule, roles: &Roles) -> Result<Compiled, PolicyProblem> {
        let when = rule.when.iter().map(|(claim, wanted)| self.condition(claim, wanted.values()));
        let when = when.collect::<Result<_, _>>()?;
        sensible(&rule.within)?;
        let within = Arc::new(rule.within.clone());
        let mut grants =
            roles.grants(&rule.roles, &within, "").map_err(|wrong| PolicyProblem::new("roles", wrong))?;
        for (key, patterns, deny) in [("allow", &rule.allow, false), ("deny", &rule.deny, true)] {
            if patterns.is_empty() {
                continue;
            }
            grants.push(Grant {
                deny,
                permissions: Permissions::of(patterns).map_err(|wrong| PolicyProblem::new(key, wrong))?,
                within: Arc::clone(&within),
                rule: format!(" → {key}"),
            });
        }
        if grants.is_empty() {
            return Err(PolicyProblem::new("", "gives and takes nothing; add roles, allow or deny"));
        }
        let label = match &rule.name {
            Some(name) => format!("rule {name:?}"),
            None => format!("rules[{at}]"),
        };
        Ok(Compiled { at, label, when, grants })
    }

    fn condition(&mut self, claim: &str, values: &[String]) -> Result<Condition, PolicyProblem> {
        let place = || format!("when.{claim}");
        if claim.is_empty() {
            return Err(PolicyProblem::new("when", "a claim must have a name"));
        }
        if values.is_empty() {
            return Err(PolicyProblem::new(
                place(),
                "no value is wanted, so the rule is about nobody; for any value write \"*\"",
            ));
        }
        // as a variable that is not set would leave it
        if values.iter().any(String::is_empty) {
            return Err(PolicyProblem::new(place(), "a value is empty; for any value write \"*\""));
        }
        let known = self.claims.iter().position(|known| known == claim);
        let claim = known.unwrap_or_else(|| {
            self.claims.push(claim.to_owned());
            self.claims.len() - 1
        });
        Ok(Condition { claim, values: values.to_vec() })
    }
}

fn named<'r>(name: &'r str, names: &mut BTreeSet<&'r str>) -> Result<(), PolicyProblem> {
    if name.trim().is_empty() {
        return Err(PolicyProblem::new("name", "is empty"));
    }
    if !names.insert(name) {
        let wrong = format!("another rule is called {name:?}; audit lines could not tell them apart");
        return Err(PolicyProblem::new("name", wrong));
    }
    Ok(())
}

/// Lists that can never cover anything.
fn sensible(within: &Within) -> Result<(), PolicyProblem> {
    let Within { clusters, namespaces, environments, projects } = within;
    let dimensions = [
        ("clusters", clusters),
        ("namespaces", namespaces),
        ("environments", environments),
        ("projects", projects),
    ];
    for (key, patterns) in dimensions {
        let Some(patterns) = patterns else { continue };
        if patterns.is_empty() || patterns.iter().any(String::is_empty) {
            return Err(PolicyProblem::new(
                format!("within.{key}"),
                "an empty list or name covers nothing; leave the key out where the rule holds everywhere",
            ));
        }
    }
    Ok(())
}
