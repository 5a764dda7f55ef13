//! `whoami`: who the caller is for this server, what they may do, and where that comes from.

mod seen;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    answer::{Answer, Table},
    permission::{Grant, Permission, Within},
    toolbox::{Call, Reach, Tool},
};

use self::seen::{Seen, of_cluster};

/// The handler.
#[derive(Debug)]
pub struct Whoami;

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {}

/// The caller.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Identity {
    username: String,
    subject: String,
    /// Absent for the local user.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
    /// When the token ends; nothing is done for the caller after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// own or impersonate: whom clusters see, where nothing else is configured for one.
    identity: &'static str,
    /// As whom, where they see the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_user: Option<String>,
    /// The same in full, where it is not that simple; the first entry whose clusters match counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clusters_see: Vec<Seen>,
    /// What gives and takes permissions, and what narrows it.
    rules: Vec<Rule>,
    /// Tools that exist for this caller.
    tools: Vec<String>,
}

/// One rule that gave or took permissions.
#[derive(Debug, Serialize, JsonSchema)]
struct Rule {
    rule: String,
    /// allow or deny
    effect: &'static str,
    permissions: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<Within>,
}

impl Tool for Whoami {
    type Input = Input;
    type Output = Identity;

    fn reach(_input: &Input) -> Reach {
        Reach::Nowhere
    }

    async fn run(call: Call, _input: Input) -> Result<Answer<Identity>, Error> {
        let caller = call.caller();
        let set = caller.permissions();
        let seen = Seen::all(caller);
        let identity = Identity {
            username: caller.username().to_owned(),
            subject: caller.subject().to_owned(),
            issuer: caller.issuer().map(str::to_owned),
            groups: caller.groups().to_vec(),
            expires_at: caller.token().map(|token| token.expires.to_string()),
            identity: caller.identity().name(),
            cluster_user: seen.iter().find_map(of_cluster),
            clusters_see: if seen.iter().all(Seen::is_simple) { Vec::new() } else { seen.clone() },
            rules: set.grants().iter().map(rule).collect(),
            tools: call.toolbox().list(caller).map(|entry| entry.contract.name.clone()).collect(),
        };
        let by = caller.issuer().map_or("the local user; no token was asked for".to_owned(), |issuer| {
            format!("a verified caller of {issuer}")
        });
        let summary = format!(
            "You are {} ({by}), with {} permissions and {} tools.",
            identity.username,
            set.somewhere().iter().count(),
            identity.tools.len()
        );
        Ok(Answer::new(summary, text(&identity, &seen), identity))
    }
}

fn rule(grant: &Grant) -> Rule {
    Rule {
        rule: grant.rule.clone(),
        effect: if grant.deny { "deny" } else { "allow" },
        permissions: grant.permissions.iter().map(Permission::name).collect(),
        within: (!grant.within.is_everywhere()).then(|| Within::clone(&grant.within)),
    }
}

fn text(identity: &Identity, seen: &[Seen]) -> String {
    let mut table = Table::new(&["effect", "rule", "within", "permissions"]);
    for rule in &identity.rules {
        let within = rule.within.clone().unwrap_or_default().to_string();
        table.row([rule.effect, &rule.rule, &within, &rule.permissions.join(" ")]);
    }
    let line = |name: &str, value: Option<String>| {
        value.filter(|value| !value.is_empty()).map(|value| format!("{name}: {value}\n")).unwrap_or_default()
    };
    [
        line("groups", Some(identity.groups.join(" "))),
        line("token ends", identity.expires_at.clone()),
        seen::text(seen),
        line("tools", Some(identity.tools.join(" "))),
        table.into_text(),
    ]
    .concat()
}
