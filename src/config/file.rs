//! From the text of a file to a typed value.

use serde::de::DeserializeOwned;
use serde_saphyr::Spanned;

use super::{
    expand,
    node::{Node, Value},
    problem::Wrong,
};

/// Parses YAML, puts variables into its strings, and reads it as `T`.
pub(super) fn parse<T: DeserializeOwned>(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<T, Wrong> {
    // a snippet of the file could show a secret
    let options = serde_saphyr::options! { with_snippet: false };
    let root: Option<Spanned<Value>> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| not_yaml(&error))?;
    let mut root = root.map_or(Node { line: 1, value: Value::Empty }, Node::from);
    expand::variables(&mut root, variable)?;
    T::deserialize(&root)
}

/// The parser's own words, without their place: that is said as for all other mistakes.
fn not_yaml(error: &serde_saphyr::Error) -> Wrong {
    let wrong = Wrong::new(format!("not valid YAML: {error}"));
    match error.location() {
        Some(location) => wrong.on_line(location.line()),
        None => wrong,
    }
}
