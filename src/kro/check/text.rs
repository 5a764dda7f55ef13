//! A string of an RGD: plain, one expression, or text with expressions in it (kro v0.9.4
//! `pkg/graph/parser/cel.go`).

use crate::kro::expression::{Segment, segments};

/// What a string holds.
#[derive(Debug, PartialEq)]
pub(super) enum Text<'t> {
    /// Nothing to evaluate.
    Plain,
    /// One expression and nothing around it: its value is the string's.
    One(&'t str),
    /// Text with expressions in it.
    Mixed(Vec<Segment<'t>>),
    /// An expression within another, which kro does not take.
    Nested,
}

impl<'t> Text<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let parts = segments(text);
        match parts.as_slice() {
            [Segment::Expression(source)] => Self::One(source),
            parts if parts.iter().any(|part| matches!(part, Segment::Expression(_))) => {
                Self::Mixed(parts.to_vec())
            }
            // `${a ${b}}` comes back as it is
            _ if text.find("${").is_some_and(|start| closes(text.get(start + 2..).unwrap_or_default())) => {
                Self::Nested
            }
            _ => Self::Plain,
        }
    }
}

/// Whether an expression was begun and not ended: kro v0.9.4 takes it for text, later ones refuse it.
pub(super) fn is_unterminated(text: &str) -> bool {
    let left = segments(text);
    left.iter().any(|part| matches!(part, Segment::Text(text) if text.contains("${")))
        && Text::of(text) != Text::Nested
}

fn closes(rest: &str) -> bool {
    rest.contains("${") && rest.contains('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_told_apart() {
        assert_eq!(Text::of("plain"), Text::Plain);
        assert_eq!(Text::of("${a.b}"), Text::One("a.b"));
        assert!(matches!(Text::of("x-${a}"), Text::Mixed(parts) if parts.len() == 2));
        assert!(matches!(Text::of("${a}${b}"), Text::Mixed(parts) if parts.len() == 2));
        assert_eq!(Text::of("${a ${b}}"), Text::Nested);
        assert_eq!(Text::of("${a"), Text::Plain);
        assert!(is_unterminated("${a") && is_unterminated("${a} ${b") && !is_unterminated("${a} $b"));
        assert!(!is_unterminated("${a ${b}}") && !is_unterminated(""));
    }
}
