//! [`Finding`]: one thing that is wrong with a cluster, or worth knowing, and what to do next.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::palette::said::said;

/// Characters of what a finding says.
const LONGEST: usize = 400;
/// Characters of what it is about.
const LONGEST_ABOUT: usize = 120;

/// How grave it is; the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It failed.
    Critical,
    /// It may fail, or nobody knows.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// `state`, `heartbeat`, `condition X`, `pack X`, …
    pub about: String,
    /// What is wrong.
    pub message: String,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What to call or do next.
    pub next: String,
}

impl Finding {
    pub(super) fn new(severity: Severity, about: &str, message: &str, next: impl Into<String>) -> Self {
        Self {
            severity,
            about: said(about, LONGEST_ABOUT),
            message: said(message, LONGEST),
            since: None,
            next: next.into(),
        }
    }

    pub(super) fn since(self, since: Option<Timestamp>) -> Self {
        let second = |moment: Timestamp| Timestamp::from_second(moment.as_second()).unwrap_or(moment);
        Self { since: since.map(|moment| second(moment).to_string()), ..self }
    }
}

/// How calls name the cluster that is judged.
#[derive(Clone, Debug, Default)]
pub struct Next {
    /// Its uid, which is never ambiguous.
    pub uid: String,
    /// The cluster of the registry that it is, where that is known.
    pub kubernetes: Option<String>,
}

impl Next {
    /// A call of a tool about this cluster, with what else it takes.
    pub(super) fn call(&self, tool: &str, more: &str) -> String {
        let space = if more.is_empty() { "" } else { " " };
        format!("{tool} cluster={}{space}{more}", self.uid)
    }

    /// What says more about a failure: the cluster's own events where it can be reached, else Palette's.
    pub(super) fn events(&self) -> String {
        let palette = self.call("palette_cluster_events", "");
        match &self.kubernetes {
            Some(cluster) => format!("kubernetes_events cluster={cluster} type=Warning; {palette}"),
            None => palette,
        }
    }
}
