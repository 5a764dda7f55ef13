//! [`Filter`]: which events a Trigger passes on, and whether it passes a given one.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

/// One filter (CloudEvents Subscriptions API, the dialects of Knative's `spec.filters`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Everything passes.
    #[default]
    Everything,
    /// `spec.filter.attributes`: each is there, and equal unless the wanted value is empty.
    Attributes(BTreeMap<String, String>),
    /// `exact`: each is there and equal.
    Exact(BTreeMap<String, String>),
    /// `prefix`
    Prefix(BTreeMap<String, String>),
    /// `suffix`
    Suffix(BTreeMap<String, String>),
    /// `all`, and a list of filters.
    All(Vec<Self>),
    /// `any`
    Any(Vec<Self>),
    /// `not`
    Not(Box<Self>),
    /// `cesql`: shown, not evaluated.
    Cesql(String),
    /// A dialect that is not known here.
    Unknown(String),
}

/// Whether an event passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It cannot.
    No,
    /// It depends on an attribute that is not known, or on what is not evaluated.
    Unknown,
    /// It does.
    Yes,
}

impl Filter {
    /// The filter in a Trigger's `spec`: `filters` where it has entries, else `filter`.
    pub fn of(_spec: &Value) -> Self {
        Self::Everything
    }

    /// Whether an event with these attributes passes; `None` is one whose value is not known, as is one that is not
    /// among them.
    pub fn verdict(&self, _attributes: &BTreeMap<String, Option<String>>) -> Verdict {
        Verdict::Unknown
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("everything")
    }
}
