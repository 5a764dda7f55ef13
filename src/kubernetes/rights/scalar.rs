//! Texts of others as YAML: names, quoted scalars, comments.

use crate::answer::sanitise;

/// Characters of a line of a comment.
const WIDTH: usize = 110;

/// Whether it is a DNS-1123 subdomain (RFC 1123, apimachinery `IsDNS1123Subdomain`): what the names of groups,
/// resources, roles and accounts must be. `*`, which RBAC takes for everything, is none.
pub fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        let inside =
            label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        inside && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// A double-quoted scalar (YAML 1.2 section 7.3.1) that reads as exactly this text. What is no letter, digit or
/// printable ASCII is escaped: YAML has line breaks and forbidden characters that JSON does not know of.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            _ if character.is_alphanumeric() => quoted.push(character),
            _ => quoted.push_str(&format!("\\U{:08X}", u32::from(character))),
        }
    }
    quoted.push('"');
    quoted
}

/// A comment, broken into lines: nothing in it can end one.
pub(super) fn comment(indent: &str, text: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    let text = sanitise::line(text);
    for word in text.split_whitespace() {
        if !line.is_empty() && indent.len() + line.chars().count() + word.chars().count() > WIDTH {
            lines.push_str(&format!("{indent}#{line}\n"));
            line.clear();
        }
        line.push(' ');
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push_str(&format!("{indent}#{line}\n"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_reads_as_itself() {
        for text in [
            "oidc:Jürgens Leute",
            "\"]\n- apiGroups: [\"*\"]",
            "a\\n\\\"b",
            "\u{85}\u{2028}\u{2029}\u{7f}\u{0}\u{feff}",
            "😀",
            "no",
            "1e3",
            "",
            "# none",
            "{{ name }}",
        ] {
            let yaml = quoted(text);
            assert!(!yaml.contains(['\n', '\u{85}', '\u{2028}']), "{yaml}");
            let read: String = serde_saphyr::from_str(&yaml).expect(&yaml);
            assert_eq!(read, text);
        }
    }

    #[test]
    fn nothing_ends_a_comment() {
        let lines = comment("  ", "left out: x\n- apiGroups: [\"*\"]\u{85}y\u{2028}z\r w");
        assert_eq!(lines.lines().count(), 1, "{lines:?}");
        assert!(!lines.trim_end().contains(['\n', '\r', '\u{85}', '\u{2028}']), "{lines:?}");
        let long = comment("", &"word ".repeat(100));
        assert!(long.lines().all(|line| line.starts_with("# ") && line.len() <= WIDTH + 2), "{long}");
    }

    #[test]
    fn a_name_is_one_of_the_api_servers() {
        for fine in ["pods", "kro.run", "a-1.b2"] {
            assert!(is_name(fine), "{fine}");
        }
        for wrong in ["", "*", "Pods", "pods/log", ".a", "a.", "-a", "a b", "a\n", "ä", &"a".repeat(254)] {
            assert!(!is_name(wrong), "{wrong:?}");
        }
    }
}
