//! [`Findings`]: everything that is said of a caller, as data.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::source::Source;
use crate::{
    answer::sanitise,
    caller::Caller,
    config::Built,
    permission::{
        Decision, Explained, Fit, Grant, Permission, PermissionSet, Permissions, Policy, Requirement, Scope,
        decide,
    },
};

/// What a caller could do, and why.
#[derive(Debug, Serialize)]
pub(super) struct Findings {
    /// Why a token like this is refused; nothing of the rest counts then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
    /// What audit lines call the token, where one was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<String>,
    pub(super) issuer: String,
    /// Absent where the claims do not say who it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) caller: Option<Who>,
    pub(super) rules: Vec<Rule>,
    /// What it means where there are none.
    #[serde(skip)]
    pub(super) without_rules: String,
    /// The permissions, by where they hold.
    pub(super) permissions: Vec<Held>,
    pub(super) tools: Vec<String>,
    pub(super) hidden_tools: Vec<Hidden>,
}

/// Who that is.
#[derive(Debug, Serialize)]
pub(super) struct Who {
    pub(super) subject: String,
    pub(super) username: String,
    pub(super) groups: Vec<String>,
    /// As whom clusters see the caller, where they do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) cluster_user: String,
    pub(super) cluster_groups: Vec<String>,
}

/// One rule, claim or scope.
#[derive(Debug, Serialize)]
pub(super) struct Rule {
    pub(super) rule: String,
    pub(super) place: String,
    /// yes, no, or unclear: only what it takes counts then.
    pub(super) matches: &'static str,
    pub(super) why: Vec<String>,
    /// What it gives; of a rule that does not match, what it would give.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gives: Option<Part>,
    /// What it takes, or would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) takes: Option<Part>,
}

/// What one rule gives or takes.
#[derive(Debug, Serialize)]
pub(super) struct Part {
    /// As `role viewer` or `allow`; empty where it is no rule.
    pub(super) by: Vec<String>,
    #[serde(flatten)]
    pub(super) held: Held,
}

/// Permissions, and where they hold.
#[derive(Debug, Serialize)]
pub(super) struct Held {
    /// In words.
    pub(super) within: String,
    pub(super) permissions: Vec<&'static str>,
}

/// A tool that does not exist for the caller.
#[derive(Debug, Serialize)]
pub(super) struct Hidden {
    pub(super) tool: String,
    pub(super) needs: String,
    /// The rule that took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) taken_by: Option<String>,
    /// Scopes of which each would give something of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) scopes: Vec<String>,
}

impl Findings {
    pub(super) fn of(source: Source, built: &Built) -> Self {
        let nothing = Policy::default();
        let policy = built.callers.policy(&source.issuer).unwrap_or(&nothing);
        Self::by(policy, source, built)
    }

    /// By these rules.
    pub(super) fn by(policy: &Policy, source: Source, built: &Built) -> Self {
        let set = policy.bind(&source.claims);
        let (shown, hidden): (Vec<_>, Vec<_>) =
            built.toolbox.entries().iter().partition(|entry| set.shows(&entry.contract.front.permission));
        let hidden = hidden
            .into_iter()
            .map(|entry| hidden_tool(&entry.contract.name, &entry.contract.front.permission, &set, policy));
        Self {
            refused: source.refusal.as_ref().map(ToString::to_string),
            expires_at: expiry(&source),
            token: source.token.map(|token| token.hash),
            issuer: source.issuer,
            caller: source.identity.map(|who| Who {
                subject: who.subject,
                username: who.username,
                groups: who.groups,
                cluster_user: who.impersonation.user,
                cluster_groups: who.impersonation.groups,
            }),
            rules: policy.explain(&source.claims).into_iter().map(rule).collect(),
            without_rules: "rules: none, so no caller of this issuer may do anything".to_owned(),
            permissions: held(set.somewhere().iter(), set.grants()),
            tools: shown.into_iter().map(|entry| entry.contract.name.clone()).collect(),
            hidden_tools: hidden.collect(),
        }
    }

    /// Of a caller who is known as a call would know them.
    pub(super) fn of_caller(caller: &Caller, built: &Built) -> Self {
        let (nothing, set) = (Policy::default(), caller.permissions());
        let (shown, hidden): (Vec<_>, Vec<_>) =
            built.toolbox.entries().iter().partition(|entry| set.shows(&entry.contract.front.permission));
        let hidden = hidden
            .into_iter()
            .map(|entry| hidden_tool(&entry.contract.name, &entry.contract.front.permission, set, &nothing));
        let token = caller.token();
        let mut sights = caller.shown().all();
        let clusters = sights.find(|sight| sight.clusters.is_none()).and_then(|sight| sight.who.ok());
        Self {
            refused: None,
            token: token.map(|token| token.hash.clone()),
            expires_at: token.map(|token| token.expires.to_string()),
            issuer: caller.issuer().unwrap_or_default().to_owned(),
            caller: Some(Who {
                subject: caller.subject().to_owned(),
                username: caller.username().to_owned(),
                groups: caller.groups().to_vec(),
                cluster_user: clusters.as_ref().map(|who| who.user.clone()).unwrap_or_default(),
                cluster_groups: clusters.map(|who| who.groups.clone()).unwrap_or_default(),
            }),
            rules: set.grants().iter().map(granted).collect(),
            without_rules: "rules: none, so this caller may do nothing".to_owned(),
            permissions: held(set.somewhere().iter(), set.grants()),
            tools: shown.into_iter().map(|entry| entry.contract.name.clone()).collect(),
            hidden_tools: hidden.collect(),
        }
    }
}

/// What one rule, or somebody else's policy, gave or took.
fn granted(grant: &Grant) -> Rule {
    let permissions: Vec<&'static str> = grant.permissions.iter().map(Permission::name).collect();
    let part = Part { by: Vec::new(), held: Held { within: grant.within.to_string(), permissions } };
    let (gives, takes) = if grant.deny { (None, Some(part)) } else { (Some(part), None) };
    Rule {
        rule: grant.rule.clone(),
        place: grant.rule.clone(),
        matches: "yes",
        why: vec!["as it holds for this caller now".to_owned()],
        gives,
        takes,
    }
}

fn expiry(source: &Source) -> Option<String> {
    if let Some(token) = &source.token {
        return Some(token.expires.to_string());
    }
    let seconds = source.claims.get("exp").and_then(Value::as_i64)?;
    jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}

pub(super) fn rule(explained: Explained) -> Rule {
    // one rule holds in one place, so its parts can be told together
    let part = |deny: bool| {
        let of: Vec<&Grant> = explained.grants.iter().filter(|grant| grant.deny == deny).collect();
        let all = of.iter().map(|grant| grant.permissions).reduce(Permissions::union)?;
        let by = of.iter().filter_map(|grant| grant.rule.strip_prefix(" → ")).map(str::to_owned).collect();
        let permissions = all.iter().map(Permission::name).collect();
        Some(Part { by, held: Held { within: of.first()?.within.to_string(), permissions } })
    };
    Rule {
        gives: part(false),
        takes: part(true),
        rule: explained.what,
        place: explained.place,
        matches: match explained.fit {
            Fit::Matches => "yes",
            Fit::Unclear => "unclear",
            Fit::Not => "no",
        },
        why: explained.why.iter().map(|why| sanitise::line(why).into_owned()).collect(),
    }
}

/// Permissions by where they hold: what all grants give together, without what is taken away.
fn held(permissions: impl Iterator<Item = Permission>, grants: &[Grant]) -> Vec<Held> {
    let mut by_place: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for permission in permissions {
        let places = |deny: bool| {
            let of =
                grants.iter().filter(|grant| grant.deny == deny && grant.permissions.contains(permission));
            let mut places: Vec<String> = of.map(|grant| grant.within.to_string()).collect();
            places.sort_unstable();
            places.dedup();
            places
        };
        let (given, taken) = (places(false), places(true));
        let everywhere = given.iter().any(|place| place == "everywhere");
        let mut place = match everywhere {
            true => "everywhere".to_owned(),
            false => format!("within {}", given.join(", or ")),
        };
        if !taken.is_empty() {
            place.push_str(&format!(", but not within {}", taken.join(", or ")));
        }
        by_place.entry(place).or_default().push(permission.name());
    }
    by_place.into_iter().map(|(within, permissions)| Held { within, permissions }).collect()
}

fn hidden_tool(name: &str, requirement: &Requirement, set: &PermissionSet, policy: &Policy) -> Hidden {
    let is_missing = |permission: &Permission| !set.somewhere().contains(*permission);
    let missing: Vec<Permission> = requirement.permissions().iter().copied().filter(is_missing).collect();
    let taken_by = match decide(set, requirement, &Scope::ANYWHERE) {
        Decision::Deny { rule, .. } => rule,
        Decision::Allow { .. } => None,
    };
    Hidden {
        tool: name.to_owned(),
        needs: requirement.to_string(),
        // no scope gives what a rule takes
        scopes: match taken_by {
            Some(_) => Vec::new(),
            None => policy.scopes_giving(&missing).into_iter().map(str::to_owned).collect(),
        },
        taken_by,
    }
}
