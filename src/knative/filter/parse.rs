//! The filter in a Trigger's spec, as Knative's dispatcher takes it (eventing, `pkg/eventfilter/subscriptionsapi` and
//! `pkg/broker/filter`): what its webhook would refuse is not known here, and what it passes over is left out.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Filter;

/// Filters in filters.
const DEEPEST: usize = 16;

/// Filters of one Trigger, attributes included.
const MOST: usize = 500;

impl Filter {
    /// The filter in a Trigger's `spec`: `filters` where it has entries, else `filter`.
    pub fn of(spec: &Value) -> Self {
        let mut left = MOST;
        match spec.get("filters") {
            Some(Value::Array(entries)) if !entries.is_empty() => {
                joined(list(entries, DEEPEST, &mut left), Self::All)
            }
            None | Some(Value::Null | Value::Array(_)) => legacy(spec.get("filter"), &mut left),
            Some(_) => Self::Unknown("filters is not a list".to_owned()),
        }
    }
}

fn legacy(filter: Option<&Value>, left: &mut usize) -> Filter {
    match filter.and_then(|filter| filter.get("attributes")) {
        None | Some(Value::Null) => Filter::Everything,
        Some(Value::Object(attributes)) if attributes.is_empty() => Filter::Everything,
        Some(Value::Object(attributes)) => {
            words(attributes, left).map_or_else(|| odd("attributes"), Filter::Attributes)
        }
        Some(_) => odd("attributes"),
    }
}

/// Entries that say nothing are passed over, as the dispatcher does.
fn list(entries: &[Value], deeper: usize, left: &mut usize) -> Vec<Filter> {
    let mut filters = Vec::new();
    for entry in entries {
        if *left == 0 {
            filters.push(Filter::Unknown(format!("more than {MOST} filters")));
            break;
        }
        match one(entry, deeper, left) {
            Filter::Everything => {}
            filter => filters.push(filter),
        }
    }
    filters
}

fn joined(mut filters: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match filters.len() {
        0 => Filter::Everything,
        1 => filters.pop().unwrap_or_default(),
        _ => join(filters),
    }
}

fn one(entry: &Value, deeper: usize, left: &mut usize) -> Filter {
    *left = left.saturating_sub(1);
    let Value::Object(entry) = entry else { return odd("an entry of filters") };
    let mut dialects = entry.iter().filter(|(_, value)| !is_empty(value));
    let Some((dialect, value)) = dialects.next() else { return Filter::Everything };
    if let Some((other, _)) = dialects.next() {
        let (dialect, other) = (shown(dialect), shown(other));
        return Filter::Unknown(format!("{dialect} and {other} in one filter"));
    }
    let Some(deeper) = deeper.checked_sub(1) else {
        return Filter::Unknown(format!("filters nested deeper than {DEEPEST}"));
    };
    match (dialect.as_str(), value) {
        ("exact", Value::Object(wanted)) => matched(dialect, wanted, left, Filter::Exact),
        ("prefix", Value::Object(wanted)) => matched(dialect, wanted, left, Filter::Prefix),
        ("suffix", Value::Object(wanted)) => matched(dialect, wanted, left, Filter::Suffix),
        ("all", Value::Array(entries)) => joined(list(entries, deeper, left), Filter::All),
        ("any", Value::Array(entries)) => joined(list(entries, deeper, left), Filter::Any),
        ("not", value @ Value::Object(_)) => match one(value, deeper, left) {
            Filter::Everything => Filter::Unknown("not of nothing".to_owned()),
            filter => Filter::Not(Box::new(filter)),
        },
        ("cesql", Value::String(expression)) => Filter::Cesql(expression.clone()),
        ("exact" | "prefix" | "suffix" | "all" | "any" | "not" | "cesql", _) => odd(dialect),
        _ => Filter::Unknown(shown(dialect)),
    }
}

/// `omitempty`: the dispatcher does not see such a member.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(entries) => entries.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn matched(
    dialect: &str,
    wanted: &Map<String, Value>,
    left: &mut usize,
    filter: fn(BTreeMap<String, String>) -> Filter,
) -> Filter {
    if wanted.is_empty() {
        return Filter::Everything;
    }
    match words(wanted, left) {
        Some(wanted) if wanted.values().all(|value| !value.is_empty()) => filter(wanted),
        _ => odd(dialect),
    }
}

fn words(wanted: &Map<String, Value>, left: &mut usize) -> Option<BTreeMap<String, String>> {
    *left = left.checked_sub(wanted.len())?;
    wanted.iter().map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

fn odd(what: &str) -> Filter {
    Filter::Unknown(format!("{what} of another shape"))
}

fn shown(dialect: &str) -> String {
    crate::answer::sanitise::short(dialect, 40)
}
