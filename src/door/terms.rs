//! [`Terms`]: on which terms callers are served over HTTP.

use std::num::NonZeroU32;

use super::Most;

/// On which terms callers are served over HTTP. Replaced with the rest of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The URL of the MCP endpoint as clients know it; otherwise the one that a loopback client used.
    pub url: Option<String>,
    /// OAuth scopes that clients are told to ask for.
    pub scopes: Vec<String>,
    /// Whether a caller whose token falls short is told the scopes that would do.
    pub step_up: bool,
    /// Whether kubeconfigs with credentials in them may be answered to who asks for their content.
    pub kubeconfigs: bool,
    /// How often one caller may ask.
    pub rate: Rate,
    /// Requests of one caller at a time.
    pub concurrent: u32,
    /// Subscriptions at a time.
    pub subscriptions: Most,
}

/// A rate that gathers up while it is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second in the long run.
    pub per_second: NonZeroU32,
    /// Requests at once after a rest.
    pub burst: NonZeroU32,
}

impl Default for Terms {
    fn default() -> Self {
        let per_second = NonZeroU32::MIN.saturating_add(49);
        let burst = NonZeroU32::MIN.saturating_add(199);
        Self {
            url: None,
            scopes: Vec::new(),
            step_up: false,
            kubeconfigs: false,
            rate: Rate { per_second, burst },
            concurrent: 32,
            subscriptions: Most { all: 1_000, each: 16 },
        }
    }
}
