//! [`Filter`]: which events a Trigger passes on, and whether it passes a given one.

use std::collections::BTreeMap;

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
