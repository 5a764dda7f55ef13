//! [`Share`]: how much of a limit is used, as numbers.

use schemars::JsonSchema;
use serde::Serialize;

/// In the unit that the field is named after.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct Share {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) used: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<f64>,
    /// Used of the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) percent: Option<u64>,
}

impl Share {
    /// Nothing of what nobody knows; with two decimals.
    pub(super) fn new(used: Option<f64>, limit: Option<f64>) -> Option<Self> {
        let percent = used.zip(limit).filter(|(_, limit)| *limit > 0.0);
        let percent = percent.map(|(used, limit)| (used / limit * 100.0).round() as u64);
        let rounded = |number: f64| (number * 100.0).round() / 100.0;
        let share = Self { used: used.map(rounded), limit: limit.map(rounded), percent };
        (used.is_some() || limit.is_some()).then_some(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_percent_only_of_a_limit() {
        let of = |used, limit| Share::new(used, limit).map(|share| serde_json::json!(share).to_string());
        assert_eq!(of(Some(1.2345), Some(4.0)).as_deref(), Some(r#"{"used":1.23,"limit":4.0,"percent":31}"#));
        assert_eq!(of(Some(1.0), Some(0.0)).as_deref(), Some(r#"{"used":1.0,"limit":0.0}"#));
        assert_eq!(of(None, None), None);
    }
}
