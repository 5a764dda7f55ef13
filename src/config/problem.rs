//! [`Problem`]: what is wrong with a configuration file, and where.

use std::{
    io,
    path::{Path, PathBuf},
};

/// A mistake in a configuration file. Never quotes a value that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {wrong}", file.display())]
pub struct Problem {
    file: PathBuf,
    wrong: String,
}

impl Problem {
    pub(super) fn at(file: &Path, wrong: impl std::fmt::Display) -> Self {
        Self { file: file.to_path_buf(), wrong: wrong.to_string() }
    }

    pub(super) fn unreadable(file: &Path, error: &io::Error) -> Self {
        Self::at(file, format_args!("cannot be read: {error}"))
    }
}

/// A mistake on its way up from where it was met: each level adds its key in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    line: Option<u64>,
    /// From the innermost outwards.
    path: Vec<String>,
    message: String,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { line: None, path: Vec::new(), message: message.into() }
    }

    /// On that line, unless a more exact one is known.
    pub(super) fn on_line(mut self, line: u64) -> Self {
        self.line.get_or_insert(line);
        self
    }

    /// Below that key.
    pub(super) fn below(mut self, key: impl Into<String>) -> Self {
        self.path.push(key.into());
        self
    }

    /// In the item of a list.
    pub(super) fn in_item(self, index: usize) -> Self {
        self.below(format!("[{index}]"))
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        for (index, key) in self.path.iter().rev().enumerate() {
            let dot = if index > 0 && !key.starts_with('[') { "." } else { "" };
            write!(f, "{dot}{key}")?;
        }
        if !self.path.is_empty() {
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Wrong {}

/// What to say after something misspelt: what was meant, or all that is known.
pub(super) fn meant(written: &str, known: &[&str], what: &str) -> String {
    match crate::nearest::name(written, known.iter().copied()) {
        Some(near) => format!("; did you mean {near:?}?"),
        None => format!("; known {what}: {}", known.join(", ")),
    }
}

impl serde::de::Error for Wrong {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    /// Says the kind of what is there and never the value, which may be a secret in the wrong place.
    fn invalid_type(unexpected: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::new(format!("must be {}, and is {}", wanted(&expected.to_string()), kind(unexpected)))
    }

    fn invalid_value(unexpected: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("there is no such key{}", meant(field, expected, "keys")))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("{variant:?} is not one of its values{}", meant(variant, expected, "values")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("the key {field:?} is missing"))
    }
}

/// What serde calls a type, in words for people.
fn wanted(expected: &str) -> String {
    match expected {
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "socket address" => "an address and a port, as 127.0.0.1:9090".to_owned(),
        "path string" => "a path".to_owned(),
        "f64" => "a number".to_owned(),
        unsigned if unsigned.starts_with('u') && unsigned.len() <= 4 => {
            "a whole number that is not negative".to_owned()
        }
        structure if structure.starts_with("struct ") => "a map".to_owned(),
        other => other.to_owned(),
    }
}

fn kind(unexpected: serde::de::Unexpected<'_>) -> &'static str {
    use serde::de::Unexpected as U;
    match unexpected {
        U::Bool(_) => "true or false (quote it to make it a string)",
        U::Unsigned(_) => "a number (quote it to make it a string)",
        U::Signed(_) => "a negative number",
        U::Float(_) => "a fraction",
        U::Str(_) | U::Char(_) => "a string",
        U::Unit | U::Option => "empty",
        U::Seq => "a list",
        U::Map => "a map",
        _ => "something else",
    }
}
