//! `${…}` in strings: finding the expressions of a template.
//!
//! The rules are kro's (v0.9.4 `pkg/graph/parser/cel.go`): braces nest, a double-quoted string
//! hides them, an expression inside another makes the whole string plain text.

use serde_json::Value;

/// A piece of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Text as it stands.
    Text(&'a str),
    /// The CEL between `${` and `}`.
    Expression(&'a str),
}

/// How often an unterminated `${` is looked behind: more is not written by people.
const UNTERMINATED: usize = 16;

/// Takes `text` apart. Text without any expression is one [`Segment::Text`].
pub fn segments(text: &str) -> Vec<Segment<'_>> {
    let mut found = Vec::new();
    let (mut done, mut from, mut unterminated) = (0, 0, 0);
    while let Some(start) = text.get(from..).and_then(|rest| rest.find("${")).map(|at| from + at) {
        match closing(text, start + 2) {
            Closing::At(end) => {
                push_text(&mut found, text.get(done..start));
                found.extend(text.get(start + 2..end).map(Segment::Expression));
                (done, from) = (end + 1, end + 1);
            }
            Closing::Never if unterminated < UNTERMINATED => {
                unterminated += 1;
                from = start + 2;
            }
            Closing::Never => break,
            Closing::Nested => return vec![Segment::Text(text)],
        }
    }
    push_text(&mut found, text.get(done..));
    found
}

/// The expressions in `text`.
pub fn expressions(text: &str) -> impl Iterator<Item = &str> {
    segments(text).into_iter().filter_map(|segment| match segment {
        Segment::Expression(source) => Some(source),
        Segment::Text(_) => None,
    })
}

/// Every string in a JSON value, keys left out (kro evaluates values only).
pub fn strings_of(value: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => found.push(text.as_str()),
            Value::Array(items) => open.extend(items.iter().rev()),
            Value::Object(members) => open.extend(members.values().rev()),
            _ => {}
        }
    }
    found
}

fn push_text<'a>(found: &mut Vec<Segment<'a>>, text: Option<&'a str>) {
    found.extend(text.filter(|text| !text.is_empty()).map(Segment::Text));
}

enum Closing {
    At(usize),
    Never,
    Nested,
}

fn closing(text: &str, from: usize) -> Closing {
    let (mut depth, mut quoted, mut escaped, mut before) = (1, false, false, b'{');
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate().skip(from) {
        if escaped {
            escaped = false;
        } else if quoted && byte == b'\\' {
            escaped = true;
        } else if byte == b'"' {
            quoted = !quoted;
        } else if !quoted {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                b'$' if bytes.get(at + 1) == Some(&b'{') && before != b'"' => {
                    return Closing::Nested;
                }
                _ => {}
            }
            if depth == 0 {
                return Closing::At(at);
            }
        }
        before = byte;
    }
    Closing::Never
}

#[cfg(test)]
mod tests {
    use super::*;
    use Segment::{Expression, Text};

    #[test]
    fn strings_are_taken_apart_as_kro_does() {
        assert_eq!(segments("plain"), [Text("plain")]);
        assert_eq!(segments("${a.b}"), [Expression("a.b")]);
        assert_eq!(
            segments("x-${a}-${b}é"),
            [Text("x-"), Expression("a"), Text("-"), Expression("b"), Text("é")]
        );
        assert_eq!(segments("${{'k': 1}}"), [Expression("{'k': 1}")]);
        assert_eq!(segments(r#"${a + "}" + b}"#), [Expression(r#"a + "}" + b"#)]);
        assert_eq!(segments(r#"${a + "\"}"}"#), [Expression(r#"a + "\"}""#)]);
        assert_eq!(segments("${a ${b}}"), [Text("${a ${b}}")]);
        assert_eq!(segments("${open"), [Text("${open")]);
        assert_eq!(segments(""), []);
    }

    #[test]
    fn a_thousand_open_braces_do_not_cost_a_square() {
        let text = "${\"".repeat(20_000);
        let start = std::time::Instant::now();
        assert!(expressions(&text).count() < 20_000);
        assert!(start.elapsed().as_millis() < 500);
    }
}
