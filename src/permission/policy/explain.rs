//! What a token gets and why, rule by rule, for people.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    super::{claims::Seen, set::Grant},
    Compiled, Policy,
    condition::{Condition, Fit, fit},
    scopes_of,
};
use crate::answer::sanitise;

/// Characters of a claim's value that are shown.
const LONGEST_VALUE: usize = 80;
/// Values of a claim that are shown; the rest is counted.
const MOST_VALUES: usize = 12;

/// One rule, claim or scope of a policy, held against one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// As `rule "team a"`, `claim "permissions"` or `scope "kro:read"`.
    pub what: String,
    /// Where it stands below the issuer, as `rules[0]`.
    pub place: String,
    /// Whether it is about this caller.
    pub fit: Fit,
    /// Why, a line for each claim that it looks at.
    pub why: Vec<String>,
    /// What it gives and takes where it is about the caller; for others, what it would.
    pub grants: Vec<Grant>,
}

impl Policy {
    /// Every rule in its order, then the claim that names permissions, then the scopes: whether each is
    /// about a caller with these claims, and why.
    pub fn explain(&self, claims: &Map<String, Value>) -> Vec<Explained> {
        let seen = self.seen(claims);
        let rules = self.rules.iter().map(|rule| self.explained(rule, &seen));
        rules.chain(self.explained_claim(claims)).chain(self.explained_scopes(claims)).collect()
    }

    fn explained(&self, rule: &Compiled, seen: &[Seen<'_>]) -> Explained {
        let fits = fit(&rule.when, seen);
        let mut why: Vec<String> = rule
            .when
            .iter()
            .filter_map(|condition| {
                let (name, seen) = (self.claims.get(condition.claim)?, seen.get(condition.claim)?);
                Some(reason(condition, name, seen))
            })
            .collect();
        if why.is_empty() {
            why.push("it is about every caller of the issuer".to_owned());
        }
        if fits == Fit::Unclear {
            why.push("so it takes what it takes, and gives nothing".to_owned());
        }
        let grants = match fits {
            Fit::Not => rule.grants.clone(),
            _ => rule.applying(fits).cloned().collect(),
        };
        Explained { what: rule.label.clone(), place: format!("rules[{}]", rule.at), fit: fits, why, grants }
    }

    fn explained_claim(&self, claims: &Map<String, Value>) -> Option<Explained> {
        let name = self.permissions_claim.as_deref()?;
        let named = self.named(claims);
        let mut why = Vec::new();
        match &named {
            None => why.push("the token has no such claim".to_owned()),
            Some((permissions, unknown)) => {
                why.push(format!("it names {} permissions", permissions.iter().count()));
                if !unknown.is_empty() {
                    why.push(format!(
                        "no permissions, so left out: {}",
                        list(unknown.iter().map(String::as_str))
                    ));
                }
            }
        }
        let permissions = named.map(|(permissions, _)| permissions).unwrap_or_default();
        let is_some = !permissions.is_empty();
        Some(Explained {
            what: format!("claim {name:?}"),
            place: "permissionsClaim".to_owned(),
            fit: if is_some { Fit::Matches } else { Fit::Not },
            why,
            grants: is_some.then(|| self.everywhere(permissions, "claim", name)).into_iter().collect(),
        })
    }

    fn explained_scopes(&self, claims: &Map<String, Value>) -> impl Iterator<Item = Explained> {
        let had = scopes_of(claims);
        self.scopes.iter().map(move |(scope, permissions)| {
            let has = had.contains(&Cow::Borrowed(scope.as_str()));
            let why = match (has, had.is_empty()) {
                (true, _) => "the token has this scope".to_owned(),
                (false, true) => "the token has no scope".to_owned(),
                (false, false) => {
                    format!("the token has the scopes {}", list(had.iter().map(|scope| &**scope)))
                }
            };
            Explained {
                what: format!("scope {scope:?}"),
                place: format!("scopes.{scope}"),
                fit: if has { Fit::Matches } else { Fit::Not },
                why: vec![why],
                grants: vec![self.everywhere(*permissions, "scope", scope)],
            }
        })
    }
}

fn reason(condition: &Condition, name: &str, seen: &Seen<'_>) -> String {
    let wanted = list(condition.values.iter().map(String::as_str));
    match (condition.first(seen), condition.fit(seen)) {
        (Some((value, pattern)), _) if value == pattern => format!("{name} has {}", quoted(value)),
        (Some((value, pattern)), _) => format!("{name} has {} (wanted {pattern:?})", quoted(value)),
        (None, Fit::Unclear) => {
            format!("{name} cannot be judged: no text and no list of texts is there (wanted {wanted})")
        }
        (None, _) if !seen.present => format!("{name}: wanted {wanted}; the token has no such claim"),
        (None, _) if seen.values().is_empty() => format!("{name}: wanted {wanted}; it is empty"),
        (None, _) => {
            format!("{name}: wanted {wanted}; there is {}", list(seen.values().iter().map(|value| &**value)))
        }
    }
}

fn quoted(value: &str) -> String {
    format!("{:?}", sanitise::short(value, LONGEST_VALUE))
}

fn list<'v>(values: impl Iterator<Item = &'v str>) -> String {
    let mut values: Vec<String> = values.map(quoted).collect();
    let more = values.len().saturating_sub(MOST_VALUES);
    values.truncate(MOST_VALUES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", values.join(", "))
}
