//! Whom clusters are shown under `identity: impersonate`, as far as the file tells.

use std::collections::BTreeSet;

use super::{Config, backstage::Backstage, issuers::Issuer};
use crate::{
    backstage::{EntityReference, Template},
    kubernetes::{Cluster, rights::impersonation::Shown},
    permission::{OneOrMore, Rule, scope::matches},
};

/// Kubernetes's own names, which no caller is shown by.
const KUBERNETES: &str = "system:";

/// What is gathered.
struct Names {
    /// `None` once somebody may call who is not named.
    users: Option<BTreeSet<String>>,
    groups: BTreeSet<String>,
}

impl Config {
    /// Whom this cluster is shown, or any: users where all rules are about users who are named, and the groups that
    /// rules name.
    pub fn shown(&self, cluster: Option<&Cluster>) -> Shown {
        let mut names = Names { users: Some(BTreeSet::new()), groups: BTreeSet::new() };
        self.issuers.iter().for_each(|issuer| issuer.name(&mut names));
        if let Some(backstage) = &self.backstage {
            backstage.name(cluster, &mut names);
        }
        let extras = self.issuers.iter().flat_map(|issuer| issuer.extra.keys());
        Shown {
            users: names.users.filter(|users| !users.is_empty()),
            groups: Some(names.groups),
            uids: self.issuers.iter().any(|issuer| issuer.uid),
            extras: extras.map(|extra| extra.to_lowercase()).collect(),
        }
    }
}

impl Issuer {
    fn name(&self, names: &mut Names) {
        let claim = |claim: &Option<String>, usual: &str| claim.clone().unwrap_or_else(|| usual.to_owned());
        let (user, groups) = (claim(&self.username.claim, "sub"), claim(&self.groups.claim, "groups"));
        if self.permissions_claim.is_some() || !self.scopes.is_empty() {
            names.users = None;
        }
        let prefixed = |prefix: &str, value: &str| Some(format!("{prefix}{value}"));
        for rule in &self.rules {
            names.rule(rule, &user, |value| prefixed(&self.username.prefix, value));
            names.groups(rule, &groups, |value| prefixed(&self.groups.prefix, value));
        }
    }
}

impl Backstage {
    fn name(&self, cluster: Option<&Cluster>, names: &mut Names) {
        let Some(impersonate) = &self.impersonate else { return };
        let is_for = |patterns: &Vec<String>| {
            cluster.is_none_or(|cluster| {
                patterns.iter().any(|pattern| cluster.names().iter().any(|name| matches(pattern, name)))
            })
        };
        let mut templates = impersonate.names();
        templates.retain(|names| names.clusters.as_ref().is_none_or(is_for));
        if cluster.is_some() {
            // the first entry that names a cluster counts
            templates.truncate(1);
        }
        if self.rules.is_empty() {
            // Backstage's own policy decides who calls
            names.users = None;
        }
        for of in &templates {
            for rule in &self.rules {
                names.rule(rule, "sub", |value| shown(&of.username, value));
                if let Some(template) = &of.groups {
                    names.groups(rule, "groups", |value| shown(template, value));
                }
            }
        }
    }
}

fn shown(template: &Template, reference: &str) -> Option<String> {
    template.name(&EntityReference::parse(reference)?)
}

impl Names {
    /// A rule that gives something to others than users who are named gives it to anybody.
    fn rule(&mut self, rule: &Rule, claim: &str, shown: impl Fn(&str) -> Option<String>) {
        if rule.roles.is_empty() && rule.allow.is_empty() {
            return;
        }
        match named(rule, claim) {
            Some(values) => {
                if let Some(users) = &mut self.users {
                    users.extend(
                        values.iter().filter_map(|value| shown(value)).filter(|name| is_a_callers(name)),
                    );
                }
            }
            None => self.users = None,
        }
    }

    fn groups(&mut self, rule: &Rule, claim: &str, shown: impl Fn(&str) -> Option<String>) {
        let values = rule.when.get(claim).map(OneOrMore::values).unwrap_or_default();
        let whole = values.iter().filter(|value| !value.contains('*'));
        self.groups.extend(whole.filter_map(|value| shown(value)).filter(|name| is_a_callers(name)));
    }
}

/// The values that a rule asks of a claim, where these are whole values.
fn named<'r>(rule: &'r Rule, claim: &str) -> Option<&'r [String]> {
    let values = rule.when.get(claim)?.values();
    values.iter().all(|value| !value.contains('*')).then_some(values)
}

fn is_a_callers(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(KUBERNETES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_by(yaml: &str) -> (Option<Vec<String>>, Vec<String>) {
        let config: Config = serde_saphyr::from_str(yaml).expect(yaml);
        let shown = config.shown(None);
        let list = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>();
        (shown.users.map(list), shown.groups.map(list).unwrap_or_default())
    }

    fn issuer(rules: &str) -> String {
        format!(
            "issuers: [{{url: 'https://i.example', audiences: [a], username: {{prefix: 'oidc:'}}, groups: {{claim: roles, \
             prefix: 'oidc:'}}, rules: {rules}}}]"
        )
    }

    #[test]
    fn groups_of_rules_are_shown_with_their_prefix() {
        let (users, groups) =
            shown_by(&issuer("[{when: {roles: [b, a, 'x-*'], groups: other}, roles: [viewer]}]"));
        assert_eq!((users, groups), (None, vec!["oidc:a".to_owned(), "oidc:b".to_owned()]));
    }

    #[test]
    fn users_are_known_only_where_every_rule_names_them() {
        let alice = Some(vec!["oidc:alice".to_owned()]);
        assert_eq!(shown_by(&issuer("[{when: {sub: alice}, roles: [viewer]}]")).0, alice);
        assert_eq!(shown_by(&issuer("[{when: {sub: alice}, roles: [viewer]}, {deny: ['kro.*']}]")).0, alice);
        for rules in [
            "[{when: {sub: alice}, roles: [viewer]}, {roles: [viewer]}]",
            "[{when: {sub: 'a*'}, roles: [viewer]}]",
            "[]",
        ] {
            assert_eq!(shown_by(&issuer(rules)).0, None, "{rules}");
        }
        let scoped = issuer("[{when: {sub: alice}, roles: [viewer]}], scopes: {kro: ['kro.*']}");
        assert_eq!(shown_by(&scoped).0, None);
    }

    #[test]
    fn users_of_backstage_are_shown_by_their_templates() {
        let (users, groups) = shown_by(
            "backstage: {url: 'https://b.example', permissions: rules, impersonate: {username: '{name}@b.example', \
             groups: 'b:{name}'}, rules: [{when: {sub: 'user:default/ann', groups: 'group:default/ops'}, \
             roles: [viewer]}]}",
        );
        assert_eq!((users, groups), (Some(vec!["ann@b.example".to_owned()]), vec!["b:ops".to_owned()]));
    }
}
