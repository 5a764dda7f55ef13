//! [`Health`] and [`Stage`]: two things that Palette tells apart, and that readers confuse: a cluster can be
//! `Running` and anything but well.

use std::fmt;

use serde::{Serialize, Serializer};

/// Whether a cluster is well. Palette spells it `Healthy`, `UnHealthy`, `Unhealthy`, lower case too (reference 6.7).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It says so itself.
    Healthy,
    /// It does not.
    Unhealthy,
    /// Nothing is known, as before it is provisioned.
    #[default]
    Unknown,
    /// A word that nobody knows: not taken for well.
    Other(String),
}

impl Health {
    /// Of the word that Palette has for it.
    pub fn of(word: &str) -> Self {
        let word = word.trim();
        match word.to_ascii_lowercase().as_str() {
            "healthy" => Self::Healthy,
            "unhealthy" => Self::Unhealthy,
            "" | "unknown" => Self::Unknown,
            _ => Self::Other(word.to_owned()),
        }
    }

    /// The word.
    pub fn word(&self) -> &str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Unknown => "unknown",
            Self::Other(word) => word,
        }
    }

    /// Whether it is known to be not well.
    pub fn is_bad(&self) -> bool {
        matches!(self, Self::Unhealthy | Self::Other(_))
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for Health {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// How far a cluster is, by its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It failed.
    Failed,
    /// Not there yet.
    Provisioning,
    /// On its way out, or gone.
    Deleting,
    /// There.
    Running,
    /// A word that nobody knows.
    Unknown,
}

impl Stage {
    /// Of a cluster's state.
    pub fn of(state: &str) -> Self {
        match state.trim().to_ascii_lowercase().as_str() {
            "error" | "failed" => Self::Failed,
            "pending" | "provisioning" | "importing" => Self::Provisioning,
            "deleting" | "deleted" => Self::Deleting,
            "running" => Self::Running,
            _ => Self::Unknown,
        }
    }
}

/// A state as it is told: known ones in Palette's usual case.
pub(super) fn state(word: &str) -> String {
    let word = word.trim();
    let known =
        ["Pending", "Provisioning", "Importing", "Running", "Deleting", "Deleted", "Error", "Unknown"];
    let usual = known.into_iter().find(|known| known.eq_ignore_ascii_case(word));
    match (usual, word.is_empty()) {
        (Some(usual), _) => usual.to_owned(),
        (None, true) => "Unknown".to_owned(),
        (None, false) => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_read_in_any_case_and_an_unknown_word_is_not_well() {
        for word in ["Unhealthy", "UnHealthy", "unhealthy", " UNHEALTHY "] {
            assert_eq!(Health::of(word), Health::Unhealthy, "{word}");
        }
        assert_eq!(Health::of("healthy"), Health::Healthy);
        assert_eq!(Health::of(""), Health::Unknown);
        assert!(Health::of("Degraded").is_bad());
        assert!(!Health::of("Unknown").is_bad());
    }

    #[test]
    fn states_are_told_in_one_case() {
        assert_eq!(state("running"), "Running");
        assert_eq!(state(""), "Unknown");
        assert_eq!(state("Hibernating"), "Hibernating");
        assert_eq!(Stage::of("IMPORTING"), Stage::Provisioning);
    }
}
