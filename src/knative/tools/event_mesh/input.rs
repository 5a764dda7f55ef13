//! The arguments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, knative::mesh::Direction};

/// The arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Cluster name.
    pub(super) cluster: Option<String>,
    pub(super) namespace: Option<String>,
    /// CloudEvents type.
    pub(super) event_type: Option<String>,
    /// Name or namespace/name; also of a channel.
    pub(super) broker: Option<String>,
    /// Name, Kind/name, namespace/name, URI or Backstage id.
    pub(super) consumer: Option<String>,
    pub(super) direction: Option<Way>,
    pub(super) format: Option<Format>,
    /// Rows at most.
    #[schemars(range(min = 1, max = 1000))]
    #[serde(rename = "limit")]
    _limit: Option<u32>,
    /// next_cursor of the page before.
    pub(super) cursor: Option<String>,
}

// No comments on the variants: each would be a line in every tool list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum Way {
    Producers,
    Consumers,
    Path,
}

impl Way {
    /// The ways that are followed, against the events first.
    pub(super) fn directions(self) -> &'static [Direction] {
        match self {
            Self::Producers => &[Direction::Producers],
            Self::Consumers => &[Direction::Consumers],
            Self::Path => &[Direction::Producers, Direction::Consumers],
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum Format {
    #[default]
    Tables,
    Mermaid,
    Dot,
}

impl Input {
    /// That what is asked can be asked.
    ///
    /// # Errors
    /// An argument that says nothing, or a direction from nowhere.
    pub(super) fn check(&self) -> Result<(), Error> {
        let named = [
            ("namespace", &self.namespace),
            ("event_type", &self.event_type),
            ("broker", &self.broker),
            ("consumer", &self.consumer),
        ];
        if let Some((name, _)) =
            named.iter().find(|(_, value)| value.as_ref().is_some_and(|value| value.trim().is_empty()))
        {
            let what = format!("the argument {name:?} is empty");
            return Err(Error::invalid_input(what).next("leave it out to see all"));
        }
        let anchored = [&self.event_type, &self.broker, &self.consumer].into_iter().any(Option::is_some);
        if self.direction.is_some() && !anchored {
            let what = "the argument \"direction\" needs one to follow events from or to: event_type, broker or \
                        consumer";
            return Err(Error::invalid_input(what).next("knative_event_mesh without direction lists them"));
        }
        if self.cursor.is_some() && self.format.is_some_and(|format| format != Format::Tables) {
            return Err(Error::invalid_input("the argument \"cursor\" goes with format tables alone"));
        }
        Ok(())
    }
}
