//! A filter in words, for tables and pictures.

use std::{collections::BTreeMap, fmt};

use super::Filter;
use crate::answer::{
    redact::{is_secret_text, redacted},
    sanitise,
};

/// Characters of a value that are shown.
const VALUE: usize = 80;

/// Characters of an expression that are shown.
const EXPRESSION: usize = 160;

/// Filters of one `all` or `any` that are shown.
const LISTED: usize = 8;

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Attributes(wanted) => {
                let is_any = |value: &str| value.is_empty();
                pairs(f, wanted, |value| if is_any(value) { ("is there", false) } else { ("=", true) })
            }
            Self::Exact(wanted) => pairs(f, wanted, |_| ("=", true)),
            Self::Prefix(wanted) => pairs(f, wanted, |_| ("begins with", true)),
            Self::Suffix(wanted) => pairs(f, wanted, |_| ("ends with", true)),
            Self::All(filters) => list(f, filters, ", "),
            Self::Any(filters) if filters.is_empty() => f.write_str("nothing"),
            Self::Any(filters) => {
                f.write_str("any of (")?;
                list(f, filters, "; ")?;
                f.write_str(")")
            }
            Self::Not(filter) => write!(f, "not ({filter})"),
            Self::Cesql(expression) => {
                write!(f, "CESQL: {} (not evaluated)", sanitise::short(expression, EXPRESSION))
            }
            Self::Unknown(dialect) => {
                write!(f, "unknown filter: {} (not evaluated)", sanitise::short(dialect, VALUE))
            }
        }
    }
}

fn pairs(
    f: &mut fmt::Formatter<'_>,
    wanted: &BTreeMap<String, String>,
    word: impl Fn(&str) -> (&'static str, bool),
) -> fmt::Result {
    // the type is what a reader looks for
    let others = wanted.iter().filter(|(name, _)| *name != "type");
    for (index, (name_of, value)) in wanted.get_key_value("type").into_iter().chain(others).enumerate() {
        if index == LISTED {
            return write!(f, ", and {} more", wanted.len() - LISTED);
        }
        if index > 0 {
            f.write_str(", ")?;
        }
        let (name, (word, has_value)) = (sanitise::short(name_of, VALUE), word(value));
        write!(f, "{name} {word}")?;
        if has_value && is_secret_text(name_of) {
            write!(f, " {}", redacted(value.len()))?;
        } else if has_value {
            write!(f, " {}", sanitise::short(value, VALUE))?;
        }
    }
    Ok(())
}

fn list(f: &mut fmt::Formatter<'_>, filters: &[Filter], between: &str) -> fmt::Result {
    for (index, filter) in filters.iter().enumerate() {
        if index == LISTED {
            return write!(f, "{between}and {} more", filters.len() - LISTED);
        }
        if index > 0 {
            f.write_str(between)?;
        }
        write!(f, "{filter}")?;
    }
    Ok(())
}
