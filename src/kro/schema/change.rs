//! [`Change`]: one thing in which a schema differs from the one before.

use schemars::JsonSchema;
use serde::Serialize;

/// What a change of a schema means to the instances there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// kro refuses it, unless the RGD has the annotation `kro.run/allow-breaking-changes: "true"`
    /// (kro v0.9.4 `pkg/graph/crd/compat`).
    Breaking,
    /// kro lets it through, though it takes less than before.
    Tightening,
    /// It takes all that was taken before.
    Compatible,
}

impl Effect {
    /// The word, as in the structured answer.
    pub fn word(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Tightening => "tightening",
            Self::Compatible => "compatible",
        }
    }
}

/// One change of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// Of the field: `spec.ports[].port`
    pub path: String,
    /// `added`, `removed`, `type`, `required`, `default`, `enum`, `pattern`, `minimum`, …
    pub what: String,
    /// Absent where there was nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Absent where there is nothing any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What it means to the instances there are.
    pub effect: Effect,
}

impl std::fmt::Display for Change {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}", self.path, self.what)?;
        match (&self.before, &self.after) {
            (None, None) => Ok(()),
            (None, Some(after)) => write!(out, ": {after}"),
            (Some(before), None) => write!(out, ": was {before}"),
            (Some(before), Some(after)) => write!(out, ": {before} → {after}"),
        }
    }
}
