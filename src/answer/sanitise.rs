//! Text from a cluster is written by anyone who may write to the cluster: what a reader cannot see,
//! or what would drive a terminal, is taken out.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

#[allow(clippy::expect_used, reason = "a literal pattern, covered by the tests below")]
static ANSI: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])|\x{9b}[0-?]*[ -/]*[@-~]",
    )
    .expect("a literal pattern")
});

/// Categories whose members are not seen, or not by everyone alike: control and format characters, private
/// use, what Unicode has not assigned, and separators of lines and paragraphs.
#[allow(clippy::expect_used, reason = "a literal pattern, covered by the tests below")]
static UNREADABLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\p{C}\p{Zl}\p{Zp}]").expect("a literal pattern"));

/// Whether a name looks everywhere like itself and like no other: it has no character that [`text`] takes
/// out, none for private use, and none that Unicode has not assigned.
pub fn is_readable(name: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b' '..=b'~');
    name.bytes().all(plain) || !(name.chars().any(is_unwanted) || UNREADABLE.is_match(name))
}

/// `text` without ANSI sequences, control characters (but newline and tab), bidirectional controls,
/// zero-width and other invisible characters.
pub fn text(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    if text.bytes().all(plain) || !text.chars().any(is_unwanted) {
        return Cow::Borrowed(text);
    }
    let plain = ANSI.replace_all(text, "");
    Cow::Owned(plain.chars().filter(|c| !is_unwanted(*c)).collect())
}

/// [`text`] on one line, tabs and newlines as spaces: for table cells and tree lines.
pub fn line(value: &str) -> Cow<'_, str> {
    let clean = text(value);
    if clean.contains(['\n', '\t']) {
        return Cow::Owned(clean.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    clean
}

/// The first `most` characters of a text, with a mark where something was cut.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The first `most` characters of [`line`], with a mark where something was cut.
pub fn short(value: &str, most: usize) -> String {
    cut(&line(value), most)
}

fn is_unwanted(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control() && !matches!(c, '\n' | '\t');
    }
    match c {
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        c => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_taken_out() {
        assert_eq!(text("plain — text\twith\nlines"), "plain — text\twith\nlines");
        assert_eq!(text("\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}x"), "red x");
        assert_eq!(text("a\u{202e}b\u{200b}c\u{e0041}d\u{0}e\u{feff}"), "abcde");
        assert_eq!(line("a\n  b\tc"), "a b c");
        assert_eq!(short("äöü", 2), "äö…");
        assert_eq!(short("äö", 2), "äö");
    }

    #[test]
    fn a_name_is_readable_if_nothing_of_it_is_hidden() {
        for readable in ["", "anna", "Jürgen Groß", "Łukasz", "山田 太郎", "e\u{301}", "שרה", "ops 🚀"]
        {
            assert!(is_readable(readable), "{readable:?}");
        }
        for odd in [
            '\0',
            '\n',
            '\t',
            '\u{7f}',
            '\u{9b}',
            '\u{ad}',
            '\u{34f}',
            '\u{600}',
            '\u{200b}',
            '\u{200d}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2066}',
            '\u{3164}',
            '\u{e000}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffff}',
            '\u{378}',
            '\u{1d173}',
            '\u{e0041}',
            '\u{f0000}',
            '\u{10ffff}',
        ] {
            assert!(!is_readable(&format!("an{odd}na")), "{odd:?}");
        }
    }
}
