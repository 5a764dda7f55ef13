//! [`Findings`] for people: a line each, the verdict first.

use super::{
    super::{super::Failure, report::Report},
    findings::{Findings, Held, Hidden, Part, Rule, Who},
};

/// Permissions of one rule that are named; all are named together below.
const MOST_PERMISSIONS: usize = 6;

/// Groups that are named.
const MOST_GROUPS: usize = 20;

pub(super) fn tell(findings: &Findings) -> Result<(), Failure> {
    verdict(findings)?;
    note(&format!("issuer: {}", findings.issuer))?;
    match &findings.caller {
        Some(who) => caller(who)?,
        None => note("caller: the claims do not say who it is")?,
    }
    if findings.rules.is_empty() {
        note(&findings.without_rules)?;
    }
    findings.rules.iter().try_for_each(rule)?;
    if findings.permissions.is_empty() {
        note("permissions: none")?;
    }
    for Held { within, permissions } in &findings.permissions {
        note(&format!("permissions {within}: {}", permissions.join(" ")))?;
    }
    note(&format!("tools: {}", findings.tools.join(" ")))?;
    findings.hidden_tools.iter().try_for_each(hidden)
}

fn note(what: &str) -> Result<(), Failure> {
    Report::note("", what)
}

fn verdict(findings: &Findings) -> Result<(), Failure> {
    let mut report = Report::default();
    match (&findings.refused, &findings.token) {
        (Some(why), _) => report.fail(
            &format!("it would be refused: {why}"),
            "the rest is what its claims would give if they were taken",
        ),
        (None, Some(hash)) => {
            let ends = findings.expires_at.as_deref().unwrap_or_default();
            report.ok(&format!("the token is good until {ends}; logs call it {hash}"))
        }
        (None, None) => report.ok("the claims are taken as they are written; no token was verified"),
    }
}

fn caller(who: &Who) -> Result<(), Failure> {
    let subject = if who.subject == who.username { String::new() } else { format!(" (sub {})", who.subject) };
    note(&format!("caller: {}{subject}, {}", who.username, groups(&who.groups)))?;
    if who.cluster_user.is_empty() {
        return Ok(());
    }
    note(&format!(
        "clusters see over HTTP, where nothing else is configured: {}, {}",
        who.cluster_user,
        groups(&who.cluster_groups)
    ))
}

fn groups(groups: &[String]) -> String {
    if groups.is_empty() {
        return "in no group".to_owned();
    }
    let more = groups.len().saturating_sub(MOST_GROUPS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let shown: Vec<&str> = groups.iter().take(MOST_GROUPS).map(String::as_str).collect();
    format!("in {}{more}", shown.join(", "))
}

fn rule(rule: &Rule) -> Result<(), Failure> {
    let place = if rule.rule == rule.place { String::new() } else { format!(" ({})", rule.place) };
    let matches = if rule.matches == "unclear" { "?" } else { rule.matches };
    Report::note(matches, &format!("{}{place}: {}", rule.rule, rule.why.join("; ")))?;
    let would = if rule.matches == "no" { "would " } else { "" };
    for (verb, part) in [("give", &rule.gives), ("take", &rule.takes)] {
        let Some(Part { by, held }) = part else { continue };
        let verb = if would.is_empty() { format!("{verb}s") } else { format!("{would}{verb}") };
        let place = if held.within == "everywhere" { String::new() } else { "within ".to_owned() };
        let by = if by.is_empty() { String::new() } else { format!(" ({})", by.join(", ")) };
        let what = match held.permissions.as_slice() {
            few if few.len() <= MOST_PERMISSIONS => few.join(" "),
            // taken by no rule of ours: nobody could look it up
            all if verb == "takes" && by.is_empty() => all.join(" "),
            many => format!("{} permissions", many.len()),
        };
        note(&format!("  {verb} {place}{}: {what}{by}", held.within))?;
    }
    Ok(())
}

fn hidden(hidden: &Hidden) -> Result<(), Failure> {
    let why = match (&hidden.taken_by, hidden.scopes.as_slice()) {
        (Some(rule), _) => format!(", which is taken by {rule}"),
        (None, []) => String::new(),
        (None, scopes) => format!("; the scope {} would give it", scopes.join(" or ")),
    };
    note(&format!("no tool {}: it needs {}{why}", hidden.tool, hidden.needs))
}
