//! A token of Backstage: it is explained by asking there, as a call with it would; and claims of its users.

use serde_json::{Map, Value};

use super::{
    super::super::Failure,
    findings::{self, Findings, Held, Part, Rule, Who},
    source::Source,
};
use crate::{
    caller::{
        Caller, Callers, Refusal,
        backstage::{Backstage, Decides, HeldAgainst, POLICY},
    },
    config::Built,
    permission::Permissions,
};

pub(super) async fn findings(token: &str, asked: &Backstage, built: &Built) -> Result<Findings, Failure> {
    let caller = built.callers.token(token).await.map_err(|refusal| {
        let next = match &refusal {
            Refusal::Issuer => format!("; its iss must be {}: see backstage.issuer", asked.backend().issuer),
            Refusal::Audience => format!(
                "; a user's is for \"backstage\", a plugin's for {:?}: see backstage.pluginId",
                asked.plugin().id()
            ),
            Refusal::Plugin => format!(" ({})", asked.settings().plugins.join(", ")),
            _ => String::new(),
        };
        Failure::failed(format!("it would be refused: {refusal}{next}"))
    })?;
    let mut findings = Findings::of_caller(&caller, built);
    let held = asked.held_against(token, &caller).await;
    let held = held.map_err(|why| Failure::failed(format!("Backstage does not say who that is: {why}")))?;
    let delegated = asked.settings().decides == Decides::Delegated;
    if !(delegated && held.key == RULES) {
        findings.rules = rules(&held).chain(taken(&caller)).collect();
        findings.without_rules = without(&held);
    }
    Ok(findings)
}

/// Where rules for users are written.
const RULES: &str = "backstage.rules";

/// Each rule, whether it is about the caller, and why.
fn rules(held: &HeldAgainst<'_>) -> impl Iterator<Item = Rule> {
    let placed = |rule: Rule| {
        let place = rule.place.replacen("rules", held.key, 1);
        // one without a name is called as its place is
        let name = if rule.rule == rule.place { place.clone() } else { rule.rule };
        Rule { rule: name, place, ..rule }
    };
    held.policy.explain(&held.claims).into_iter().map(move |explained| placed(findings::rule(explained)))
}

fn without(held: &HeldAgainst<'_>) -> String {
    let whom = if held.key == RULES { "user of Backstage" } else { "plugin that asks for nobody" };
    format!("{}: none, so no {whom} may do anything", held.key)
}

/// What Backstage's policy takes of what our rules give, where both must allow it.
fn taken(caller: &Caller) -> Option<Rule> {
    let grants = caller.permissions().grants();
    let denied = grants.iter().find(|grant| grant.deny && grant.rule == POLICY)?;
    let given = grants.iter().filter(|grant| !grant.deny).map(|grant| grant.permissions);
    let given = given.reduce(Permissions::union).unwrap_or_default();
    let (taken, kept): (Vec<_>, Vec<_>) =
        given.iter().partition(|permission| denied.permissions.contains(*permission));
    let why = format!(
        "it must allow what the rules give, too; of {} permissions that they give it allows {}",
        taken.len() + kept.len(),
        kept.len()
    );
    let permissions: Vec<&'static str> = taken.iter().map(|permission| permission.name()).collect();
    let takes = (!permissions.is_empty())
        .then(|| Part { by: Vec::new(), held: Held { within: denied.within.to_string(), permissions } });
    Some(Rule {
        rule: POLICY.to_owned(),
        place: POLICY.to_owned(),
        matches: "yes",
        why: vec![why],
        gives: None,
        takes,
    })
}

/// Backstage, where these claims are of one of its users: they say so, or nobody else issues tokens.
pub(super) fn meant<'c>(claims: &Map<String, Value>, callers: &'c Callers) -> Option<&'c Backstage> {
    callers.backstage().filter(|asked| match claims.get("iss") {
        Some(issuer) => issuer == &asked.backend().issuer,
        None => callers.issuers().settings().next().is_none(),
    })
}

/// What a user with these claims could do by our rules.
pub(super) fn of_claims(
    claims: Map<String, Value>,
    asked: &Backstage,
    built: &Built,
) -> Result<Findings, Failure> {
    let settings = asked.settings();
    if settings.decides == Decides::Delegated {
        return Err(Failure::usage(
            "--claims: it is for tokens of `issuers`, and for users of Backstage where backstage.permissions is rules \
             or both; here Backstage's permission policy decides what they may do: use --as with a token of theirs",
        ));
    }
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let groups = claims.get("groups").and_then(Value::as_array).into_iter().flatten();
    let groups = groups.filter_map(Value::as_str).map(str::to_owned).collect();
    let who = text("sub").map(|subject| Who {
        username: subject.clone(),
        subject,
        groups,
        cluster_user: String::new(),
        cluster_groups: Vec::new(),
    });
    let held = HeldAgainst { policy: &settings.rules, key: RULES, claims };
    let both = (settings.decides == Decides::Both).then(|| Rule {
        rule: POLICY.to_owned(),
        place: POLICY.to_owned(),
        matches: "unclear",
        why: vec![
            "it must allow what the rules give, too, and is asked for a token alone: use --as".to_owned(),
        ],
        gives: None,
        takes: None,
    });
    let (rules, without_rules) = (rules(&held).chain(both).collect(), without(&held));
    let source = Source {
        refusal: None,
        token: None,
        issuer: asked.backend().issuer.clone(),
        claims: held.claims,
        identity: None,
    };
    let findings = Findings::by(&settings.rules, source, built);
    Ok(Findings { caller: who, rules, without_rules, ..findings })
}
