//! Rules that could never be about anybody, so that a denial that is misspelt is no denial.

use super::super::problem::{Wrong, meant};
use crate::{backstage::EntityReference, permission::Rule};

/// What rules can look at of a user, and of a plugin that asks for none.
const OF_USERS: [&str; 5] = ["sub", "name", "namespace", "groups", "ent"];
const OF_PLUGINS: [&str; 2] = ["sub", "plugin"];

/// Rules about users.
pub(super) fn of_users(rules: &[Rule]) -> Result<(), Wrong> {
    each(rules, &OF_USERS, |claim, value| {
        let reference = matches!(claim, "sub" | "groups" | "ent");
        let fits =
            EntityReference::parse(value).is_some() || value.contains('*') && value == value.to_lowercase();
        let wanted =
            "must be a whole reference in lower case, as group:default/team-a; * stands for any characters";
        if !reference || fits { Ok(()) } else { Err(wanted.to_owned()) }
    })
}

/// Rules about plugins, of those whose tokens are taken.
pub(super) fn of_plugins(rules: &[Rule], plugins: &[String]) -> Result<(), Wrong> {
    each(rules, &OF_PLUGINS, |claim, value| {
        let plugin = if claim == "sub" { value.strip_prefix("plugin:") } else { Some(value) };
        let known = |plugin: &str| plugin.contains('*') || plugins.iter().any(|known| known == plugin);
        match plugin.is_some_and(known) {
            true => Ok(()),
            false => {
                Err(format!("must be one of the plugins whose tokens are taken: {}", plugins.join(", ")))
            }
        }
    })
}

fn each(
    rules: &[Rule],
    claims: &[&str],
    fits: impl Fn(&str, &str) -> Result<(), String>,
) -> Result<(), Wrong> {
    for (index, rule) in rules.iter().enumerate() {
        for (claim, values) in &rule.when {
            let wrong = match claims.contains(&claim.as_str()) {
                false => Err(format!("there is no such claim here{}", meant(claim, claims, "claims"))),
                true => values.values().iter().try_for_each(|value| fits(claim, value)),
            };
            wrong.map_err(|wrong| Wrong::new(wrong).below(claim).below("when").in_item(index))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(when: &str) -> Vec<Rule> {
        serde_saphyr::from_str(&format!("[{{when: {{{when}}}, deny: ['*']}}]")).expect("rules")
    }

    #[test]
    fn a_rule_that_could_be_about_nobody_is_a_mistake() {
        for good in ["groups: 'group:default/team-a'", "sub: ['user:default/bob', 'user:*']", "name: bob"] {
            assert!(of_users(&rules(good)).is_ok(), "{good}");
        }
        for (bad, said) in [
            ("group: 'group:default/team-a'", "[0].when.group: there is no such claim"),
            ("groups: team-a", "[0].when.groups: must be a whole reference"),
            ("groups: 'group:default/Team-A'", "in lower case"),
            ("ent: ['group:default/a', b]", "must be a whole reference"),
        ] {
            let wrong = of_users(&rules(bad)).expect_err(bad).to_string();
            assert!(wrong.contains(said), "{bad}: {wrong}");
        }
        let plugins = ["mcp-actions".to_owned()];
        for good in ["plugin: mcp-actions", "plugin: '*'", "sub: 'plugin:mcp-actions'"] {
            assert!(of_plugins(&rules(good), &plugins).is_ok(), "{good}");
        }
        for bad in
            ["plugin: mcp-actons", "plugin: 'plugin:mcp-actions'", "groups: 'group:default/a'", "sub: x"]
        {
            assert!(of_plugins(&rules(bad), &plugins).is_err(), "{bad}");
        }
    }
}
