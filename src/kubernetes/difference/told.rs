//! Values as a difference tells them: one line each, with nothing in them that cannot be seen, and where
//! they are long, the place where they differ.

use serde_json::Value;

use crate::answer::sanitise;

/// Characters of a value that is told.
const LONGEST: usize = 120;
/// Characters before the place where two long values begin to differ.
const BEFORE: usize = 30;

/// Both sides of a difference; `secret` ones are only said to be there.
pub(super) fn told(
    before: Option<&Value>,
    after: Option<&Value>,
    secret: bool,
) -> (Option<String>, Option<String>) {
    if secret {
        let redacted = |value: Option<&Value>| value.map(|_| "<redacted>".to_owned());
        return (redacted(before), redacted(after));
    }
    let (before, after) = (before.map(visible), after.map(visible));
    let same = match (&before, &after) {
        (Some(before), Some(after)) => before.iter().zip(after).take_while(|(a, b)| a == b).count(),
        _ => 0,
    };
    (before.map(|text| excerpt(&text, same)), after.map(|text| excerpt(&text, same)))
}

/// The characters of a value, those that nobody sees written out: what a person agrees to must not hold
/// more than they read.
fn visible(value: &Value) -> Vec<char> {
    let text = match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let mut seen = Vec::with_capacity(text.len());
    for character in text.chars() {
        let mut bytes = [0; 4];
        let alone: &str = character.encode_utf8(&mut bytes);
        match character {
            '\n' => seen.extend("\\n".chars()),
            '\t' => seen.extend("\\t".chars()),
            _ if character.is_control() || sanitise::text(alone) != alone => {
                seen.extend(character.escape_unicode());
            }
            _ => seen.push(character),
        }
    }
    seen
}

fn excerpt(text: &[char], same: usize) -> String {
    if text.len() <= LONGEST {
        return text.iter().collect();
    }
    let start = same.saturating_sub(BEFORE).min(text.len() - LONGEST);
    let shown: String = text.iter().skip(start).take(LONGEST).collect();
    let dots = |there: bool| if there { "…" } else { "" };
    let (head, tail) = (dots(start > 0), dots(start + LONGEST < text.len()));
    format!("{head}{shown}{tail} ({} characters)", text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pair(before: &str, after: &str) -> (String, String) {
        let (before, after) = told(Some(&json!(before)), Some(&json!(after)), false);
        (before.expect("told"), after.expect("told"))
    }

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        let (before, after) = pair("new", "n\u{200b}e\u{202e}w\nx\0");
        assert_eq!((before.as_str(), after.as_str()), ("new", "n\\u{200b}e\\u{202e}w\\nx\\u{0}"));
    }

    #[test]
    fn long_values_are_told_where_they_differ() {
        let long = "a".repeat(300);
        let (before, after) = pair(&long, &format!("{long}EVIL"));
        assert!(after.contains("EVIL (304 characters)") && before != after, "{after}");
        let (_, after) = pair(&long, &format!("{}B{}", "a".repeat(150), "a".repeat(149)));
        assert!(after.starts_with('…') && after.contains('B') && after.contains("… (300"), "{after}");
    }
}
