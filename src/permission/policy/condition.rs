//! What a rule asks of one claim, and whether a token has it.

use super::super::claims::Seen;

/// Whether a rule is about a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// All of its claims match.
    Matches,
    /// All match but for claims that cannot be judged: it takes what it takes, and gives nothing.
    Unclear,
    /// A claim does not match.
    Not,
}

/// One claim, and the values of which one must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// Which of the policy's claims.
    pub(super) claim: usize,
    pub(super) values: Vec<String>,
}

impl Condition {
    /// The first value of the token that is wanted, with the pattern that wants it.
    pub(super) fn first<'s>(&'s self, seen: &'s Seen<'_>) -> Option<(&'s str, &'s str)> {
        self.values.iter().find_map(|pattern| seen.first(pattern).map(|value| (value, pattern.as_str())))
    }

    pub(super) fn fit(&self, seen: &Seen<'_>) -> Fit {
        match self.first(seen) {
            Some(_) => Fit::Matches,
            None if seen.odd => Fit::Unclear,
            None => Fit::Not,
        }
    }
}

/// Whether all of a rule's conditions hold. `seen` is of the policy's claims, in their order.
pub(super) fn fit(when: &[Condition], seen: &[Seen<'_>]) -> Fit {
    let mut all = Fit::Matches;
    for condition in when {
        match seen.get(condition.claim).map_or(Fit::Not, |seen| condition.fit(seen)) {
            Fit::Matches => {}
            Fit::Unclear => all = Fit::Unclear,
            Fit::Not => return Fit::Not,
        }
    }
    all
}

/// ` (groups: team-*)`: the values, as the operator wrote them, that made a rule fit. Not those of the
/// token, so that callers whom the same rules fit have the same set.
pub(super) fn reason(when: &[Condition], claims: &[String], seen: &[Seen<'_>]) -> String {
    let parts: Vec<String> = when
        .iter()
        .filter_map(|condition| {
            let (name, seen) = (claims.get(condition.claim)?, seen.get(condition.claim)?);
            let pattern = condition.first(seen).map_or("cannot be judged", |(_, pattern)| pattern);
            Some(format!("{name}: {pattern}"))
        })
        .collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}
