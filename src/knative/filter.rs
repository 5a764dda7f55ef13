//! [`Filter`]: which events a Trigger passes on, and whether it passes a given one.

mod contradiction;
mod parse;
mod words;

use std::collections::BTreeMap;

/// The CloudEvents attributes of an event by name; `None` for one whose value is not known, as is that of one which is
/// not among them.
pub type Attributes = BTreeMap<String, Option<String>>;

/// Attributes that every event has (CloudEvents 1.0, "REQUIRED attributes").
const REQUIRED: [&str; 4] = ["id", "source", "specversion", "type"];

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It cannot.
    No,
    /// It depends on an attribute that is not known, or on what is not evaluated.
    Unknown,
    /// It does.
    Yes,
}

impl Verdict {
    fn of(passes: bool) -> Self {
        if passes { Self::Yes } else { Self::No }
    }

    fn reversed(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

impl Filter {
    /// Whether an event with these attributes passes.
    pub fn verdict(&self, attributes: &Attributes) -> Verdict {
        match self {
            Self::Everything => Verdict::Yes,
            Self::Attributes(wanted) => each(wanted, |name, value| {
                legacy(attributes.get(name).and_then(Option::as_deref), name, value)
            }),
            Self::Exact(wanted) => compared(wanted, attributes, |value, wanted| value == wanted),
            Self::Prefix(wanted) => compared(wanted, attributes, |value, wanted| value.starts_with(wanted)),
            Self::Suffix(wanted) => compared(wanted, attributes, |value, wanted| value.ends_with(wanted)),
            Self::All(filters) => least(filters.iter().map(|filter| filter.verdict(attributes))),
            Self::Any(filters) => most(filters.iter().map(|filter| filter.verdict(attributes))),
            Self::Not(filter) => filter.verdict(attributes).reversed(),
            Self::Cesql(_) | Self::Unknown(_) => Verdict::Unknown,
        }
    }

    /// The attributes that every event which passes has, where one value alone passes.
    pub fn pins(&self) -> Attributes {
        match self {
            Self::Attributes(wanted) | Self::Exact(wanted) => {
                let told = wanted.iter().filter(|(_, value)| !value.is_empty());
                told.map(|(name, value)| (name.clone(), Some(value.clone()))).collect()
            }
            Self::All(filters) => filters.iter().flat_map(Self::pins).collect(),
            _ => Attributes::new(),
        }
    }

    /// Whether a part of it cannot be judged: CESQL, or a dialect that is not known here.
    pub fn is_evaluated(&self) -> bool {
        match self {
            Self::Cesql(_) | Self::Unknown(_) => false,
            Self::All(filters) | Self::Any(filters) => filters.iter().all(Self::is_evaluated),
            Self::Not(filter) => filter.is_evaluated(),
            _ => true,
        }
    }

    /// Why no event at all can pass; `None` where one can, or where that is not certain.
    pub fn contradiction(&self) -> Option<String> {
        contradiction::of(&[self])
    }

    /// Why no event can pass all of these, one after the other.
    pub fn contradiction_of(filters: &[&Self]) -> Option<String> {
        contradiction::of(filters)
    }
}

fn least(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    verdicts.min().unwrap_or(Verdict::Yes)
}

fn most(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    verdicts.max().unwrap_or(Verdict::No)
}

fn each(wanted: &BTreeMap<String, String>, verdict: impl Fn(&str, &str) -> Verdict) -> Verdict {
    least(wanted.iter().map(|(name, value)| verdict(name, value)))
}

fn compared(
    wanted: &BTreeMap<String, String>,
    attributes: &Attributes,
    passes: impl Fn(&str, &str) -> bool,
) -> Verdict {
    each(wanted, |name, wanted| match attributes.get(name).and_then(Option::as_deref) {
        Some(value) => Verdict::of(passes(value, wanted)),
        None => Verdict::Unknown,
    })
}

/// An empty wanted value is Knative's `TriggerAnyFilter`: any value passes, none does not.
fn legacy(value: Option<&str>, name: &str, wanted: &str) -> Verdict {
    match value {
        Some(value) if wanted.is_empty() => Verdict::of(!value.is_empty()),
        Some(value) => Verdict::of(value == wanted),
        None if wanted.is_empty() && REQUIRED.contains(&name) => Verdict::Yes,
        None => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests;
