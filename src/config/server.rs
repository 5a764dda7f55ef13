//! The smaller rooms of the configuration: what the server offers, how much, and what it tells.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::problem::{Wrong, meant};
use crate::toolbox;

/// The longest a call may be allowed to take: clients and proxies give up earlier anyway.
const LONGEST_CALL: u32 = 600;
/// As good as no limit.
const MOST_A_SECOND: u32 = 1_000_000;
const MOST_AT_A_TIME: u32 = 10_000;
const MOST_CONNECTIONS: u32 = 100_000;
/// Seconds.
const LONGEST_IDLE: u32 = 3_600;

/// Which tools are offered.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Tools {
    /// Toolsets that are switched off.
    pub without: Vec<String>,
    /// Whether every tool that changes something is left out.
    pub read_only: bool,
}

impl Tools {
    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        if self.without.is_empty() {
            return Ok(());
        }
        let entries = toolbox::list::all().map_err(|problem| Wrong::new(problem.to_string()))?;
        let mut known: Vec<&str> = entries.iter().map(|entry| entry.contract.toolset.as_str()).collect();
        known.sort_unstable();
        known.dedup();
        match self.without.iter().position(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(index) => {
                let name = self.without.get(index).map(String::as_str).unwrap_or_default();
                let wrong = format!("there is no toolset {name:?}{}", meant(name, &known, "toolsets"));
                Err(Wrong::new(wrong).in_item(index).below("without"))
            }
        }
    }

    pub(super) fn offer(&self) -> toolbox::Offer {
        toolbox::Offer { without: self.without.clone(), read_only: self.read_only }
    }
}

/// What one call and one caller may take.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Limits {
    /// Seconds until a call is given up; otherwise 20.
    #[schemars(range(min = 1, max = LONGEST_CALL))]
    pub call_seconds: Option<u64>,
    /// HTTP requests a second of one caller in the long run; otherwise 50. More are answered 429. Lists that
    /// Backstage asks for before each call are counted apart, and may be four times as many.
    #[schemars(range(min = 1, max = MOST_A_SECOND))]
    pub requests_per_second: Option<u32>,
    /// HTTP requests of one caller at once, after a rest; otherwise 200.
    #[schemars(range(min = 1, max = MOST_A_SECOND))]
    pub burst: Option<u32>,
    /// HTTP requests of one caller that may run at a time; otherwise 32. More are answered 429.
    #[schemars(range(min = 1, max = MOST_AT_A_TIME))]
    pub concurrent_calls: Option<u32>,
    /// HTTP connections at a time, of everybody together; otherwise 1024. One address (of IPv6, a network
    /// of 64 bits) holds at most an eighth of them, or 16 if that is more; loopback and
    /// `http.trustedProxies` have no share. Where there is no place left, the oldest connection without an
    /// authenticated request is closed for a new one; where there is none such, the new one is.
    #[schemars(range(min = 1, max = MOST_CONNECTIONS))]
    pub connections: Option<u32>,
    /// Seconds after which an HTTP connection without a request is closed; otherwise 75. At most 10 until a
    /// request on it was authenticated.
    #[schemars(range(min = 1, max = LONGEST_IDLE))]
    pub idle_seconds: Option<u32>,
    /// Subscriptions to changes at a time, of everybody together; otherwise 1000. Each resource is one.
    #[schemars(range(min = 1, max = MOST_CONNECTIONS))]
    pub subscriptions: Option<u32>,
    /// Subscriptions of one caller at a time; otherwise 16.
    #[schemars(range(min = 1, max = MOST_CONNECTIONS))]
    pub subscriptions_per_caller: Option<u32>,
}

impl Limits {
    pub(super) fn coherent(&self) -> Result<(), Wrong> {
        let seconds = self.call_seconds.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
        for (key, number, most) in [
            ("callSeconds", seconds, LONGEST_CALL),
            ("requestsPerSecond", self.requests_per_second, MOST_A_SECOND),
            ("burst", self.burst, MOST_A_SECOND),
            ("concurrentCalls", self.concurrent_calls, MOST_AT_A_TIME),
            ("connections", self.connections, MOST_CONNECTIONS),
            ("idleSeconds", self.idle_seconds, LONGEST_IDLE),
            ("subscriptions", self.subscriptions, MOST_CONNECTIONS),
            ("subscriptionsPerCaller", self.subscriptions_per_caller, MOST_CONNECTIONS),
        ] {
            if number.is_some_and(|number| !(1..=most).contains(&number)) {
                return Err(Wrong::new(format!("must be from 1 to {most}")).below(key));
            }
        }
        Ok(())
    }

    pub(super) fn limits(&self) -> toolbox::Limits {
        let default = toolbox::Limits::default();
        let call_time = self.call_seconds.map_or(default.call_time, Duration::from_secs);
        toolbox::Limits { call_time }
    }
}

/// Where the audit log goes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct AuditLog {
    /// `stderr`, `off`, or the file that lines are appended to. Otherwise servers write to standard
    /// error and one-shot commands write none.
    #[schemars(with = "Option<String>")]
    pub to: Option<AuditTo>,
}

/// A place for audit lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditTo {
    /// Standard error.
    Stderr,
    /// Nowhere.
    Off,
    /// Appended to this file.
    File(PathBuf),
}

impl<'de> Deserialize<'de> for AuditTo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Place;

        impl serde::de::Visitor<'_> for Place {
            type Value = AuditTo;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("stderr, off or a path")
            }

            /// In YAML `off` is false, unless it is quoted.
            fn visit_bool<E: serde::de::Error>(self, on: bool) -> Result<AuditTo, E> {
                if on {
                    Err(E::invalid_type(serde::de::Unexpected::Bool(on), &self))
                } else {
                    Ok(AuditTo::Off)
                }
            }

            fn visit_str<E: serde::de::Error>(self, to: &str) -> Result<AuditTo, E> {
                Ok(match to {
                    "stderr" => AuditTo::Stderr,
                    "off" => AuditTo::Off,
                    path => AuditTo::File(PathBuf::from(path)),
                })
            }
        }

        deserializer.deserialize_any(Place)
    }
}

/// Prometheus metrics.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Metrics {
    /// Address and port of `/metrics`; otherwise there are none.
    #[schemars(with = "Option<String>")]
    pub address: Option<SocketAddr>,
}

impl Metrics {
    /// What to warn of: metrics have no gate, and name tools, clusters and how much they are used.
    pub fn exposed(&self) -> Option<String> {
        let address = self.address.filter(|address| !address.ip().is_loopback())?;
        Some(format!("metrics.address {address} is not a loopback address: whoever reaches it reads them"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_log_is_switched_off_with_or_without_quotes() {
        let to = |json: serde_json::Value| serde_json::from_value::<AuditTo>(json).map_err(|e| e.to_string());
        assert_eq!(to(false.into()), Ok(AuditTo::Off), "as YAML reads `off`");
        assert_eq!(to("off".into()), Ok(AuditTo::Off));
        assert_eq!(to("off.log".into()), Ok(AuditTo::File("off.log".into())));
        assert!(to(true.into()).is_err_and(|wrong| wrong.contains("stderr, off or a path")));
    }

    #[test]
    fn the_audit_log_is_off_with_quotes_and_without() {
        let to = |text: &str| {
            let variable = |_: &str| None;
            super::super::file::parse::<AuditLog>(text, &variable).map(|log| log.to)
        };
        for text in ["to: off", "to: 'off'", "to: false"] {
            assert_eq!(to(text), Ok(Some(AuditTo::Off)), "{text}");
        }
        assert_eq!(to("to: a/b.log"), Ok(Some(AuditTo::File("a/b.log".into()))));
        assert!(to("to: on").is_err_and(|wrong| wrong.to_string().contains("stderr, off or a path")));
    }

    #[test]
    fn metrics_beyond_loopback_are_warned_of() {
        let exposed = |address: &str| Metrics { address: address.parse().ok() }.exposed();
        assert!(exposed("0.0.0.0:9090").is_some_and(|words| words.contains("0.0.0.0:9090")));
        assert_eq!((exposed("127.0.0.1:9090"), exposed("[::1]:9090"), exposed("")), (None, None, None));
    }
}
