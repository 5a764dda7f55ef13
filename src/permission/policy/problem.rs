//! [`PolicyProblem`]: what is wrong with an issuer's rules, and where.

/// A mistake in what an issuer's callers get, with its place below the issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {wrong}")]
pub struct PolicyProblem {
    /// As `rules[2].when.groups`.
    pub place: String,
    wrong: String,
}

impl PolicyProblem {
    pub(super) fn new(place: impl Into<String>, wrong: impl std::fmt::Display) -> Self {
        Self { place: place.into(), wrong: wrong.to_string() }
    }

    /// In that rule.
    pub(super) fn in_rule(self, at: usize) -> Self {
        let dot = if self.place.is_empty() { "" } else { "." };
        Self { place: format!("rules[{at}]{dot}{}", self.place), ..self }
    }
}
